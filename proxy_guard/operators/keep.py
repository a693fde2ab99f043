"""`keep`: leaves the value as it is."""

from __future__ import annotations

from typing import ClassVar

from proxy_guard.operators import Operator


class Keep(Operator):
    """Leaves a value alone. It does not shield other entities inside the value."""

    edits: ClassVar[bool] = False
