"""Bytes to document and back. Pure; every limit is enforced inside, while reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from proxy_guard.model import unshown


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
    nodes: int = 1_000_000
    """Values in a JSON document, by its commas and opening brackets."""
    strings: int = 100_000
    """Texts of a message that are inspected, numbers and names among them."""
    parts: int = 1000
    """Parts of a multipart body."""
    headers: int = 256
    """Header fields of a message."""
    findings: int = 100_000
    """Findings in a message."""
    in_flight: int = 1000
    """Messages that are inspected at a time."""
    stream_hold: int = 256
    """Code points of a streamed text that are held while they may be part of a finding."""
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
    media_items: int = 100
    """Media in one message."""
    media_size: int = 20 * 1024 * 1024
    """Bytes of one medium, its base64 taken off."""
    media_time: float = 30.0
    """Seconds for one medium."""
    media_workers: int = 2
    """Processes that scrub media; 0: threads of the guard's own process, where nothing bounds memory."""
    media_queue: int = 32
    """Media that may wait for one of them."""
    media_memory: int = 2 * 1024 * 1024 * 1024
    """Bytes that such a process may take beyond what it starts with (Linux)."""
    media_cache: int = 64 * 1024 * 1024
    """Bytes of media that are kept, scrubbed, for when they come again."""


@dataclass(frozen=True, slots=True)
class ContentType:
    """A Content-Type, read: the media type in lower case, without one where none is named, and its parameters."""

    name: str = ""
    charset: str = ""
    boundary: str = field(default="", repr=False)


UNNAMED = ContentType()


@dataclass(frozen=True, slots=True)
class Media:
    """A file in a message: its declared media type, and its bytes."""

    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded body.

    `ambiguous` says that another reader may see something else in the same bytes, so that it has to be
    forwarded as this one read it; `exact` that it holds numbers whose spelling has to be kept by hand.
    `files` says that it holds `Media`, `source` is what its codec wants to know when it writes it.
    """

    value: Any = field(repr=False)
    ambiguous: bool = False
    exact: bool = False
    files: bool = False
    source: Any = field(default=None, repr=False)


@unshown
class Written(NamedTuple):
    """A body to be forwarded; `charset` is one that its Content-Type has to name from now on."""

    body: bytes
    charset: str | None = None


class Codec(Protocol):
    """One body format. `decode` raises Unreadable and nothing else; `encode` gives what was read, edits included.

    What was not edited is written as it came, unless the document is ambiguous.
    """

    @property
    def media_types(self) -> tuple[str, ...]:
        """Those that it reads; `*` stands for any characters."""
        ...

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """The document in `body`."""
        ...

    def encode(self, document: Document) -> Written:
        """The bytes of a document. Raises Unreadable where an edit can't be written."""
        ...
