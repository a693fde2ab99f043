"""What the engine asks about media, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proxy_guard.media import Redacted, UnscrubbableCause


@dataclass(frozen=True, slots=True)
class Medium:
    """One medium of a message: its bytes, or with `link` the URL that it is to be fetched from.

    `declared` is the media type that the message names, or an empty string; `path` is where it stands.
    """

    data: bytes = field(repr=False)
    declared: str = ""
    link: str = field(default="", repr=False)
    path: str = field(default="$", repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A medium that may not go on, and why. `timeout`, `unavailable` and `link` are no fault of its own."""

    cause: UnscrubbableCause | str
    why: str


@dataclass(frozen=True, slots=True)
class ScrubMedia:
    """The engine's third wish: these media, scrubbed by the policy of that name."""

    policy: str
    media: list[Medium] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaScrubbed:
    """The answer: one for each medium, in the same order."""

    results: Sequence[Redacted | Refused] = field(repr=False)
