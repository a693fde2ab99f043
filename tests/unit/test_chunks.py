"""Long texts in chunks have the findings of the whole text, wherever the cuts fall."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_guard.detect import Detector, chunks
from proxy_guard.detect.chunks import MARGIN, find_in_chunks
from proxy_guard.detect.patterns import Hit, distinct

_KEY = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(["Q" * 64] * 64) + "\n-----END PRIVATE KEY-----"
_PLANTS = [
    "call me on 9876543210",
    "+44 20 7946 0018",
    "4111 1111 1111 1111",
    "ravi.kumar@example.com",
    "DE89 3704 0044 0532 0130 00",
    "Your OTP is 482913",
    "My passport number is X12345678",
    "From 203.0.113.77",
    "PAN ABCPE1234F",
    "sk-proj-" + "a1B2c3D4" * 12,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1",
]
_PROSE = "The old bridge, say the neighbours, holds well in any weather; we cross it daily and like the view. "
_SMALL = {"size": 3000, "overlap": 2 * MARGIN}


@pytest.fixture(scope="module")
def engine() -> object:
    entities = "PHONE_NUMBER CREDIT_CARD EMAIL_ADDRESS IBAN_CODE OTP US_PASSPORT IP_ADDRESS IN_PAN API_KEY JWT PRIVATE_KEY".split()
    return Detector(entities, cache_bytes=0)._engine


def _both(engine: object, text: str, **sizes: int) -> tuple[list[Hit], list[Hit]]:
    whole = engine._detect([text])[0]  # type: ignore[attr-defined]
    return sorted(whole), sorted(find_in_chunks(text, engine._detect, **sizes))  # type: ignore[attr-defined]


@pytest.mark.parametrize("plant", _PLANTS)
def test_a_hit_at_every_offset_around_a_seam(engine: object, plant: str) -> None:
    for offset in range(-len(plant) - 3, 4):
        # No space to cut at but those in and around the plant: the cut falls where the size says.
        before = ("x" * 59 + ".") * 50
        text = before[-(3000 + offset) :].rjust(3000 + offset, "y")[:-1] + " " + plant + " " + "z" * 4000
        whole, chunked = _both(engine, text, **_SMALL)
        assert whole, plant
        assert chunked == whole, offset


@pytest.mark.parametrize("ending", [True, False])
@pytest.mark.parametrize("place", [0, 500, 1700, 2990, 3000, 3010, 9000])
def test_a_finding_longer_than_chunk_and_overlap(engine: object, place: int, ending: bool) -> None:
    key = _KEY if ending else _KEY.removesuffix("-----END PRIVATE KEY-----")
    text = (_PROSE * 200)[:place] + key + _PROSE * 60
    whole, chunked = _both(engine, text, **_SMALL)
    assert chunked == whole
    assert any(hit.entity == "PRIVATE_KEY" and hit.end - hit.start > 4000 for hit in chunked)


def test_begun_keys_without_end_cost_no_more_than_a_few_passes(engine: object) -> None:
    searched = 0

    def counting(texts: list[str]) -> list[list[Hit]]:
        nonlocal searched
        searched += sum(map(len, texts))
        return engine._detect(texts)  # type: ignore[attr-defined,no-any-return]

    text = ("-----BEGIN PRIVATE KEY-----\n" + _PROSE * 3) * 200
    assert sorted(find_in_chunks(text, counting, **_SMALL)) == sorted(engine._detect([text])[0])  # type: ignore[arg-type,attr-defined]
    assert searched < 6 * len(text)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), plain=st.booleans())
def test_generated_texts(engine: object, seed: int, plain: bool) -> None:
    rng = random.Random(seed)
    parts: list[str] = []
    while sum(map(len, parts)) < 15_000:
        parts.append(rng.choice([_PROSE, _PROSE[: rng.randint(1, 90)], rng.choice(_PLANTS), "\n", "line é 42, "]))
        if not plain:
            parts.append(rng.choice([" ", "  ", ", ", "; ", "\n"]))
    text = "".join(parts)
    whole, chunked = _both(engine, text, size=rng.randint(2000, 5000), overlap=2 * MARGIN)
    assert chunked == whole


def test_numbers_in_rows(engine: object) -> None:
    rng = random.Random(5)
    rows = (" ".join(str(rng.randint(0, 99999)) for _ in range(rng.randint(1, 12))) for _ in range(900))
    whole, chunked = _both(engine, "\n".join(rows), **_SMALL)
    assert whole
    assert chunked == whole


def test_a_detector_takes_long_texts_in_chunks() -> None:
    detector = Detector(["EMAIL_ADDRESS", "PHONE_NUMBER"], cache_bytes=0)
    lead = "q" * (chunks.SIZE - 10) + " "
    text = lead + "ravi.kumar@example.com and 9876543210 " + "ö" * chunks.SIZE
    assert [(f.entity, text[f.start : f.end]) for f in detector.detect(text)] == [
        ("EMAIL_ADDRESS", "ravi.kumar@example.com"),
        ("PHONE_NUMBER", "9876543210"),
    ]


def test_distinct_is_what_comparing_all_pairs_gives() -> None:
    rng = random.Random(7)
    for _, size in product(range(300), (2, 8, 30)):
        hits = []
        for _ in range(size):
            start = rng.randint(0, 20)
            hits.append(Hit(rng.choice("AB"), start, start + rng.randint(1, 8), rng.choice((0.3, 0.5)), 0))
        kept: list[Hit] = []
        for hit in sorted(set(hits), key=lambda h: (-h.score, h.start, h.start - h.end)):
            if not any(k.entity == hit.entity and k.start <= hit.start and hit.end <= k.end for k in kept):
                kept.append(hit)
        assert distinct(hits) == kept
