"""`proxy-guard vault`: what it does and prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proxy_guard.cli.app import app
from proxy_guard.errors import ProxyGuardError
from proxy_guard.vault import Wish
from tests.vault.conftest import sqlite_vault
from tests.vault.test_vaults import give, resolve

GUARD = """version: 1
routes:
  - {policy: mask}
vaults:
  contacts:
    kind: sqlite
    path: ../contacts.db
    keys: [KEYS]
  scratch: {kind: memory}
"""
ANN = "ann@example.org"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contacts.db"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "mask.yaml").write_text("version: 1\nname: mask\nentities: {PHONE_NUMBER: {action: mask}}\n")
    keys(folder, "k1")
    return folder


def keys(folder: Path, *names: str) -> None:
    listed = ", ".join(f'{{id: {name}, key: "${{env:VAULT_{name}}}"}}' for name in names)
    (folder / "guard.yaml").write_text(GUARD.replace("KEYS", listed))


def vault(rules: Path, *arguments: str, stdin: str = "") -> str:
    done = CliRunner().invoke(app, ["vault", *arguments, "--rules", str(rules)], input=stdin)
    if done.exception is not None:
        raise done.exception
    assert ANN not in done.output
    return done.stdout


def answer(rules: Path, *arguments: str, stdin: str = "") -> Any:
    return json.loads(vault(rules, *arguments, "--json", stdin=stdin))


def wishes() -> list[Wish]:
    return [Wish(scope, entity, ANN) for scope in ("a", "b") for entity in ("EMAIL_ADDRESS", "URL")]


def test_list_shows_the_vaults(rules: Path, file: Path) -> None:
    assert answer(rules, "list") == [
        {"name": "contacts", "kind": "sqlite", "path": str(file), "keys": ["k1"], "ttl": 2592000},
        {"name": "scratch", "kind": "memory", "path": None, "keys": [], "ttl": 2592000},
    ]
    assert "contacts" in vault(rules, "list")


def test_stats_counts(rules: Path, file: Path) -> None:
    give(sqlite_vault(file), *wishes())
    shown = answer(rules, "stats")["contacts"]
    assert shown == {
        "entries": 4,
        "expired": 0,
        "bytes": file.stat().st_size,
        "entities": {"EMAIL_ADDRESS": 2, "URL": 2},
        "keys": {"k1": 4},
    }
    assert "EMAIL_ADDRESS 2, URL 2" in " ".join(vault(rules, "stats").split())


def test_forget_takes_an_argument_or_lines(rules: Path, file: Path) -> None:
    tokens = give(sqlite_vault(file), *wishes(), Wish("a", "PERSON", "Bob"))
    assert answer(rules, "forget", ANN, "--entity", "URL", "--scope", "a") == {"contacts": {"forgotten": 1}}
    assert vault(rules, "forget", stdin=f"{ANN.upper()}\n\nBob\n").splitlines() == ["contacts: 3 forgotten"]
    assert resolve(sqlite_vault(file), tokens) == [None] * 5
    assert resolve(sqlite_vault(file), tokens, "b") == [None, None, None, ANN, None], "a URL has its case"
    assert answer(rules, "forget", ANN) == {"contacts": {"forgotten": 1}}


def test_expire_erases(rules: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(sqlite_vault(file), *wishes())
    assert answer(rules, "expire") == {"contacts": {"expired": 0}}
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert vault(rules, "expire") == "contacts: 4 expired\n"


def test_rotate_moves_all_to_the_current_key(rules: Path, file: Path) -> None:
    tokens = give(sqlite_vault(file), *wishes())
    keys(rules, "k2", "k1")
    assert answer(rules, "rotate") == {"contacts": {"rotated": 4}}
    assert vault(rules, "rotate", "--vault", "contacts") == "contacts: 0 rotated\n"
    keys(rules, "k2")
    assert answer(rules, "stats")["contacts"]["keys"] == {"k2": 4}
    assert resolve(sqlite_vault(file, "k2"), tokens[:1]) == [ANN]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["stats", "--vault", "contcts"], "did you mean contacts?"),
        (["expire", "--vault", "scratch"], "lives in the guard's own process"),
        (["forget", "x"], "has no file yet"),
    ],
)
def test_what_can_not_be_done_is_told(rules: Path, file: Path, arguments: list[str], why: str) -> None:
    with pytest.raises(ProxyGuardError, match=why):
        vault(rules, *arguments)
    assert not file.exists()


def test_rules_without_a_lasting_vault_are_told(rules: Path) -> None:
    (rules / "guard.yaml").write_text("version: 1\nroutes:\n  - {policy: mask}\n")
    with pytest.raises(ProxyGuardError, match="no vault that outlives"):
        vault(rules, "stats")
    assert answer(rules, "list") == []


def test_a_wrong_key_ends_with_2_and_no_traceback(rules: Path, file: Path) -> None:
    give(sqlite_vault(file), *wishes())
    command = [sys.executable, "-m", "proxy_guard", "vault", "rotate", "--rules", str(rules)]
    environment = {**os.environ, "VAULT_k1": "44" * 32}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 2
    assert "is not the one that its file was made with" in done.stderr
    assert "Traceback" not in done.stderr
