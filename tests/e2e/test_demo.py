"""The demos, as a person runs them: they end with 0 only where nothing personal got through."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ((), ["XXXXXXXX10", "<PERSON>", "UnprocessableEntityError"]),
        (("--security-api",), ["XXXXXXXX10", "security-api rejected", "EMAIL_ADDRESS_", "to: jane.doe@example.com"]),
    ],
)
def test_the_demo_shows_what_each_side_saw(flags: tuple[str, ...], shown: list[str]) -> None:
    command = [sys.executable, "-m", "proxy_guard", "demo", *flags]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env={"COLUMNS": "240", "PATH": ""}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for text in shown:
        assert text in done.stdout
