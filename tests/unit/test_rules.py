"""Rule files: every mistake in them is told with its place, and nothing of a faulty folder is used."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from proxy_guard import Guard, resources
from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.locate.jsonpath import normalized
from proxy_guard.operators.mask import Mask
from proxy_guard.proofs import run_proofs, unproven
from proxy_guard.rules.compiled import Ruleset
from proxy_guard.rules.files import KINDS
from proxy_guard.rules.folder import rule_files
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.schemas import schemas, write

API = "version: 1\nname: a\nmatch: {paths: [/x]}\n"
POLICY = "version: 1\nname: mask\nentities:\n  PHONE_NUMBER: {action: mask}\n"
GUARD = "version: 1\nroutes:\n  - policy: mask\n"
SOUND = {"apis/a.yaml": API + 'request:\n  - {path: "$.t"}\n', "policies/mask.yaml": POLICY, "guard.yaml": GUARD}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SOUND.items():
        put(tmp_path, name, text)
    return tmp_path


def put(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def faults(folder: Path, policy: str | None = None) -> list[RuleFault]:
    with pytest.raises(RulesError) as caught:
        load_rules(folder, policy)
    return caught.value.faults


def test_the_folder_that_is_broken_below_is_sound(folder: Path) -> None:
    ruleset = load_rules(folder)
    assert [(route.policy.name, [api.name for api in route.apis]) for route in ruleset.routes] == [("mask", ["a"])]


# --- one mistake ---------------------------------------------------------------------------------------


class Broken(NamedTuple):
    """A file in place of a sound one, and what has to be said of it: place, field, part of the message, hint."""

    file: str
    text: str
    line: int
    column: int
    field: str
    message: str
    hint: str = ""


def api(text: str, *place: Any) -> Broken:
    return Broken("apis/a.yaml", text, *place)


def policy(text: str, *place: Any) -> Broken:
    return Broken("policies/mask.yaml", text, *place)


def entity(spec: str, *place: Any) -> Broken:
    return policy(f"version: 1\nname: mask\nentities:\n  PHONE_NUMBER: {spec}\n", *place)


def guard(text: str, *place: Any) -> Broken:
    return Broken("guard.yaml", text, *place)


P = "entities.PHONE_NUMBER"
BROKEN: dict[str, Broken] = {
    # YAML
    "an open bracket": policy("version: 1\nname: [p\nentities: {}\n", 3, 9, "", "not valid YAML"),
    "a tab": policy("version: 1\n\tname: p\n", 2, 1, "", "not valid YAML"),
    "a key twice": policy(POLICY + "name: q\n", 5, 1, "", 'duplicate key "name"'),
    "an entity twice": policy(POLICY + "  PHONE_NUMBER: {action: keep}\n", 5, 3, "", 'duplicate key "PHONE_NUMBER"'),
    "two documents": policy(POLICY + "---\nx: 1\n", 5, 1, "", "not valid YAML"),
    "a tag of Python": policy("version: 1\nname: !!python/name:os.system p\n", 2, 7, "", "not valid YAML"),
    "an alias of nothing": policy("version: 1\nname: *p\n", 2, 7, "", "not valid YAML"),
    "a control character": policy("version: 1\nname: 'p\x01'\n", 1, 1, "", "not valid YAML"),
    "deeper than anyone writes": policy("[" * 5000, 2, 1, "", "not valid YAML"),
    # What the libraries underneath raise errors of other kinds for.
    "a date that is none": policy("version: 1\nname: 2024-13-45\n", 1, 1, "", "not valid YAML"),
    "an action that is a list": entity("{action: [mask]}", 4, 18, f"{P}.action", "action"),
    "an action that is an object": entity("{action: {mask: 1}}", 4, 18, f"{P}.action", "action"),
    "an empty path": api(API + 'request:\n  - {path: ""}\n', 5, 6, "request[0].path", ""),
    # types and names
    "nothing in the file": policy("", 1, 1, "", "valid dictionary"),
    "a list": policy("- version: 1\n", 1, 1, "", "valid dictionary"),
    "a word": policy("mask", 1, 1, "", "valid dictionary"),
    "an unknown key": policy(POLICY + "mdoe: observe\n", 5, 1, "mdoe", "unknown key", "did you mean mode?"),
    "a key like no other": api(API + "zzz: 1\n", 4, 1, "zzz", "unknown key", "known: version, name, title"),
    "an unknown key inside": api("version: 1\nname: a\nmatch: {paths: [/x], metods: [POST]}\n", 3, 22, "match.metods", "unknown key", "did you mean methods?"),
    "an unknown key in a list": api(API + "request:\n  - {path: $.a}\n  - {path: $.b, knd: text}\n", 6, 17, "request[1].knd", "unknown key", "did you mean kind?"),
    "no name": policy("version: 1\nentities: {PHONE_NUMBER: {action: mask}}\n", 1, 1, "name", "'name' is missing"),
    "no entities": policy("version: 1\nname: mask\n", 1, 1, "entities", "'entities' is missing"),
    "no paths": api("version: 1\nname: a\nmatch: {methods: [POST]}\n", 3, 1, "match", "'paths' is missing"),
    "no path in a field": api(API + "request:\n  - {kind: text}\n", 5, 5, "request[0]", "'path' is missing"),
    "another version": policy(POLICY.replace("1", "2"), 1, 1, "version", "must be one of 1"),
    "a version in quotes": policy(POLICY.replace("1", "'1'"), 1, 1, "version", "must be one of 1"),
    "a name in upper case": policy(POLICY.replace("name: mask", "name: Mask"), 2, 1, "name", "match pattern"),
    "a number for a name": policy(POLICY.replace("name: mask", "name: 7"), 2, 1, "name", "valid string"),
    "a list for an object": policy("version: 1\nname: mask\nentities: [PHONE_NUMBER]\n", 3, 1, "entities", "valid dictionary"),
    "an empty object": policy("version: 1\nname: mask\nentities: {}\n", 3, 1, "entities", "at least 1"),
    "a word for a list": api("version: 1\nname: a\nmatch: {paths: /x}\n", 3, 9, "match.paths", "valid list"),
    "a path without a slash": api("version: 1\nname: a\nmatch: {paths: [/x, y]}\n", 3, 9, "match.paths", "'y' does not start with '/'"),
    "an unknown kind": api(API + "request:\n  - {path: $.a, kind: txt}\n", 5, 17, "request[0].kind", "must be one of", "did you mean text?"),
    "an unknown dialect": api(API + "dialect: rfc9353\n", 4, 1, "dialect", "must be one of", "did you mean rfc9535?"),
    "an unknown mode": policy(POLICY + "mode: observ\n", 5, 1, "mode", "must be one of", "did you mean observe?"),
    "a status that clients retry": policy(POLICY + "block: {status: 503}\n", 5, 9, "block.status", "less than or equal to 499"),
    "an unknown key in an object": policy(POLICY + "block: {mesage: no}\n", 5, 9, "block.mesage", "unknown key", "did you mean message?"),
    "a word for a switch": api(API + "request:\n  - {path: $.a, signed: maybe}\n", 5, 17, "request[0].signed", "valid boolean"),
    # JSONPath
    "a broken path": api(API + "request:\n  - {path: $.a}\n  - {path: '$.a['}\n", 6, 6, "request[1].path", "unexpected end"),
    "a path of a reply": api(API + "response:\n  - {path: $.a..}\n", 5, 6, "response[0].path", "expected"),
    "a path of another dialect": api(API + "request:\n  - {path: \"$[?(a=='x')]\"}\n", 5, 6, "request[0].path", ""),
    "a broken path of jsonpath-ng": api(API + "dialect: jsonpath-ng\nrequest:\n  - {path: '$.a['}\n", 6, 6, "request[0].path", "Parse error"),
    # policies
    "an unknown entity": policy("version: 1\nname: mask\nentities:\n  PHONE: {action: mask}\n", 4, 3, "entities.PHONE", "unknown entity", "did you mean PHONE_NUMBER?"),
    "a misspelt entity": policy("version: 1\nname: mask\nentities:\n  PHONE_NUMBR: {action: mask}\n", 4, 3, "entities.PHONE_NUMBR", "unknown entity", "did you mean PHONE_NUMBER?"),
    "an entity in another spelling": policy("version: 1\nname: mask\nentities:\n  phone-number: {action: mask}\n", 4, 3, "entities.phone-number", "unknown entity", "did you mean PHONE_NUMBER?"),
    "a region that is none": policy("version: 1\nname: mask\nphone_regions: [IN, UK]\nentities:\n  OTP: {action: mask}\n", 3, 21, "phone_regions[1]", "unknown region 'UK'", "did you mean GB?"),
    "a region in small letters": policy("version: 1\nname: mask\nphone_regions: [de]\nentities:\n  OTP: {action: mask}\n", 3, 17, "phone_regions[0]", "unknown region 'de'", "did you mean DE?"),
    "a region like no other": policy("version: 1\nname: mask\nphone_regions: [QQ]\nentities:\n  OTP: {action: mask}\n", 3, 17, "phone_regions[0]", "unknown region 'QQ'", "a region is an ISO 3166-1 code"),
    "an entity like no other": policy("version: 1\nname: mask\nentities:\n  QQQQ: {action: mask}\n", 4, 3, "entities.QQQQ", "unknown entity"),
    "no action": entity("{min_score: 0.5}", 4, 3, P, "'action' is missing"),
    "nothing for an entity": entity("null", 4, 3, P, "valid dictionary"),
    "an unknown action": entity("{action: maks}", 4, 18, f"{P}.action", "unknown action 'maks'", "did you mean mask?"),
    "an unknown setting": entity("{action: mask, keep_lst: 2}", 4, 32, f"{P}.keep_lst", "unknown setting of 'mask'", "did you mean keep_last?"),
    "a setting of another action": entity("{action: redact, char: X}", 4, 34, f"{P}.char", "unknown setting of 'redact'", "known: min_score"),
    "a setting of a wrong type": entity("{action: mask, keep_last: two}", 4, 32, f"{P}.keep_last", "valid integer"),
    "a setting beyond its bounds": entity("{action: mask, char: XX}", 4, 32, f"{P}.char", "at most 1 character"),
    "settings at odds": entity("{action: mask, keep_last: 2, chars: 3}", 4, 3, P, "not both"),
    "a score too high": entity("{action: mask, min_score: 1.5}", 4, 32, f"{P}.min_score", "from 0 to 1"),
    "a score too low": entity("{action: mask, min_score: -0.1}", 4, 32, f"{P}.min_score", "from 0 to 1"),
    "a score that is no number": entity("{action: mask, min_score: high}", 4, 32, f"{P}.min_score", "from 0 to 1"),
    "a score that is not a number at all": entity("{action: mask, min_score: .nan}", 4, 32, f"{P}.min_score", "from 0 to 1"),
    "a score that is a switch": entity("{action: mask, min_score: true}", 4, 32, f"{P}.min_score", "from 0 to 1"),
    "a score of the policy": policy(POLICY + "min_score: 2\n", 5, 1, "min_score", "less than or equal to 1"),
    "a secret in clear": entity("{action: hash, key: hunter2hunter2hunter2}", 4, 32, f"{P}.key", "a secret never stands in a file"),
    "a secret that is not there": entity('{action: hash, key: "${env:PG_NOT_SET}"}', 4, 32, f"{P}.key", "PG_NOT_SET is not set"),
    "a hash without a key": entity("{action: hash}", 4, 3, f"{P}.key", "required"),
    "an unknown action for the others": policy(POLICY + "otherwise: {action: maks}\n", 5, 13, "otherwise.action", "unknown action", "did you mean mask?"),
    "an unknown scrubber": policy(POLICY + "scrubber: locl\n", 5, 1, "scrubber", "unknown scrubber", "did you mean local?"),
    # Values that may be of several types: the mistake is told once, by the name of the field alone.
    "a word for the others": policy(POLICY + "otherwise: kep\n", 5, 1, "otherwise", "", "did you mean keep?"),
    "a word on errors": policy(POLICY + "on_error: kep\n", 5, 1, "on_error", "", "did you mean keep?"),
    "an unknown cause": policy(POLICY + "on_error: {timout: keep}\n", 5, 12, "on_error.timout", "", "did you mean timeout?"),
    "an unknown answer to a cause": policy(POLICY + "on_error: {timeout: kep}\n", 5, 12, "on_error.timeout", "must be one of", "did you mean keep?"),
    # the guard file
    "an unknown policy": guard("version: 1\nroutes:\n  - {policy: maks}\n", 3, 6, "routes[0].policy", "no file policies/maks.yaml", "did you mean mask?"),
    "an unknown API": guard("version: 1\nroutes:\n  - {policy: mask}\n  - {apis: [a, b]}\n", 4, 16, "routes[1].apis[1]", "no file apis/b.yaml"),
    "no routes": guard("version: 1\nroutes: []\n", 2, 1, "routes", "at least 1"),
    "a limit of nought": guard(GUARD + "limits: {depth: 0}\n", 4, 10, "limits.depth", "greater than 0"),
    "an unknown limit": guard(GUARD + "limits: {bdy: 3}\n", 4, 10, "limits.bdy", "unknown key", "did you mean body?"),
    "an unknown answer to what is unmatched": guard("version: 1\nroutes:\n  - {unmatched: deny}\n", 3, 6, "routes[0].unmatched", "must be one of"),
    "a route without hosts": guard("version: 1\nroutes:\n  - {hosts: []}\n", 3, 6, "routes[0].hosts", "at least 1"),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_told_once_with_its_place_and_a_hint(folder: Path, broken: Broken) -> None:
    put(folder, broken.file, broken.text)
    (fault,) = faults(folder)
    assert (fault.file, fault.line, fault.column) == (str(folder / broken.file), broken.line, broken.column)
    assert fault.field == broken.field
    assert broken.message in fault.message
    assert fault.hint.startswith(broken.hint)
    assert "hunter2" not in str(fault)
    assert "\n" not in str(fault)


def test_a_fault_is_written_as_editors_read_it(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY.replace("PHONE_NUMBER", "PHONE"))
    with pytest.raises(RulesError) as caught:
        load_rules(folder)
    place = f"{folder}/policies/mask.yaml:4:3: entities.PHONE: unknown entity (did you mean PHONE_NUMBER?)"
    assert str(caught.value) == place


def test_a_file_that_is_not_utf_8_is_told(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY.encode() + b"title: \xff\n")
    (fault,) = faults(folder)
    assert (fault.line, fault.column, fault.message) == (1, 1, "can't be read: UnicodeDecodeError")


# --- mistakes between files ----------------------------------------------------------------------------


def test_a_mistake_beside_a_tab_in_a_word_is_told_with_its_place(folder: Path) -> None:
    """The quick reader of YAML takes such a tab in a flow mapping, the one that knows places does not."""
    put(folder, "policies/mask.yaml", POLICY + "about: {a: b\tc}\nkinds: 1\n")
    told = [(fault.line, fault.column, fault.field) for fault in faults(folder)]
    assert told == [(5, 1, "about"), (6, 1, "kinds")]


def test_a_mapping_in_place_of_a_key_is_told(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY + "? - a: b\n: 1\n")
    assert [fault.message for fault in faults(folder)] == ["not valid YAML"]


def test_a_missing_guard_file_is_told(folder: Path) -> None:
    (folder / "guard.yaml").unlink()
    (fault,) = faults(folder)
    assert (fault.file, fault.message) == (str(folder / "guard.yaml"), "can't be read: FileNotFoundError")


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path / "nowhere")
    assert "no such folder" in fault.message


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        ("guard.yml", "guard.yaml"),
        ("policies/other.yml", "other.yaml"),
        ("policies/mask.test.yml", "mask.test.yaml"),
        ("apis/b.YAML", "b.yaml"),
        ("recognizers/ticket.Yml", "ticket.yaml"),
        ("policies/template.JSON", "template.json"),
    ],
)
def test_a_file_that_would_be_passed_over_for_its_ending_is_told(folder: Path, name: str, renamed: str) -> None:
    put(folder, name, "version: 1\n")
    [fault] = faults(folder)
    assert (fault.file, fault.hint) == (str(folder / name), f"rename it to {renamed}")
    assert "is not read" in fault.message


def test_one_name_for_two_files_is_told(folder: Path) -> None:
    put(folder, "policies/other.yaml", POLICY)
    (fault,) = faults(folder)
    assert (Path(fault.file).name, fault.line, fault.column, fault.field) == ("other.yaml", 2, 1, "name")
    assert "'mask' already" in fault.message


@pytest.mark.parametrize(
    ("file", "text", "route", "field"),
    [
        ("policies/mine.yaml", POLICY.replace("name: mask", "name: other"), "{policy: mine}", "routes[0].policy"),
        ("apis/mine.yaml", API.replace("name: a", "name: other"), "{apis: [mine]}", "routes[0].apis[0]"),
    ],
)
def test_a_file_of_one_name_that_calls_itself_by_another_is_not_found_by_the_first(
    folder: Path, file: str, text: str, route: str, field: str
) -> None:
    put(folder, file, text)
    put(folder, "guard.yaml", f"version: 1\nroutes:\n  - {route}\n")
    (fault,) = faults(folder)
    assert fault.field == field


def test_a_policy_for_all_traffic_that_is_not_there_is_told_with_a_hint(folder: Path) -> None:
    (fault,) = faults(folder, policy="maks")
    assert ("no policy 'maks'" in fault.message, fault.hint) == (True, "did you mean mask?")


def test_a_faulty_policy_is_not_called_missing_where_a_route_names_it(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY + "mode: x\n")
    assert [fault.field for fault in faults(folder)] == ["mode"]


def test_every_mistake_of_every_file_is_told(folder: Path) -> None:
    put(folder, "apis/a.yaml", API + "request:\n  - {path: '$['}\n  - {path: '$.ok'}\n  - {path: '$.]'}\n")
    put(folder, "apis/b.yaml", "version: 1\nname: b\nmatsh: {}\ntitel: x\n")
    put(folder, "apis/c.yaml", "[")
    put(folder, "policies/mask.yaml", POLICY.replace("mask}", "maks}") + "  QQQ: {action: mask}\n  IP_ADDRESS: {}\n")
    put(folder, "guard.yaml", "version: 1\nroutes:\n  - {policy: nope, apis: [a, z]}\n")
    told = [(Path(fault.file).name, fault.line, fault.field) for fault in faults(folder)]
    assert sorted(told) == sorted(
        [
            ("a.yaml", 5, "request[0].path"),
            ("a.yaml", 7, "request[2].path"),
            ("b.yaml", 1, "match"),
            ("b.yaml", 3, "matsh"),
            ("b.yaml", 4, "titel"),
            ("c.yaml", 2, ""),
            ("mask.yaml", 4, "entities.PHONE_NUMBER.action"),
            ("mask.yaml", 5, "entities.QQQ"),
            ("mask.yaml", 6, "entities.IP_ADDRESS"),
            ("guard.yaml", 3, "routes[0].policy"),
            ("guard.yaml", 3, "routes[0].apis[1]"),
        ]
    )


def test_a_guard_is_not_made_of_faulty_rules(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY.replace("mask}", "maks}"))
    with pytest.raises(RulesError):
        Guard.from_rules(folder)


# --- what sound files become ---------------------------------------------------------------------------


def test_defaults_stand_in_for_what_is_left_out(folder: Path) -> None:
    ruleset = load_rules(folder)
    made = ruleset.policies["mask"]
    assert (made.status, made.keeps, made.observe, made.scrubbers) == (422, frozenset(), False, ("local",))
    assert (made.wanted.entities, made.wanted.min_score, made.wanted.language) == (
        frozenset({"PHONE_NUMBER"}),
        0.4,
        "en",
    )
    assert ruleset.routes[0].unmatched == "allow"
    assert ruleset.limits.body == 10 * 1024 * 1024


WANTED = """\
version: 1
name: mask
min_score: 0.6
entities:
  PHONE_NUMBER: {action: mask, min_score: 0.3}
  EMAIL_ADDRESS: {action: redact}
  IP_ADDRESS: {action: keep}
"""


def test_kept_entities_are_not_looked_for_and_the_least_score_is_the_lowest_asked_for(folder: Path) -> None:
    put(folder, "policies/mask.yaml", WANTED)
    made = load_rules(folder).policies["mask"]
    assert made.wanted.entities == frozenset({"PHONE_NUMBER", "EMAIL_ADDRESS"})
    assert made.wanted.min_score == 0.3
    assert {name: rule.min_score for name, rule in made.rules.items()} == {
        "PHONE_NUMBER": 0.3, "EMAIL_ADDRESS": 0.6, "IP_ADDRESS": 0.6,
    }  # fmt: skip
    assert made.rule_for("CREDIT_CARD") is None


def test_otherwise_looks_for_all_there_are(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY + "otherwise: {action: redact, min_score: 0.2}\n")
    made = load_rules(folder).policies["mask"]
    assert (made.wanted.entities, made.wanted.min_score) == (None, 0.2)
    rule = made.rule_for("CREDIT_CARD")
    assert rule is not None
    assert rule.action == "redact"


ON_ERROR = {
    "block": ("block", set()),
    "keep": ("keep", {"undecodable", "too_large", "unsupported_media", "timeout", "unavailable"}),
    "per cause": ("{timeout: keep, too_large: block}", {"timeout"}),
}


@pytest.mark.parametrize(("said", "keeps"), ON_ERROR.values(), ids=ON_ERROR)
def test_on_error_is_one_answer_or_one_per_cause(folder: Path, said: str, keeps: set[str]) -> None:
    put(folder, "policies/mask.yaml", POLICY + f"on_error: {said}\n")
    assert load_rules(folder).policies["mask"].keeps == keeps


ROUTES = """\
version: 1
routes:
  - {hosts: ["*.internal.example"], policy: one}
  - {paths: ["/b/**"], apis: [b], policy: two}
  - {hosts: [api.example], policy: mask, unmatched: block}
limits: {body: 10, decoded: 20, ratio: 3, depth: 4, time: 0.5}
"""


@pytest.mark.parametrize(
    ("method", "url", "met"),
    [
        ("POST", "https://x.internal.example/x", ("one", "a", False)),
        ("post", "https://x.internal.example/X/", ("one", "a", False)),
        ("GET", "https://x.internal.example/x", ("one", None, False)),
        ("POST", "https://x.internal.example/b/y", ("one", "b", False)),
        ("POST", "https://api.example/b/y", ("two", "b", False)),
        ("POST", "https://api.example/b/z", ("two", None, False)),
        ("POST", "https://api.example/x", ("mask", "a", False)),
        ("POST", "https://api.example/other", ("mask", None, True)),
        ("POST", "https://other.example/x", None),
    ],
)
def test_the_first_route_that_matches_counts_and_its_first_api(
    folder: Path, method: str, url: str, met: tuple[str, str | None, bool] | None
) -> None:
    put(folder, "guard.yaml", ROUTES)
    put(folder, "apis/b.yaml", "version: 1\nname: b\nmatch: {paths: [/b/y]}\n")
    put(folder, "policies/one.yaml", POLICY.replace("name: mask", "name: one"))
    put(folder, "policies/two.yaml", POLICY.replace("name: mask", "name: two"))
    ruleset = load_rules(folder)
    match = ruleset.match(method, url)
    got = match and (match.policy.name, match.api.name if match.api else None, match.blocks)
    assert got == met
    limits = ruleset.limits
    assert (limits.body, limits.decoded, limits.ratio, limits.depth, limits.time) == (10, 20, 3, 4, 0.5)


def test_a_policy_for_all_traffic_takes_the_place_of_every_routes_own(folder: Path) -> None:
    put(folder, "guard.yaml", "version: 1\nroutes:\n  - {hosts: [a.example], policy: gone}\n  - {policy: mask}\n")
    put(folder, "policies/two.yaml", POLICY.replace("name: mask", "name: two"))
    assert {route.policy.name for route in load_rules(folder, "two").routes} == {"two"}


def test_anchors_and_aliases_are_read(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY.replace("{action", "&m {action") + "  IP_ADDRESS: *m\n")
    assert set(load_rules(folder).policies["mask"].rules) == {"PHONE_NUMBER", "IP_ADDRESS"}


def test_settings_reach_their_operator(folder: Path) -> None:
    put(folder, "policies/mask.yaml", POLICY.replace("mask}", "mask, char: X, keep_last: 2}"))
    operator = load_rules(folder).policies["mask"].rules["PHONE_NUMBER"].operator
    assert operator == Mask(char="X", keep_last=2)


def test_an_api_may_be_written_in_the_dialect_of_jsonpath_ng(folder: Path) -> None:
    put(folder, "apis/a.yaml", API + "dialect: jsonpath-ng\nrequest:\n  - {path: \"list[?(t=='y')].v\"}\n")
    tree = load_rules(folder).apis["a"].request
    ((field, nodes),) = tree.nodes({"list": [{"t": "x", "v": 1}, {"t": "y", "v": 2}]})
    assert field.rule == "list[?(t=='y')].v"
    assert [(normalized(path), value) for value, path, *_ in nodes] == [("$['list'][1]['v']", 2)]


def test_proofs_are_no_rules(folder: Path) -> None:
    put(folder, "policies/mask.test.yaml", "version: 1\ncases: []\n")
    assert [path.name for path in rule_files(folder / "policies")] == ["mask.yaml"]
    assert load_rules(folder)


# --- the shipped rules ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Ruleset:
    return load_rules(resources.rules_dir())


def test_the_shipped_rules_load(shipped: Ruleset) -> None:
    assert {"openai-chat", "anthropic-messages", "whatsapp-cloud"} <= set(shipped.apis)
    assert {"mask", "block", "observe"} <= set(shipped.policies)
    assert shipped.policies["observe"].observe is True


def test_every_shipped_file_has_its_proof_beside_it() -> None:
    assert unproven(resources.rules_dir()) == []
    proofs = list(resources.rules_dir().rglob("*.test.yaml"))
    assert len(proofs) >= 7
    for proof in proofs:
        assert proof.with_name(proof.name.replace(".test.yaml", ".yaml")).exists(), proof


def test_a_file_without_a_proof_is_noticed(folder: Path) -> None:
    put(folder, "policies/mask.test.yaml", "")
    assert sorted(path.name for path in unproven(folder)) == ["a.yaml", "guard.yaml"]


def test_the_shipped_schemas_are_fresh(tmp_path: Path) -> None:
    write(tmp_path)
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    lying = {path.name: path.read_text(encoding="utf-8") for path in (resources.rules_dir() / "schema").iterdir()}
    assert set(made) == set(lying) == {f"{kind}.schema.json" for kind in KINDS}
    for name, text in made.items():
        assert text == lying[name], f"{name} is stale: make schemas"


@pytest.mark.parametrize("path", sorted(resources.rules_dir().rglob("*.yaml")), ids=lambda path: path.name)
def test_a_shipped_file_names_its_schema_and_keeps_to_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert named is not None
    schema = (path.parent / named[1]).resolve()
    assert schema.parent == (resources.rules_dir() / "schema").resolve()
    assert schema.name.removesuffix(".schema.json") in schemas()
    if importlib.util.find_spec("jsonschema"):
        validator = importlib.import_module("jsonschema").Draft202012Validator
        with schema.open(encoding="utf-8") as file:
            errors = validator(json.load(file)).iter_errors(YAML(typ="safe").load(text))
        assert [error.message for error in errors] == []


REGIONS_PROOF = """
version: 1
cases:
  - {name: as at home, text: "030 901820", becomes: "XXXXXXXXXX"}
  - {name: another region's, text: "(212) 555-0134", unchanged: true}
  - {name: another region's that words say is one, text: "call (212) 555-0134", becomes: "call XXXXXXXXXXXXXX"}
  - {name: with a country code, text: "+1 415 555 2671", becomes: "XXXXXXXXXXXXXXX"}
"""


def failed(folder: Path) -> list[str]:
    return [each.case for each in run_proofs(folder) if not each.passed]


def test_a_policy_names_the_regions_of_numbers_without_a_country_code(folder: Path) -> None:
    put(folder, "apis/a.yaml", API.replace("/x", "/v1/**") + 'request:\n  - {path: "$.messages[*].content"}\n')
    entities = "entities:\n  PHONE_NUMBER: {action: mask, char: X}\n"
    put(folder, "policies/mask.yaml", "version: 1\nname: mask\nphone_regions: [DE, AT]\n" + entities)
    put(folder, "policies/mask.test.yaml", REGIONS_PROOF)
    assert failed(folder) == []
    assert load_rules(folder).policies["mask"].wanted.phone_regions == ("DE", "AT")
    put(folder, "policies/mask.yaml", "version: 1\nname: mask\n" + entities)
    assert load_rules(folder).policies["mask"].wanted.phone_regions is None
    assert failed(folder) == ["as at home", "another region's"]
