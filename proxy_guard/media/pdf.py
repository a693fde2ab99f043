"""PDF (ISO 32000-2): each page is drawn, redacted as a picture, and put into a new file.

There is no end of places in a PDF in which a value can stay: streams that nothing refers to, earlier revisions,
attachments, annotations, form fields, scripts, fonts whose glyphs are not the characters that they say. So a PDF is
never edited and never passes as it came, even where nothing was found: it would take proof of every object in it, and
a raster is that proof. Values are looked for in the text that the file says it has, and in the pixels.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageDraw

from proxy_guard.media import Box, Judge, Judged, MediaFinding, MediaSettings, Redacted, Unscrubbable
from proxy_guard.media.pdf_pages import PdfPages
from proxy_guard.media.pictures import Painted
from proxy_guard.media.sniff import Kind

DPI = 150
_LEAST_DPI = 50
"""A page so large that it has to be drawn with less is refused."""
_HYPHEN = 2  # what PDFium gives for a hyphen at the end of a line; the word goes on behind it
_MARGIN = 0.12


RedactPicture = Callable[[Image.Image, Judge, MediaSettings], Painted]
"""`proxy_guard.media.pictures.redact_picture`."""


def scrub_pdf(
    data: bytes, kind: Kind, judge: Judge, settings: MediaSettings, redact_picture: RedactPicture
) -> Redacted:
    """A PDF of pictures. Raises Unscrubbable: encrypted, unreadable, too_large, or as pictures do."""
    with _opened(data) as document:
        if len(document) > settings.pages:
            raise Unscrubbable("too_large", f"the PDF has more than {settings.pages} pages")
        texts = [_read(document, number) for number in range(len(document))]
        judged = _judge_all(texts, judge)
        if settings.style == "block" and any(each.boxed for each in judged):
            raise Unscrubbable("found", "the PDF holds what may not be sent")
        findings: list[MediaFinding] = []
        pages = PdfPages()
        for number, (text, said) in enumerate(zip(texts, judged, strict=True)):
            picture, size = _drawn(document, number, text, said, settings, findings)
            painted = redact_picture(picture, judge, settings)
            findings += [
                MediaFinding(each.entity, each.score, number, each.box, f"page {number + 1}")
                for each in painted.regions
            ]
            # Where pixels told more than the text did, the text may say it in a way that nobody found.
            layer = said.clean if settings.invisible_text and not painted.regions else ""
            pages.add(painted.picture, size, layer or "")
        return Redacted(pages.written(), kind.media_type, tuple(findings), changed=True)


@contextmanager
def _opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise Unscrubbable("encrypted", "the PDF is encrypted") from None
        raise Unscrubbable("unreadable", "the PDF can't be read") from None
    try:
        if pdfium.FPDF_GetSecurityHandlerRevision(document) != -1:
            raise Unscrubbable("encrypted", "the PDF is encrypted")
        if not len(document):
            raise Unscrubbable("unreadable", "the PDF has no pages")
        document.init_forms()  # without it, what is filled in is not drawn, and so not seen
        yield document
    except (pypdfium2.PdfiumError, ctypes.ArgumentError, OverflowError, ValueError, MemoryError):
        raise Unscrubbable("unreadable", "the PDF can't be read") from None
    finally:
        document.close()


# --- the text that the file says it has ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a page; `places` are PDFium's indices of its characters."""

    text: str = field(repr=False)
    places: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Said:
    """What was found in the text of a page: entity, score, span. `clean` is the text without, where that is sure."""

    boxed: list[tuple[str, float, int, int]]
    clean: str | None = field(repr=False)


def _read(document: pypdfium2.PdfDocument, number: int) -> _Text:
    page = document[number]
    words = page.get_textpage()
    try:
        shown: list[str] = []
        places: list[int] = []
        for place in range(words.count_chars()):
            code = pdfium.FPDFText_GetUnicode(words, place)
            if code in (0, _HYPHEN, 0x0D):
                continue
            shown.append("\ufffd" if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code))
            places.append(place)
        return _Text("".join(shown), tuple(places))
    finally:
        words.close()
        page.close()


def _judge_all(texts: Sequence[_Text], judge: Judge) -> list[_Said]:
    """Each page as it is in lines, and as if it were one line: a value may go on in the next."""
    lines = judge([each.text for each in texts])
    flat = judge([each.text.replace("\n", " ") for each in texts])
    said: list[_Said] = []
    for one, other in zip(lines, flat, strict=True):
        boxed = [(each.entity, each.score, each.start, each.end) for each in one.findings]
        more = [each for each in other.findings if not _covered(each.start, each.end, one)]
        boxed += [(each.entity, each.score, each.start, each.end) for each in more]
        said.append(_Said(boxed, None if more else one.text))
    return said


def _covered(start: int, end: int, judged: Judged) -> bool:
    return any(each.start <= start and end <= each.end for each in judged.findings)


# --- pages as pictures ---------------------------------------------------------------------------------------


def _drawn(
    document: pypdfium2.PdfDocument,
    number: int,
    text: _Text,
    said: _Said,
    settings: MediaSettings,
    findings: list[MediaFinding],
) -> tuple[Image.Image, tuple[float, float]]:
    """A page with what was found in its text painted over, and its size in points."""
    page = document[number]
    words = page.get_textpage()
    try:
        width, height = page.get_size()
        scale = _scale(width, height, settings.pixels)
        bitmap = page.render(scale=scale, may_draw_forms=True, rev_byteorder=True)
        picture = bitmap.to_pil().convert("RGB")
        placed = bitmap.get_posconv(page)
        draw = ImageDraw.Draw(picture)
        for entity, score, start, end in said.boxed:
            boxes = [box for place in text.places[start:end] if (box := _box(words, place, placed))]
            for box in boxes:
                draw.rectangle(box, fill="black")
            around = _around(boxes) if boxes else None
            findings.append(MediaFinding(entity, score, number, around, f"page {number + 1}"))
        return picture, (width, height)
    finally:
        words.close()
        page.close()


def _scale(width: float, height: float, most: int) -> float:
    """Pixels per point, so that the page has no more than `most` pixels. Computed before anything is drawn."""
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise Unscrubbable("unreadable", "a page of the PDF has no size")
    scale = min(DPI / 72, math.sqrt(most / (width * height)) * 0.999)
    if scale < _LEAST_DPI / 72 or min(width, height) * scale < 1:
        raise Unscrubbable("too_large", f"a page of the PDF has more than {most} pixels")
    return scale


def _box(words: pypdfium2.PdfTextPage, place: int, placed: Any) -> Box | None:
    """Where a character stands on the picture, with a margin; nothing for one that only separates words."""
    found = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(words, place, found) or found.left == found.right:
        return None
    corners = [placed.to_bitmap(x, y) for x in (found.left, found.right) for y in (found.bottom, found.top)]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    margin = 1 + _MARGIN * min(right - left, bottom - top)
    return left - margin, top - margin, right + margin, bottom + margin


def _around(boxes: Sequence[Box]) -> Box:
    return (
        max(0.0, min(box[0] for box in boxes)),
        max(0.0, min(box[1] for box in boxes)),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
