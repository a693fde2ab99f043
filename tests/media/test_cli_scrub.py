"""`proxy-guard scrub`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.media import samples

PHONE = "9876543210"


def run(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proxy_guard", "scrub", *map(str, args)]
    env = {**os.environ, "COLUMNS": "200", **env}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)


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


def test_a_preview_shows_before_and_after(tmp_path: Path) -> None:
    picture, document = tmp_path / "a.png", tmp_path / "b.csv"
    picture.write_bytes(samples.picture())
    document.write_text("name,age\nx,1\n")
    out = tmp_path / "out"
    done = run(picture, document, "-o", out, "--preview")
    assert done.returncode == 0, done.stderr
    assert "Scrubbing" not in done.stderr, "a program reads this, and wants no progress"
    assert sorted(each.name for each in out.iterdir()) == ["a.png", "a.png.preview.png", "b.csv"]
    samples.is_clean_picture(samples.picture(), (out / "a.png").read_bytes())
    both = Image.open(out / "a.png.preview.png").convert("L")
    before, after = Image.open(picture).convert("L"), Image.open(out / "a.png").convert("L")
    assert both.size == (2 * 560 + 10, 160)
    assert both.crop((0, 0, 560, 160)).tobytes() == before.tobytes()
    assert both.crop((570, 0, 1130, 160)).tobytes() == after.tobytes()
    shown = [line.split("\u2502") for line in done.stdout.splitlines() if line.startswith("\u2502")]
    rows = [[cell.strip() for cell in line[1:-1]] for line in shown]
    assert [row[1:] for row in rows] == [["scrubbed", "PHONE_NUMBER", "page 1", "1"], ["as it came", "", "", ""]]
    assert Path(rows[0][0]).name == "a.png"


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "proxy_guard", "scrub", str(file), "-o", str(tmp_path / "shown")]
    env = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=env) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        assert process.wait(60) == 0
    os.close(ours)
    assert b"Scrubbing" in seen


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['rapidocr'] = None\n")
    done = run(file, "-o", tmp_path / "out", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "proxy-guard[media]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*"))


def test_what_is_wrong_with_the_files_is_said_before_any_is_written(tmp_path: Path) -> None:
    one, other = tmp_path / "a.txt", tmp_path / "b" / "a.txt"
    other.parent.mkdir()
    for each in (one, other):
        each.write_text("hello")
    twice, missing = run(one, other, "-o", tmp_path / "out"), run(tmp_path / "none", "-o", tmp_path / "out")
    assert (twice.returncode, missing.returncode) == (2, 2)
    assert "several files are named a.txt" in twice.stderr
    assert "is no file" in missing.stderr
    assert not (tmp_path / "out").exists()
