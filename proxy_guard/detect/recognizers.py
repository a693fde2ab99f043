"""Presidio's recognizers as this engine runs them: offline, compiled at load, one Finding per match."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import presidio_analyzer.predefined_recognizers as presidio
import tldextract
from presidio_analyzer import PatternRecognizer

from proxy_guard.detect.catalogue import PATTERN_RECOGNIZERS, PHONE
from proxy_guard.model import Finding

PHONE_REGIONS = ("IN", "US", "GB")
"""Where a phone number without a country code may be from."""

_LEAST_PHONE_DIGITS = 7
_DIGIT = re.compile(r"\d")


@cache
def _suffixes() -> tldextract.TLDExtract:
    # The bundled list of public suffixes: the guard makes no call that a rule file did not ask for.
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


class _Email(presidio.EmailRecognizer):  # type: ignore[misc]
    def validate_result(self, pattern_text: str) -> bool:
        return bool(_suffixes()(pattern_text).fqdn)


OFFLINE: dict[str, type[PatternRecognizer]] = {"EmailRecognizer": _Email}
"""What stands in for those Presidio recognizers that would ask the network, by their names."""


class PatternPart:
    """One pattern recognizer of Presidio's, without those of its patterns that can't reach a score of use."""

    def __init__(self, entity: str, min_score: float = 0) -> None:
        self.entity = entity
        name = PATTERN_RECOGNIZERS[entity]
        self._recognizer: PatternRecognizer = (OFFLINE.get(name) or getattr(presidio, name))()
        if type(self._recognizer).validate_result is PatternRecognizer.validate_result:
            # Nothing raises the score of a match: a pattern below the threshold is work for nothing.
            self._recognizer.patterns = [each for each in self._recognizer.patterns if each.score >= min_score]
        self.expressions: list[str] = [pattern.regex for pattern in self._recognizer.patterns]
        self._recognizer.analyze("", [entity])  # compiles its patterns now, not at the first message

    def findings(self, text: str) -> list[Finding]:
        """What the recognizer finds in `text`."""
        return _findings(self._recognizer.analyze(text, [self.entity]))


class PhonePart:
    """Presidio's phone recognizer, for the regions asked for."""

    entity = PHONE

    def __init__(self, regions: Iterable[str] = PHONE_REGIONS) -> None:
        self._recognizer = presidio.PhoneRecognizer(supported_regions=tuple(regions))
        self._recognizer.analyze("+14155552671", [PHONE])  # loads the metadata of numbers

    def possible(self, text: str) -> bool:
        """False only where no number can stand in `text`: the shortest has seven digits."""
        return len(_DIGIT.findall(text)) >= _LEAST_PHONE_DIGITS

    def findings(self, text: str) -> list[Finding]:
        """The phone numbers in `text`."""
        return _findings(self._recognizer.analyze(text, [PHONE]))


def _findings(results: Iterable[Any]) -> list[Finding]:
    return [Finding(each.entity_type, each.start, each.end, each.score) for each in results]
