"""Bytes to document and back. Pure; every limit is enforced inside, while reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message may be, at most. The one place of the defaults."""

    body: int = 10 * 1024 * 1024
    """Bytes on the wire."""
    decoded: int = 50 * 1024 * 1024
    """Bytes after Content-Encoding is taken off."""
    ratio: int = 200
    """Decoded bytes per byte on the wire; bodies under 64 KiB decoded are exempt."""
    depth: int = 64
    """Levels of nesting of a JSON document."""
    time: float = 5.0
    """Seconds for the scrubbing of one message."""
    large: int = 128 * 1024
    """Bytes of a body, its Content-Encoding taken off, above which a worker process inspects the message."""
    workers: int = 2
    """Worker processes; 0: large messages are inspected in threads of the guard's own process."""
    queue: int = 16
    """Large messages that may wait for a worker."""
    worker_memory: int = 1024 * 1024 * 1024
    """Bytes that a worker may take beyond what it starts with (Linux)."""


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded body.

    `ambiguous` says that another reader may see something else in the same bytes, so that it has to be
    forwarded as this one read it; `exact` that it holds numbers whose spelling has to be kept by hand.
    """

    value: Any
    ambiguous: bool = False
    exact: bool = False


class Codec(Protocol):
    """One body format. `decode` raises Unreadable and nothing else; `encode` gives what was read, edits included."""

    def decode(self, body: bytes, limits: Limits) -> Document:
        """The document in `body`."""
        ...

    def encode(self, document: Document) -> bytes:
        """The bytes of a document."""
        ...
