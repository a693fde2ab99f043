"""What undoes a disguise runs where a sign of it is: what is found does not hang on signs of other disguises elsewhere.

A stream decides a text piece by piece; a disguise that is undone in the whole only, by a sign far away, breaks its law.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from proxy_guard.detect import Detector, normal
from proxy_guard.detect.catalogue import DOCUMENTS, ENTITIES, NER_LABELS, REFERENCES
from tests.stream.test_law import disguised, text_of

ALL = frozenset(range(len(normal.SIGNALS)))
MANY = 300


@pytest.fixture(scope="module")
def by_their_own() -> Detector:
    return Detector(sorted(ENTITIES - NER_LABELS.keys() - REFERENCES - DOCUMENTS), cache_bytes=0)


@pytest.fixture(scope="module")
def by_all() -> Detector:
    """The same, with every sign in every text."""
    detector = Detector(sorted(ENTITIES - NER_LABELS.keys() - REFERENCES - DOCUMENTS), cache_bytes=0)
    engine: Any = detector._engine
    engine.signs = lambda _: ALL
    engine.clean = lambda _: False
    return detector


@pytest.mark.parametrize(
    "text",
    [
        "NDk4MjczMTUw\nTQ1) and so on",
        "eyJh^Gc;OiJIUzI1NiJ-.ey]z",
        "my Aadhaar number i\n GQ4TQMRXGMYTK@-RGQ2Q====,",
        "my card is fn5-Pz8gNDUzOT^0~D and so on",
        "see e-mailof\n\nTXkgY2FyZCBpcyA0\nNTM5MTQ4ODAz\nNDM2NDY3 and so on",
        "invoice/987\t\u200b543210 ",
        "9876' \u200b54321' 0",
        "orla.quill| feat| \u00adher@| example.| com",
        "o'neil+x@mai\n.example.co.uk(ABC",
        "jane .doe@example.com and so on",
        "so{meon{e{@{ybl",
    ],
)
def test_these_have_a_sign(by_their_own: Detector, by_all: Detector, text: str) -> None:
    assert by_their_own.detect(text) == by_all.detect(text)


@pytest.mark.parametrize("seed", range(4))
def test_each_disguise_has_a_sign(by_their_own: Detector, by_all: Detector, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(MANY):
        text = disguised(rng) if rng.randrange(2) else text_of(rng)
        assert by_their_own.detect(text) == by_all.detect(text), text
