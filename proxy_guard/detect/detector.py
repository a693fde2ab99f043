"""The detector: one object per set of entities, made at load and shared by all messages and threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from proxy_guard.detect.catalogue import ENTITIES, NER_LABELS, PATTERN_RECOGNIZERS, PHONE
from proxy_guard.detect.ner import NerPart
from proxy_guard.detect.prefilter import Prefilter
from proxy_guard.detect.recognizers import PatternPart, PhonePart
from proxy_guard.errors import ProxyGuardError
from proxy_guard.model import Finding

Profile = Literal["proxy-guard", "presidio"]


class _Backend(Protocol):
    quick: bool

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]: ...


class Detector:
    """Finds entities in texts.

    `entities` None means all that the profile supports. Spans are code points of the text as given; findings
    below `min_score` are left out. Raises ProxyGuardError for an unknown entity or a missing model.
    """

    def __init__(
        self,
        entities: Sequence[str] | None = None,
        language: str = "en",
        profile: Profile = "proxy-guard",
        model: str | None = None,
        min_score: float | None = None,
    ) -> None:
        unknown = sorted(set(entities or ()) - ENTITIES)
        if unknown:
            raise ProxyGuardError(f"unknown entity {', '.join(unknown)}")
        self._backend: _Backend
        if profile == "presidio":
            from proxy_guard.detect.presidio_profile import PresidioProfile  # noqa: PLC0415 - for this profile only

            self._backend = PresidioProfile(entities, language, model, min_score)
        else:
            self._backend = _Engine(ENTITIES if entities is None else set(entities), model, min_score or 0)
        self.quick = self._backend.quick
        """Whether short texts take microseconds, so that a thread would cost more than it spares."""

    def detect(self, text: str) -> list[Finding]:
        """The findings in one text, from left to right."""
        return self._backend.detect_many([text])[0]

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The findings in each text, in the same order."""
        return self._backend.detect_many(texts)


class _Engine:
    """The `proxy-guard` profile."""

    def __init__(self, entities: set[str] | frozenset[str], model: str | None, min_score: float) -> None:
        self._parts = [PatternPart(entity, min_score) for entity in sorted(entities & PATTERN_RECOGNIZERS.keys())]
        self._part_of = [part for part in self._parts for _ in part.expressions]
        self._prefilter = Prefilter([each for part in self._parts for each in part.expressions])
        self._phone = PhonePart() if PHONE in entities else None
        named = sorted(entities & NER_LABELS.keys())
        self._ner = NerPart(named, model) if named else None
        self._min_score = min_score
        self.quick = self._ner is None

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        # Most messages hold nothing: one pass over all their texts tells so.
        whole = "\n".join(texts)
        clean = not self._prefilter.possible(whole) and not (self._phone and self._phone.possible(whole))
        found: list[list[Finding]] = [[] for _ in texts] if clean else [self._patterns(text) for text in texts]
        if self._ner is not None:
            named = self._ner.findings(texts)
            found = [findings + more for findings, more in zip(found, named, strict=True)]
        return [_tidy(findings, self._min_score) if findings else findings for findings in found]

    def _patterns(self, text: str) -> list[Finding]:
        findings: list[Finding] = []
        possible = self._prefilter.possible(text)
        if possible:
            for part in {id(part): part for part in map(self._part_of.__getitem__, sorted(possible))}.values():
                findings += part.findings(text)
        if self._phone is not None and self._phone.possible(text):
            findings += self._phone.findings(text)
        return findings


def _tidy(findings: list[Finding], min_score: float) -> list[Finding]:
    """Sorted, above the threshold, and without those that another of the same entity covers at no lower score."""
    kept: list[Finding] = []
    for each in sorted(findings, key=lambda f: (f.start, -f.end, -f.score, f.entity)):
        covered = any(
            k.entity == each.entity and k.start <= each.start and each.end <= k.end and each.score <= k.score
            for k in kept
        )
        if each.score >= min_score and not covered:
            kept.append(each)
    return kept
