"""The texts of a picture that are judged, each character with the place it was read at.

One value may stand in one line, over boxes of one row (a label and its field) or over two lines, and what was read
may differ from what was written in a look-alike: so a picture is judged in several arrangements, and a finding in any
of them counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import regex

from proxy_guard.media.look_alikes import LIKE_DIGIT, look_alikes
from proxy_guard.media.reading import Line, Origin, Passage
from proxy_guard.media.zones import zones

_UNSURE = 0.95  # of one character; below it another digit may have been written
_GUESSES = 400  # of a picture, at most


def passages(lines: Sequence[Line]) -> list[Passage]:
    """What of these lines is judged: each row, lines of a row alone, values over two lines, the whole; and each of
    these as it may have been written."""
    rows, others = _rows(lines)
    read = [_joined(lines, row, " ") for row in rows]
    read += [_joined(lines, [index], "") for row in rows if len(row) > 1 for index in row]
    read += [_joined(lines, row, " ") for row in others]
    read += _continued(lines, rows)
    if len(rows) > 1:
        read.append(_whole(read[: len(rows)]))
    read += zones(read[: len(rows)])
    meant = [Passage(text, each.origins) for each in read for text in look_alikes(each.text)]
    guessed = [guess for each in read[: len(rows)] for guess in _guesses(each, lines)]
    return [*dict.fromkeys([*read, *meant, *guessed[:_GUESSES]])]


def _joined(lines: Sequence[Line], indices: Iterable[int], between: str) -> Passage:
    text = ""
    origins: list[Origin] = []
    for index in indices:
        if text:
            text += between
            origins += [None] * len(between)
        read = lines[index].text
        kept = range(len(read) - len(read.lstrip()), len(read.rstrip()))  # a number has no two spaces in a row
        text += read.strip()
        origins += [(index, at) for at in kept]
    return Passage(text, tuple(origins))


def _whole(rows: Sequence[Passage]) -> Passage:
    origins: list[Origin] = []
    for row in rows:
        origins += [*([None] if origins else []), *row.origins]
    return Passage("\n".join(row.text for row in rows), tuple(origins))


def _rows(lines: Sequence[Line]) -> tuple[list[list[int]], list[list[int]]]:
    """The lines that stand beside one another, left to right; top to bottom as the text runs. And rows that they may
    make besides."""
    if not lines:
        return [], []
    along = sum((line.quad[1] - line.quad[0] for line in lines), np.zeros(2, np.float32))
    angle = math.atan2(float(along[1]), float(along[0]))
    right, down = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    centre = [line.quad.mean(axis=0) for line in lines]
    x, y = [float(at @ right) for at in centre], [float(at @ down) for at in centre]

    def fits(index: int, row: Sequence[int]) -> bool:
        last = row[-1]
        near = abs(y[index] - y[last]) < 0.5 * min(lines[index].height, lines[last].height)
        return near and all(beside_each_other(index, each) for each in row)

    def beside_each_other(index: int, other: int) -> bool:
        # The boxes of two words may overlap; that of a line read twice, as a whole and in pieces, holds the other.
        here, there = lines[index].length, lines[other].length
        return (here + there) / 2 - abs(x[index] - x[other]) < 0.4 * min(here, there)

    rows: list[list[int]] = []
    for index in sorted(range(len(lines)), key=y.__getitem__):
        for row in rows[-3:]:
            if fits(index, row):
                row.append(index)
                break
        else:
            rows.append([index])
    # A line that was read twice, whole and in pieces, stands in two rows, and what is beside it belongs to both.
    others = []
    for at, row in enumerate(rows):
        beside = list(row)
        for index in (each for other in (*rows[max(0, at - 2) : at], *rows[at + 1 : at + 3]) for each in other):
            if fits(index, beside):
                beside.append(index)
        if len(beside) > len(row):
            others.append(sorted(beside, key=x.__getitem__))
    return [sorted(row, key=x.__getitem__) for row in rows], others


_CODE = regex.compile(r"(?=.*\d)[A-Z\d]{9,34}")  # of capitals and digits, as PAN and IBAN are


def _continued(lines: Sequence[Line], rows: Sequence[Sequence[int]]) -> Iterator[Passage]:
    """Lines with the one below them, where a number or an address may go on in it."""
    for above, below in pairwise(rows):
        for first in above:
            for second in below:
                here, there = lines[first], lines[second]
                distance = float(np.linalg.norm(here.quad[3] - there.quad[0]))
                if distance > 4 * here.height or not (here.text.strip() and there.text.strip()):
                    continue
                end, start = here.text.split()[-1], there.text.split()[0]
                if any(map(str.isdigit, end)) and any(map(str.isdigit, start)):
                    yield _joined(lines, [first, second], "" if end.endswith("-") else " ")
                if "@" in end + start or _CODE.fullmatch(end + start):
                    yield _joined(lines, [first, second], "")


# --- what may have been written -------------------------------------------------------------------------------

_RUN = regex.compile(rf"{LIKE_DIGIT}(?:[ .-]?{LIKE_DIGIT}){{7,}}")


_LOST_SPACE = regex.compile(r"(?<!\d)(?:\d{8} \d{4}|\d{4} \d{8})(?!\d)")
"""Three groups of four, as of an Aadhaar number, between two of which no space was seen."""
_IN_PIECES = regex.compile(
    r"(?<!\w)(?=(?:[A-Z] ?){5}(?:\d ?){4}[A-Z](?!\w))[A-Z](?: ?[A-Z\d]){9}"
    r"|[\w.+-]{2,64}@[\w-]{1,40} [\w-]{0,40}(?:\.[\w-]{1,40}){0,3}\.[A-Za-z]{2,24}(?![\w@])"
)
"""A PAN, and an address behind its @, with spaces in them that are not written, as are seen in small print."""
_DOTTED = regex.compile(r"[^\s@]{2,}\.[^\s@]{2,}")
_LIKE_AT = frozenset("0OQG8&®©□")


def _guesses(passage: Passage, lines: Sequence[Line]) -> Iterator[Passage]:
    """The passage with each other digit where one was read unsurely, and without one that stands alone, or with its
    groups closed up where a space is lost: a checksum tells which was meant; with an @ in an address; and without
    spaces that are not written."""
    for run in _RUN.finditer(passage.text):
        unsure = sorted((_certainty(passage.origins[at], lines), at) for at in range(*run.span()))
        for certainty, at in unsure[:3]:
            if certainty >= _UNSURE:
                break
            start, end = max(0, run.start() - 40), run.end() + 40
            before, after = passage.text[start:at], passage.text[at + 1 : end]
            for digit in "0123456789":
                yield Passage(before + digit + after, passage.origins[start:end])
            if before.endswith(" ") and after.startswith(" "):  # seen in the gap between two groups
                yield Passage(before + after[1:], (*passage.origins[start:at], *passage.origins[at + 2 : end]))
    for run in _LOST_SPACE.finditer(passage.text):
        space = passage.text.index(" ", run.start())
        text, origins = passage.text, passage.origins
        yield Passage(text[:space] + text[space + 1 :], origins[:space] + origins[space + 1 :])
    for found in _IN_PIECES.finditer(passage.text):
        kept = [at for at in range(*found.span()) if passage.text[at] != " "]
        if len(kept) < len(found.group()):
            start, end = max(0, found.start() - 40), found.end() + 40
            places = [*range(start, found.start()), *kept, *range(found.end(), min(end, len(passage.text)))]
            text = "".join(passage.text[at] for at in places)
            yield Passage(text, tuple(passage.origins[at] for at in places))
    for token in _DOTTED.finditer(passage.text):
        for at in range(token.start() + 2, token.end() - 5):
            if passage.text[at] in _LIKE_AT and _certainty(passage.origins[at], lines) < _UNSURE:
                text = f"{passage.text[:at]}@{passage.text[at + 1 :]}"
                yield from (Passage(each, passage.origins) for each in look_alikes(text))


def _certainty(origin: Origin, lines: Sequence[Line]) -> float:
    return 1.0 if origin is None else lines[origin[0]].certainty[origin[1]]
