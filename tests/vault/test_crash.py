"""kill -9 at any moment: every pseudonym that was given resolves, and a rotation is taken up again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def crash(what: str, rounds: int, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.vault.crash", what, str(rounds), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    counts: dict[str, Any] = json.loads(done.stdout)
    print(counts)
    return counts


@pytest.mark.parametrize("rounds", [15, pytest.param(300, marks=pytest.mark.slow)])
def test_every_pseudonym_that_was_given_resolves_after_kill_9(tmp_path: Path, rounds: int) -> None:
    counts = crash("give", rounds, tmp_path / "vault.db")
    assert counts["missing"] == 0
    assert counts["split"] == 0, "one pseudonym for a value, one value for a pseudonym"
    assert counts["wrote"] > rounds / 2, "killed during writes"
    assert counts["given"] > 10 * rounds


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_a_rotation_that_is_killed_loses_nothing_and_is_taken_up_again(tmp_path: Path, rounds: int) -> None:
    counts = crash("rotate", rounds, tmp_path / "vault.db")
    assert counts["missing"] == 0
    assert counts["finished"] < rounds, "killed on the way"
