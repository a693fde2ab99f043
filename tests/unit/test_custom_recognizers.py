"""Custom recognizers: what they find, which are refused and why, and that what is found reaches a policy."""

from __future__ import annotations

import json
import time
from pathlib import Path

import anyio
import pytest
from ruamel.yaml import YAML

from proxy_guard import Guard, Message, resources
from proxy_guard.detect import Detector, generic
from proxy_guard.detect.custom import CHECKSUMS, CustomRecognizer, in_groups, ordinary_talk
from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.proofs import run_proofs
from proxy_guard.rules.files import RecognizerFile
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.recognizers import pattern_fault
from tests.small_rules import small_rules

SERVER = r"""version: 1
name: server-id
entity: SERVER_ID
patterns: [{regex: 'ID-\d{8}', score: 0.7}]
context: [server, host]
examples: ["It is ID-12345678."]
counter_examples: ["It is ID-1234567."]
"""
MIXED = r"""version: 1
name: mixed-id
entity: MIXED_ID
patterns: [{regex: '[A-Za-z0-9\W]{12,}', score: 0.3}]
context: [server]
context_required: true
allow_generic: true
examples: ["The server id is aZ9$kLm!2pQrT"]
counter_examples: ["The colour is aZ9$kLm!2pQrT", "My server is down."]
"""
GUARD = "version: 1\nroutes: [{policy: own}]\n"
POLICY = "version: 1\nname: own\nentities:\n  SERVER_ID: {action: mask, char: X, keep_last: 2}\n"
URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = small_rules(tmp_path / "rules")
    (folder / "policies" / "mask.yaml").unlink()
    (folder / "recognizers").mkdir()
    (folder / "guard.yaml").write_text(GUARD)
    (folder / "policies" / "own.yaml").write_text("version: 1\nname: own\nentities: {US_SSN: {action: mask}}\n")
    return folder


def put(rules: Path, text: str, name: str = "server-id") -> None:
    (rules / "recognizers" / f"{name}.yaml").write_text(text, encoding="utf-8")


def faults(rules: Path) -> list[RuleFault]:
    with pytest.raises(RulesError) as caught:
        load_rules(rules)
    return caught.value.faults


def changed(text: str, *, pattern: str | None = None, **settings: object) -> str:
    """A recognizer file with other settings; None takes one out."""
    yaml = YAML(typ="safe")
    values = yaml.load(text)
    if pattern is not None:
        values["patterns"] = [{"regex": pattern, "score": 0.5}]
        values.pop("examples", None)
        values.pop("counter_examples", None)
    values |= settings
    return "\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items() if value is not None)


# --- what they find --------------------------------------------------------------------------------------


def made(pattern: str = r"ID-\d{8}", score: float = 0.3, **settings: object) -> Detector:
    patterns = [(pattern, score)] if pattern else []
    return Detector(["X"], recognizers=[CustomRecognizer("x", "X", patterns, **settings)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("ID-12345678", 0.3),
        ("id-12345678", 0.3),
        ("Server ID-12345678", 0.65),
        ("on webservers: ID-12345678", 0.65),
        ("server one two three four ID-12345678", 0.65),
        ("server one two three four five ID-12345678", 0.3),
        ("ID-12345678 one two server", 0.65),
        ("ID-12345678 one two three server", 0.3),
        ("the data   centre's ID-12345678", 0.65),
        ("the data of the centre ID-12345678", 0.3),
        ("server" + " " * 500 + "ID-12345678", 0.3),
    ],
)
def test_context_raises_the_score(text: str, score: float) -> None:
    (found,) = made(context=["SERVER", "data centre"]).detect(text)
    assert found.score == pytest.approx(score)


@pytest.mark.parametrize(("score", "raised"), [(0.01, 0.4), (0.3, 0.65), (0.9, 1.0)])
def test_context_raises_within_bounds(score: float, raised: float) -> None:
    (found,) = made(score=score, context=["server"]).detect("server ID-12345678")
    assert found.score == pytest.approx(raised)


@pytest.mark.parametrize(
    ("settings", "text", "found"),
    [
        ({"context": ["server"], "context_required": True}, "It is ID-12345678", []),
        ({"context": ["server"], "context_required": True}, "Server is ID-12345678", ["ID-12345678"]),
        ({"allow_list": ["id-00000000"]}, "ID-00000000 and ID-00000001", ["ID-00000001"]),
        ({"deny_list": ["Falcon", "Falcon Nine"]}, "falcon nine, (Falcon), falconry", ["falcon nine", "Falcon"]),
        ({"deny_list": ["проект х"]}, "Проект Х и ID-12345678", ["Проект Х", "ID-12345678"]),
        ({"deny_list": ["Falcon"], "context": ["a"], "context_required": True}, "Falcon", ["Falcon"]),
        ({"deny_list": ["Falcon"], "checksum": "luhn"}, "Falcon ID-12345674, ID-12345678", ["Falcon"]),
        ({"pattern": r"ID-é?\d{8}"}, "ID-12345678 and ID-é12345678", ["ID-12345678", "ID-é12345678"]),
        ({"pattern": r"\b\d{8}\b", "checksum": "luhn"}, "12345674 12345678 1234567", ["12345674"]),
        (
            {"pattern": r"[A-Z]{2}\d{2}[ 0-9]{12,30}\d", "checksum": "iban"},
            "DE89 3704 0044 0532 0130 00",
            ["DE89 3704 0044 0532 0130 00"],
        ),
        ({"pattern": r"\b\d{12}\b", "checksum": "verhoeff"}, "234567890124 234567890123", ["234567890124"]),
        ({"pattern": r"\b\d{3}X?\b|\b0794\b", "checksum": "mod11"}, "0794 079X 0791", ["079X"]),
        ({"pattern": r"\S{12,}", "parts": True}, "aaaaaaaaaaaaa bbbbbbbbbbbbb", ["aaaaaaaaaaaaa", "bbbbbbbbbbbbb"]),
        ({"pattern": r"[A-Z\W]{9,}", "parts": True}, "one AB!CD?EF#GH$ two", ["AB!CD?EF#GH$"]),
        ({"pattern": r"a b", "parts": True}, "x a b x", ["a b"]),
    ],
    ids=str,
)
def test_what_is_found(settings: dict[str, object], text: str, found: list[str]) -> None:
    assert [text[each.start : each.end] for each in made(**settings).detect(text)] == found  # type: ignore[arg-type]


def test_scores_of_words_and_checksums() -> None:
    assert made(deny_list=["Falcon"]).detect("Falcon")[0].score == 1
    assert made(r"\d{8}", checksum="luhn").detect("12345674")[0].score == 1


@pytest.mark.parametrize("name", CHECKSUMS)
def test_every_checksum_is_there(name: str) -> None:
    assert made(r"[A-Z]+", checksum=name).detect("NOPE") == []


@pytest.mark.parametrize(
    ("pattern", "grouped"),
    [
        ("é?x", "(?:é)?x"),
        ("[é]?", "[é]?"),
        (r"\é*", r"(?:\é)*"),
        ("[]é]é", "[]é](?:é)"),
        ("[^]é]", "[^]é]"),
        ("ab", "ab"),
    ],
)
def test_characters_of_many_bytes_are_repeated_whole(pattern: str, grouped: str) -> None:
    assert in_groups(pattern) == grouped


def test_custom_entities_stand_beside_the_others() -> None:
    own = CustomRecognizer("x", "US_SSN", [(r"SSN-\d{4}", 0.9)])
    found = Detector(["US_SSN"], recognizers=[own, CustomRecognizer("y", "Y", [("SSN", 1)])]).detect(
        "SSN-1234 856-45-6789"
    )
    assert [(each.start, each.end) for each in found] == [(0, 8), (9, 20)]


# --- which are refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        (r"\d{8}", "numbers of 8 digits"),
        (r"\b\d{8}\b", "numbers of 8 digits"),
        (r"\b\d{11}\b", "numbers of 11 digits"),
        (r"[0-9]+", "numbers of 3 digits"),
        (r"\w+", "numbers of 3 digits"),
        (r"[A-Za-z0-9\W]{12,}", "numbers of 12 digits"),
        (r"\b[a-z]{5}\b", "lines of ordinary talk"),
        (r"order", "lines of ordinary talk"),
        (r"\b[A-Z]{3}-\d{5}\b", "order ids"),
        (r"\b\d{4}-\d{2}-\d{2}\b", "dates"),
        (r"\b\d\d:\d\d\b", "times"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUIDs"),
        (r"\b[0-9a-f]{40}\b", "hashes of commits and files"),
        (r"\bv?\d+\.\d+\.\d+\b", "versions"),
        (r"[$£₹]\d+", "prices"),
        (r"\b\d{4} \d{4} \d{4}\b", "grouped numbers"),
        (r"\b[A-Z]{2}\d{9}GB\b", "tracking numbers"),
    ],
)
def test_too_generic_is_refused(rules: Path, pattern: str, kind: str) -> None:
    put(rules, changed(SERVER, pattern=pattern))
    (fault,) = faults(rules)
    assert fault.message.startswith("too generic: it matches ")
    assert f" % of {kind}, such as '" in fault.message
    assert 1 <= fault.message.count("', '") + 1 <= 3
    assert "allow_generic" in fault.hint
    assert (fault.line, fault.field) == (4, "patterns[0].regex")
    put(rules, changed(SERVER, pattern=pattern, allow_generic=True, context_required=True))
    assert "server-id" in load_rules(rules).recognizers


@pytest.mark.parametrize(
    "pattern",
    [
        r"ID-\d{8}",
        r"\bEMP\d{5}\b",
        r"\b[A-Z]{5}\d{4}[A-Z]\b",
        r"\bSRV[A-Za-z0-9!@#$%^&*]{9,}",
        r"\b\d{3}-\d{4}-\d{5}\b",
        r"\bacme-[0-9a-f]{12}\b",
        r"\b[A-Z]{2}\d{6}[A-D]\b",
        r"\bcus_[A-Za-z0-9]{14}\b",
    ],
)
def test_what_has_a_form_of_its_own_is_accepted(rules: Path, pattern: str) -> None:
    put(rules, changed(SERVER, pattern=pattern))
    started = time.process_time()
    assert "server-id" in load_rules(rules).recognizers
    assert time.process_time() - started < 1


def test_the_bounds_are_what_is_said() -> None:
    lines = ordinary_talk()
    most = int(generic.LINES * len(lines))
    assert generic.too_generic(frozenset(lines[:most]).__contains__) is None
    found = generic.too_generic(frozenset(lines[: most + 1]).__contains__)
    assert found is not None
    assert found.kind == generic.TALK
    times = generic.ordinary_values()["times"]
    assert generic.too_generic(lambda text: text in times[:1]) is None
    found = generic.too_generic(lambda text: text in times)
    assert found is not None
    assert (found.rate, found.kind) == (1, "times")


def test_ordinary_talk_is_ample_and_of_many_kinds() -> None:
    lines = ordinary_talk()
    assert len(lines) == len(set(lines)) >= 600
    assert sum(map(len, generic.ordinary_values().values())) == 2000
    found = Detector(["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IN_PAN"], min_score=0.4)
    assert [line for line, findings in zip(lines, found.detect_many(lines), strict=True) if findings] == []


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        (r"(?<!x)ID-\d{8}", "can't be run in linear time: ", "lookaround"),
        (r"ID-(?=\d{8})", "can't be run in linear time: ", "lookaround"),
        (r"(a|b)-\1", "can't be run in linear time: ", "write out"),
        (r"(?>ab)c", "can't be run in linear time: ", "plain group"),
        (r"a++b", "can't be run in linear time: ", "plain quantifier"),
        (r"(?:ID)*", "matches the empty text", "one character"),
        (r"(?:ID){e<=1}x", "a brace that is no count", r"\{"),
        (r"a{,3}b", "a brace that is no count", "{0,m}"),
        (r"(ID", "not a regular expression", ""),
        (r"[z-a]x", "not a regular expression", ""),
    ],
)
def test_patterns_that_can_not_be_run_are_refused(rules: Path, pattern: str, message: str, hint: str) -> None:
    put(rules, changed(SERVER, pattern=pattern))
    (fault,) = faults(rules)
    assert fault.message.startswith(message)
    assert hint in fault.hint
    assert fault.field == "patterns[0].regex"


@pytest.mark.parametrize("pattern", [r"ID\{x\}", r"[{}]ID{2}", r"\p{Lu}ID\x{2}", r"ID{3,}x{1,2}", "(?i:id)-é{2}"])
def test_braces_that_are_fine(pattern: str) -> None:
    found = pattern_fault(pattern)
    assert found is None or "brace" not in found[0]


@pytest.mark.parametrize(
    ("settings", "field", "message", "hint"),
    [
        ({"entity": "US_SSN"}, "entity", "there is an entity US_SSN already", "extends: true"),
        ({"entity": "PERSON"}, "entity", "there is an entity PERSON already", "extends: true"),
        ({"entity": "US_SNS", "extends": True}, "extends", "there is no entity US_SNS", "did you mean US_SSN?"),
        ({"entity": "server id"}, "entity", "String should match pattern", ""),
        ({"checksum": "luhm"}, "checksum", "unknown checksum 'luhm'", "did you mean luhn?"),
        ({"context": None, "context_required": True}, "", "`context_required` needs words", ""),
        ({"context_required": None, "allow_generic": True}, "", "`allow_generic` needs a `context`", ""),
        ({"patterns": None}, "", "needs `patterns` or a `deny_list`", ""),
        ({"contexts": ["x"]}, "contexts", "unknown key", "did you mean context?"),
        ({"examples": ["ID-12345678", "ID-1"]}, "examples[1]", "is found not at all", ""),
        ({"patterns": [{"regex": r"ID-\d{8}", "score": 0.1}]}, "examples[0]", "with score 0.1 only", "context word"),
        ({"counter_examples": ["no", "ID-12345678"]}, "counter_examples[1]", "must not be found, and is", ""),
        ({"patterns": [{"regex": r"ID-\d{8}", "score": 2}]}, "patterns[0].score", "less than or equal to 1", ""),
    ],
    ids=str,
)
def test_mistakes(rules: Path, settings: dict[str, object], field: str, message: str, hint: str) -> None:
    put(rules, changed(SERVER, **settings))  # type: ignore[arg-type]
    found = faults(rules)[0]
    assert found.field == field
    assert message in found.message
    assert hint in found.hint


def test_an_entity_of_another_file_is_extended_on_request(rules: Path) -> None:
    put(rules, SERVER)
    put(rules, changed(SERVER, name="server-two"), "server-two")
    assert [each.field for each in faults(rules)] == ["entity"]
    put(rules, changed(SERVER, name="server-two", extends=True), "server-two")
    assert set(load_rules(rules).recognizers) == {"server-id", "server-two"}


def test_the_folder_says_what_is_so(rules: Path) -> None:
    page = (resources.rules_dir() / "recognizers" / "README.md").read_text(encoding="utf-8")
    shown = page.split("```yaml\n")[1:]
    assert len(shown) == 2
    for number, block in enumerate(shown):
        put(rules, block.partition("```")[0], f"shown-{number}")
    assert set(load_rules(rules).recognizers) == {"server-id", "server-key"}
    table = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert table == set(RecognizerFile.model_fields)
    names = page.partition("Checksums: ")[2].partition(".\n")[0]
    assert [name.strip("` \n") for name in names.split(",")] == sorted(CHECKSUMS)


# --- what reaches a policy -------------------------------------------------------------------------------


def said(guard: Guard, text: str) -> str:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "%s"}]}' % text.encode()
    message = Message("request", "POST", URL, (("content-type", "application/json"),), body)
    return anyio.run(guard.inspect, message).body.decode()


def test_a_policy_may_name_a_custom_entity(rules: Path) -> None:
    put(rules, SERVER)
    (rules / "policies" / "own.yaml").write_text(POLICY)
    guard = Guard.from_rules(rules)
    assert '"It is XXXXXXXXX78."' in said(guard, "It is ID-12345678.")
    assert '"It is ID-1234567."' in said(guard, "It is ID-1234567.")


def test_proofs_of_recognizers_are_run(rules: Path) -> None:
    put(rules, SERVER)
    (rules / "policies" / "own.yaml").write_text(POLICY)
    case = "- {name: n, policy: own, text: ID-12345678, becomes: XXXXXXXXX78}\n"
    text = "version: 1\ncases:\n" + case + case.replace("78}", "79}")
    (rules / "recognizers" / "server-id.test.yaml").write_text(text)
    outcomes = run_proofs(rules)
    assert [(each.file, each.passed) for each in outcomes] == [
        ("recognizers/server-id.test.yaml", True),
        ("recognizers/server-id.test.yaml", False),
    ]


def test_a_template_may_name_a_custom_entity(rules: Path) -> None:
    put(rules, SERVER)
    put(rules, MIXED, "mixed-id")
    (rules / "policies" / "t.json").write_text(
        '{"AnalyzeTemplate": {"fields": [{"name": "SERVER-ID"}, {"name": "MIXED_ID"}]}, "AnonymizeTemplate":'
        '{"fieldTypeTransformations": [], "defaultTransformation": {"replaceValue": {"newValue": "#"}}}}'
    )
    guard = Guard.from_rules(rules, policy="t")
    assert '"# on server #"' in said(guard, "ID-12345678 on server aZ9$kLm!2pQrT")


def test_only_recognizers_that_are_wanted_are_carried(rules: Path) -> None:
    put(rules, SERVER)
    put(rules, MIXED, "mixed-id")
    (rules / "policies" / "own.yaml").write_text(POLICY)
    (rules / "policies" / "ssn.yaml").write_text("version: 1\nname: ssn\nentities: {US_SSN: {action: mask}}\n")
    policies = load_rules(rules).policies
    assert [each.entity for each in policies["own"].wanted.recognizers] == ["SERVER_ID"]
    assert policies["ssn"].wanted.recognizers == ()


def test_an_unknown_entity_may_be_meant_to_be_a_custom_one(rules: Path) -> None:
    put(rules, SERVER)
    (rules / "policies" / "own.yaml").write_text(POLICY.replace("SERVER_ID", "SERVERID"))
    (fault,) = faults(rules)
    assert fault.hint == "did you mean SERVER_ID?"


def test_a_policy_is_not_blamed_for_a_faulty_recognizer(rules: Path) -> None:
    put(rules, SERVER.replace("ID-", ""))
    (rules / "policies" / "own.yaml").write_text(POLICY)
    assert {Path(each.file).name for each in faults(rules)} == {"server-id.yaml"}
