"""What is done to a finding. An operator is its own settings, read and checked once from a policy file.

Each is found by its entry point in `proxy_guard.operators`, those of this package too.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Operator(BaseModel):
    """The base of all operators: settings as fields, checked at load, and one method that edits a value.

    `edits` is False for the two that decide rather than edit, `keep` and `block`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    edits: ClassVar[bool] = True

    def operate(self, value: str, entity: str) -> str:
        """The text that stands in place of `value`, which was found to be an `entity`."""
        raise NotImplementedError
