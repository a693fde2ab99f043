"""Presidio's phone recognizer at a fraction of its cost: the same matcher, run once for all regions.

`phonenumbers` scans the whole text once for each region and parses every run of digits for each. Here the text
is cut into clusters of digits; the candidates of a cluster and their parts are found once for all regions; a
region parses a part only if its digits can be one of its numbers; a number with a plus sign, which reads the
same from everywhere, is parsed once; and what one region takes whole is not read again for the others, since
whatever they found in it would be within it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberMatcher

_DIGIT = re.compile(r"\d")
_NOT_DIGIT = re.compile(r"\D+")
_FIRST = re.compile(r"[+＋\d]")
_NOT_PLAIN = re.compile(r"[^\W\d]|[;#＃~～,=]")
"""What an extension or a word in letters takes."""
# A candidate of the matcher holds no longer stretch without a digit, extensions included.
_GAP = 32
_MARGIN = 16
_LEAST_DIGITS = 4
_LONGEST_WHOLE = 18
"""Digits. Longer candidates may have been cut short by the matcher's own limits."""
_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


class _Part:
    """A part of a candidate that the matcher would parse."""

    __slots__ = ("digits", "offset", "plain", "plus", "read", "text", "universal")

    def __init__(self, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset
        self.digits = _digits(text)
        self.plus = "+" in text or "＋" in text
        self.plain = _NOT_PLAIN.search(text) is None
        first = _FIRST.search(text)
        # Led by a plus sign and a country's code, it is the same number in every region.
        self.universal = first is not None and not first.group().isdigit() and _begins_with_country(self.digits)
        self.read: Any = None


class _Candidate:
    """What the matcher takes for a possible number, and the parts that it would try, in its order."""

    __slots__ = ("end", "parts", "start", "taken")

    def __init__(self, start: int, end: int, parts: list[_Part]) -> None:
        self.start = start
        self.end = end
        self.parts = parts
        self.taken = False


class _Candidates(PhoneNumberMatcher):
    """The matcher without its verdicts: finds candidates and their parts."""

    def after(self, index: int) -> _Candidate | None:
        """The next candidate from `index` on."""
        found: Any = self._find(index)
        return found  # type: ignore[no-any-return]

    def _extract_match(self, candidate: str, offset: int) -> Any:
        self._parts: list[_Part] = []
        super()._extract_match(candidate, offset)
        return _Candidate(offset, offset + len(candidate), self._parts)

    def _parse_and_verify(self, candidate: str, offset: int) -> None:
        self._parts.append(_Part(candidate, offset))


class _Region:
    """What numbers of a region look like."""

    def __init__(self, name: str) -> None:
        self.name = name
        metadata = PhoneMetadata.metadata_for_region(name, None)
        self.known = metadata is not None
        if metadata is None:
            return
        # A number is valid if it is one of any region of the country code: all of +1 for the USA.
        code = str(metadata.country_code)
        siblings = COUNTRY_CODE_TO_REGION_CODE[int(code)]
        patterns = [
            getattr(PhoneMetadata.metadata_for_region(sibling, metadata), kind)
            for sibling in siblings
            for kind in _TYPES
        ]
        forms = {each.national_number_pattern for each in patterns if each and each.national_number_pattern}
        anyhow = "|".join(f"(?:{form})" for form in sorted(forms))
        self._code = code
        self._prefix = re.compile(metadata.national_prefix_for_parsing or "(?!)")
        self._form = re.compile(anyhow)
        self._least = min(size for each in patterns if each for size in each.possible_length or (1,) if size > 0)
        self._international = re.compile(metadata.international_prefix or "(?!)")
        # Where a rule rewrites the number, digits of it may be none of the text's.
        self._rewrites = bool(metadata.national_prefix_transform_rule)

    def possible(self, part: _Part) -> bool:
        """False only where the matcher would not take `part`, which has no plus sign, for a number."""
        digits = part.digits
        if not self.known or len(digits) < self._least:
            return False
        if not part.plain:
            return self._form.search(digits) is not None or self._international.search(digits) is not None
        return self.reads(digits)

    def reads(self, digits: str) -> bool:
        """False only where `digits`, without plus sign and extension, are no number for who dials in the region."""
        if not self.known or len(digits) < self._least:
            return False
        if self._international.match(digits):
            return True
        starts = [0]
        if digits.startswith(self._code):
            starts.append(len(self._code))
        for _ in range(2):  # the matcher may take the national prefix off twice
            for start in tuple(starts):
                prefix = self._prefix.match(digits, start)
                if prefix:
                    if self._rewrites:
                        return True
                    if prefix.end() > start:
                        starts.append(prefix.end())
        return any(self._form.fullmatch(digits, start) for start in starts)


@cache
def region_of(name: str) -> _Region:
    """What there is to know of a region, by its ISO 3166-1 code."""
    return _Region(name)


class PhoneScan:
    """Finds what PhoneNumberMatcher finds for any of several regions (unknown ones find international numbers)."""

    def __init__(self, regions: Iterable[str], leniency: int) -> None:
        self._regions = [region_of(name) for name in regions]
        self._leniency = leniency
        # Now, not at the first message with a number of some country.
        PhoneMetadata.load_all()
        list(self.spans("+1 415 555 2671, 020 7946 0018"))

    def possible(self, text: str) -> bool:
        """False only where no number can stand in `text`."""
        if text.isascii() and not any(digit in text for digit in "0123456789"):
            return False  # ten quick looks spare a slow one
        return len(_DIGIT.findall(text)) >= _LEAST_DIGITS

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each number; of those that regions read within another one's, some are left out."""
        for start, end in _clusters(text):
            for first, last in self._in_cluster(text[start:end]):
                yield start + first, start + last

    def _in_cluster(self, cluster: str) -> Iterator[tuple[int, int]]:
        source = _Candidates(cluster, None, leniency=self._leniency)
        known: dict[int, _Candidate | None] = {}
        plus = "+" in cluster or "＋" in cluster
        for region in self._regions:
            if not (plus or region.known):
                continue
            reader = PhoneNumberMatcher(cluster, region.name, leniency=self._leniency)
            index = 0
            while True:
                if index not in known:
                    known[index] = source.after(index)
                candidate = known[index]
                if candidate is None:
                    break
                index = candidate.end
                if candidate.taken:
                    continue
                for part in candidate.parts:
                    match = _read(reader, region, part)
                    if match:
                        yield match.start, match.end
                        index = match.end
                        if part is candidate.parts[0] and len(part.digits) <= _LONGEST_WHOLE:
                            candidate.taken = True
                        break


def _read(reader: PhoneNumberMatcher, region: _Region, part: _Part) -> Any:
    """The matcher's answer for a part of a candidate: a match or None."""
    if not part.plus:
        return reader._parse_and_verify(part.text, part.offset) if region.possible(part) else None
    if not part.universal:
        return reader._parse_and_verify(part.text, part.offset)
    if part.read is None:
        part.read = (reader._parse_and_verify(part.text, part.offset),)
    return part.read[0]


def _clusters(text: str) -> list[tuple[int, int]]:
    """Stretches of `text` around its digits, far enough apart that no number spans two."""
    clusters: list[tuple[int, int]] = []
    first = last = None
    count = 0
    for match in _DIGIT.finditer(text):
        place = match.start()
        if last is not None and place - last > _GAP:
            if count >= _LEAST_DIGITS:
                clusters.append((max(0, first - _MARGIN), last + 1 + _MARGIN))  # type: ignore[operator]
            first, count = None, 0
        if first is None:
            first = place
        last = place
        count += 1
    if first is not None and last is not None and count >= _LEAST_DIGITS:
        clusters.append((max(0, first - _MARGIN), last + 1 + _MARGIN))
    return clusters


def _begins_with_country(digits: str) -> bool:
    return any(digits[:size].isdigit() and int(digits[:size]) in COUNTRY_CODE_TO_REGION_CODE for size in (1, 2, 3))


def _digits(text: str) -> str:
    digits = _NOT_DIGIT.sub("", text)
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)
