"""One picture: what a policy finds in it, and the picture without that. For image files, and pictures in documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import regex
from PIL import Image

from proxy_guard.media import FACE, Judge, MediaSettings, Unscrubbable
from proxy_guard.media.codes import codes_in
from proxy_guard.media.faces import OTHER_LONGEST, faces_in
from proxy_guard.media.ocr import Quad
from proxy_guard.media.paint import Region, paint
from proxy_guard.media.passages import passages
from proxy_guard.media.reading import (
    Line,
    Passage,
    Pixels,
    grown,
    overlap,
    read_again,
    read_closer,
    read_lines,
    read_script,
)

UNREADABLE = "UNREADABLE_TEXT"
"""The entity of a line that could not be read for sure, and so is painted over."""

_SURE, _SURE_OF_NUMBERS = 0.8, 0.9  # of a line, as trials on blurred and tiny text have it
_RULE = regex.compile(r"[-_=~\u2010-\u2015\u4e00\u30fc]+")  # a line that is drawn, not written
_LONG = 10  # digits, from which on a number may be a person's
_LONG_NUMBER = regex.compile(r"\d[\dA-Z .,/-]{8,}\d")
_SURE_OF_SCRIPT = 0.7  # of a line that another engine read
_SCRIPTS = 30  # lines that it is asked for, at most: each takes 0.1 s
_ROUNDS = 3  # of painting and looking again
_MARGIN = 0.15  # of a line's height: without it one value in ten keeps more than 5 % of its ink


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture that may go on; `picture` is the one given where nothing was found."""

    picture: Image.Image
    regions: tuple[Region, ...] = ()


def redact_picture(picture: Image.Image, judge: Judge, settings: MediaSettings) -> Painted:
    """`picture`, which stands upright, without what `judge` finds in it.

    Raises Unscrubbable: too large, a finding where the style is `block`, lines that can't be read where that blocks,
    or a finding that is still there after painting. Raises whatever `judge` raises.
    """
    if picture.width * picture.height > settings.pixels:
        raise Unscrubbable("too_large", f"a picture of more than {settings.pixels} pixels")
    seen = [(view, read_lines(view)) for view in views(picture)]
    regions = [region for view, lines in seen for region in found_in(view, lines, judge, settings)]
    fresh = regions
    for _ in range(_ROUNDS):
        painted = paint(picture, regions, settings.style if settings.style != "block" else "fill")
        left: list[Region] = []
        written = [each.quad for each in fresh if each.entity != FACE]
        for (_, lines), view in zip(seen, views(painted), strict=False):
            left += _judged(read_again(view, _untouched(lines, regions), written), judge)
            if len(written) < len(fresh):
                left += faces_in(view, settings.face_score, OTHER_LONGEST)
        if not left:
            break
        regions += left
        fresh = left
    else:
        raise Unscrubbable("low_confidence", "a picture whose findings could not be painted over for sure")
    if regions and settings.style == "block":
        raise Unscrubbable("found", "a picture with what may not be sent")
    return Painted(painted, tuple(regions))


def _untouched(lines: Sequence[Line], regions: Sequence[Region]) -> list[Line]:
    """The lines that no region touches: they have been read, and need no second look."""
    return [line for line in lines if not any(overlap(line.quad, region.quad) for region in regions)]


def views(picture: Image.Image) -> Iterator[Pixels]:
    """What someone may see of a picture: with transparency on white, on black, and with the transparency left out."""
    if picture.mode == "I;16" or picture.mode.startswith("I"):
        deep = np.asarray(picture, np.float32)
        top = 65535.0 if deep.max(initial=0) > 255 else 255.0
        grey = np.clip(deep / top * 255, 0, 255).astype(np.uint8)
        yield np.repeat(grey[:, :, None], 3, axis=2)
        return
    if not picture.has_transparency_data:
        yield np.asarray(picture.convert("RGB"))
        return
    full = picture.convert("RGBA")
    alpha = np.asarray(full.getchannel("A"))
    colours = np.asarray(full.convert("RGB"))
    yield colours
    if int(alpha.min()) == 255:
        return
    share = (alpha.astype(np.float32) / 255)[:, :, None]
    for ground in (255, 0):
        yield np.rint(colours * share + ground * (1 - share)).astype(np.uint8)


def found_in(view: Pixels, lines: Sequence[Line], judge: Judge, settings: MediaSettings) -> list[Region]:
    """What is to be painted over in one view of a picture, whose lines are these."""
    regions = list(_judged(lines, judge))
    closer = [read_closer(view, line) if _unsure(line) else line for line in lines]
    if closer != list(lines):
        regions += _judged(closer, judge)
    unsure = [line for line, again in zip(lines, closer, strict=True) if _unsure(line) and not _clears(line, again)]
    scripts = {id(line): other for line in unsure[:_SCRIPTS] if (other := read_script(view, line))}
    regions += _judged(list(scripts.values()), judge)
    unsure = [line for line in unsure if id(line) not in scripts or scripts[id(line)].score < _SURE_OF_SCRIPT]
    if unsure and settings.low_confidence == "block":
        raise Unscrubbable("low_confidence", "a picture with text that could not be read for sure")
    regions += [Region(UNREADABLE, 1 - line.score, _around(line.quad, line.height)) for line in unsure]
    if settings.codes:
        regions += codes_in(view, judge)
    if settings.faces:
        regions += faces_in(view, settings.face_score)
    return regions


def _unsure(line: Line) -> bool:
    """Whether what was read may not be what is written, or is less than there is room for."""
    text = line.text.strip()
    if len(text) <= 2:
        return 1.5 * line.height * (len(text) + 1) < line.length and not _RULE.fullmatch(text)
    if line.score < (_SURE_OF_NUMBERS if _is_telling(line) else _SURE):
        return True
    return _is_shaky(line)


def _is_shaky(line: Line) -> bool:
    """Whether a long number has a character that may be another: one is enough for its checksum to fail."""
    return any(
        sum(map(str.isdigit, run.group())) >= _LONG and min(line.certainty[slice(*run.span())]) < _SURE
        for run in _LONG_NUMBER.finditer(line.text)
    )


def _is_telling(line: Line) -> bool:
    return "@" in line.text or sum(map(str.isdigit, line.text)) >= 4


def _clears(line: Line, again: Line) -> bool:
    """Whether a second reading takes the doubt away: what numbers and codes are made of is the same, and sure."""
    first, second = _code(line), _code(again)
    if [character for character, _ in first] != [character for character, _ in second]:
        return False
    if sum(map(str.isdigit, line.text)) >= _LONG:
        return not _unsure(again)
    if not _is_telling(line):
        return line.text == again.text or not _unsure(again)
    return all(sum(sure for _, sure in code) >= _SURE_OF_NUMBERS * len(code) for code in (first, second))


def _code(line: Line) -> list[tuple[str, float]]:
    """The digits, capitals and @ of a line, and how sure they are."""
    read = zip(line.text, line.certainty, strict=True)
    return [(each, sure) for each, sure in read if each.isdigit() or each.isupper() or each == "@"]


def _judged(lines: Sequence[Line], judge: Judge) -> Iterator[Region]:
    texts = passages(lines)
    seen = set()
    for passage, judged in zip(texts, judge([each.text for each in texts]), strict=True):
        for finding in judged.findings:
            for index, start, end in _places(passage, finding.start, finding.end):
                if (finding.entity, index, start, end) not in seen:
                    seen.add((finding.entity, index, start, end))
                    yield Region(finding.entity, finding.score, padded(lines[index], start, end))


def _places(passage: Passage, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The lines that a span of a passage stands in, each with the characters from the first to the last of it."""
    spans: dict[int, tuple[int, int]] = {}
    for origin in passage.origins[start:end]:
        if origin is not None:
            line, at = origin
            first, last = spans.get(line, (at, at))
            spans[line] = min(first, at), max(last, at)
    for line, (first, last) in spans.items():
        yield line, first, last + 1


def padded(line: Line, start: int, end: int) -> Quad:
    """The corners around these characters of a line and a margin."""
    return _around(line.part(start, end), line.height)


def _around(quad: Quad, height: float) -> Quad:
    return grown(quad, 0.35 * height, _MARGIN * height)
