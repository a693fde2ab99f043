"""A second engine for scripts that the bundled models do not read: tesseract, where the machine has it.

Debian has it as tesseract-ocr, its data for Hindi as tesseract-ocr-hin. It is asked for single lines only, by a pipe:
nothing of a picture comes to lie on a disk.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from functools import cache
from typing import Any

import cv2
import regex

from proxy_guard.media.ocr import Reading

_LANGUAGES = {"hin": r"\p{Devanagari}"}
"""Data that is asked for, and the script that what it says has to be in."""
_SECONDS = 10.0
_WORDS = "5"  # the level of words in its table, whose last columns are how sure it is (of 100) and the text


@cache
def _installed() -> dict[str, regex.Pattern[str]]:
    program = shutil.which("tesseract")
    if program is None:
        return {}
    try:
        listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return {}
    known = set(listed.stdout.split())
    return {name: regex.compile(script) for name, script in _LANGUAGES.items() if {name, "eng"} <= known}


def read(crop: Any) -> Reading | None:
    """What a line of blue, green and red says, if that is in a script of the above; None where no one can tell.

    Where in the line a character stands is not known: it is anywhere.
    """
    for language, script in _installed().items():
        text, certainty = _words(cv2.imencode(".png", crop)[1].tobytes(), language)
        if 2 * len(script.findall(text)) > sum(map(str.isalpha, text)):  # a letter or two it takes for its own
            return Reading(text, ((0.0, 1.0),) * len(text), certainty)
    return None


def _words(png: bytes, language: str) -> tuple[str, tuple[float, ...]]:
    try:
        done = subprocess.run(  # noqa: S603
            ["tesseract", "stdin", "stdout", "-l", f"{language}+eng", "--psm", "7", "tsv"],  # noqa: S607 - as found
            input=png,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # with more it takes four times as long
        )
    except (OSError, subprocess.SubprocessError):
        return "", ()
    text, certainty = "", []
    for row in csv.reader(done.stdout.decode("utf-8", "replace").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if len(row) == 12 and row[0] == _WORDS and row[11].strip():
            word = f" {row[11]}" if text else row[11]
            text += word
            certainty += [float(row[10]) / 100] * len(word)
    return text, tuple(certainty)
