"""Texts turned round, and texts in rot13: read where they say so, or where an address shows it.

A mark that overrides the direction says so, too (U+202E RIGHT-TO-LEFT OVERRIDE, Unicode UAX #9): what follows it is
shown from its end to its beginning, while programs, models among them, read it as it stands. So it is read both ways.
"""

from __future__ import annotations

import codecs
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any

import regex

from proxy_guard.detect.layers import Form, Part, replaced

_BACKWARDS = (
    r"\b(?:revers|backward|mirror|inverted|right[ -]to[ -]left)"
    r"|\b(?:moc|gro|ten|ude|vog|oi|ku|ni|ed)\.[a-z0-9-]+(?:\.[a-z0-9-]+)*@[a-z0-9]"
)
_ROT13 = r"\brot-?13\b|\bcaesar\b|@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:pbz|arg|bet|rqh|tbi|qr|pb\.hx|pb\.va)\b"
TURNED_SIGNALS: tuple[str, ...] = (_BACKWARDS, _ROT13)
_SAYS_BACKWARDS = regex.compile(_BACKWARDS, regex.IGNORECASE)
_SAYS_ROT13 = regex.compile(_ROT13, regex.IGNORECASE)
_RUN = regex.compile(r"\d+(?:[ -]\d+)+(?!\w)|[\w@.+-]+")
_GROUPS = regex.compile(r"[A-Z0-9]+(?:[ -][A-Z0-9]+)+(?!\w)|[\w@.+-]+")
_LETTERS = regex.compile(r"[A-Za-z]+")
_BEHIND, _BEFORE = 400, 40
"""Code points behind such a word, and before it, in which it counts: no more than a stream looks back or waits."""
_OVERRIDE = "\u202e"
_OVERRIDDEN = regex.compile(rf"{_OVERRIDE}(?=([^\u202c\n]{{2,{_BEHIND}}}))")


def overridden(form: Form) -> Form:
    """`form` with what follows marks of direction turned back."""
    if _OVERRIDE not in form.text:
        return form
    said = _apart(match.span(1) for match in _OVERRIDDEN.finditer(form.text))
    return form.then(replaced(form.text, _GROUPS, partial(_where, said, _reversed)))


def turned(form: Form) -> Iterator[Form]:
    """`form` turned back where it says that it was turned, in each way; those there are."""
    for says, run, back in ((_SAYS_BACKWARDS, _RUN, _reversed), (_SAYS_ROT13, _LETTERS, _rotated)):
        if said := _reaches(says, form.text):
            yield form.then(replaced(form.text, run, partial(_where, said, back)))


def _reaches(says: regex.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Where what is turned may stand."""
    return _apart((match.start() - _BEFORE, match.end() + _BEHIND) for match in says.finditer(text))


def _apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """`spans`, which begin and end from left to right, with those that overlap as one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        first = found.pop()[0] if found and start <= found[-1][1] else start
        found.append((first, end))
    return found


def _where(said: list[tuple[int, int]], back: Callable[[Any], Iterator[Part]], match: Any) -> Iterator[Part]:
    place = bisect_left(said, match.end(), key=itemgetter(1))
    # The first that does not end before the match does, or the one before that, which may reach into it.
    if any(start <= match.end() and match.start() <= end for start, end in said[max(0, place - 1) : place + 1]):
        yield from back(match)


def _reversed(match: Any) -> Iterator[Part]:
    yield match.group()[::-1], match.start(), match.end()


def _rotated(match: Any) -> Iterator[Part]:
    for place, char in enumerate(codecs.encode(match.group(), "rot13"), match.start()):
        yield char, place, place + 1
