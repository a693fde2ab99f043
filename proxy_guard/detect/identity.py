"""Identity documents: what is printed on passports, Aadhaar letters and PAN cards, whoever holds them.

A document is known by the machine-readable zone of ICAO Doc 9303 (its check digits are right), or by the words that
each card of its kind bears beside a number of its form. A number alone is none: that is an entity of its own.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import regex
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult

_SECONDS = 5.0
_REACH = 600
"""Code points over which the words and the number of one card may be spread."""

_ZONE = regex.compile(r"(?P<birth>\d{6})(?P<birth_check>\d)[MFX<] ?(?P<expiry>\d{6})(?P<expiry_check>\d)")
_GATE = (
    r"\d{7}[MFX<] ?\d{7}|(?i:income\s*tax\s*dep|permanent\s*account\s*number|government\s*of\s*india"
    r"|unique\s*identification\s*auth|aadhaar)"
)
_AADHAAR_WORDS = regex.compile(
    r"(?i)unique\s*identification\s*authority(?:\s*of\s*india)?|government\s*of\s*india|भारत\s*सरकार"
    r"|\b(?:DOB|year\s*of\s*birth|YOB)\b|\b(?:fe)?male\b|\benrol?lment\s*no|\bVID\b|mera\s*aadhaar|PrintLetterBarcodeData"
)
_AADHAAR_NUMBER = regex.compile(r"(?<!\d)[2-9]\d{3} ?\d{4} ?\d{4}(?!\d)")
_AADHAAR_CODE = regex.compile(r"Government of India Aadhaar (?:<|V\d |\d)")
_PAN_WORDS = regex.compile(
    r"(?i)income\s*tax\s*department|permanent\s*account\s*number(?:\s*card)?|gov(?:t\.?|ernment)\s*of\s*india|father'?s\s*name"
)
_PAN_NUMBER = regex.compile(r"(?<!\w)[A-Z]{5}\d{4}[A-Z](?!\w)")


class IdentityDocumentRecognizer(PatternRecognizer):  # type: ignore[misc]
    """Documents as a whole, so that a policy can refuse them: the span is from their first mark to the last."""

    def __init__(self) -> None:
        super().__init__(supported_entity="IDENTITY_DOCUMENT", patterns=[Pattern("identity_document", _GATE, 0.01)])

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The documents in `text`. Raises TimeoutError where it makes a pattern slow."""
        spans = [*_zones(text)]
        for words, number, least in ((_AADHAAR_WORDS, _AADHAAR_NUMBER, 2), (_PAN_WORDS, _PAN_NUMBER, 2)):
            spans += _cards(text, words, number, least)
        spans += [(match.start(), len(text)) for match in _AADHAAR_CODE.finditer(text, timeout=_SECONDS)][:1]
        return [RecognizerResult("IDENTITY_DOCUMENT", start, end, 0.95) for start, end in spans]


def _zones(text: str) -> list[tuple[int, int]]:
    found = []
    for match in _ZONE.finditer(text, timeout=_SECONDS):
        if match["birth_check"] != _check(match["birth"]) or match["expiry_check"] != _check(match["expiry"]):
            continue
        start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
        end = len(text) if end < 0 else end
        before = text.rfind("\n", 0, max(0, start - 1)) + 1
        if "<" not in text[before:end]:
            continue
        found.append((before if "<<" in text[before:start] or text[before : before + 2].isalpha() else start, end))
    return found


def _cards(text: str, words: Any, number: Any, least: int) -> list[tuple[int, int]]:
    said = [(match.start(), match.end(), "".join(match.group().lower().split())) for match in words.finditer(text)]
    for match in number.finditer(text, timeout=_SECONDS):
        near = [each for each in said if abs(each[0] - match.start()) <= _REACH]
        if len({word for _, _, word in near}) >= least:
            ends = [match.span(), *((start, end) for start, end, _ in near)]
            return [(min(start for start, _ in ends), max(end for _, end in ends))]
    return []


def _check(value: str) -> str:
    """The check digit of a field of digits (ICAO Doc 9303, part 3, section 4.9)."""
    return str(sum(int(digit) * weight for digit, weight in zip(value, cycle((7, 3, 1)), strict=False)) % 10)
