"""What is pending of a text that goes on: `detect.pending` lets go of nothing that a finding of the whole text begins in."""

from __future__ import annotations

import random

import pytest

from proxy_guard.detect import Detector
from proxy_guard.detect.catalogue import DOCUMENTS, ENTITIES, NER_LABELS, REFERENCES
from proxy_guard.detect.pending import pending
from tests.stream.replies import TALK, VALUES


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(sorted(ENTITIES - NER_LABELS.keys() - REFERENCES - DOCUMENTS))


CODED = (
    "jane <b>&#64;example.com</b>",
    "jane &#64; example &#46; com",
    "jane [&#97;t] example.com",
    "jane %40 example.com",
)
BESIDE = (
    "नमस्तेAB 12 34 56 C",
    "请jane.doe@example.com请",
    "_jane.doe@example.com_",
    "jane@example.comjane@example.com",
    "a\\n4111111111111111\\n",
)


@pytest.mark.parametrize("value", [*VALUES, "passp/jane at example dot com", *CODED, *BESIDE])
def test_a_value_is_pending_as_long_as_it_is_cut(value: str, detector: Detector) -> None:
    rng = random.Random(value)
    for _ in range(5):
        text = f"{rng.choice(TALK)} {value} {rng.choice(TALK)} "
        for finding in detector.detect(text):
            for end in range(finding.start + 1, finding.end):
                assert pending(text[:end]) <= finding.start, (text, finding.entity, end)


def test_plain_words_are_not_pending() -> None:
    text = "There was nothing in it that anyone would have had to wait for, and so all of it went on at once to her "
    assert pending(text) >= len(text) - 8  # short words may lead to a value
