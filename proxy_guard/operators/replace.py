"""`replace`: puts a fixed text in place of the value."""

from __future__ import annotations

from presidio_anonymizer.operators import Replace as PresidioReplace
from pydantic import Field

from proxy_guard.operators import Operator

_PRESIDIO = PresidioReplace()


class Replace(Operator):
    """Replaces a value by `with`; without it, by the entity's name in angle brackets."""

    with_: str | None = Field(default=None, alias="with", min_length=1, description="The text to put instead.")

    def operate(self, value: str, entity: str) -> str:
        """The new text, whatever `value` is."""
        replaced: str = _PRESIDIO.operate(value, {"new_value": self.with_, "entity_type": entity})
        return replaced
