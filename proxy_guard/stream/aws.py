"""Amazon's binary event stream (application/vnd.amazon.eventstream; Smithy 2.0 "Amazon Event Stream").

A message is: its length and that of its headers (32 bits each, big endian), the CRC-32 of these eight bytes, the
headers, the payload, and the CRC-32 of all that.
"""

from __future__ import annotations

import base64
import json
import string
import struct
import zlib
from collections.abc import Sequence

from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Unreadable
from proxy_guard.stream.framing import Event, Framer

_JSON = JsonCodec()
_PADDING = string.ascii_letters + string.digits
_PRELUDE = 12
_LEAST = _PRELUDE + 4
_MOST = 24 * 1024 * 1024
_STRING = 7
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""The bytes that a header's value takes, by its type."""


class AwsFramer(Framer):
    """Messages of `application/vnd.amazon.eventstream`. Raises Unreadable where a check sum is wrong."""

    media_types = ("application/vnd.amazon.eventstream",)

    def _cut(self) -> list[Event]:
        events: list[Event] = []
        while len(self._rest) >= _PRELUDE:
            total, headers, check = struct.unpack_from(">III", self._rest)
            if zlib.crc32(self._rest[:8]) != check or not _LEAST + headers <= total <= _MOST:
                raise Unreadable("the event stream is damaged", status=400)
            if len(self._rest) < total:
                break
            events.append(_read(bytes(self._rest[:total]), headers))
            del self._rest[:total]
        return events

    def close(self) -> list[Event]:
        """Nothing; raises Unreadable where the stream ends amid a message."""
        if self._rest:
            raise Unreadable("the event stream ends amid a message", status=400)
        return []

    @staticmethod
    def written(event: Event, data: bytes) -> bytes:
        """The message with another payload."""
        (size,) = struct.unpack_from(">I", event.raw, 4)
        return _message(event.raw[_PRELUDE : _PRELUDE + size], data)

    @staticmethod
    def error(name: str, data: bytes, note: str, *, begun: bool = False) -> bytes:
        """A message of the type exception."""
        return _named("exception", name, data)

    @staticmethod
    def body(events: Sequence[tuple[str, bytes]]) -> bytes:
        """Messages of the type event."""
        return b"".join(_named("event", name or "chunk", data) for name, data in events)


class AwsBytesFramer(AwsFramer):
    """The same, where the payload is `{"bytes": …}`, a document in base64 (InvokeModelWithResponseStream).

    Beside it is padding that hides how long it is, `p`. Other members can't be told of; they are left out.
    """

    def _cut(self) -> list[Event]:
        return [self._opened(event) for event in super()._cut()]

    def _opened(self, event: Event) -> Event:
        if event.data is None:
            return event
        document = _JSON.decode(event.data, self._limits)
        if not isinstance(document.value, dict) or not isinstance(document.value.get("bytes"), str):
            return event  # an exception, say
        try:
            event.data = base64.b64decode(document.value["bytes"], validate=True)
        except ValueError:
            raise Unreadable("an event of the stream is no base64") from None
        padding = document.value.get("p", "")
        known = isinstance(padding, str) and _PADDING.startswith(padding)
        event.more = document.ambiguous or not known or not document.value.keys() <= {"bytes", "p"}
        return event

    @staticmethod
    def written(event: Event, data: bytes) -> bytes:
        """The message with another document."""
        return AwsFramer.written(event, _enclosed(data))

    @staticmethod
    def body(events: Sequence[tuple[str, bytes]]) -> bytes:
        """Messages of the type event."""
        return AwsFramer.body([(name, _enclosed(data)) for name, data in events])


def _enclosed(data: bytes) -> bytes:
    return json.dumps({"bytes": base64.b64encode(data).decode()}).encode()


def _named(kind: str, name: str, data: bytes) -> bytes:
    pairs = ((":message-type", kind), (f":{kind}-type", name), (":content-type", "application/json"))
    headers = b"".join(
        bytes([len(key)]) + key.encode() + bytes([_STRING]) + struct.pack(">H", len(value)) + value.encode()
        for key, value in pairs
    )
    return _message(headers, data)


def _message(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", _LEAST + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _read(raw: bytes, size: int) -> Event:
    if zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:]):
        raise Unreadable("the event stream is damaged", status=400)
    name = _headers(raw[_PRELUDE : _PRELUDE + size]).get(":event-type", "")
    return Event(raw, raw[_PRELUDE + size : -4] or None, name)


def _headers(data: bytes) -> dict[str, str]:
    """The headers that are strings."""
    found: dict[str, str] = {}
    place = 0
    try:
        while place < len(data):
            end = place + 1 + data[place]
            name, kind = data[place + 1 : end].decode(), data[end]
            place = end + 1
            if kind in (6, _STRING):
                size = int.from_bytes(data[place : place + 2])
                if kind == _STRING:
                    found[name] = data[place + 2 : place + 2 + size].decode()
                place += 2 + size
            else:
                place += _FIXED[kind]
    except (IndexError, KeyError, UnicodeDecodeError):
        raise Unreadable("the event stream is damaged", status=400) from None
    return found
