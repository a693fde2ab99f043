"""`replace`: puts a fixed text in place of the value."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from proxy_guard.operators import PresidioOperator


class Replace(PresidioOperator):
    """Replaces a value by `with`; without it, by the entity's name in angle brackets."""

    theirs: ClassVar[str] = "Replace"
    with_: str | None = Field(default=None, alias="with", min_length=1, description="The text to put instead.")

    def operate(self, value: str, entity: str) -> str:
        """The new text, whatever `value` is."""
        return self._operated(value, {"new_value": self.with_, "entity_type": entity})
