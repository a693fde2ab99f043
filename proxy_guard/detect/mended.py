"""Presidio's recognizers that miss valid values, mended for the profile `proxy-guard`."""

from __future__ import annotations

import presidio_analyzer.predefined_recognizers as presidio
from presidio_analyzer import Pattern, PatternRecognizer
from stdnum.au import acn
from stdnum.kr import brn
from stdnum.pl import pesel


class _Acn(presidio.AuAcnRecognizer):  # type: ignore[misc]
    """Presidio's check refuses numbers whose check digit is 0."""

    def validate_result(self, pattern_text: str) -> bool:
        return acn.is_valid(pattern_text)


class _Brn(presidio.KrBrnRecognizer):  # type: ignore[misc]
    """Presidio's check refuses nine valid numbers in ten."""

    def validate_result(self, pattern_text: str) -> bool:
        return brn.is_valid(pattern_text)


class _Pesel(presidio.PlPeselRecognizer):  # type: ignore[misc]
    """Presidio's check takes the remainder for the check digit, which is what lacks to ten."""

    def validate_result(self, pattern_text: str) -> bool:
        return pesel.is_valid(pattern_text)


_NINO = r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b"


class _Nino(presidio.UkNinoRecognizer):  # type: ignore[misc]
    """Presidio's pattern takes in the space before a number."""

    PATTERNS = (Pattern("NINO", _NINO, 0.5),)


MENDED: dict[str, type[PatternRecognizer]] = {
    "AuAcnRecognizer": _Acn,
    "KrBrnRecognizer": _Brn,
    "PlPeselRecognizer": _Pesel,
    "UkNinoRecognizer": _Nino,
}
"""What stands in for Presidio's recognizers, by their names."""
