"""Outside data, from the folder that CONFORMANCE_DATA names; without one, what needs it is skipped and says so."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

REASON = "CONFORMANCE_DATA names no folder of outside data"


def folder() -> Path | None:
    """The folder, if there is one. A name that leads nowhere is a mistake, not a reason to skip."""
    name = os.environ.get("CONFORMANCE_DATA")
    if not name:
        return None
    if not Path(name).is_dir():
        raise pytest.UsageError(f"CONFORMANCE_DATA: there is no folder {name}")
    return Path(name)


needed = pytest.mark.skipif(folder() is None, reason=REASON)


def load(*parts: str) -> Any:
    """A JSON file of the folder; None without one."""
    root = folder()
    if root is None:
        return None
    with root.joinpath(*parts).open(encoding="utf-8") as file:
        return json.load(file)


def lines(*parts: str) -> list[Any]:
    """A file of one JSON document a line; nothing without the folder."""
    root = folder()
    if root is None:
        return []
    text = root.joinpath(*parts).read_text(encoding="utf-8")
    return [json.JSONDecoder().decode(line) for line in text.split("\n") if line.strip()]
