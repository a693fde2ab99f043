"""`proxy-guard scrub`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PHONE = "9876543210"


def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proxy_guard", "scrub", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_files_are_scrubbed_into_a_folder(tmp_path: Path) -> None:
    dirty, clean, unknown = tmp_path / "a.txt", tmp_path / "b.csv", tmp_path / "c.wav"
    dirty.write_text(f"call me on {PHONE}")
    clean.write_text("name,age\nx,1\n")
    unknown.write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + bytes(40))
    out = tmp_path / "out"
    done = run(dirty, clean, unknown, "-o", out, "--json")
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout)
    assert [each["action"] for each in said] == ["rewrite", "allow", "block"]
    assert [each["entity"] for each in said[0]["findings"]] == ["PHONE_NUMBER"]
    assert PHONE not in done.stdout + done.stderr + (out / "a.txt").read_text()
    assert (out / "b.csv").read_bytes() == clean.read_bytes()
    assert not (out / "c.wav").exists()

    again = run(dirty, "-o", out)
    assert again.returncode == 2
    assert "there already" in again.stderr
    table = run(dirty, "-o", tmp_path / "other")
    assert table.returncode == 0
    assert "PHONE_NUMBER" in table.stdout
