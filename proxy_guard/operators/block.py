"""`block`: the message that holds such a value does not pass."""

from __future__ import annotations

from typing import ClassVar

from proxy_guard.operators import Operator


class Block(Operator):
    """Blocks the whole message, with the status and message of the policy's `block`."""

    edits: ClassVar[bool] = False
