"""International bank account numbers (ISO 13616), however their characters are grouped.

The country, its length and the check digits tell one, so that the groups need not: `DE26 99 19 0932 …`, as it is
read from a picture say, is the same number as `DE26 9919 0932 …`.
"""

from __future__ import annotations

from typing import Any

from presidio_analyzer import RecognizerResult
from stdnum import iban

from proxy_guard.detect.own import SECONDS, ScoredRecognizer

# Apart from its number a country is in capitals: `is 45 …` and `no 12 …` are words.
_IBAN = r"(?<![A-Za-z0-9])(?:[A-Za-z]{2}|[A-Z]{2}[ .-])[0-9]{2}(?:[ .-]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])"
_GATE = (
    r"[A-Z]{2}[ .-]?[0-9]{2}[ .-]?[A-Z]?(?:[ .-]?[0-9]){5}"
    r"|[A-Z]{2}[ .-]?[0-9]{2}(?:[ .-]?[A-Z]){3,5}(?:[ .-]?[0-9]){2}"
    r"|[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2}"
)
"""Digits follow the check digits, or the letters of a bank; or the groups are of four."""
_LEAST = 15
"""Characters of the shortest, Norway's."""


def _iban(value: str, near: str) -> float:
    # A country's own check would be imported when a first number of it comes.
    return 1.0 if iban.is_valid(value.replace(".", ""), check_country=False) else 0


class IbanNumbers(ScoredRecognizer):
    """Those that are valid; words may follow right behind."""

    def __init__(self) -> None:
        super().__init__("IBAN_CODE", _IBAN, _iban, ["iban", "bank", "transaction"], gate=_GATE)

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The numbers in `text`, from left to right, none within another."""
        found: list[RecognizerResult] = []
        for run in self._expression.finditer(text, overlapped=True, timeout=SECONDS):
            start, last = run.span()
            if found and start < found[-1].end:
                continue
            ends = [end for end in range(start + _LEAST, last + 1) if not text[end : end + 1].isalnum()]
            for end in reversed(ends):
                score = self._score(text[start:end], "")
                if score > 0:
                    found.append(RecognizerResult("IBAN_CODE", start, end, score))
                    break
        return found
