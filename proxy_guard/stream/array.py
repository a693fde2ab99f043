"""One JSON array whose items are the events (Google's APIs without `alt=sse`); each may go once it is whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proxy_guard.codecs import Limits
from proxy_guard.errors import Unreadable
from proxy_guard.stream.framing import Event, Framer

_OUTSIDE = re.compile(rb'["\[\]{}]')
_INSIDE = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"
_FIRST = re.compile(rb"[ \t\r\n]*(\[[ \t\r\n]*)?")
_NEXT = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_LAST = re.compile(rb"[ \t\r\n]*\]?[ \t\r\n]*")
_EMPTY = re.compile(rb"[ \t\r\n]*(\[[ \t\r\n]*\][ \t\r\n]*)?")


class ArrayFramer(Framer):
    """Items of an array, with what stands before each. A reply that is one object, of an error say, is one event."""

    media_types = ("application/json",)

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._place = 0
        """Up to where `_rest` is read."""
        self._item = 0
        """Where in it the item begins that is being read."""
        self._depth = 0
        self._quoted = False
        self._array = False
        self._begun = False
        self._over = False

    def _cut(self) -> list[Event]:
        events: list[Event] = []
        while found := (_INSIDE if self._quoted else _OUTSIDE).search(self._rest, self._place):
            mark = found.group()
            if mark == b"\\":
                if found.end() == len(self._rest):
                    break
                self._place = found.end() + 1
                continue
            self._place = found.end()
            if mark == b'"':
                self._quoted = not self._quoted
            elif mark in b"{[":
                self._open(mark, found.start())
            else:
                self._depth -= 1
                if self._depth == int(self._array):
                    events.append(self._event())
                elif self._depth < int(self._array):
                    self._over = True
                    break
        else:
            self._place = len(self._rest)
        return events

    def _open(self, mark: bytes, start: int) -> None:
        if mark == b"[" and not (self._begun or self._depth):
            self._array = True
        elif self._depth == int(self._array):
            self._item = start
        self._depth += 1

    def _event(self) -> Event:
        raw = bytes(self._rest[: self._place])
        before = _NEXT if self._begun else _FIRST
        if self._over or not before.fullmatch(raw, 0, self._item) or (self._begun and not self._array):
            raise Unreadable("the stream is no JSON array of objects", status=400)
        self._begun = True
        data = raw[self._item :]
        del self._rest[: self._place]
        self._place = 0
        return Event(raw, data)

    def close(self) -> list[Event]:
        """What stands behind the last item."""
        rest = self.rest()
        if not (_LAST if self._begun else _EMPTY).fullmatch(rest):
            raise Unreadable("the stream is no JSON array of objects, or ends amid one", status=400)
        return [Event(rest, None)] if rest else []

    @staticmethod
    def written(event: Event, data: bytes) -> bytes:
        """The item with another document."""
        return event.raw[: len(event.raw) - len(event.data or b"")] + data

    @staticmethod
    def error(name: str, data: bytes, note: str, *, begun: bool = False) -> bytes:
        """An item that tells of an error, the last one."""
        return (b",\r\n" if begun else b"[") + data + b"\r\n]"

    @staticmethod
    def body(events: Sequence[tuple[str, bytes]]) -> bytes:
        """The items, as Google's servers part them."""
        return b"[" + b",\r\n".join(data for _, data in events) + b"\r\n]"
