"""Phone numbers of the `proxy-guard` profile: what is valid, what words say is one, and what words say is none.

A number with a plus sign counts if it is valid anywhere; one without, if it is valid in one of the default regions,
or if words near it say that it is a phone number. Dates, times, addresses on networks, hashes and the numbers of
orders, tickets and the like are taken for what they are first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
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
    r"(?=[-\d\[])(?:"
    r"(?<![\d+＋])(?:(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0[1-9]|[12]\d|3[01]|[1-9])"  # dates
    r"|(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|[12]\d|3[01])[-./ ](?:19|20)\d\d)(?!\d)(?:[T ,]{1,2}(?=\d\d:))?"
    r"|(?<![\d:])\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?![\d:])"  # times of day
    r"|(?<![\d.+＋])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"  # IPv4
    r"|\d{1,5}[-–] ?\d{1,5} ?\((?:19|20)\d\d\)"  # pages of a year
    r"|\[ *\d+\.\d{6}\]"  # seconds since boot
    r"|(?<![\w.+＋-])-?\d{1,3}\.\d{4,}(?![\d.]| ?\d)"  # coordinates, measures
    r"|(?<!\d)(?:19|20)\d\d ?[-–/] ?(?:19|20)\d\d(?!\d)"  # years
    r"|(?<![\w.+＋])\d{1,3}(?:[,. ]\d{3}){1,4}(?:[.,]\d{1,2})(?![\d]))",  # sums
    regex.IGNORECASE,
)
_GLUED = regex.compile(r"\b(?:number|num|is|at|on|me)\Z", regex.IGNORECASE)
"""Words after which a space is forgotten now and then."""
_ASSIGNED = regex.compile(r"=[ \u00a0]*\Z")
_FIELD = regex.compile(
    r"(?<![^\W_])(?:body|text|msg|message|sms|to|from|sender|recipient|receiver|dest(?:ination)?|caller|callee|contact)=\Z"
    r"|&[\w.\[\]-]{1,40}=\Z",
    regex.IGNORECASE,
)
"""A field of a form or a query in which a phone number may stand."""
_MINUS = regex.compile(r"[ \u00a0][-\u2212]\d")
_CONSTANTS = frozenset({"1234567890", "0123456789", "2147483647", "2147483648", "4294967295", "4294967296"})
"""Numbers that are everywhere in code."""
_PIECE = regex.compile(rf"[^{_SPACE}/]+")
_LEAST, _MOST, _MOST_GROUPS = 7, 15, 4
"""Digits of a number without a plus sign that words say is one, and groups of one that has others beside it."""
_LINK = regex.compile(r"\S*/\S*\Z")
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
        place = 0
        while run := _RUN.search(blanked, place, timeout=_SECONDS):
            some = list(self._in_run(text, run))
            found += some
            # What comes after a number may be the start of one that the run cut off.
            place = some[-1][1] if some else run.end()
        return found

    def _in_run(self, text: str, run: Any) -> Iterator[tuple[int, int, float]]:
        start, end = run.start(), run.start("ext") if run.start("ext") >= 0 else run.end()
        score = self._score(text, start, end)
        if score:
            yield start, run.end(), score
            return
        # There may be other numbers beside it: then its groups have to be a number's own.
        pieces = [(start + each.start(), start + each.end()) for each in _PIECE.finditer(text[start:end])]
        sizes = [sum(map(str.isdecimal, text[first:last])) for first, last in pieces]
        first = 0
        while first < len(pieces):
            for last in range(min(len(pieces), first + _MOST_GROUPS) - 1, first - 1, -1):
                some = sizes[first : last + 1]
                if max(some) > 2 and _LEAST <= sum(some) <= _MOST and len(some) < len(pieces):
                    score = self._score_of_part(text, pieces[first][0], pieces[last][1])
                    if score:
                        yield pieces[first][0], pieces[last][1], score
                        first = last
                        break
            first += 1

    def _score(self, text: str, start: int, end: int) -> float:
        """The score of a number that stands by itself."""
        value = text[start:end]
        digits = _digits(value)
        if len(set(digits)) < 2 or value in _CONSTANTS or _MINUS.search(value):
            return 0
        around = _Around(text, start, end)
        if value[0] in "+＋":
            valid = _is_valid("+" + digits) or (_LEAST <= len(digits) <= _MOST and around.said)
            return 0.6 if valid and not around.glued else 0
        plain = value.strip("([])").isdecimal()
        # Seconds since 1970 and dates look like numbers too; so do halves of a number in two messages, if short.
        moment = plain and (len(digits) == 10 and "1400000000" <= digits < "1800000000")
        if not moment and self._known(digits):
            return 0 if around.other else 0.4
        if not _LEAST <= len(digits) <= _MOST or not around.said or around.other:
            return 0
        date = plain and len(digits) == 8 and digits[:2] in ("19", "20")
        return 0.4 if (around.told(plain=value.isdecimal()) and not date) or self._known(digits, said=True) else 0

    def _score_of_part(self, text: str, start: int, end: int) -> float:
        """The score of a number that has others beside it."""
        value = text[start:end]
        digits = _digits(value)
        if value[0] in "+＋":
            return 0.6 if _is_valid("+" + digits) else 0
        known = self._known(digits, value if value.isascii() and not value.isdecimal() else "")
        return 0.4 if known and not _Around(text, start, end).other and not _MINUS.search(value) else 0

    def _known(self, digits: str, written: str = "", *, said: bool = False) -> bool:
        """Whether a default region knows the number: with the prefix that it takes at home unless `said` to be one,
        and in the groups that it has there if it is given as `written`."""
        for region, reader in self._readers.items():
            if not region_of(region).reads(digits):
                continue
            try:
                number = phonenumbers.parse(digits, region, keep_raw_input=True)
            except NumberParseException:
                continue
            if said:
                if phonenumbers.is_valid_number(number):
                    return True
            elif verify(Leniency.EXACT_GROUPING if written else Leniency.VALID, number, written or digits, reader):
                return True
        return False


class _Around:
    """What the words around a number say, looked up where it matters."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._before = text[max(0, start - _NEAR) : start]
        self._after = text[end : end + _NEAR]

    @cached_property
    def _label(self) -> bool:
        return LABEL.search(self._before) is not None

    @cached_property
    def _said_before(self) -> bool:
        return self._label or SAID_BEFORE.search(self._before) is not None

    @cached_property
    def _said_after(self) -> bool:
        return SAID_AFTER.search(self._after) is not None

    @property
    def said(self) -> bool:
        """Whether it is a phone number."""
        return self._said_before or self._said_after

    def told(self, *, plain: bool) -> bool:
        """Whether it is one, and no count that stands near such words."""
        return self._label or self._said_after or bool(LINKED.search(self._before)) or not plain

    @property
    def glued(self) -> bool:
        """Whether it is part of a word."""
        before, after = self._before[-1:], self._after[:1]
        if before.isascii() and before.isalpha() and not (self._label or _GLUED.search(self._before)):
            return True
        return after.isascii() and after.isalpha() and not self._label

    @property
    def _placed(self) -> bool:
        """Whether it is a value in code, or part of a link that is none to a phone."""
        named = _FIELD.search(self._before)
        link = _LINK.search(self._before)
        if link is None:
            return not named and _ASSIGNED.search(self._before) is not None
        return not (_PHONE_LINK.search(link.group()) or (named and named.group()[0] != "&"))

    @property
    def other(self) -> bool:
        """Whether it is another kind of number, or part of a word."""
        if self.glued:
            return True
        otherwise = OTHERWISE.search(self._before) or UNIT.search(self._after) or self._placed
        return bool(otherwise) and not self._label


@cache
def _load_metadata() -> None:
    """Loads what is known of all countries now, not at the first message from one of them."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        PhoneMetadata.metadata_for_region(region, None)
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        PhoneMetadata.metadata_for_nongeo_region(code, None)


def _digits(value: str) -> str:
    return "".join(str(unicodedata.decimal(char)) for char in value if char.isdecimal())


def _is_valid(number: str) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number)))
    except NumberParseException:
        return False
