"""The texts of a picture that are judged, each character with the place it was read at.

One value may stand in one line, over boxes of one row (a label and its field) or over two lines, and what was read
may differ from what was written in a look-alike: so a picture is judged in several arrangements, and a finding in any
of them counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import regex

from proxy_guard.media.reading import Line

Origin = tuple[int, int] | None
"""Line and character that a character of a passage was read as; None for what joins two lines."""

_UNSURE = 0.95  # of one character; below it another digit may have been written
_GUESSES = 400  # of a picture, at most


@dataclass(frozen=True, slots=True)
class Passage:
    """One text to be judged."""

    text: str = field(repr=False)
    origins: tuple[Origin, ...] = field(repr=False)


def passages(lines: Sequence[Line]) -> list[Passage]:
    """What of these lines is judged: each row, lines of a row alone, values over two lines, the whole; and each of
    these as it may have been written."""
    rows = _rows(lines)
    read = [_joined(lines, row, " ") for row in rows]
    read += [_joined(lines, [index], "") for row in rows if len(row) > 1 for index in row]
    read += _continued(lines, rows)
    if len(rows) > 1:
        read.append(_whole(read[: len(rows)]))
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
        text += lines[index].text
        origins += [(index, at) for at in range(len(lines[index].text))]
    return Passage(text, tuple(origins))


def _whole(rows: Sequence[Passage]) -> Passage:
    origins: list[Origin] = []
    for row in rows:
        origins += [*([None] if origins else []), *row.origins]
    return Passage("\n".join(row.text for row in rows), tuple(origins))


def _rows(lines: Sequence[Line]) -> list[list[int]]:
    """The lines that stand beside one another, left to right; top to bottom as the text runs."""
    if not lines:
        return []
    along = sum((line.quad[1] - line.quad[0] for line in lines), np.zeros(2, np.float32))
    angle = math.atan2(float(along[1]), float(along[0]))
    right, down = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    centre = [line.quad.mean(axis=0) for line in lines]
    x, y = [float(at @ right) for at in centre], [float(at @ down) for at in centre]
    rows: list[list[int]] = []
    for index in sorted(range(len(lines)), key=y.__getitem__):
        for row in rows[-3:]:
            last = row[-1]
            near = abs(y[index] - y[last]) < 0.5 * min(lines[index].height, lines[last].height)
            if near and all(abs(x[index] - x[each]) > 0.4 * (lines[index].length + lines[each].length) for each in row):
                row.append(index)
                break
        else:
            rows.append([index])
    for row in rows:
        row.sort(key=x.__getitem__)
    return rows


def _continued(lines: Sequence[Line], rows: Sequence[Sequence[int]]) -> Iterator[Passage]:
    """Lines with the one below them, where a number or an address may go on in it."""
    for above, below in pairwise(rows):
        for first in above:
            for second in below:
                here, there = lines[first], lines[second]
                distance = float(np.linalg.norm(here.quad[3] - there.quad[0]))
                end, start = here.text.split()[-1], there.text.split()[0]
                if distance > 4 * here.height:
                    continue
                if any(map(str.isdigit, end)) and any(map(str.isdigit, start)):
                    yield _joined(lines, [first, second], " ")
                elif "@" in end + start:
                    yield _joined(lines, [first, second], "")


# --- what may have been written -------------------------------------------------------------------------------

_AS_DIGIT = str.maketrans("OoQDIil|!SsBZzGgqT", "000011111558226697")
_AS_LETTER = str.maketrans("01|!582643", "OIIISBZGAB")
_LIKE_DIGIT = r"[0-9OoQDIil|!SsBZzGgqT]"
_NUMBER = regex.compile(rf"(?<![A-Za-z])\+?{_LIKE_DIGIT}(?:[ .,/-]{{0,2}}{_LIKE_DIGIT}){{5,}}(?![A-Za-z])")
_PAN = regex.compile(r"(?<!\w)[A-Za-z01582643|!]{5}[0-9OoQDIil|!SsBZzGgqT]{4}[A-Za-z01582643|!](?!\w)")
_IBAN = regex.compile(
    r"(?<!\w)[A-Za-z01582643]{2}[0-9OoQDIil|!SsBZz]{2}(?: ?[A-Za-z0-9|!]{4}){2,7}(?: ?[A-Za-z0-9|!]{1,3})?(?!\w)"
)

_ADDRESS = regex.compile(r"(?P<name>[\w.+-]{2,})@(?P<domain>[\w.,-]{5,})")


def look_alikes(text: str) -> set[str]:
    """`text` with look-alikes as what stands around them makes likely; each as long as `text`, none equal to it."""
    read, text = text, text.replace("©", "@")
    digits = _NUMBER.sub(_as_number, text)
    found = {text, digits, _ADDRESS.sub(_as_address, text), _PAN.sub(_as_pan, digits), _PAN.sub(_as_pan, text)}
    found |= {_IBAN.sub(_as_iban_of_digits, text), _IBAN.sub(_as_iban_with_bank, text)}
    return found - {read}


def _as_number(match: regex.Match[str]) -> str:
    value: str = match.group()
    digits = sum(map(str.isdigit, value))
    return value.translate(_AS_DIGIT) if digits >= 4 and digits * 2 >= sum(map(str.isalnum, value)) else value


def _as_pan(match: regex.Match[str]) -> str:
    value: str = match.group()
    return (
        value[:5].upper().translate(_AS_LETTER)
        + value[5:9].translate(_AS_DIGIT)
        + value[9].upper().translate(_AS_LETTER)
    )


def _as_address(match: regex.Match[str]) -> str:
    """An address whose end is cut off or misread is one all the same."""
    name, domain = str(match["name"]), str(match["domain"])
    return name + "@" + "x" * (len(domain) - 4) + ".com"


def _as_iban_of_digits(match: regex.Match[str]) -> str:
    value: str = match.group()
    return value[:2].upper().translate(_AS_LETTER) + value[2:].translate(_AS_DIGIT)


def _as_iban_with_bank(match: regex.Match[str]) -> str:
    value: str = match.group()
    bank = 5 if value[4] == " " else 4
    return (
        value[:2].upper().translate(_AS_LETTER)
        + value[2:4].translate(_AS_DIGIT)
        + value[4:bank]
        + value[bank : bank + 4].upper().translate(_AS_LETTER)
        + value[bank + 4 :].translate(_AS_DIGIT)
    )


_RUN = regex.compile(rf"{_LIKE_DIGIT}(?:[ .-]?{_LIKE_DIGIT}){{7,}}")


def _guesses(passage: Passage, lines: Sequence[Line]) -> Iterator[Passage]:
    """The passage with each other digit where one was read unsurely: a checksum tells which was meant."""
    for run in _RUN.finditer(passage.text):
        unsure = sorted((_certainty(passage.origins[at], lines), at) for at in range(*run.span()))
        for certainty, at in unsure[:3]:
            if certainty >= _UNSURE:
                break
            start, end = max(0, run.start() - 40), run.end() + 40
            before, after = passage.text[start:at], passage.text[at + 1 : end]
            for digit in "0123456789":
                yield Passage(before + digit + after, passage.origins[start:end])


def _certainty(origin: Origin, lines: Sequence[Line]) -> float:
    return 1.0 if origin is None else lines[origin[0]].certainty[origin[1]]
