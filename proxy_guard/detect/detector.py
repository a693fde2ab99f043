"""The detector: one object per set of entities, made at load and shared by all messages and threads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from proxy_guard.detect import normal
from proxy_guard.detect.cache import FindingsCache
from proxy_guard.detect.catalogue import DEFAULT_ENTITIES, ENTITIES, NER_LABELS
from proxy_guard.detect.covering import Covering
from proxy_guard.detect.engine import Engine
from proxy_guard.detect.patterns import Hit
from proxy_guard.errors import ProxyGuardError
from proxy_guard.model import Finding

if TYPE_CHECKING:
    from proxy_guard.detect.custom import CustomRecognizer

Profile = Literal["proxy-guard", "presidio"]


class Detector:
    """Finds entities in texts.

    `entities` None means all that the profile supports by default: in `proxy-guard` the DEFAULT_ENTITIES of
    `detect.catalogue` and those of `recognizers`, in `presidio` those of Presidio's own registry. `model`, for entities
    that need one, is a spaCy package or path, `stanza:` and a language, or `transformers:` and a name or folder;
    `context` are words that count as standing near every hit; `recognizers` are custom ones and `phone_regions` ISO
    3166-1 codes of where phone numbers without a country code may be from (None: IN, US, GB), both for the profile
    `proxy-guard`. Spans are code points of the text as given; findings below `min_score` are left out. What was found
    in the texts seen last is kept, in up to `cache_bytes` bytes (0: nothing is kept). Raises ProxyGuardError for an
    unknown entity or region, or a missing model.
    """

    def __init__(
        self,
        entities: Sequence[str] | None = None,
        language: str = "en",
        profile: Profile = "proxy-guard",
        model: str | None = None,
        min_score: float | None = None,
        context: Sequence[str] | None = None,
        cache_bytes: int = 32 * 1024 * 1024,
        recognizers: Sequence[CustomRecognizer] = (),
        phone_regions: Sequence[str] | None = None,
    ) -> None:
        unknown = sorted(set(entities or ()) - ENTITIES - {each.entity for each in recognizers})
        if unknown:
            raise ProxyGuardError(f"unknown entity {', '.join(unknown)}")
        if profile == "presidio":
            from proxy_guard.detect.presidio_profile import presidio_engine  # noqa: PLC0415 - for this profile only

            self._engine = presidio_engine(entities, language, model, min_score or 0, context or ())
        else:
            self._engine = _own_engine(entities, language, model, min_score or 0, recognizers, phone_regions)
        self._literal = profile == "presidio"  # which reads a text as it is written
        self._cache_bytes = cache_bytes
        self.forget()
        self.quick = self._engine.quick
        """Whether short texts take microseconds, so that a thread would cost more than it spares."""

    def forget(self) -> None:
        """Drops what is kept of texts seen before."""
        self._cache = FindingsCache(self._cache_bytes)

    def detect(self, text: str) -> list[Finding]:
        """The findings in one text, from left to right."""
        return self.detect_many([text])[0]

    def clean(self, *texts: str) -> bool:
        """True only where nothing can be found in any of the texts, whatever they follow; microseconds, if `quick`."""
        if not (self.quick and self._engine.clean(texts)):
            return False
        return self._literal or all(text.isascii() or not normal.disguised(text) for text in texts)

    def slow(self, texts: Sequence[str]) -> bool:
        """Whether there is so much in these texts, save those seen last, that it may take more than 40 ms to look."""
        if sum(map(len, texts)) <= _SLOW:
            return False
        weight = 0
        for text in dict.fromkeys(texts):
            if self._cache.get(self._cache.key_of(text)) is None:
                for start in range(0, len(text), _PART):
                    weight += _weight(text[start : start + _PART])
                    if weight > _SLOW:
                        return True
        return False

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The findings in each text, in the same order."""
        if self.clean(*texts):
            return [[] for _ in texts]
        keys = [self._cache.key_of(text) for text in texts]
        known = {key: self._cache.get(key) for key in keys}
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if known[key] is None}
        for key, findings in zip(fresh, self._read(list(fresh.values())), strict=True):
            self._cache.put(key, findings)
            known[key] = tuple(findings)
        return [list(known[key] or ()) for key in keys]

    def _read(self, texts: list[str]) -> list[list[Finding]]:
        """The findings in each text, in whichever of its forms they show."""
        if self._literal:
            return [_findings(hits) for hits in self._engine.detect_many(texts)]
        forms = [normal.forms(text, self._engine.signs(text)) for text in texts]
        hits = self._engine.detect_many([*texts, *(form.text for some in forms for form in some.read)])
        inner = iter(hits[len(texts) :])
        others = [form.text for some in forms for form in some.others]
        beside = iter(self._engine.detect_many(others, named=False) if others else [])
        found = []
        for raw, some in zip(hits, forms, strict=False):
            plain = _findings(raw)
            for form in some.read:
                plain += _unseen(form.original(_findings(next(inner)), _PROSE), plain)
            for form in some.others:
                plain += _unseen(form.original(_findings(next(beside))), plain)
            found.append(sorted(plain, key=_order) if some.read or some.others else plain)
        return found


_PROSE = frozenset(NER_LABELS)
"""What a word is taken for by those around it. In a form it counts only where the form differs from the text."""


_SLOW = 512
"""The weight of texts that took up to 40 ms in 10,000 made to be slow, and 3 ms in half of them."""
_PART = 4096
"""Code points that are weighed at a time: of most texts that are slow the first will do."""
_WORDS = re.compile(r"[^\W\d\xaa-\xbe\u2000-\u2bff\u3200-\u33ff\uff00-\uffef\U0001d400-\U0001f1ff]+|[ \n]+")


def _weight(text: str) -> int:
    """Its digits and signs, of which numbers and addresses are made, and a sixteenth of its words."""
    signs = len(_WORDS.sub("", text))
    return signs + (len(text) - signs) // 16


def _findings(hits: list[Hit]) -> list[Finding]:
    return sorted((Finding(hit.entity, hit.start, hit.end, hit.score) for hit in hits), key=_order)


def _order(finding: Finding) -> tuple[int, int, float, str]:
    return finding.start, -finding.end, -finding.score, finding.entity


def _unseen(findings: Iterable[Finding], seen: list[Finding]) -> list[Finding]:
    """Those that no finding of the same entity covers at no lower score."""
    cover = Covering(seen)
    return [
        each
        for each in findings
        if not any(
            entity == each.entity and score >= each.score for entity, score, _ in cover.over(each.start, each.end)
        )
    ]


def _own_engine(
    entities: Sequence[str] | None,
    language: str,
    model: str | None,
    min_score: float,
    custom: Sequence[CustomRecognizer],
    phone_regions: Sequence[str] | None,
) -> Engine:
    from proxy_guard.detect.recognizers import recognizers_for  # noqa: PLC0415

    wanted = DEFAULT_ENTITIES | {each.entity for each in custom} if entities is None else frozenset(entities)
    recognizers = [*recognizers_for(wanted, phone_regions), *(each for each in custom if each.entity in wanted)]
    named = sorted(wanted & NER_LABELS.keys())
    if not named:
        return Engine(recognizers, sorted(wanted), min_score=min_score, signals=normal.SIGNALS)
    from proxy_guard.detect import nlp, prose  # noqa: PLC0415 - only with a model
    from proxy_guard.detect.presidio_profile import Presidio  # noqa: PLC0415 - likewise

    nlp.speaks(nlp.load(model or nlp.default_model(), language, lemmas=False), language)
    presidio = Presidio(language, model, lemmas=False)
    return Engine(
        [*recognizers, *prose.recognizers(named)],
        sorted(wanted),
        nlp=presidio.nlp,
        artifacts_of=presidio.artifacts_of,
        nameable=presidio.nameable,
        min_score=min_score,
        signals=normal.SIGNALS,
        settled=prose.settled,
    )
