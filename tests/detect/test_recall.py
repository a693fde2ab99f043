"""Phone numbers of all regions and cards of all schemes are found; other numbers are left alone.

`python -m bench.recall -v` prints the whole table, beside Presidio's.
"""

from __future__ import annotations

import time
from functools import cache

import pytest

from bench import recall
from proxy_guard.detect import Detector

UNSAID = 0.98
"""The least share found where nothing says what the number is."""


@cache
def missed() -> dict[str, tuple[int, list[str]]]:
    return recall.misses(recall.ours())


@cache
def touched() -> dict[str, tuple[int, list[str]]]:
    return recall.touched(recall.ours())


KINDS = sorted({each.kind for _, each in recall.positives(recall.source(1))})
OTHERS = sorted({each.kind for each in recall.others(recall.source(1))})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.endswith("unsaid")])
def test_no_number_is_missed_where_the_sentence_says_what_it_is(kind: str) -> None:
    count, texts = missed()[kind]
    assert count > 100
    assert texts == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.endswith("unsaid")])
def test_few_numbers_are_missed_where_nothing_says_so(kind: str) -> None:
    count, texts = missed()[kind]
    assert count > 100
    assert len(texts) <= (1 - UNSAID) * count, texts


@pytest.mark.parametrize("kind", OTHERS)
def test_other_numbers_are_left_alone(kind: str) -> None:
    assert touched()[kind][1] == []


FOUND = [
    ("number9876543210", "9876543210"),
    ("Body=9876543210", "9876543210"),
    ("From=whatsapp&Body=9876543210&x=1", "9876543210"),
    ("name=ann&reach=9876543210", "9876543210"),
    ("https://example.com/send?to=9876543210", "9876543210"),
    ("x = 9876543210", None),
    ("to = 9876543210", None),
    ("proto=9876543210", None),
    ("a=1&order_id=9876543210&total=9876543211", None),
    ("Call9876543210", "9876543210"),
    ("on 12/10/2024 98765 43210 from home", "98765 43210"),
    ("12 98765 43210", "98765 43210"),
    ("wa.me/919876543210", "919876543210"),
    ("tel:+4930123456;ext=5", "+4930123456;ext=5"),
    ("+44 (0)20 7946 0018", "+44 (0)20 7946 0018"),
    ("212-555-0134 x12", "212-555-0134 x12"),
    ("电话是13812345678", "13812345678"),
    ("mi teléfono es 612 34 56 78", "612 34 56 78"),
    ("मेरा मोबाइल 98765 43210 है", "98765 43210"),
    ("٩٨٧٦٥٤٣٢١٠ اتصل", "٩٨٧٦٥٤٣٢١٠"),
    ("order 9876543210", None),
    ("https://example.com/item/9876543210", None),
    ("paid 9876543210 for it", None),
    ("9876543210 rows", None),
    ("$2125550134", None),
    ("call about order 9876543210", None),
    ("2024-10-05 10:30 to 2024-10-06 11:30", None),
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_a_phone_number_is_what_its_sentence_says(text: str, value: str | None) -> None:
    found = Detector(["PHONE_NUMBER"], min_score=0.4).detect(text)
    assert [text[each.start : each.end] for each in found] == ([] if value is None else [value])


def test_each_of_many_numbers_in_a_row_is_found() -> None:
    detector = Detector(["PHONE_NUMBER"], min_score=0.4)
    assert len(detector.detect("98765 43210 " * 40)) == 40
    assert len(detector.detect("9876543210 " * 40)) == 40


def test_rows_of_small_numbers_take_time_in_proportion() -> None:
    """What can't be a number is not tried as one: 50 KB in less than a second, tenfold slack for slow machines."""
    detector = Detector(["PHONE_NUMBER"], cache_bytes=0)
    for row in ("1 ", "12 34 ", "987 654 321 ", "9876 "):
        text = row * (50_000 // len(row))
        began = time.perf_counter()
        assert detector.detect(text) == []
        assert time.perf_counter() - began < 10
