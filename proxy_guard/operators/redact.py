"""`redact`: takes the value out and leaves nothing."""

from __future__ import annotations

from typing import ClassVar

from proxy_guard.operators import PresidioOperator


class Redact(PresidioOperator):
    """Removes a value."""

    theirs: ClassVar[str] = "Redact"

    def operate(self, value: str, entity: str) -> str:
        """The empty text."""
        return self._operated(value, {})
