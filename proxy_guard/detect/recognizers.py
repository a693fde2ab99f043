"""Presidio's recognizers, made to stay offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from unicodedata import combining, normalize

import presidio_analyzer.predefined_recognizers as presidio
import regex
from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerResult

from proxy_guard.detect import custom, own
from proxy_guard.detect.catalogue import OWN_RECOGNIZERS, PATTERN_RECOGNIZERS, PHONE
from proxy_guard.detect.mended import MENDED
from proxy_guard.detect.own import SECONDS
from proxy_guard.detect.phone_own import PHONE_REGIONS, PhoneNumbers
from proxy_guard.detect.suffixes import COMMON, suffixes, top_level


class _Email(presidio.EmailRecognizer):  # type: ignore[misc]
    def validate_result(self, pattern_text: str) -> bool:
        return bool(suffixes()(pattern_text).fqdn)


_ATOM = r"!#$%&'*+\-/=?^_`{|}~\w"
_LOCAL = regex.compile(rf"(?<![.{_ATOM}])[.{_ATOM}]*+(?<=[{_ATOM}])(?=@)")
_BEGIN = regex.compile(rf"\G\w|\b[{_ATOM}]")
_DOMAIN = regex.compile(r"@\w+([-.]\w+)*\.\w+([-.]\w+)*\b")


class _WholeEmail(_Email):
    """Finds what Presidio's pattern does, whose time grows with the square of the length of what is before an `@`.

    An address may begin in the domain of another that is none, and what follows a domain without a space between may
    pass for more of it. Looks at the domain alone: with what is before the `@`, a URL's path may pass for one. Accents
    in it are no way round: a reader leaves them out.
    """

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The addresses in `text`, from left to right. Raises TimeoutError where the text makes a pattern slow."""
        found = []
        read = kept = 0  # where the last match ends, and where the last that is an address does
        for local in _LOCAL.finditer(text, timeout=SECONDS):
            begins = [
                _BEGIN.search(text, max(place, local.start()), local.end(), timeout=SECONDS) for place in (kept, read)
            ]
            domain = any(begins) and _DOMAIN.match(text, local.end(), timeout=SECONDS)
            if not domain:
                continue
            if begins[1]:
                read = domain.end()
            size = self._size(domain.group()[1:], text[domain.end() : domain.end() + 1], local.group())
            if size:
                begin = begins[0] or begins[1]
                assert begin is not None
                kept = local.end() + 1 + size
                found.append(RecognizerResult("EMAIL_ADDRESS", begin.start(), kept, self.MAX_SCORE))
        return found

    def _size(self, host: str, after: str, local: str) -> int:
        """How much of `host`, with `after` behind it, is a host's name; 0 where nothing is."""
        if self.validate_result(host) or self.validate_result(_unmarked(host)):
            return len(host)
        host = host[:_LONGEST]
        for end in _ends(host, after, local):
            if self.validate_result(host[:end]):
                return end
        return 0


_LONGEST = 253
"""Characters of a host's name (RFC 1035, 3.1, without the last full stop)."""
_ENDING = regex.compile(
    r"(?<=\w\.)(?:[A-Za-z]{2,18}(?=[-_]|\.[A-Z][a-z])|(?P<numbered>[A-Za-z]{2,18})(?=\d)|(?P<lower>[a-z]{2,18})(?=[A-Z]))"
)
"""A label behind which a name may end: `example.com-see`, `example.com.Please`, `example.com1`, `example.comPhone`."""
_NUMBERED = frozenset({"bz", "dev", "md", "mp", "ps"})
"""Top-level domains that are followed by a number in versions and names of files: `1.0.dev3`, `.mp4`."""
_LABEL = regex.compile(r"(?<=\w\.)[A-Za-z]{2,63}")


def _ends(host: str, after: str, local: str) -> Iterator[int]:
    """Where a name may end of which `host` is more than that, likelier ones first."""
    for each in reversed(list(_ENDING.finditer(host))):
        numbered, lower = each["numbered"], each["lower"]
        if not (numbered and numbered.lower() in _NUMBERED) and not (lower and (lower not in COMMON or local in _SELF)):
            yield each.end()
    if after == "@":  # addresses in a row
        for each in _LABEL.finditer(host):
            for end in range(each.end(), each.start() + 1, -1):
                if host[each.start() : end].lower() in top_level():
                    yield end


_SELF = ("this", "super")
"""What is before the `@` of a label in Kotlin: `this@Page.orgName`."""


def _unmarked(domain: str) -> str:
    """A host name without accents and other marks on its letters."""
    if domain.isascii():
        return ""
    return "".join(each for each in normalize("NFKD", domain) if not combining(each))


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
