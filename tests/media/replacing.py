"""A judge as a policy makes one: the shipped engine finds, and each finding becomes `<ENTITY>`."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from proxy_guard.detect import Detector
from proxy_guard.media import Judge, Judged
from proxy_guard.model import Finding

ENTITIES = ("CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IN_AADHAAR", "IN_PAN", "PASSPORT_MRZ", "PHONE_NUMBER")


def replaced(text: str, findings: Sequence[Finding]) -> Judged:
    """The text with each of these disjoint findings replaced."""
    for each in reversed(findings):
        text = f"{text[: each.start]}<{each.entity}>{text[each.end :]}"
    return Judged(text, tuple(findings))


def replacing() -> Judge:
    """The judge of what is planted in pictures."""
    return judging(*ENTITIES)


@functools.cache
def judging(*entities: str) -> Judge:
    """A judge of these; made once, since a detector is dear."""
    detector = Detector(sorted(entities), "en", min_score=0.4)

    def judge(texts: Sequence[str]) -> list[Judged]:
        found = detector.detect_many(list(texts))
        return [replaced(text, disjoint(each)) for text, each in zip(texts, found, strict=True)]

    return judge


def disjoint(findings: Sequence[Finding]) -> list[Finding]:
    """The findings in order; of those that overlap, their union."""
    kept: list[Finding] = []
    for each in sorted(findings, key=lambda one: (one.start, -one.end)):
        if kept and each.start < kept[-1].end:
            last = kept.pop()
            kept.append(Finding(last.entity, last.start, max(last.end, each.end), last.score))
        else:
            kept.append(each)
    return kept
