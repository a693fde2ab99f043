"""What the events of one stream have in common, so that most of them need not be read as JSON.

A model's events differ in the text, and perhaps in a number that counts them and in padding; all else is the same
from one to the next, byte for byte. Two events that were read tell where they differ; a third that differs there
alone says nothing new elsewhere, and its text can be taken from its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from proxy_guard.locate.unreached import LONG
from proxy_guard.model import unshown
from proxy_guard.stream.framing import Event

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[0-9]+|[^"0-9]+')
_DECODER = json.JSONDecoder()
_VALUE_NEXT, _VALUE_DONE = re.compile(r"[:,\[]\s*\Z"), re.compile(r"\s*[,\]}]")
_MOST_PLACES = 4
_MOST_SHAPES = 4
_TRIES, _HITS_A_TRY = 8, 32
"""How often a stream is tried for shapes at first, and after how many hits once more."""
_MARK = "a value that no event holds, number "
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Shape(NamedTuple):
    """Events that are `literals` with a value between each two: of those, `text` is the place of the text."""

    literals: tuple[str, ...]
    kinds: tuple[type, ...]
    """Of the values: `str` or `int`."""
    text: int

    def text_in(self, data: str) -> str | None:
        """The text in the data of an event; None where it has another shape, or is to be read with more care."""
        place = 0
        text: object = None
        for number, kind in enumerate(self.kinds):
            literal = self.literals[number]
            if not data.startswith(literal, place):
                return None
            start = place + len(literal)
            try:
                value, place = _DECODER.raw_decode(data, start)
            except (ValueError, RecursionError):
                return None
            if (
                type(value) is not kind
                or (isinstance(value, int) and value >= LONG)
                or ("\\u" in data[start:place] and _SURROGATE.search(data, start, place))
            ):
                return None
            if number == self.text:
                text = value
        return text if isinstance(text, str) and text and data[place:] == self.literals[-1] else None


Reading = Callable[[str], str | None]
"""What the one text of an event would be, if its data were these; None where it is no longer the one text."""


def shape_of(before: str, data: str, reading: Reading) -> Shape | None:
    """The shape of two events, if they differ in few values of which just the text matters.

    `reading` is asked with marks in place of the values, so that whatever else looks at one of them shows.
    """
    if _MARK in data:
        return None
    ours, theirs = _TOKEN.findall(data), _TOKEN.findall(before)
    if len(ours) != len(theirs):
        return None
    places = [place for place, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other]
    if not 0 < len(places) <= _MOST_PLACES or any(not _apart(ours, theirs, place) for place in places):
        return None
    strings = [ours[place][0] == '"' for place in places]
    marks = [f'"{_MARK}{n}"' if string else str(LONG - 1 - n) for n, string in enumerate(strings)]
    marked = list(ours)
    for place, mark in zip(places, marks, strict=True):
        marked[place] = mark
    text = f'"{reading("".join(marked))}"'
    if text not in marks:
        return None
    literals = ["".join(ours[first + 1 : last]) for first, last in pairwise([-1, *places, len(ours)])]
    return Shape(tuple(literals), tuple(str if string else int for string in strings), marks.index(text))


def _apart(ours: list[str], theirs: list[str], place: int) -> bool:
    """Whether a whole value stands there in both, and the same kind of one."""
    one, other = ours[place], theirs[place]
    if place == 0 or place + 1 == len(ours):
        return False
    if (one[0] == '"') != (other[0] == '"') or not (one[0] == '"' or (one.isdigit() and other.isdigit())):
        return False
    return bool(_VALUE_NEXT.search(ours[place - 1]) and _VALUE_DONE.match(ours[place + 1]))


@unshown
class _Known[About](NamedTuple):
    shape: Shape
    about: About
    before: bytes
    """What of the event stands before its data, and what after."""
    after: bytes
    name: str


class Shapes[About]:
    """The shapes of one stream's events, each with what is known of the text in them."""

    def __init__(self) -> None:
        self._known: list[_Known[About]] = []
        self._seen: dict[About, str] = {}
        self._tries = _TRIES * _HITS_A_TRY

    def find(self, data: bytes, name: str) -> tuple[About, str] | None:
        """What is known of the text in an event with these data and that name, and the text itself."""
        for known in self._known:
            text = _text_in(known.shape, data) if known.name == name else None
            if text is not None:
                self._tries += 1
                return known.about, text
        return None

    def framed(self, chunk: bytes) -> tuple[bytes, About, str] | None:
        """The same for bytes that are just one event; with its data."""
        for each in self._known:
            if chunk.startswith(each.before) and chunk.endswith(each.after):
                data = chunk[len(each.before) : len(chunk) - len(each.after)]
                known = self.find(data, each.name)
                if known:
                    return data, *known
        return None

    def learn(self, event: Event, about: About, reading: Reading) -> None:
        """Takes an event that had to be read."""
        data = event.data
        if self._tries < _HITS_A_TRY or data is None:
            return
        try:
            content = data.decode()
        except UnicodeDecodeError:
            return
        seen = self._seen.get(about)
        if seen is not None:
            self._tries -= _HITS_A_TRY
            shape = shape_of(seen, content, reading)
            if shape and data in event.raw:
                before, _, after = event.raw.partition(data)
                self._known = [_Known(shape, about, before, after, event.name), *self._known[: _MOST_SHAPES - 1]]
                del self._seen[about]
                return
        if len(self._seen) < _MOST_SHAPES or about in self._seen:
            self._seen[about] = content


def _text_in(shape: Shape, data: bytes) -> str | None:
    try:
        return shape.text_in(data.decode())
    except UnicodeDecodeError:
        return None
