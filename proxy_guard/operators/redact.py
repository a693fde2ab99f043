"""`redact`: takes the value out and leaves nothing."""

from __future__ import annotations

from presidio_anonymizer.operators import Redact as PresidioRedact

from proxy_guard.operators import Operator

_PRESIDIO = PresidioRedact()


class Redact(Operator):
    """Removes a value."""

    def operate(self, value: str, entity: str) -> str:
        """The empty text."""
        redacted: str = _PRESIDIO.operate(value, {})
        return redacted
