"""Scrubbers turn slots into findings. A third party adds one as an entry point in `proxy_guard.scrubbers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from proxy_guard.model import Finding, Slot, Wanted


class Scrubber(Protocol):
    """One way to find sensitive data in texts.

    An instance serves all messages of a process. Whatever it raises in `scrub` is taken as a failure, on which
    the policy's `on_error` decides; it never lets a message pass.
    """

    def prepare(self, wanted: Wanted) -> None:
        """Called at load for every policy that names this scrubber: load models, compile patterns.

        Raises ProxyGuardError where it can't serve that policy.
        """
        ...

    async def scrub(self, slots: Sequence[Slot], wanted: Wanted) -> list[list[Finding]]:
        """The findings of each slot's text, in the same order; spans in code points."""
        ...
