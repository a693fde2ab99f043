"""`date_shift`: another date in place of a date, as far away for every date under the same key."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from pydantic import Field

from proxy_guard.operators import Operator
from proxy_guard.secrets import Key

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SUFFIXES = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_SHORT = 3
_PIVOT = 69
"""Years of two digits: from here on they are of the last century, as POSIX has it."""

_GAP = r"[\s\u00a0\u202f]+"
_YEAR = r"(?P<year>\d{4})"
_DAY = r"(?P<day>\d{1,2})(?P<suffix>st|nd|rd|th)?"
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|sept|{'|'.join(name[:_SHORT] for name in _MONTHS)})(?P<dot>\.?)"
_WEEKDAY = rf"(?:(?P<weekday>{'|'.join(_WEEKDAYS)}|{'|'.join(name[:_SHORT] for name in _WEEKDAYS)})[.,]?{_GAP})?"
_HALF = rf"(?:{_GAP})?[ap]\.?m\.?"
_CLOCK = rf"(?:[01]?\d|2[0-4])(?:[:.][0-5]\d(?:[:.][0-6]\d(?:[.,]\d{{1,9}})?)?(?:{_HALF})?|{_HALF})"
_ZONE = rf"(?:{_GAP})?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)"
_TIME = rf"(?:(?:T|,?{_GAP}(?:at{_GAP})?){_CLOCK}(?:{_ZONE})?)?"


def _form(pattern: str, time: str = _TIME) -> re.Pattern[str]:
    return re.compile(pattern + time, re.ASCII | re.IGNORECASE)


_PLAIN = (
    _form(rf"{_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})"),
    _form(rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)", r"(?:T\d{6}Z?)?"),
    _form(rf"{_WEEKDAY}{_DAY}(?:{_GAP}of)?(?:(?P<mark>-)|{_GAP}){_MONTH}(?(mark)-|,?{_GAP}){_YEAR}"),
    _form(rf"{_WEEKDAY}{_MONTH}{_GAP}{_DAY}(?:,{_GAP}|,|{_GAP}){_YEAR}"),
)
_DAY_FIRST = _form(r"(?P<day>\d{1,2})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)")
_MONTH_FIRST = _form(r"(?P<month>\d{1,2})(?P<mark>[-/.])(?P<day>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)")


@dataclass(frozen=True)
class DateText:
    """A text that is a date, perhaps with a time after it, and the form that it is written in."""

    day: date
    _found: re.Match[str] = field(repr=False)

    def rewritten(self, to: date) -> str:
        """The text of another date in the same form. The time stays."""
        found = self._found
        parts = self._numbers(to) if found["month"].isdigit() else self._words(to)
        parts["year"] = f"{to.year % 10 ** len(found['year']):0{len(found['year'])}}"
        out: list[str] = []
        at = 0
        for name in sorted(parts, key=found.start):
            out += [found.string[at : found.start(name)], parts[name]]
            at = found.end(name)
        return "".join([*out, found.string[at:]])

    def _numbers(self, to: date) -> dict[str, str]:
        # 5/10 has no zeros in front, 05/10 has; 12/10 is taken to have them.
        width = min(len(self._found["month"]), len(self._found["day"]))
        return {"month": f"{to.month:0{width}}", "day": f"{to.day:0{width}}"}

    def _words(self, to: date) -> dict[str, str]:
        found = self._found.groupdict()
        weekday, month = found["weekday"] or "", found["month"]
        if month.lower() == "may":
            short = bool(found["dot"] or found.get("mark")) or len(weekday) == _SHORT
        else:
            short = month.lower() not in _MONTHS
        name = _MONTHS[to.month - 1]
        parts = {
            "month": _cased(name[:_SHORT] if short else name, month),
            "dot": "" if name == "may" else found["dot"],
            "day": f"{to.day:02}" if found["day"].startswith("0") else f"{to.day}",
        }
        if weekday:
            name = _WEEKDAYS[to.weekday()]
            parts["weekday"] = _cased(name[:_SHORT] if len(weekday) == _SHORT else name, weekday)
        if found["suffix"]:
            parts["suffix"] = _cased(_SUFFIXES.get(to.day, "th"), found["suffix"])
        return parts


def _cased(text: str, like: str) -> str:
    if like.isupper():
        return text.upper()
    return text if like.islower() else text.capitalize()


def readings(value: str, day_first: bool | None) -> list[DateText]:
    """The dates that a text can be read as; with `day_first` None, 05/10/2024 is two."""
    numeric = {True: (_DAY_FIRST,), False: (_MONTH_FIRST,), None: (_DAY_FIRST, _MONTH_FIRST)}[day_first]
    found = (form.fullmatch(value) for form in (*_PLAIN, *numeric))
    dates = (_read(each) for each in found if each is not None)
    return [each for each in dates if each is not None]


def _read(found: re.Match[str]) -> DateText | None:
    year, month = int(found["year"]), found["month"].lower()
    if len(found["year"]) == 2:
        year += 1900 if year >= _PIVOT else 2000
    number = int(month) if month.isdigit() else 1 + [name[:_SHORT] for name in _MONTHS].index(month[:_SHORT])
    try:
        return DateText(date(year, number, int(found["day"])), found)
    except ValueError:
        return None


class DateShift(Operator):
    """Moves dates of the Gregorian calendar by a number of days that HMAC-SHA256 (RFC 2104) of the entity gives.

    It is the same for every date of one entity under one key, so that the time between two dates stays true. The price:
    who knows one date and its result knows all.

    A date keeps its form: 2024-10-05 and 20241005 (ISO 8601), 2024/10/05, 05/10/2024, 5.10.24, 5 Oct 2024, 5-Oct-2024,
    5th of October 2024, October 5, 2024, Sat, 05 Oct 2024 (RFC 5322), each with a time after it, which stays as it is.
    Months are read in English. All else, 5 October without a year, "last week", or a date that can be read in two ways
    where `day_first` is not set, is replaced by the entity's name in angle brackets.
    """

    key: Key = Field(description="The key, 16 bytes or more, as ${env:NAME} or ${file:PATH}.")
    days: int = Field(default=365, ge=1, le=3650, description="The farthest that a date is moved, back or forth.")
    day_first: bool | None = Field(
        default=None, description="Whether 05/10/2024 is 5 October; without it such a date is replaced."
    )

    def operate(self, value: str, entity: str) -> str:
        """The date moved, in the form that `value` has."""
        dates = readings(value, self.day_first)
        if len(dates) == 1:
            try:
                moved = dates[0].rewritten(dates[0].day + self.shift(entity))
            except OverflowError:
                return f"<{entity}>"
            # 1/5/2024 is a part of 11/5/2024.
            if value not in moved:
                return moved
        return f"<{entity}>"

    def shift(self, entity: str) -> timedelta:
        """How far dates of that entity are moved; never by nothing."""
        key = self.key.get_secret_value().encode()
        role = b"date_shift\0" + entity.encode("utf-8", "surrogatepass")
        number = int.from_bytes(hmac.digest(key, role, hashlib.sha256), "big") % (2 * self.days)
        return timedelta(days=number - self.days if number < self.days else number - self.days + 1)
