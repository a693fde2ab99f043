"""`vaults:` in guard.yaml: read, compiled, and every mistake told where it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy_guard import resources
from proxy_guard.errors import RulesError
from proxy_guard.rules.load import load_rules
from proxy_guard.vault import build
from proxy_guard.vault.memory import MemorySettings
from proxy_guard.vault.sqlite import SqliteSettings, SqliteVault
from tests.small_rules import small_rules

HEAD = "version: 1\nroutes:\n  - {policy: mask}\nvaults:\n"
KEY = '{id: k1, key: "${env:VAULT_k1}"}'


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return small_rules(tmp_path / "rules")


def test_vaults_are_read_with_their_settings(rules: Path) -> None:
    (rules / "guard.yaml").write_text(
        HEAD + f"  contacts: {{kind: sqlite, path: ../c.db, keys: [{KEY}], ttl: 60}}\n"
        "  scratch: {kind: memory, limits: {entries: 7}}\n"
    )
    vaults = load_rules(rules).vaults
    contacts, scratch = vaults["contacts"].settings, vaults["scratch"].settings
    assert isinstance(contacts, SqliteSettings)
    assert contacts.path == rules.parent / "c.db", "relative to guard.yaml, wherever the guard is started"
    assert contacts.ttl == 60
    assert isinstance(scratch, MemorySettings)
    assert (scratch.limits.entries, scratch.limits.bytes) == (7, MemorySettings().limits.bytes)
    assert isinstance(build(vaults)["contacts"], SqliteVault)
    assert not (rules.parent / "c.db").exists()


def test_shipped_rules_have_no_vault() -> None:
    assert load_rules(resources.rules_dir()).vaults == {}


@pytest.mark.parametrize(
    ("text", "line", "column", "field", "message", "hint"),
    [
        ("  v: {}\n", 5, 3, "vaults.v", "'kind' is missing; one of memory, sqlite", ""),
        ("  v: {kind: sqlight}\n", 5, 7, "vaults.v.kind", "unknown kind 'sqlight'", "did you mean sqlite?"),
        ("  v: {kind: 3}\n", 5, 7, "vaults.v.kind", "unknown kind '3'", ""),
        (f"  v: {{kind: sqlite, keys: [{KEY}]}}\n", 5, 3, "vaults.v.path", "Field required", ""),
        ("  v: {kind: sqlite, path: x}\n", 5, 3, "vaults.v.keys", "Field required", ""),
        ("  v: {kind: memory, ttls: 5}\n", 5, 21, "vaults.v.ttls", "unknown setting of 'memory'", "did you mean ttl?"),
        ("  v: {kind: memory, path: x}\n", 5, 21, "vaults.v.path", "unknown setting of 'memory'", "known: ttl, email_domain, limits"),
        ("  v:\n    kind: memory\n    limits: {entrys: 5}\n", 7, 14, "vaults.v.limits.entrys", "unknown setting", "did you mean entries?"),
        ("  v: {kind: memory, ttl: 0}\n", 5, 21, "vaults.v.ttl", "greater than 0", ""),
        ("  v: {kind: memory, email_domain: a b}\n", 5, 21, "vaults.v.email_domain", "match pattern", ""),
        ("  V_1: {kind: memory}\n", 5, 3, "vaults.V_1", "match pattern", ""),
        (
            "  v:\n    kind: sqlite\n    path: x\n    keys:\n      - {id: k1, key: hunter2}\n", 9, 18,
            "vaults.v.keys[0].key", "a secret never stands in a file", "",
        ),
        (
            "  v:\n    kind: sqlite\n    path: x\n    keys:\n      - {id: k1, key: '${env:VAULT_none}'}\n", 9, 18,
            "vaults.v.keys[0].key", "VAULT_none is not set", "",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_stands(
    rules: Path, text: str, line: int, column: int, field: str, message: str, hint: str
) -> None:
    (rules / "guard.yaml").write_text(HEAD + text)
    with pytest.raises(RulesError) as raised:
        load_rules(rules)
    [fault] = raised.value.faults
    assert (fault.line, fault.column, fault.field) == (line, column, field)
    assert message in fault.message
    assert hint in fault.hint
    assert "hunter2" not in str(raised.value)


def test_the_schema_of_guard_files_knows_every_kind() -> None:
    schema = json.loads((resources.rules_dir() / "schema" / "guard.schema.json").read_text())
    kinds = {each["title"]: each for each in schema["properties"]["vaults"]["additionalProperties"]["oneOf"]}
    assert kinds.keys() == {"memory", "sqlite"}
    assert kinds["sqlite"]["required"] == ["kind", "path", "keys"]
    assert kinds["sqlite"]["properties"]["keys"]["items"]["required"] == ["id", "key"]
    assert "$ref" not in json.dumps(kinds)
