"""`generalise`: a coarser value in place of an exact one."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from proxy_guard.operators import Operator
from proxy_guard.operators.date_shift import readings

_AGE = re.compile(
    r"(?P<before>(?:age|aged)[: ] ?)?(?P<age>\d{1,3})"
    r"(?P<after>(?:[ -]?(?:years?|yrs?|y))(?:[ -](?:old|of age))?|[ -]?(?:yo|y/o|y\.o\.))?",
    re.ASCII | re.IGNORECASE,
)
_OLDEST = 130
_EMAIL = re.compile(r"[^@\s]+@([\w-]+(?:\.[\w-]+)+)")
_SEPARATORS = frozenset(" -./")
_DEFAULT_WIDTH = 10
_DEFAULT_CAP = 90
_BELONGS = {"width": ("age_band",), "cap": ("age_band",), "chars": ("prefix",), "day_first": ("year", "month")}


class Generalise(Operator):
    """Replaces a value by a class that it belongs to. What is kept of it, by `to`:

    - `age_band`: the band, 37 becomes 30-39. Ages from `cap` on are one band, 90+, as HIPAA's safe harbor wants it
      (45 CFR 164.514(b)(2)(i)(C)). Words such as "years old" stay.
    - `prefix`: the first `chars` letters and digits and all separators; the rest becomes `*`: SW1A 1AA is SW1A ***.
    - `year`: the year of a date: 2024.
    - `month`: year and month of a date, as ISO 8601 writes them: 2024-10.
    - `domain`: the domain of an e-mail address: ***@example.com. One that belongs to one person tells who it is.

    Dates are those that `date_shift` reads. A value that does not fit is replaced by the entity's name in angle
    brackets.
    """

    to: Literal["age_band", "prefix", "year", "month", "domain"] = Field(description="The class to put instead.")
    width: int | None = Field(default=None, ge=2, le=50, description="Years of a band of `age_band`; 10 without it.")
    cap: int | None = Field(default=None, ge=2, le=120, description="Where the last band of `age_band` starts; 90.")
    chars: int | None = Field(default=None, ge=1, description="Letters and digits that `prefix` keeps.")
    day_first: bool | None = Field(
        default=None, description="Whether 05/10/2024 is 5 October; without it `month` replaces such a date."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        for name, kinds in _BELONGS.items():
            if getattr(self, name) is not None and self.to not in kinds:
                raise ValueError(f"`{name}` goes with {' or '.join(f'`to: {kind}`' for kind in kinds)}")
        if self.to == "prefix" and self.chars is None:
            raise ValueError("`to: prefix` needs `chars`")
        if ((self.cap or _DEFAULT_CAP) - 1) % (self.width or _DEFAULT_WIDTH) == 0:
            raise ValueError("with this `width` and `cap` the last band before `cap` is of one year")
        return self

    def operate(self, value: str, entity: str) -> str:
        """What `value` belongs to."""
        match self.to:
            case "age_band":
                made = self._age_band(value)
            case "prefix":
                made = self._prefix(value)
            case "domain":
                found = _EMAIL.fullmatch(value)
                made = f"***@{found[1]}" if found else None
            case "year":
                made = self._date(value, len("2024"))
            case "month":
                made = self._date(value, len("2024-10"))
        return f"<{entity}>" if made is None or made == value else made

    def _age_band(self, value: str) -> str | None:
        found = _AGE.fullmatch(value)
        age = int(found["age"]) if found else _OLDEST + 1
        if found is None or age > _OLDEST:
            return None
        width, cap = self.width or _DEFAULT_WIDTH, self.cap or _DEFAULT_CAP
        start = age - age % width
        band = f"{cap}+" if age >= cap else f"{start}-{min(start + width, cap) - 1}"
        return f"{found['before'] or ''}{band}{found['after'] or ''}"

    def _prefix(self, value: str) -> str | None:
        left = self.chars or 0
        out: list[str] = []
        for char in value:
            kept = char in _SEPARATORS or (left > 0 and char.isalnum())
            left -= char.isalnum()
            out.append(char if kept else "*")
        return "".join(out) if left < 0 else None

    def _date(self, value: str, length: int) -> str | None:
        # A date that can be read in two ways may still be of one year.
        made = {each.day.isoformat()[:length] for each in readings(value, self.day_first)}
        return made.pop() if len(made) == 1 else None
