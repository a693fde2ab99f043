"""Phone numbers of the `proxy-guard` profile: what is valid, what words say is one, and what words say is none.

A number with a plus sign counts if it is valid anywhere; one without, if it is valid in one of the default regions,
or if words near it say that it is a phone number. Dates, times, addresses on networks, hashes and the numbers of
orders, tickets and the like are taken for what they are first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import phonenumbers
import regex
from phonenumbers import Leniency, NumberParseException, PhoneMetadata, PhoneNumberMatcher
from phonenumbers.phonenumbermatcher import _verify as verify
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult

from proxy_guard.detect.phone import region_of
from proxy_guard.detect.phone_words import LABEL, LINKED, OTHERWISE, SAID_AFTER, SAID_BEFORE, UNIT
from proxy_guard.errors import ProxyGuardError

PHONE_REGIONS = ("IN", "US", "GB")
"""Where a phone number without a country code may be from, unless a policy says otherwise."""

_SECONDS = 5.0
_NEAR = 64
"""Code points on either side of a number in which words about it are looked for."""
_GATE = r"\d(?:[^\w\n\r]{0,4}\d){4}"

_DASH = "\\-\u2010-\u2015\u2212\u30fc\uff0d"
_SPACE = " \u00a0\u00ad\u2000-\u200b\u202f\u2060\u3000"
_BETWEEN = rf"[{_SPACE}{_DASH}.()/\[\]（）~\u2053\u223c\uff5e]"
_RUN = regex.compile(
    rf"(?<![\d_#@&]|\d[.,]|[\p{{Sc}}%][ \u00a0]?)(?:[+＋][{_SPACE}(（]{{0,2}}|[(（\[])?"
    rf"\d(?:{_BETWEEN}{{0,4}}\d){{4,24}}"
    r"(?![\d_@]|[.,:]\d|[ \u00a0]?[\p{Sc}%°])(?P<ext>[ ,;]{0,3}(?:ext(?:n|ension)?|x|#)[.:= ]{0,2}\d{1,6}(?!\w))?",
    regex.IGNORECASE,
)
_OTHER = regex.compile(
    r"(?<![\d+＋])(?:(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0[1-9]|[12]\d|3[01]|[1-9])"  # dates
    r"|(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|[12]\d|3[01])[-./ ](?:19|20)\d\d)(?!\d)(?:[T ,]{1,2}(?=\d\d:))?"
    r"|(?<![\d:])\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?![\d:])"  # times of day
    r"|(?<![\d.+＋])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"  # IPv4
    r"|(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])"  # UUIDs
    r"|\d{1,5}[-–] ?\d{1,5} ?\((?:19|20)\d\d\)"  # pages of a year
    r"|\[ *\d+\.\d{6}\]"  # seconds since boot
    r"|(?<![\w.+＋-])-?\d{1,3}\.\d{4,}(?![\d.]| ?\d)"  # coordinates, measures
    r"|(?<!\d)(?:19|20)\d\d ?[-–/] ?(?:19|20)\d\d(?!\d)"  # years
    r"|(?<![\w.+＋])\d{1,3}(?:[,. ]\d{3}){1,4}(?:[.,]\d{1,2})(?![\d])",  # sums
    regex.IGNORECASE,
)
_GLUED = regex.compile(r"\b(?:number|num|is|at|on|me)$", regex.IGNORECASE)
"""Words after which a space is forgotten now and then."""
_ASSIGNED = regex.compile(r"=[ \u00a0]*$")
_MINUS = regex.compile(r"[ \u00a0][-\u2212]\d")
_CONSTANTS = frozenset({"1234567890", "0123456789", "2147483647", "2147483648", "4294967295", "4294967296"})
"""Numbers that are everywhere in code."""
_LINK = regex.compile(r"\S*/\S*$")
_PHONE_LINK = regex.compile(r"wa\.me/|tel|phone|mobile|whatsapp|sms|call", regex.IGNORECASE)


class PhoneNumbers(PatternRecognizer):  # type: ignore[misc]
    """Finds phone numbers in writing; a number that words say is none is left alone."""

    def __init__(self, regions: Iterable[str] = PHONE_REGIONS) -> None:
        """`regions` are ISO 3166-1 codes. Raises ProxyGuardError for one that has no phone numbers."""
        words = ["phone", "telephone", "cell", "mobile", "call", "whatsapp", "tel"]
        super().__init__("PHONE_NUMBER", name="PhoneNumbers", patterns=[Pattern("digits", _GATE, 0.4)], context=words)
        self.regions = tuple(regions)
        for region in self.regions:
            if region not in phonenumbers.SUPPORTED_REGIONS:
                raise ProxyGuardError(f"unknown phone region {region}")
            region_of(region)
        self._readers = {region: PhoneNumberMatcher("", region) for region in self.regions}
        _load_metadata()

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The numbers in `text`. Raises TimeoutError where it takes too long."""
        return [RecognizerResult("PHONE_NUMBER", start, end, score) for start, end, score in self._found(text)]

    def _found(self, text: str) -> list[tuple[int, int, float]]:
        blanked = _OTHER.sub(lambda found: "\n" * len(found.group()), text, timeout=_SECONDS)
        found: list[tuple[int, int, float]] = []
        for run in _RUN.finditer(blanked, timeout=_SECONDS):
            found += self._in_run(text, run)
        return found

    def _in_run(self, text: str, run: Any) -> Iterator[tuple[int, int, float]]:
        start, end = run.start(), run.start("ext") if run.start("ext") >= 0 else run.end()
        score = self._score(text, start, end, whole=True)
        if score:
            yield start, run.end(), score
            return
        pieces = [(m.start() + start, m.end() + start) for m in regex.finditer(rf"[^{_SPACE}/]+", text[start:end])]
        first = 0
        while first < len(pieces):
            for last in range(len(pieces) - 1, first - 1, -1):
                if first == 0 and last == len(pieces) - 1:
                    continue
                score = self._score(text, pieces[first][0], pieces[last][1], whole=False)
                if score:
                    yield pieces[first][0], pieces[last][1], score
                    first = last
                    break
            first += 1

    def _score(self, text: str, start: int, end: int, *, whole: bool) -> float:
        value = text[start:end]
        digits = "".join(str(unicodedata.decimal(char)) for char in value if char.isdecimal())
        if not 5 <= len(digits) <= 18 or len(set(digits)) < 2 or value in _CONSTANTS or _MINUS.search(value):
            return 0
        before, after = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
        label = LABEL.search(before) is not None
        if not label and value[0] not in "+＋" and self._said_otherwise(before, after):
            return 0
        if before[-1:].isalpha() and before[-1:].isascii() and not (label or _GLUED.search(before)):
            return 0
        if after[:1].isalpha() and after[:1].isascii() and not label:
            return 0
        said_before = label or SAID_BEFORE.search(before) is not None
        said_after = SAID_AFTER.search(after) is not None
        # A count may stand near such words too: of a number that no region knows, they have to speak.
        told = label or said_after or (said_before and (LINKED.search(before) or not value.isdecimal()))
        return self._valid(value, digits, said=said_before or said_after, told=bool(told), whole=whole)

    def _said_otherwise(self, before: str, after: str) -> bool:
        if OTHERWISE.search(before) or UNIT.search(after):
            return True
        link = _LINK.search(before)
        if link is None and _ASSIGNED.search(before):
            return True
        return link is not None and _PHONE_LINK.search(link.group()) is None

    def _valid(self, value: str, digits: str, *, said: bool, told: bool, whole: bool) -> float:
        if value[0] in "+＋":
            return 0.6 if _is_valid("+" + digits, None) or (said and whole and 7 <= len(digits) <= 15) else 0
        plain = value.strip("([])").isdecimal()
        for region in self.regions:
            if region_of(region).reads(digits) and self._in_region(value, digits, region, said=said, whole=whole):
                # Seconds since 1970 look like numbers of ten digits.
                return 0 if plain and not said and "1400000000" <= digits < "1800000000" else 0.4
        if not (told and whole):
            return 0
        date = plain and len(digits) == 8 and digits[:2] in ("19", "20")
        # Fewer digits may be an extension, a price, or half of a number whose other half is in the next message.
        return 0.4 if 7 <= len(digits) <= 15 and not date else 0

    def _in_region(self, value: str, digits: str, region: str, *, said: bool, whole: bool) -> bool:
        try:
            number = phonenumbers.parse(digits, region, keep_raw_input=True)
        except NumberParseException:
            return False
        if said and whole:
            return bool(phonenumbers.is_valid_number(number))
        written = value if value.isascii() else digits
        if whole or value.isdecimal():
            return bool(verify(Leniency.VALID, number, digits, self._readers[region]))
        return bool(verify(Leniency.EXACT_GROUPING, number, written, self._readers[region]))


@cache
def _load_metadata() -> None:
    """Loads what is known of all countries now, not at the first message from one of them."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        PhoneMetadata.metadata_for_region(region, None)
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        PhoneMetadata.metadata_for_nongeo_region(code, None)


def _is_valid(number: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except NumberParseException:
        return False
