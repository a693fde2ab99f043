"""Bad rule files: every mistake is told with file, line, column, field and a hint, and nothing of it is used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from proxy_guard import resources
from proxy_guard.errors import RulesError
from proxy_guard.guard import Guard
from proxy_guard.proofs import unproven
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.schemas import schemas
from tests.small_rules import small_rules

HEAD = "version: 1\nname: p\n"
API = "version: 1\nname: a\nmatch: {paths: ['/x']}\n"
CASES = [
    # file, its text, line, column, field, part of the message, part of the hint
    ("policies/p.yaml", HEAD + "entities:\n  PHONE: {action: mask}\n", 4, 3, "entities.PHONE", "unknown entity", "PHONE_NUMBER"),
    ("policies/p.yaml", HEAD + "entities: {CRYPTO: {action: redact}}\nmods: x\n", 4, 1, "mods", "unknown key", "did you mean mode?"),
    ("policies/p.yaml", HEAD, 1, 1, "entities", "'entities' is missing", ""),
    ("policies/p.yaml", HEAD + "entities:\n  CRYPTO: {}\n", 4, 3, "entities.CRYPTO", "'action' is missing", ""),
    ("policies/p.yaml", HEAD + "entities:\n  CRYPTO: {action: msk}\n", 4, 12, "entities.CRYPTO.action", "unknown action", "mask"),
    (
        "policies/p.yaml", HEAD + "entities:\n  CRYPTO: {action: mask, keep: 2}\n", 4, 26,
        "entities.CRYPTO.keep", "unknown setting of 'mask'", "keep",
    ),
    (
        "policies/p.yaml", HEAD + "entities:\n  CRYPTO: {action: mask, char: ab}\n", 4, 26,
        "entities.CRYPTO.char", "at most 1 character", "",
    ),
    (
        "policies/p.yaml", HEAD + "entities:\n  CRYPTO: {action: mask, min_score: 2}\n", 4, 26,
        "entities.CRYPTO.min_score", "from 0 to 1", "",
    ),
    (
        "policies/p.yaml", HEAD + "entities:\n  CRYPTO: {action: hash, key: hunter2hunter2hunter2}\n", 4, 26,
        "entities.CRYPTO.key", "a secret never stands in a file", "",
    ),
    (
        "policies/p.yaml", HEAD + "entities:\n  CRYPTO: {action: hash, key: '${env:PROXY_GUARD_NOT_SET}'}\n", 4, 26,
        "entities.CRYPTO.key", "PROXY_GUARD_NOT_SET is not set", "",
    ),
    ("policies/p.yaml", HEAD + "entities: {CRYPTO: {action: redact}}\nmode: obseve\n", 4, 1, "mode", "must be one of", "observe"),
    ("policies/p.yaml", HEAD + "entities: {CRYPTO: {action: redact}}\nscrubber: locl\n", 4, 1, "scrubber", "unknown scrubber", "local"),
    ("policies/p.yaml", HEAD + "entities: [\n", 4, 1, "", "not valid YAML", ""),
    ("policies/p.yaml", HEAD + "name: q\nentities: {}\n", 3, 1, "", "not valid YAML", ""),
    ("policies/p.yaml", "version: 2\nname: p\nentities: {CRYPTO: {action: redact}}\n", 1, 1, "version", "must be one of 1", ""),
    ("apis/a.yaml", API + "request:\n  - {path: '$.a['}\n", 5, 6, "request[0].path", "", ""),
    ("apis/a.yaml", API + "request:\n  - {path: $.a}\n  - {path: $.b, kind: txt}\n", 6, 17, "request[1].kind", "must be one of", "text"),
    ("apis/a.yaml", "version: 1\nname: a\nmatch: {paths: [x]}\n", 3, 9, "match.paths", "does not start with '/'", ""),
    ("guard.yaml", "version: 1\nroutes:\n  - {policy: maks}\n", 3, 6, "routes[0].policy", "there is no file policies/maks.yaml", "mask"),
    ("guard.yaml", "version: 1\nroutes:\n  - {apis: [openai-chats]}\n", 3, 13, "routes[0].apis[0]", "there is no file", "openai-chat"),
    ("guard.yaml", "version: 1\nroutes: []\n", 2, 1, "routes", "at least 1", ""),
]  # fmt: skip


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = small_rules(tmp_path / "rules")
    (folder / "guard.yaml").write_text("version: 1\nroutes: [{policy: mask}]\n")
    return folder


@pytest.mark.parametrize(
    ("file", "text", "line", "column", "field", "message", "hint"), CASES, ids=[f"{c[4]}: {c[5]}" for c in CASES]
)
def test_a_mistake_is_told_where_it_stands(
    rules: Path, file: str, text: str, line: int, column: int, field: str, message: str, hint: str
) -> None:
    (rules / file).write_text(text)
    with pytest.raises(RulesError) as raised:
        load_rules(rules)
    [fault] = raised.value.faults
    assert fault.file == str(rules / file)
    assert (fault.line, fault.column, fault.field) == (line, column, field)
    assert message in fault.message
    assert hint in fault.hint
    assert "hunter2" not in str(raised.value)


def test_every_mistake_of_every_file_is_told_at_once(rules: Path) -> None:
    (rules / "apis" / "a.yaml").write_text(API + "request:\n  - {path: '$['}\n  - {path: '$.]'}\n")
    (rules / "policies" / "p.yaml").write_text(HEAD + "entities:\n  A: {action: mask}\n  B: {action: mask}\n")
    with pytest.raises(RulesError) as raised:
        load_rules(rules)
    assert len(raised.value.faults) == 4
    assert str(raised.value).count("\n") == 3


def test_two_files_of_one_name_are_a_mistake(rules: Path) -> None:
    shutil.copy(rules / "policies" / "mask.yaml", rules / "policies" / "other.yaml")
    with pytest.raises(RulesError, match="has the name 'mask' already"):
        load_rules(rules)


def test_a_policy_that_is_not_there_is_told() -> None:
    with pytest.raises(RulesError, match=r"there is no policy 'maks'.*did you mean mask"):
        Guard.from_rules(policy="maks")


def test_the_shipped_rules_are_whole() -> None:
    ruleset = load_rules(resources.rules_dir())
    assert {"openai-chat", "anthropic-messages", "whatsapp-cloud"} <= set(ruleset.apis)
    assert {"mask", "block", "observe"} <= set(ruleset.policies)
    assert unproven(resources.rules_dir()) == []


@pytest.mark.parametrize("kind", sorted(schemas()))
def test_the_shipped_schemas_are_fresh(kind: str) -> None:
    shipped = (resources.rules_dir() / "schema" / f"{kind}.schema.json").read_text()
    assert json.loads(shipped) == schemas()[kind], "run: make schemas"


def test_every_shipped_file_names_its_schema() -> None:
    for path in resources.rules_dir().rglob("*.yaml"):
        first = path.read_text().splitlines()[0]
        name = first.partition("$schema=")[2]
        assert name and (path.parent / name).is_file(), path


def test_a_file_may_ask_for_the_other_dialect(rules: Path) -> None:
    text = API.replace("match", "dialect: jsonpath-ng\nmatch") + "request:\n  - {path: 'a.*.`this`'}\n"
    (rules / "apis" / "a.yaml").write_text(text)
    load_rules(rules)
