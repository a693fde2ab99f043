"""The whole of both, as people run them: `python -m tests.faults`, and a shorter `make soak`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.faults.campaign import Outcome, table

pytestmark = pytest.mark.slow


def test_no_fault_at_any_door_lets_a_message_by() -> None:
    command = [sys.executable, "-m", "tests.faults", "--messages", "28", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    outcomes = [Outcome(**each) for each in json.loads(done.stdout)]
    assert done.returncode == 0, f"{table(outcomes)}\n{done.stderr}"
    assert sum(each.messages for each in outcomes) >= 10_000


def test_two_minutes_of_traffic_leave_nothing_behind() -> None:
    command = [sys.executable, "-m", "tests.soak", "--seconds", "120", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, {name: each["faults"] for name, each in json.loads(done.stdout).items()}
