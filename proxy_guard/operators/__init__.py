"""What is done to a finding. An operator is its own settings, read and checked once from a policy file.

Each is found by its entry point in `proxy_guard.operators`, those of this package too.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from proxy_guard.model import Ask


class Operator(BaseModel):
    """The base of all operators: settings as fields, checked at load, and one method that edits a value.

    `edits` is False for the two that decide rather than edit, `keep` and `block`; `asks` is True for those whose result
    comes from outside.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    edits: ClassVar[bool] = True
    asks: ClassVar[bool] = False

    def prepare(self) -> None:
        """Called at load where a policy in use has this operator: import and build what the first value would need."""

    def ask(self, value: str, entity: str) -> Ask | None:
        """What has to be asked for outside: the answer then stands in place of `value`, and `operate` is not used."""
        return None

    def operate(self, value: str, entity: str) -> str:
        """The text that stands in place of `value`, which was found to be an `entity`."""
        raise NotImplementedError


class PresidioOperator(Operator):
    """An operator whose work is done by one of Presidio's, the class `theirs`."""

    theirs: ClassVar[str]

    def prepare(self) -> None:
        """Imports Presidio."""
        _presidio(self.theirs)

    def _operated(self, value: str, params: dict[str, Any]) -> str:
        edited: str = _presidio(self.theirs).operate(value, params)
        return edited


@cache
def _presidio(name: str) -> Any:
    # Imports spaCy by the way, which takes a second: rules are read and checked without it.
    from presidio_anonymizer import operators  # noqa: PLC0415

    return getattr(operators, name)()
