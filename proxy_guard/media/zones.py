"""Machine-readable zones of passports and cards (ICAO Doc 9303) as OCR reads them, put right.

Readers lose fillers in long runs, take `<` for K, C or a bracket, O for 0 and the like. Which field a character is of
tells what it may be: the dates with their check digits are found in a line, and what stands before and after them is
brought to its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import regex

from proxy_guard.media.look_alikes import AS_DIGIT, AS_LETTER, LIKE_DIGIT
from proxy_guard.media.reading import Origin, Passage

_DATES: Final = regex.compile(rf"{LIKE_DIGIT}{{6,7}}[MFXHWK<]{LIKE_DIGIT}{{7}}", regex.IGNORECASE)
_READ_AS = str.maketrans("«‹([{〈《ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "<<<<<<<ABEZHIKMNOPTYX")
_CARD, _PASSPORT = 30, 44
"""Characters of a line of a card (TD1) and of a passport (TD3); one of TD2, with 36, reads like a passport's."""


def zones(rows: Sequence[Passage]) -> Iterator[Passage]:
    """The zones in these rows of a picture, each as it was printed."""
    packed = [_packed(row) for row in rows]
    none = Passage("", ())
    for at, row in enumerate(packed):
        found = _DATES.search(row.text)
        if found is None:
            continue
        above = packed[at - 1] if at and _is_zone(packed[at - 1].text) else none
        below = packed[at + 1] if at + 1 < len(packed) and _is_zone(packed[at + 1].text) else none
        start = found.end() - 15  # one more is a digit read twice
        before, dates, after = _part(row, 0, start), _dates(_part(row, start, found.end())), _part(row, found.end())
        if start <= 2:
            second = [dates, _filled(_letters(_part(after, 0, 3)), 3), _filled(_part(after, 3), 12)]
            yield _passage([[_heading(above, "I<", _CARD)], second, [_filled(_letters(below), _CARD)]])
        else:
            number, check, nation = _part(before, 0, -4), _part(before, -4, -3), _part(before, -3)
            second = [_filled(number, 9), _mapped(_filled(check, 1), AS_DIGIT), _filled(_letters(nation), 3), dates]
            yield _passage([[_heading(above, "P<", _PASSPORT)], [*second, _filled(after, 16)]])


def _part(passage: Passage, start: int, end: int | None = None) -> Passage:
    return Passage(passage.text[start:end], passage.origins[start:end])


def _filled(passage: Passage, length: int) -> Passage:
    """With fillers behind it, or its end left out."""
    missing = max(0, length - len(passage.text))
    return Passage((passage.text + "<" * missing)[:length], (*passage.origins, *[None] * missing)[:length])


def _mapped(passage: Passage, table: dict[int, int]) -> Passage:
    return Passage(passage.text.translate(table), passage.origins)


def _packed(row: Passage) -> Passage:
    """A row without its spaces, in capitals."""
    kept = [(each.upper(), origin) for each, origin in zip(row.text, row.origins, strict=True) if not each.isspace()]
    kept = [(each if len(each) == 1 else "<", origin) for each, origin in kept]
    return Passage("".join(each for each, _ in kept).translate(_READ_AS), tuple(origin for _, origin in kept))


def _is_zone(text: str) -> bool:
    """Whether a line may be one of a zone."""
    return len(text) >= 12 and (text.count("<") >= 2 or text[:2] in {"P<", "PK", "PC", "I<", "IK", "IC", "V<"})


def _dates(text: Passage) -> Passage:
    """Birth, expiry and their check digits, with the sex between them."""
    sex = text.text[7] if text.text[7] in "MF" else "<"
    return Passage(text.text[:7].translate(AS_DIGIT) + sex + text.text[8:].translate(AS_DIGIT), text.origins)


def _letters(text: Passage) -> Passage:
    return _allowed(_mapped(text, AS_LETTER), str.isalpha)


def _allowed(text: Passage, allowed: Callable[[str], bool]) -> Passage:
    """With a filler in place of everything else."""
    return Passage("".join(each if each.isascii() and allowed(each) else "<" for each in text.text), text.origins)


def _heading(line: Passage, begins: str, length: int) -> Passage:
    """A first line; where there is none, one that says nothing."""
    if len(line.text) < 5:
        return _filled(Passage(f"{begins}XXX", (None,) * 5), length)
    kind = line.text[0] if line.text[0] in "PVAIC" else begins[0]
    series = line.text[1] if line.text[1].isalpha() and line.text[1] not in "KC" else "<"
    nation, rest = _letters(_part(line, 2, 5)), _allowed(_part(line, 5), str.isalnum)
    return _filled(Passage(kind + series + nation.text + rest.text, line.origins), length)


def _passage(lines: Sequence[Sequence[Passage]]) -> Passage:
    text = "\n".join("".join(part.text for part in line) for line in lines)
    origins: list[Origin] = []
    for line in lines:
        origins += [*([None] if origins else []), *(each for part in line for each in part.origins)]
    return Passage(text, tuple(origins))
