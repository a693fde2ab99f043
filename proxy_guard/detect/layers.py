"""Rewritings of a text that know where each of their characters came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proxy_guard.model import Finding


class Cut(NamedTuple):
    """`text[start:end]` of the new text stands for `text[source_start:source_end]` of the old; either may be empty."""

    start: int
    end: int
    source_start: int
    source_end: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A text made from another one. Outside its cuts, which are in order, it is the other one's."""

    text: str = field(repr=False)
    cuts: tuple[Cut, ...]
    _starts: list[int] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._starts.extend(cut.start for cut in self.cuts)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the source that `text[start:end]`, which is not empty, stands for."""
        return self._source(start)[0], self._source(end - 1)[1]

    def changed(self, start: int, end: int) -> bool:
        """Whether `text[start:end]` is not as it stands in the source, where it may be glued to what is beside it."""
        for cut in self.cuts[max(0, bisect_right(self._starts, end) - 1) :: -1]:
            if cut.end < start:
                break
            within = cut.start < end and (cut.end > start or cut.start > start)
            if within or (cut.start <= end and cut.end - cut.start != cut.source_end - cut.source_start):
                return True
        return False

    def _source(self, place: int) -> tuple[int, int]:
        # Of cuts that start at one place all but the last are empty: what was left out there.
        index = bisect_right(self._starts, place) - 1
        if index < 0:
            return place, place + 1
        cut = self.cuts[index]
        if place < cut.end:
            return cut.source_start, cut.source_end
        return place - cut.end + cut.source_end, place - cut.end + cut.source_end + 1


Part = tuple[str, int, int]
"""A piece of new text and the stretch of the source that it stands for."""


def replaced(
    text: str, pattern: Any, parts_of: Callable[[Any], Iterable[Part]], *, again: str | None = None
) -> Layer | None:
    """`text` with the matches of `pattern` rewritten; None where nothing changes.

    `parts_of` a match gives what takes its place, from left to right, and nothing where it is to stay: then the search
    goes on behind the match, or behind its group `again`.
    """
    if again is None:
        return made(text, (part for match in pattern.finditer(text) for part in parts_of(match)))
    return made(text, _searched(text, pattern, parts_of, again))


def _searched(text: str, pattern: Any, parts_of: Callable[[Any], Iterable[Part]], again: str) -> Iterator[Part]:
    place = 0
    while match := pattern.search(text, place):
        parts = list(parts_of(match))
        yield from parts
        place = match.end() if parts else match.end(again)


def made(text: str, parts: Iterable[Part]) -> Layer | None:
    """`text` with `parts` put in place; None where nothing changes."""
    out: list[str] = []
    cuts: list[Cut] = []
    size = position = 0
    for new, start, end in parts:
        if new == text[start:end]:
            continue
        if position < start:
            out.append(text[position:start])
            size += start - position
        out.append(new)
        cuts.append(Cut(size, size + len(new), start, end))
        size += len(new)
        position = end
    if not cuts:
        return None
    out.append(text[position:])
    return Layer("".join(out), tuple(cuts))


@dataclass(frozen=True, slots=True)
class Form:
    """A text after some layers, each made from the one before."""

    text: str = field(repr=False)
    layers: tuple[Layer, ...] = ()

    def then(self, layer: Layer | None) -> Form:
        """This form with one more layer, if there is one."""
        return Form(layer.text, (*self.layers, layer)) if layer else self

    def original(self, findings: Iterable[Finding], only_new: frozenset[str] = frozenset()) -> Iterator[Finding]:
        """Findings of this form as findings of the text that it was made from.

        Entities that are `only_new` count where what was found is written otherwise there.
        """
        for each in findings:
            start, end, new = each.start, each.end, each.entity not in only_new
            for layer in reversed(self.layers):
                new = new or layer.changed(start, end)
                start, end = layer.span(start, end)
            if new:
                yield Finding(each.entity, start, end, each.score)
