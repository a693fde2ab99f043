"""Presidio's pattern recognizers as this engine runs them: only the patterns that could match, without the objects
that explain a match.

A recognizer that brings an `analyze` of its own is run whole and unchanged.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from typing import NamedTuple

import regex
from presidio_analyzer import EntityRecognizer, PatternRecognizer

from proxy_guard.errors import ProxyGuardError

_SECONDS = 5.0
"""For one pattern on one text. Presidio logs a time-out and skips the pattern; here it is a failure."""


class Hit(NamedTuple):
    """A match, before context is looked at. `owner` is the recognizer that found it."""

    entity: str
    start: int
    end: int
    score: float
    owner: int


class PatternTimeout(ProxyGuardError):
    """A pattern took too long on a text; what it would have found is unknown."""


class PatternPart:
    """One pattern recognizer. `expressions` are its patterns, by their place."""

    def __init__(self, recognizer: PatternRecognizer, owner: int, least_score: float = 0) -> None:
        """Without the patterns whose score, context added, stays under `least_score`."""
        self.context: list[str] = recognizer.context or []
        self.owner = owner
        self._recognizer = recognizer
        self._entity: str = recognizer.supported_entities[0]
        kind = type(recognizer)
        self._own_way = kind.analyze is not PatternRecognizer.analyze
        self._validates = kind.validate_result is not PatternRecognizer.validate_result
        self._invalidates = kind.invalidate_result is not PatternRecognizer.invalidate_result
        patterns = recognizer.patterns
        if not self._validates and not self._own_way:
            patterns = [each for each in patterns if each.score >= least_score]
        self.expressions: list[str] = [each.regex for each in patterns]
        flags = recognizer.global_regex_flags
        self._compiled = [(regex.compile(each.regex, flags=flags), each.score) for each in patterns]

    def hits(self, text: str, possible: Collection[int]) -> list[Hit]:
        """What those of its patterns that are `possible` find in `text`. Raises PatternTimeout."""
        if self._own_way:
            found = self._recognizer.analyze(text, [self._entity])
            return [Hit(self._entity, each.start, each.end, each.score, self.owner) for each in found]
        hits: list[Hit] = []
        for index in possible:
            pattern, score = self._compiled[index]
            try:
                for match in pattern.finditer(text, timeout=_SECONDS):
                    start, end = match.span()
                    if start < end and (valid := self._score(match.group(), score)) > 0:
                        hits.append(Hit(self._entity, start, end, valid, self.owner))
            except TimeoutError:
                raise PatternTimeout(f"a pattern of {self._entity} took longer than {_SECONDS:g} s") from None
        return distinct(hits) if len(hits) > 1 else hits

    def _score(self, value: str, score: float) -> float:
        if self._validates:
            valid = self._recognizer.validate_result(value)
            if valid is not None:
                score = EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
        if self._invalidates and self._recognizer.invalidate_result(value):
            score = EntityRecognizer.MIN_SCORE
        return score


def distinct(hits: list[Hit]) -> list[Hit]:
    """Without those that another of the same entity covers at no lower score, best first (as Presidio does)."""
    kept: list[Hit] = []
    # For each entity, the starts and ends of what is kept, without those within another: both ascend.
    covered: dict[str, tuple[list[int], list[int]]] = {}
    for hit in sorted(set(hits), key=lambda h: (-h.score, h.start, h.start - h.end)):
        starts, ends = covered.setdefault(hit.entity, ([], []))
        place = bisect_right(starts, hit.start)
        if place and ends[place - 1] >= hit.end:
            continue
        kept.append(hit)
        first = bisect_left(starts, hit.start)
        last = bisect_right(ends, hit.end, lo=first)
        starts[first:last], ends[first:last] = [hit.start], [hit.end]
    return kept
