"""Vaults of both kinds, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy_guard.vault import Vault
from proxy_guard.vault.memory import MemorySettings, MemoryVault
from proxy_guard.vault.sqlite import SqliteSettings, SqliteVault

KEYS = {"k1": "11" * 32, "k2": "22" * 32, "k3": "33" * 32}

type Make = Callable[..., Vault]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in KEYS.items():
        monkeypatch.setenv(f"VAULT_{name}", key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def sqlite_settings(path: Path, *keys: str, **more: Any) -> SqliteSettings:
    named = [{"id": key, "key": f"${{env:VAULT_{key}}}"} for key in keys or ("k1",)]
    return SqliteSettings.model_validate({"path": path, "keys": named, **more})


def sqlite_vault(path: Path, *keys: str, clock: Clock | None = None, **more: Any) -> SqliteVault:
    return SqliteVault("v", sqlite_settings(path, *keys, **more), clock)


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Make:
    def memory(**settings: Any) -> Vault:
        return MemoryVault("v", MemorySettings.model_validate(settings), clock)

    def sqlite(**settings: Any) -> Vault:
        return sqlite_vault(tmp_path / "vault.db", clock=clock, **settings)

    return memory if request.param == "memory" else sqlite
