"""One JSON document a line (application/x-ndjson, and what Ollama and Cohere stream)."""

from __future__ import annotations

from collections.abc import Sequence

from proxy_guard.codecs.ndjson import NdjsonCodec
from proxy_guard.stream.framing import Event, Framer


class NdjsonFramer(Framer):
    """Lines of `application/x-ndjson`."""

    media_types = (*NdjsonCodec.media_types, "application/stream+json")  # the last is Cohere's
    stateless = True

    def _cut(self) -> list[Event]:
        end = self._rest.rfind(b"\n") + 1
        if not end:
            return []
        whole = bytes(self._rest[:end])
        del self._rest[:end]
        return [_read(line + b"\n") for line in whole.removesuffix(b"\n").split(b"\n")]

    def close(self) -> list[Event]:
        """A last line without its end."""
        rest = bytes(self._rest)
        self._rest.clear()
        return [_read(rest)] if rest else []

    @staticmethod
    def written(event: Event, data: bytes) -> bytes:
        """The line with another document."""
        end = event.raw[len(event.raw.rstrip(b"\r\n")) :]
        return data + end

    @staticmethod
    def error(name: str, data: bytes, note: str, *, begun: bool = False) -> bytes:
        """A line that tells of an error."""
        return data + b"\n"

    @staticmethod
    def body(events: Sequence[tuple[str, bytes]]) -> bytes:
        """The lines; they have no names."""
        return b"".join(data + b"\n" for _, data in events)


def _read(raw: bytes) -> Event:
    return Event(raw, raw.strip(b" \t\r\n") or None)
