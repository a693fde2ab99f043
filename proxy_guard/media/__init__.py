"""Pictures and documents: bytes in, the same medium without what a policy acts on out.

What is here is plain types and the one way in, `scrub`. The redactors of each kind are modules of their own, imported
when a medium of their kind comes, in a worker process (`proxy_guard.worker`): never in the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from proxy_guard.errors import ProxyGuardError
from proxy_guard.model import Finding

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the upright picture."""

UnscrubbableCause = Literal[
    "unsupported_media", "unreadable", "too_large", "encrypted", "macros", "low_confidence", "lying_type", "found"
]
"""Why a medium can't be made clean. `found`: it holds what the policy blocks."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of one text of a medium.

    `text` is what the policy's operators leave of it; `findings` are those that the policy acts on, disjoint and in
    order, with spans in the text as given (code points).
    """

    text: str = field(repr=False)
    findings: tuple[Finding, ...] = ()


FACE = "FACE"
"""The entity of faces, which are found in pictures only: no recognizer of texts knows it."""

Judge = Callable[[Sequence[str]], Sequence[Judged]]
"""What becomes of each of these texts, in the same order. Blocks; raises Unscrubbable with cause `found`."""


@dataclass(frozen=True, slots=True)
class MediaFinding:
    """What was found in a medium, never its text.

    `page` counts pages and frames from 0. `box` is None for what has no place on a page; `where` is for people:
    `page 2`, `sheet hidden!B3`, `metadata`.
    """

    entity: str
    score: float
    page: int = 0
    box: Box | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A medium that may go on. Where not `changed`, `data` are the bytes as given."""

    data: bytes = field(repr=False)
    media_type: str
    findings: tuple[MediaFinding, ...] = ()
    changed: bool = False


class Unscrubbable(ProxyGuardError):
    """A medium that can't be made clean for sure: it is blocked. `why` holds nothing of what is in it."""

    def __init__(self, cause: UnscrubbableCause, why: str) -> None:
        super().__init__(cause, why)  # both, so that it can be pickled
        self.cause = cause
        self.why = why

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """How media are scrubbed. The one place of the defaults; a policy's `media` section has the same names."""

    style: Literal["fill", "blur", "block"] = "fill"
    """What becomes of a finding in a picture. block: the medium is refused."""
    keep_metadata: bool = False
    faces: bool = False
    """Whether faces are findings."""
    face_score: float = 0.0
    """The score of a face that is one, at least."""
    codes: bool = False
    """Whether QR codes and barcodes are read; one with a finding in it is painted over."""
    low_confidence: Literal["mask", "block"] = "mask"
    """What becomes of a line that could not be read for sure."""
    pages: int = 200
    """Pages, frames or sheets of one medium, at most."""
    pixels: int = 25_000_000
    """Pixels of one picture, at most."""
    unpacked: int = 200 * 1024 * 1024
    """Bytes that a packed medium may hold, all together."""
    invisible_text: bool = False
    """Whether pages of a PDF that were painted anew get their text back, without the findings."""


def scrub(data: bytes, declared: str, judge: Judge, settings: MediaSettings) -> Redacted:
    """The medium without what `judge` finds in it.

    `declared` is the media type that the message names, or an empty string. Raises Unscrubbable where it is of a kind
    that no redactor knows, lies about its type, or can't be made clean for sure. Whatever else is raised is a
    redactor's own mistake, after which nothing may go on either.
    """
    # Each redactor brings its libraries along: imported in the worker that needs it.
    from proxy_guard.media.sniff import sniff  # noqa: PLC0415

    kind = sniff(data, declared)
    match kind.family:
        case "image":
            from proxy_guard.media.images import scrub_image  # noqa: PLC0415

            return scrub_image(data, kind, judge, settings)
        case "office":
            from proxy_guard.media.office import scrub_office  # noqa: PLC0415

            return scrub_office(data, kind, judge, settings, scrub)
        case "text":
            from proxy_guard.media.texts import scrub_text  # noqa: PLC0415

            return scrub_text(data, kind, judge, settings)
        case "mail":
            from proxy_guard.media.mail import scrub_mail  # noqa: PLC0415

            return scrub_mail(data, kind, judge, settings, scrub)
        case "pdf":
            from proxy_guard.media.pdf import scrub_pdf  # noqa: PLC0415
            from proxy_guard.media.pictures import redact_picture  # noqa: PLC0415

            return scrub_pdf(data, kind, judge, settings, redact_picture)
