import pytest

from proxy_guard.detect import dates

RECOGNIZERS = dates.recognizers()


def found(text: str) -> set[str]:
    return {
        text[each.start : each.end] for each in (hit for r in RECOGNIZERS for hit in r.analyze(text, ["DATE_TIME"]))
    }


@pytest.mark.parametrize(
    "value",
    [
        "1990-04-12",
        "2024-05-12T10:30:00Z",
        "12/05/2024",
        "12.05.2024",
        "5/12/24",
        "5th of May 2024",
        "May 5, 2024",
        "May 5th",
        "5 May",
        "12-Aug-1990",
        "Friday, May 3, 2024",
        "March 2023",
        "3 de mayo de 2024",
        "3. Oktober 1990",
        "14 juillet 1989",
        "10:30",
        "10:30 pm",
        "5pm",
        "8 a.m.",
        "14h30",
    ],
)
def test_a_date_or_time_is_found_whole(value: str) -> None:
    assert value in found(f"It was on {value}, I think.") or value in found(f"It was on {value}")


@pytest.mark.parametrize(
    "text",
    [
        "today, next week or in two days",
        "you may 5 times",
        "version 3.2.1 and 1.10.4",
        "a ratio of 16:9, or 99:99",
        "call 555-12-3456",
        "10.0.12.45",
        "it costs 12/15 of that",
        "we march 5 km",
        "45/45/2024",
    ],
)
def test_what_names_no_date_is_left_alone(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(
    ("span", "is_date"), [("1998", True), ("34 years old", True), ("two days", False), ("Monday", False)]
)
def test_which_spans_of_a_model_tell_a_date(span: str, is_date: bool) -> None:
    assert dates.tells_date(span) is is_date
