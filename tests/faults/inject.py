"""Faults inside a guarded process, switched on and off from outside while it serves.

The process imports this module first. A file POINT in the folder that FAULTS names, with KIND in it, has every other
call of that point fail so; without the file the point is as it was. What is raised holds personal data in its text, as
an exception of real code may.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.points import KINDS, points_of

_active: dict[str, str] = {}
_CLOCK = "clock"
"""A point of its own: its file holds the seconds by which the clock is set forward."""


def _watch(folder: Path) -> None:
    while True:
        try:
            found = {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}
        except OSError:  # switched off just now
            continue
        if found != _active:
            _active.clear()
            _active.update(found)
            (folder / ".seen").write_text("\n".join(sorted(found)))
        time.sleep(0.02)


def _faulty(name: str, original: Any) -> Any:
    turns = itertools.count()

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        kind = _active.get(name)
        if kind is not None and next(turns) % 2 == 0:
            raise KINDS[kind]()
        return original(*args, **kwargs)

    return call


def _install(name: str, place: str) -> None:
    module_name, _, path = place.partition(":")
    owner: Any = importlib.import_module(module_name)
    *parents, last = path.split(".")
    for each in parents:
        owner = getattr(owner, each)
    setattr(owner, last, _faulty(name, getattr(owner, last)))


def _jumping(original: Callable[[], float]) -> Callable[[], float]:
    return lambda: original() + float(_active.get(_CLOCK, 0))


folder = Path(os.environ["FAULTS"])
for _name, _place in points_of(os.environ["FAULTS_DOOR"]).items():
    _install(_name, _place)
time.time = _jumping(time.time)
threading.Thread(target=_watch, args=(folder,), daemon=True).start()
