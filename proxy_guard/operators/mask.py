"""`mask`: hides characters and keeps the length."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from proxy_guard.operators import PresidioOperator


class Mask(PresidioOperator):
    """Hides all of a value, all but its first and last characters, or a number of them from one end.

    Positions are code points of the found text, separators included. A value too short to keep what is asked
    is hidden whole.
    """

    theirs: ClassVar[str] = "Mask"
    char: str = Field(default="*", min_length=1, max_length=1, description="The character to mask with.")
    keep_first: int = Field(default=0, ge=0, description="Characters left readable at the start.")
    keep_last: int = Field(default=0, ge=0, description="Characters left readable at the end.")
    chars: int | None = Field(default=None, ge=1, description="How many characters to mask, at most.")
    from_: Literal["start", "end"] = Field(default="start", alias="from", description="Where `chars` counts from.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.chars is not None and (self.keep_first or self.keep_last):
            raise ValueError("say either `chars` or `keep_first`/`keep_last`, not both")
        return self

    def operate(self, value: str, entity: str) -> str:
        """`value` with its characters hidden."""
        if self.chars is not None:
            return self._masked(value, self.chars, from_end=self.from_ == "end")
        if self.keep_first + self.keep_last >= len(value):
            return self._masked(value, len(value))
        end = len(value) - self.keep_last
        hidden = self._masked(value[self.keep_first : end], end - self.keep_first)
        return value[: self.keep_first] + hidden + value[end:]

    def _masked(self, value: str, chars: int, *, from_end: bool = False) -> str:
        params = {"masking_char": self.char, "chars_to_mask": chars, "from_end": from_end}
        return self._operated(value, params)
