"""Texts made to be slow: what a text takes grows with its length, not with its square."""

from __future__ import annotations

import time

import presidio_analyzer.predefined_recognizers as presidio
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.detect import nlp
from proxy_guard.detect.detector import Detector
from proxy_guard.detect.names import trimmed
from proxy_guard.detect.recognizers import recognizers_for

_SHAPES = {
    "signs in one word": ("%", ""),
    "numbers in one word": ("3d", ""),
    "addresses": ("@a.a.a", ""),
    "escapes": (r"\u0040", ""),
    "base64": ("bWFp ", ""),
    "numbers": ("01100001 ", ""),
    "tokens, then an address": ("eyJhbGciOiJIUzI1NiJ9.", " a@b.co"),
    "numbers, then an address": ("123-45-", "@b.co"),
    "words, then an address": ("password=", "x@b.co"),
    "hosts": ("3d.", " a@b.co"),
}


@pytest.fixture(scope="module")
def detector() -> Detector:
    made = Detector(cache_bytes=0)
    made.detect("Call Ana Maria at 4111 1111 1111 1111 or write to ana@example.com")
    return made


@pytest.mark.parametrize("shape", _SHAPES)
def test_time_grows_with_the_length(detector: Detector, shape: str) -> None:
    unit, end = _SHAPES[shape]

    def seconds(size: int) -> float:
        text = (unit * size)[: size - len(end)] + end
        began = time.process_time()
        detector.detect(text)
        return time.process_time() - began

    assert seconds(24_000) < 12 * seconds(4_000) + 0.2  # six times the text; 36 with its square


def test_a_long_name_is_cut_down_at_once() -> None:
    text = "Dear " * 20_000 + "Ana" + " dear" * 20_000
    began = time.process_time()
    assert trimmed(text, 0, len(text)) == (100_000, 100_003)
    assert time.process_time() - began < 20  # 0.3 s; minutes before


@given(
    st.lists(st.sampled_from(["a", ".", "@", "-", "!", "b.co", "a@b.co", " ", "é", "1", "_", "'", "\n"]), max_size=12)
)
def test_addresses_are_those_of_presidio(parts: list[str]) -> None:
    """And those whose local part begins in a domain that is none, where Presidio looks no more."""
    text = "".join(parts)
    (own,) = recognizers_for({"EMAIL_ADDRESS"})
    pattern = regex.compile(presidio.EmailRecognizer.PATTERNS[0].regex, flags=own.global_regex_flags)
    theirs: list[tuple[int, int]] = []
    dropped: list[tuple[int, int]] = []
    for match in pattern.finditer(text):
        (theirs if own.validate_result(match.group().partition("@")[2]) else dropped).append(match.span())
    found = [(each.start, each.end) for each in own.analyze(text, [])]
    assert found == theirs or dropped
    covered = {place for start, end in found for place in range(start, end)}
    assert covered.issuperset(place for start, end in theirs for place in range(start, end) if text[place].isalnum())


def test_an_address_behind_a_domain_that_is_none_is_found() -> None:
    (own,) = recognizers_for({"EMAIL_ADDRESS"})
    text = "ana@example.oops-ana@example.com"
    assert [text[each.start : each.end] for each in own.analyze(text, [])] == ["example.oops-ana@example.com"]


@pytest.mark.parametrize("text", ["x" * 201, "%" * 401 + "\n\n  hi " + "y-" * 300, "\u00a0" * 300, " " + "a" * 500])
def test_tokens_of_long_words_are_the_text(text: str) -> None:
    model = nlp.load(nlp.default_model(), lemmas=False)
    with model.session():
        assert model.tokens(text).text == text
