"""What the shipped engine makes of texts, as a worker judges them."""

from __future__ import annotations

from collections.abc import Sequence

from proxy_guard.detect import Detector
from proxy_guard.media import Judge, Judged

ENTITIES = ["CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IN_AADHAAR", "IN_PAN", "PHONE_NUMBER"]


def judge_of(entities: Sequence[str] = ENTITIES, min_score: float = 0.4) -> Judge:
    """A judge that acts on these entities, found by the local engine."""
    detector = Detector(sorted(entities), "en", min_score=min_score)

    def judge(texts: Sequence[str]) -> list[Judged]:
        return [
            Judged(text, tuple(found)) for text, found in zip(texts, detector.detect_many(list(texts)), strict=True)
        ]

    return judge
