"""Presidio's recognizers, made to stay offline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import presidio_analyzer.predefined_recognizers as presidio
from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerResult

from proxy_guard.detect import custom, own
from proxy_guard.detect.catalogue import OWN_RECOGNIZERS, PATTERN_RECOGNIZERS, PHONE
from proxy_guard.detect.mail_addresses import addresses
from proxy_guard.detect.mended import MENDED
from proxy_guard.detect.own import SECONDS
from proxy_guard.detect.phone_own import PHONE_REGIONS, PhoneNumbers
from proxy_guard.detect.suffixes import is_host


class _Email(presidio.EmailRecognizer):  # type: ignore[misc]
    def validate_result(self, pattern_text: str) -> bool:
        return is_host(pattern_text)


class _WholeEmail(_Email):
    """Finds addresses also where something else is glued to them."""

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The addresses in `text`, from left to right. Raises TimeoutError where the text makes a pattern slow."""
        return [RecognizerResult("EMAIL_ADDRESS", *span, self.MAX_SCORE) for span in addresses(text, SECONDS)]


OFFLINE: dict[str, type[PatternRecognizer]] = {"EmailRecognizer": _Email}
"""What stands in for those Presidio recognizers that would ask the network, by their names."""
_IN_PLACE: dict[str, type[PatternRecognizer]] = {**OFFLINE, "EmailRecognizer": _WholeEmail}


def recognizers_for(entities: Iterable[str], phone_regions: Sequence[str] | None = None) -> list[EntityRecognizer]:
    """The recognizers of the `proxy-guard` profile for pattern entities."""
    made: list[EntityRecognizer] = []
    for entity in sorted(entities):
        if entity == PHONE:
            made.append(PhoneNumbers(PHONE_REGIONS if phone_regions is None else phone_regions))
        elif entity in own.OWN:
            made.append(own.OWN[entity]())
        elif entity in PATTERN_RECOGNIZERS:
            name = PATTERN_RECOGNIZERS[entity]
            made.append((_IN_PLACE.get(name) or MENDED.get(name) or getattr(presidio, name))())
        elif entity in OWN_RECOGNIZERS:
            made.append(getattr(custom, OWN_RECOGNIZERS[entity])())
    return made
