"""Presidio's recognizers that miss valid values, mended for the profile `proxy-guard`."""

from __future__ import annotations

import re
from typing import Any

import presidio_analyzer.predefined_recognizers as presidio
import regex
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult
from stdnum.au import acn
from stdnum.kr import brn
from stdnum.pl import pesel

from proxy_guard.detect.custom import ordinary_words
from proxy_guard.detect.iban import IbanNumbers
from proxy_guard.detect.own import SECONDS


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


class _Mac(presidio.MacAddressRecognizer):  # type: ignore[misc]
    """Presidio's patterns find one at the start of longer numbers, and take any three groups of four digits for one."""

    PATTERNS = (
        Pattern("MAC", r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w]|[:-]\w)", 0.6),
        Pattern("MAC dotted", r"(?<![\w.])(?![0-9.]+\b(?!\.))[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?!\w|\.\w)", 0.6),
    )


_HOST = r"((www\d{0,3}[.])?[a-z0-9.\-]+[.]"
_ENDED = re.compile(r"[\w-]|\.\w")
_NO_HOST = re.compile(r"^[.-]|\.[.-]|-\.")
_MISSED_SPACE = re.compile(r"([A-Za-z]+)\.[A-Za-z]{2}")


class _Url(presidio.UrlRecognizer):  # type: ignore[misc]
    """Presidio's patterns end within words (`release.ca|ndidate`) and take `calls..me` and `dinner.ms` for hosts.

    An ordinary word, a full stop and two letters are a sentence's end and the next word, not a host.
    """

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The URLs in `text`. Raises TimeoutError where the text makes a pattern slow."""
        found = []
        for pattern in self._compiled():
            for match in pattern[0].finditer(text, timeout=SECONDS):
                if not _ENDED.match(text, match.end()) and _is_url(match.group()):
                    found.append(RecognizerResult("URL", match.start(), match.end(), pattern[1]))
        return found

    def _compiled(self) -> list[tuple[Any, float]]:
        if not hasattr(self, "_expressions"):
            flags = self.global_regex_flags
            # Where none is found from the first of such characters, none is from the next ones, each tried in turn.
            self._expressions = [
                (regex.compile(each.regex.replace(_HOST, rf"(?<![a-z0-9.\-]){_HOST}", 1), flags=flags), each.score)
                for each in self.patterns
            ]
        return self._expressions


def _is_url(value: str) -> bool:
    value = value.strip("\"'")
    if "://" in value:
        return True
    host = value.partition("/")[0]
    if _NO_HOST.search(host):
        return False
    missed = _MISSED_SPACE.fullmatch(value)
    return not (missed and missed[1].lower() in ordinary_words())


MENDED: dict[str, type[PatternRecognizer]] = {
    "AuAcnRecognizer": _Acn,
    "IbanRecognizer": IbanNumbers,
    "KrBrnRecognizer": _Brn,
    "MacAddressRecognizer": _Mac,
    "PlPeselRecognizer": _Pesel,
    "UkNinoRecognizer": _Nino,
    "UrlRecognizer": _Url,
}
"""What stands in for Presidio's recognizers, by their names."""
