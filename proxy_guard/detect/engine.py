"""The engine of both profiles: recognizers, a prefilter before them, context after them.

Patterns run where they could match, numbers are parsed where they can stand, the model is asked only for
entities that need it or where the score of a hit hangs on the form of a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer, PatternRecognizer
from presidio_analyzer.predefined_recognizers import PhoneRecognizer, SpacyRecognizer

from proxy_guard.detect import chunks
from proxy_guard.detect.chunks import find_in_chunks
from proxy_guard.detect.context import Context, LemmaContext, WordContext
from proxy_guard.detect.nlp import Nlp
from proxy_guard.detect.patterns import Hit, PatternPart, distinct
from proxy_guard.detect.phone import PhoneScan
from proxy_guard.detect.prefilter import Prefilter


class Engine:
    """Runs Presidio recognizers on texts and answers as Presidio's analyzer would."""

    def __init__(
        self,
        recognizers: Sequence[EntityRecognizer],
        entities: Sequence[str],
        *,
        nlp: Nlp | None = None,
        artifacts_of: Any = None,
        nameable: frozenset[str] = frozenset(),
        lemmas: bool = False,
        context: Sequence[str] = (),
        min_score: float = 0,
        signals: Sequence[str] = (),
        settled: Callable[[str, list[Hit]], list[Hit]] | None = None,
    ) -> None:
        """`artifacts_of` makes Presidio's artifacts of a document; `lemmas` looks for context as Presidio does.

        `nameable` are the entities that the model has a label for, whatever its recognizer claims. `signals` are
        patterns of no entity, for `signs`. `settled` has the last word on the hits of a text.
        """
        self._entities = list(entities)
        self._min_score = min_score
        self._settled = settled
        self._given = [word.lower() for word in context]
        self._nlp = nlp
        self._artifacts_of = artifacts_of
        self._patterns: list[PatternPart] = []
        self._phones: list[tuple[PhoneScan, float, int]] = []
        self._named: list[tuple[EntityRecognizer, int]] = []
        self._words: dict[int, list[str]] = {}
        for owner, recognizer in enumerate(recognizers):
            self._words[owner] = [word.lower() for word in recognizer.context or []]
            if isinstance(recognizer, PatternRecognizer):
                # Context raises the score of any match, if there are context words.
                least = 0 if recognizer.context else min_score
                self._patterns.append(PatternPart(recognizer, owner, least))
            elif type(recognizer) is PhoneRecognizer:
                scan = PhoneScan(recognizer.supported_regions, recognizer.leniency)
                self._phones.append((scan, recognizer.SCORE, owner))
            elif not isinstance(recognizer, SpacyRecognizer) or nameable & set(entities):
                self._named.append((recognizer, owner))
        self._place = [(part, index) for part in self._patterns for index in range(len(part.expressions))]
        expressions = [each for part in self._patterns for each in part.expressions]
        self._prefilter = Prefilter([*expressions, *signals])
        self._context: Context = LemmaContext(nlp, artifacts_of) if lemmas and nlp else WordContext()
        self.quick = not self._named

    def detect_many(self, texts: Sequence[str], *, named: bool = True) -> list[list[Hit]]:
        """The hits of each text that reach the least score, best first; without the model's if not `named`."""
        detect = self._detect if named else self._detect_patterns
        if all(len(text) <= chunks.SIZE for text in texts):
            return detect(texts)
        return [find_in_chunks(text, detect) if len(text) > chunks.SIZE else detect([text])[0] for text in texts]

    def _detect_patterns(self, texts: Sequence[str]) -> list[list[Hit]]:
        return self._detect(texts, named=False)

    def _detect(self, texts: Sequence[str], *, named: bool = True) -> list[list[Hit]]:
        found = [self._find(text) for text in texts]
        if self._named and named:
            found = [some + more for some, more in zip(found, self._name(texts), strict=True)]
        return [self._settle(text, hits) if hits else hits for text, hits in zip(texts, found, strict=True)]

    def clean(self, texts: Sequence[str]) -> bool:
        """True only where no pattern, signal or number can stand in any of the texts, which one pass over all tells."""
        whole = "\n".join(texts)
        if self._prefilter.possible(whole):
            return False
        for scan, _, _ in self._phones:  # noqa: SIM110 - no generator: it is asked of every piece of a stream
            if scan.possible(whole):
                return False
        return True

    def signs(self, text: str) -> set[int]:
        """The numbers of the signals that may match in `text`."""
        first = len(self._place)
        return {number - first for number in self._prefilter.possible(text) if number >= first}

    def _find(self, text: str) -> list[Hit]:
        hits: list[Hit] = []
        possible: dict[int, tuple[PatternPart, list[int]]] = {}
        for number in sorted(self._prefilter.possible(text)):
            if number >= len(self._place):
                break  # a signal, which is no pattern of an entity
            part, index = self._place[number]
            possible.setdefault(part.owner, (part, []))[1].append(index)
        for part, indices in possible.values():
            hits += part.hits(text, indices)
        for scan, score, owner in self._phones:
            if scan.possible(text):
                hits += [
                    Hit("PHONE_NUMBER", start, end, score, owner) for start, end in dict.fromkeys(scan.spans(text))
                ]
        return hits

    def _name(self, texts: Sequence[str]) -> list[list[Hit]]:
        """What the recognizers find that need a model, or are of an unknown kind."""
        assert self._nlp is not None
        assert self._artifacts_of is not None
        named: list[list[Hit]] = []
        with self._nlp.session():
            for text, document in zip(texts, self._nlp.entities(texts, whole=self._settled is None), strict=True):
                artifacts = self._artifacts_of(document)
                named.append(
                    [
                        Hit(each.entity_type, each.start, each.end, each.score, owner)
                        for recognizer, owner in self._named
                        for each in recognizer.analyze(text, self._entities, artifacts)
                    ]
                )
        return named

    def _settle(self, text: str, hits: list[Hit]) -> list[Hit]:
        hits = self._context.raised(text, hits, self._words, self._given)
        if self._settled:
            hits = self._settled(text, hits)
        return [hit for hit in distinct(hits) if hit.score >= self._min_score]
