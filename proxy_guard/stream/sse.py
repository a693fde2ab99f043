"""Server-sent events (WHATWG HTML, 9.2.6 "Interpreting an event stream").

Lines end with CRLF, LF or CR, and an event with an empty line. Comments, ids, `retry` and unknown fields stay as they
are: only the lines with data are written anew, as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from proxy_guard.stream.framing import Event, Framer

# A CR at the end of what came may be the first half of a CRLF: what it ends is known with the next byte.
_END = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z))(?:\r\n|\n|\r(?!\n|\Z))")
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
_BOM = b"\xef\xbb\xbf"


class SseFramer(Framer):
    """Events of `text/event-stream`."""

    media_types = ("text/event-stream",)
    stateless = True

    def _cut(self) -> list[Event]:
        events: list[Event] = []
        start = 0
        while found := _END.search(self._rest, max(start, self._seen - 4)):
            events.append(_read(bytes(self._rest[start : found.end()])))
            start = self._seen = found.end()
        del self._rest[:start]
        self._seen = len(self._rest)
        return events

    _seen = 0
    """How much of the rest is known to hold no end."""

    def close(self) -> list[Event]:
        """An event whose empty line never came: readers differ in whether they take it, so it counts."""
        rest = bytes(self._rest)
        self._rest.clear()
        self._seen = 0
        return [_read(rest)] if rest else []

    @staticmethod
    def written(event: Event, data: bytes) -> bytes:
        """`event` with other data, of one line."""
        out: list[bytes] = []
        done = False
        for line in _LINE.finditer(event.raw):
            name, _ = _split(line.group(1))
            if name != b"data":
                out.append(line.group())
            elif not done:
                done = True
                out.append(b"data: " + data + line.group(2))
        return b"".join(out)

    @staticmethod
    def error(name: str, data: bytes, note: str, *, begun: bool = False) -> bytes:
        """An event that tells of an error; with a comment before it where events have names.

        Clients of APIs whose events have none may read lines of `data:` and nothing else (google-genai does).
        """
        return (f": {note}\n".encode() if name else b"") + _event(name, data)

    @staticmethod
    def body(events: Sequence[tuple[str, bytes]]) -> bytes:
        """The events one after the other."""
        return b"".join(_event(name, data) for name, data in events)


def _event(name: str, data: bytes) -> bytes:
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n"


def _read(raw: bytes) -> Event:
    data: list[bytes] = []
    kind = ""
    for line in _LINE.finditer(raw.removeprefix(_BOM)):
        name, value = _split(line.group(1))
        if name == b"data":
            data.append(value)
        elif name == b"event":
            kind = value.decode(errors="replace")
    return Event(raw, b"\n".join(data) if data else None, kind)


def _split(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.removeprefix(_BOM).partition(b":")
    return name, value.removeprefix(b" ")
