"""Switches faults of `inject` on and off, and faults that a process meets from outside."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Switch:
    """The folder that the guarded process looks into."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    @contextmanager
    def on(self, point: str, kind: str) -> Iterator[None]:
        """The fault is there when this is entered, and gone when it is left."""
        (self.folder / f".{point}").write_text(kind)
        (self.folder / f".{point}").rename(self.folder / point)
        self._seen(point, there=True)
        try:
            yield
        finally:
            (self.folder / point).unlink()
            self._seen(point, there=False)

    def _seen(self, point: str, *, there: bool) -> None:
        deadline = time.monotonic() + 20
        seen = self.folder / ".seen"
        while (point in (seen.read_text().split() if seen.exists() else ())) != there:
            if time.monotonic() > deadline:
                raise AssertionError(f"the process did not see the fault {point}")
            time.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """The processes below one, its children first."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents.setdefault(int(parent), []).append(int(stat.parent.name))
    found = list(parents.get(pid, []))
    for each in found:
        found += parents.get(each, [])
    return found


def kill(pid: int) -> None:
    """Of a process that is ours; it may have ended by itself."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def limited(pid: int, limit: int, value: int) -> Iterator[None]:
    """A process that may have no more of something: RLIMIT_FSIZE for a full disk, RLIMIT_NOFILE for connections."""
    before = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (value, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, limit, before)
