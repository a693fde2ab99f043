"""DATE_TIME: dates and times of day as they are written down. "Next week" and "two days" say nothing of a person."""

from __future__ import annotations

import regex
from presidio_analyzer import PatternRecognizer

from proxy_guard.detect.lexicon import BEYOND_ASCII, MONTHS, SHORT_MONTHS, WEEKDAYS
from proxy_guard.detect.own import ScoredRecognizer

_SCORE = 0.9
_MONTH = rf"(?:(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})|(?:{'|'.join(SHORT_MONTHS)})\.?)"
_WEEKDAY = rf"(?:(?:{'|'.join(WEEKDAYS)}|mon|tues?|wed|thur?s?|fri|sat|sun)\.?,?\s{{1,2}})?"
_ORDINAL = r"(?:st|nd|rd|th|\.|º|er)?"
_YEAR = r"(?:,?\s{1,2}(?:de\s|of\s|del\s)?(?:1[89]|20)\d{2}|,?\s?['’]\d{2})"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|CET|CEST|EST|EDT|PST|PDT|IST|[+-]\d{2}:?\d{2})\b)?"

_DATE = (
    # 1990-04-12, 2024/05/12, with a time or without
    rf"(?<![\d.,/-])(?:1[89]|20)\d{{2}}(?:-\d{{1,2}}-\d{{1,2}}|/\d{{1,2}}/\d{{1,2}}|\.\d{{1,2}}\.\d{{1,2}})"
    rf"(?:T\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,9}})?)?{_ZONE})?(?![\d/-]|\.\d)"
    # 12/05/2024, 12.05.2024, 12-05-24
    r"|(?<![\w.,/-])(?:\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{1,2}-\d{1,2}-\d{4}|\d{2}-\d{2}-\d{2}"
    r"|\d{1,2}\.\s?\d{1,2}\.\s?\d{4}|\d{2}\.\d{2}\.\d{2})(?![\w/-]|\.\d)"
    # 5th of May 2024, 5 May, 12-Aug-1990, Friday 5 mai 2024
    rf"|\b{_WEEKDAY}\d{{1,2}}{_ORDINAL}(?:\s{{1,2}}(?:of\s|de\s)?(?:the\s)?|-){_MONTH}(?![\p{{L}}\d])(?:-(?:\d{{4}}|\d{{2}})\b|{_YEAR}\b)?"
    # May 5th, 2024; May 2024
    rf"|\b{_WEEKDAY}{_MONTH}(?:\s{{1,2}}|-)(?:the\s)?(?:\d{{1,2}}(?:st|nd|rd|th)?(?![\d:.]\d|\w|\s?%)(?:-(?:19|20)\d{{2}}\b|{_YEAR}\b)?|(?:of\s)?(?:19|20)\d{{2}}\b)"
)
_TIME = (
    rf"(?<![\d:.,/\w-])(?:\d{{1,2}}(?::\d{{2}}(?::\d{{2}})?|\.\d{{2}})?\s?[ap]\.?m\b\.?"
    rf"|(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\w:]|-\d|\.\d){_ZONE}|(?:[01]?\d|2[0-3])h[0-5]\d\b"
    r"|\d{1,2}\s?o['’]?clock\b)"
)
_NUMBERS = regex.compile(r"\d+")
_LETTERS = regex.compile(r"\p{L}{3,}")
_SAYS_DATE = regex.compile(
    r"\b(?:on|by|since|until|till|from|before|after|of|born|dob|due|date|for|between|and)\W+$", regex.IGNORECASE
)
_WORDS_TOO = frozenset({"may", "march", "mar", "mars", "sep", "dec", "mai", "jan", "sun", "sat", "mei"})


def _date(value: str, near: str) -> float:
    numbers = [int(number) for number in _NUMBERS.findall(value)]
    words = [word.lower() for word in _LETTERS.findall(value)]
    months = [word for word in words if word in MONTHS or word in SHORT_MONTHS]
    if months:
        if numbers[0] > 31 and not 1800 <= numbers[0] <= 2099:
            return 0
        lower = value == value.lower()
        marked = len(numbers) > 1 or regex.search(r"\d(?:st|nd|rd|th)\b", value)
        if lower and months[0] in _WORDS_TOO and not marked and not _SAYS_DATE.search(near.partition(value)[0]):
            return 0
        return _SCORE
    if len(numbers) >= 3:
        first, second, third = numbers[:3]
        day, month = (third, second) if first > 31 else (max(first, second), min(first, second))
        return _SCORE if 1 <= month <= 12 and 1 <= day <= 31 else 0
    return 0


def _time(value: str, near: str) -> float:
    numbers = [int(number) for number in _NUMBERS.findall(value)]
    return _SCORE if numbers[0] < 25 and all(number < 60 for number in numbers[1:3]) else 0


def recognizers() -> list[PatternRecognizer]:
    """The recognizers of dates and of times of day."""
    gate = rf"\d[/.-]\s?\d{{1,2}}[/.-]\s?\d|(?:{'|'.join((*MONTHS, *SHORT_MONTHS))})|{BEYOND_ASCII}"
    return [
        ScoredRecognizer("DATE_TIME", rf"(?i:{_DATE})", _date, [], gate=gate),
        ScoredRecognizer(
            "DATE_TIME",
            rf"(?i:{_TIME})",
            _time,
            [],
            gate=rf"\d[:h.]\d\d|\d\s?[ap]\.?m|\d\s?o.{{0,3}}clock|{BEYOND_ASCII}",
        ),
    ]


_TELLS = regex.compile(
    rf"(?<!\d)(?:1[89]|20)\d{{2}}(?!\d)|\b\d{{1,3}}[\s-]years?[\s-]old\b|\baged\s\d|\b{_MONTH}\W{{1,3}}\d|\d\W{{0,2}}{_MONTH}\b",
    regex.IGNORECASE,
)


def tells_date(span: str) -> bool:
    """Whether what a model takes for a date names one: a year, a day, an age; not "today", "two days", "Monday"."""
    return bool(_TELLS.search(span))
