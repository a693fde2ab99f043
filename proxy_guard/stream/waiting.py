"""Events of a stream on their way, and what tells the texts in them apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proxy_guard.codecs import Document
from proxy_guard.model import Path, Slot, unshown
from proxy_guard.rules.streams import EventRule, Lane
from proxy_guard.stream.framing import Event
from proxy_guard.stream.running import Running

Position = tuple[int, tuple[Any, ...]]
"""The number of a lane, and the values of its keys."""


def position_of(lane: Lane, slot: Slot, document: Any) -> Position:
    """What text the one in a slot of that lane is part of."""
    return lane.number, tuple(key.of(document, slot.path) for key in lane.keys)


@unshown
class Text(NamedTuple):
    """A text of an event: where it stands in the event, and in the text that it is part of."""

    running: Running
    path: Path
    text: str
    start: int
    end: int


def edits_of(texts: Iterable[Text]) -> list[tuple[Path, str]]:
    """What becomes of those that are edited. To be asked once, when all of them are decided on."""
    return [
        (path, new) for running, path, text, start, end in texts if (new := running.rendered(start, end, text)) != text
    ]


def write_back(edits: Iterable[tuple[Path, str]], document: Any) -> None:
    """Puts new texts into the document of an event."""
    for path, new in edits:
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = new


@dataclass(slots=True)
class Waiting:
    """An event on its way. `document` is there if it has been read as one."""

    event: Event
    document: Document | None = None
    rule: EventRule | None = None
    echoes: list[tuple[Any, Any]] = field(default_factory=list, repr=False)
    texts: list[Text] = field(default_factory=list)
    edited: bool = False
    read: bool = False

    @property
    def ready(self) -> bool:
        """Whether all of it is decided on."""
        if not self.read:
            return False
        for each in self.texts:  # noqa: SIM110 - no generator: it is asked of every event
            if each.end > each.running.decided:
                return False
        return True
