"""Presidio's phone recognizer at a fraction of its cost: the same matcher, run only where and for the regions
for which a number can stand.

`phonenumbers` scans the whole text once for each region and parses every run of digits for each. Here the text
is cut into clusters of digits; a region is tried on a cluster only if some run of the cluster's digits has the
form of one of its numbers (or an international prefix, or there is a plus sign); and a number with a plus sign,
which reads the same from everywhere, is parsed once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberMatcher

_DIGIT = re.compile(r"\d")
_PLUS = re.compile("[+＋]")
_NOT_DIGIT = re.compile(r"\D+")
# A candidate of the matcher holds no longer stretch without a digit, extensions included.
_GAP = 32
_MARGIN = 16
_LEAST_DIGITS = 4
_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


class _Matcher(PhoneNumberMatcher):
    """The matcher for one region, with a look at a candidate's digits before it is parsed."""

    def __init__(self, text: str, region: _Region, leniency: int, shared: dict[tuple[str, int], Any]) -> None:
        super().__init__(text, region.name, leniency=leniency)
        self._region = region
        self._shared = shared

    def _parse_and_verify(self, candidate: str, offset: int) -> Any:
        plus = _PLUS.search(candidate) is not None
        if plus:
            found = self._shared.get((candidate, offset))
            if found is not None:
                return found
        elif not self._region.possible(_digits(candidate)):
            return None
        found = _super_parse(self, candidate, offset)
        if plus and found is not None and _reads_the_same_everywhere(candidate):
            self._shared[candidate, offset] = found
        return found


_super_parse = PhoneNumberMatcher._parse_and_verify


def _reads_the_same_everywhere(candidate: str) -> bool:
    """Whether the plus sign comes before the first digit, so that no region's own rules are asked."""
    first = re.search(r"[+＋\d]", candidate)
    return first is not None and not first.group().isdigit()


class _Region:
    """What numbers of a region look like."""

    def __init__(self, name: str) -> None:
        self.name = name
        metadata = PhoneMetadata.metadata_for_region(name, None)
        self.known = metadata is not None
        if metadata is None:
            return
        # A number is valid if it is one of any region of the country code: all of +1 for the USA.
        siblings = COUNTRY_CODE_TO_REGION_CODE[int(metadata.country_code or 0)]
        patterns = [
            getattr(PhoneMetadata.metadata_for_region(sibling, metadata), kind)
            for sibling in siblings
            for kind in _TYPES
        ]
        forms = {each.national_number_pattern for each in patterns if each and each.national_number_pattern}
        self._form = re.compile("|".join(f"(?:{form})" for form in sorted(forms)))
        self._international = re.compile(metadata.international_prefix or "(?!)")
        # A rule that writes digits which are not in the text takes the ground from under the test.
        rule = metadata.national_prefix_transform_rule or ""
        self._writes_digits = re.search(r"(?<!\\)\d", rule) is not None

    def possible(self, digits: str) -> bool:
        """False only where no number of the region, nor an international one dialled from it, is in `digits`."""
        if not self.known:
            return False
        return (
            self._writes_digits
            or self._form.search(digits) is not None
            or self._international.search(digits) is not None
        )


@cache
def _region(name: str) -> _Region:
    return _Region(name)


class PhoneScan:
    """Finds what PhoneNumberMatcher finds for any of several regions (unknown ones find international numbers)."""

    def __init__(self, regions: Iterable[str], leniency: int) -> None:
        self._regions = [_region(name) for name in regions]
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
        """Start and end of each number, once for each region that reads it."""
        for start, end in _clusters(text):
            cluster = text[start:end]
            plus = _PLUS.search(cluster) is not None
            digits = _digits(cluster)
            shared: dict[tuple[str, int], Any] = {}
            for region in self._regions:
                if plus or region.possible(digits):
                    for match in _Matcher(cluster, region, self._leniency, shared):
                        yield start + match.start, start + match.end


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


def _digits(text: str) -> str:
    digits = _NOT_DIGIT.sub("", text)
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)
