"""The entities of prose in the profile `proxy-guard`: patterns, lists and what a model finds, put together."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import SpacyRecognizer

from proxy_guard.detect import addresses, dates, names, places
from proxy_guard.detect.covering import Covering
from proxy_guard.detect.lexicon import NOT_NAMES, WORD
from proxy_guard.detect.lexicon import names as given_names
from proxy_guard.detect.lexicon import places as known_places
from proxy_guard.detect.patterns import Hit

PROSE = frozenset({"PERSON", "LOCATION", "NRP", "DATE_TIME"})


def recognizers(entities: Iterable[str]) -> list[EntityRecognizer]:
    """The recognizers of prose entities, that of the model included."""
    wanted = sorted(set(entities))
    made: list[EntityRecognizer] = []
    if "PERSON" in wanted:
        made += names.recognizers()
    if "LOCATION" in wanted:
        made += [*addresses.recognizers(), *places.recognizers("LOCATION")]
    if "NRP" in wanted:
        made += places.recognizers("NRP")
    if "DATE_TIME" in wanted:
        made += dates.recognizers()
    return [*made, ModelRecognizer(supported_entities=wanted)]


class ModelRecognizer(SpacyRecognizer):  # type: ignore[misc]
    """What the model finds, without what is no name, no place and no date."""

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The model's findings, cut down to what they name."""
        found = []
        for each in super().analyze(text, entities, nlp_artifacts):
            kept = _kept(text, each.entity_type, each.start, each.end)
            if kept:
                entity, start, end = kept
                if entity in self.supported_entities:
                    found.append(RecognizerResult(entity, start, end, each.score))
        return found


def _kept(text: str, entity: str, start: int, end: int) -> tuple[str, int, int] | None:
    value = text[start:end]
    if entity == "DATE_TIME":
        return (entity, start, end) if dates.tells_date(value) else None
    if _CODED.search(value):
        return None
    if sum(char.isdigit() for char in value) >= (_MOST_DIGITS if " " in value else 3):
        return None
    if entity == "NRP":
        return None if places.is_language(text, start, end) or not value[0].isupper() else (entity, start, end)
    if entity == "PERSON" and tuple(WORD.findall(value.lower())) in known_places():
        return "LOCATION", start, end
    if entity == "PERSON":
        span = names.trimmed(text, start, end)
        return (entity, *span) if span else None
    words = [word.lower() for word in WORD.findall(value)]
    if not words or all(word in NOT_NAMES for word in words) or not any(char.isupper() for char in value):
        return None
    if words[0] in given_names().given and tuple(words) not in known_places():
        span = names.trimmed(text, start, end)
        return ("PERSON", *span) if span else None
    return entity, start, start + len(value.rstrip())


_MOST_DIGITS = 8
"""In a name or a place that the model finds."""
_CODE = re.compile(
    r"(?<![A-Za-z0-9+/=])(?:(?=[A-Za-z+/=]*[0-9]+[A-Za-z])[A-Za-z0-9+/]{10,}|[A-Za-z0-9+/]{24,})={0,6}(?![A-Za-z0-9])"
)
"""Keys, and what is packed."""
_CODED = re.compile(r"[A-Z]{2}[a-z]+[A-Z]|&#|&[a-z]+;|\\[uUx0-7]")
"""A piece of what is packed, and escapes: `ZSAtIGtl` is no name."""
_COMPOUND = regex.compile(r"(?:[-‐‑–−/]\p{Lu}\p{Ll}+)+")

_WHOLE = frozenset({"IBAN_CODE", "IP_ADDRESS"})
"""Entities whose digits are no phone or card."""


def settled(text: str, hits: list[Hit]) -> list[Hit]:
    """Without what is part of something else, found as surely: a name in a street's; what overlaps is one."""
    merged = [_whole(text, hit) for hit in _merged(text, hits)]
    if any(hit.entity in _NAMES for hit in merged):
        codes = [match.span() for match in _CODE.finditer(text)]
        merged = [hit for hit in merged if not (hit.entity in _NAMES and _inside(hit, codes))]
    whole = Covering(merged)
    return [hit for hit in merged if not any(_swallows(*each, hit) for each in whole.over(hit.start, hit.end))]


_NAMES = PROSE - {"DATE_TIME"}


def _whole(text: str, hit: Hit) -> Hit:
    """A name with what it is compounded with: `Maria-Gonzalez`."""
    more = _COMPOUND.match(text, hit.end) if hit.entity == "PERSON" else None
    return hit._replace(end=more.end()) if more else hit


def _inside(hit: Hit, spans: list[tuple[int, int]]) -> bool:
    """Whether `hit` is within one of `spans`, which are in order and apart."""
    place = bisect_right(spans, hit.start, key=itemgetter(0))
    return place > 0 and hit.end <= spans[place - 1][1]


def _swallows(entity: str, score: float, longer: bool, part: Hit) -> bool:
    """Whether a hit of `entity` and `score` around `part`, or just where it is, leaves nothing of it."""
    if entity == part.entity:
        return False
    surer = score > part.score or (longer and score == part.score)
    if part.entity in PROSE and entity in PROSE:
        return surer
    return surer and part.entity in ("PHONE_NUMBER", "CREDIT_CARD", "DATE_TIME") and entity in _WHOLE


def _merged(text: str, hits: list[Hit]) -> list[Hit]:
    """Overlapping hits of one entity of prose as one."""
    done: list[Hit] = [hit for hit in hits if hit.entity not in PROSE]
    for entity in PROSE:
        last: Hit | None = None
        for hit in sorted((hit for hit in hits if hit.entity == entity), key=lambda hit: (hit.start, -hit.end)):
            if last is not None and hit.start < last.end:
                last = _joined(text, last, hit)
                continue
            if last is not None:
                done.append(last)
            last = hit
        if last is not None:
            done.append(last)
    return done


def _joined(text: str, first: Hit, second: Hit) -> Hit:
    """Two that overlap as one. What a surer one leaves out before it is not taken in, if it is no name by its look."""
    before = text[first.start : second.start]
    sure = second.score > first.score and any(word[0].islower() for word in WORD.findall(before))
    start = second.start if sure else first.start
    return first._replace(start=start, end=max(first.end, second.end), score=max(first.score, second.score))
