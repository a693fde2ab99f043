import pytest
from presidio_analyzer import PatternRecognizer

from bench.quality.corpus import sentences
from proxy_guard.detect import Detector, places, prose
from proxy_guard.detect.patterns import Hit, PatternPart
from proxy_guard.detect.prefilter import Prefilter


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(["PERSON", "LOCATION", "NRP", "DATE_TIME", "PHONE_NUMBER", "IP_ADDRESS"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "John Smith moved to 12 Baker Street, London.",
            {("PERSON", "John Smith"), ("LOCATION", "12 Baker Street, London")},
        ),
        ("hi im john smith from 12 baker street", {("PERSON", "john smith"), ("LOCATION", "12 baker street")}),
        ("She flies to Bengaluru on May 5, 2024.", {("LOCATION", "Bengaluru"), ("DATE_TIME", "May 5, 2024")}),
        ("See you next week, maybe on Monday.", set()),
        ("How do you say that in French?", set()),
        ("My German neighbour is nice.", {("NRP", "German")}),
        ("Block 203.0.113.77 now.", {("IP_ADDRESS", "203.0.113.77")}),
    ],
)
def test_the_entities_of_a_sentence(detector: Detector, text: str, expected: set[tuple[str, str]]) -> None:
    assert {(each.entity, text[each.start : each.end]) for each in detector.detect(text)} == expected


def test_a_name_in_a_street_is_no_person_and_overlaps_are_one() -> None:
    text = "at 5 Victoria Road with Anna Lee Weber"
    hits = [
        Hit("PERSON", 5, 13, 0.85, 0),
        Hit("LOCATION", 3, 18, 0.9, 1),
        Hit("PERSON", 24, 32, 0.85, 0),
        Hit("PERSON", 29, 38, 0.9, 2),
    ]
    assert {(each.entity, each.start, each.end) for each in prose.settled(text, hits)} == {
        ("LOCATION", 3, 18),
        ("PERSON", 24, 38),
    }


def test_the_parser_is_not_asked(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = detector._engine._nlp
    assert nlp is not None
    assert nlp._sentences
    monkeypatch.setattr(nlp, "_sentences", [lambda document: pytest.fail("the parser ran")])
    assert detector.detect("Maria Gonzalez met John Smith in New York and San Francisco.")


@pytest.mark.parametrize(
    "text", ["learn French", "French fries", "Italian food", "polish it", "translate into Spanish"]
)
def test_languages_and_things_are_no_people(text: str) -> None:
    assert not [hit for each in places.recognizers("NRP") for hit in each.analyze(text, ["NRP"])]


def test_the_prefilter_lets_no_recognizer_miss_a_thing() -> None:
    made = [
        PatternPart(each, owner)
        for owner, each in enumerate(prose.recognizers(prose.PROSE))
        if isinstance(each, PatternRecognizer)
    ]
    prefilter = Prefilter([part.expressions[0] for part in made])
    texts = [each.text for half in ("dev", "held_out") for each in sentences(half, 600)]
    asked = found = 0
    for text in texts:
        possible = prefilter.possible(text)
        asked += len(possible)
        for number, part in enumerate(made):
            hits = part.hits(text, [0])
            found += bool(hits)
            assert not hits or number in possible, part.expressions
    assert found > 500
    assert asked < 0.5 * len(made) * len(texts)
