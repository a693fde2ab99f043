"""What a stream is cut into. Bytes in, events out, however the bytes come; an event knows how to be written anew."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from proxy_guard.codecs import Limits
from proxy_guard.errors import Unreadable


@dataclass(slots=True)
class Event:
    """One event: `raw` is what came, `data` what it carries (None: nothing), `name` its type where it has one.

    `more` says that there is more in `raw` than can be told, so that it has to be written anew.
    """

    raw: bytes = field(repr=False)
    data: bytes | None = field(repr=False)
    name: str = ""
    more: bool = False


class Framer(ABC):
    """One stream's way through a format. `feed` and `close` raise Unreadable for what is none of it."""

    media_types: tuple[str, ...]
    """What its replies are called, in lower case."""
    stateless: ClassVar[bool] = False
    """Whether an event is read alike whatever came before it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        self._rest += chunk
        events = self._cut()
        if len(self._rest) > self._limits.body:
            why = f"an event is larger than {self._limits.body} bytes"
            raise Unreadable(why, status=413, cause="too_large")
        return events

    @property
    def idle(self) -> bool:
        """Whether the next byte begins an event, of which all is known but what it will hold."""
        return self.stateless and not self._rest

    @property
    def waiting(self) -> int:
        """Bytes that have come and are no whole event yet."""
        return len(self._rest)

    def rest(self) -> bytes:
        """What has come and is no whole event yet; it is let go of."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest

    @abstractmethod
    def _cut(self) -> list[Event]:
        """Takes whole events off the front of `_rest`."""

    @abstractmethod
    def close(self) -> list[Event]:
        """What is left when the stream ends."""

    @staticmethod
    @abstractmethod
    def written(event: Event, data: bytes) -> bytes:
        """`event` with other data."""

    @staticmethod
    @abstractmethod
    def error(name: str, data: bytes, note: str, *, begun: bool = False) -> bytes:
        """An event that tells of an error; `note` is for people, where the format has room for one.

        `begun` says that events have gone before it.
        """

    @staticmethod
    @abstractmethod
    def body(events: Sequence[tuple[str, bytes]]) -> bytes:
        """A whole reply of events, each with its name and data."""
