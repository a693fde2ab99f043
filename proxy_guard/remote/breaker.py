"""A circuit breaker: an API that keeps failing is left alone, and tried with one call at a time until it is well.

The libraries for asyncio that were looked at (purgatory, aiobreaker, circuitbreaker) let every waiting call
through at once when the time of recovery is over.
"""

from __future__ import annotations

import time

from proxy_guard.errors import Unavailable


class CircuitBreaker:
    """closed: calls pass. open: none does. half-open: one is on trial, and the others fail at once."""

    __slots__ = ("_failures", "_open_until", "_recovery", "_threshold", "_trying")

    def __init__(self, threshold: int, recovery: float) -> None:
        self._threshold = threshold
        self._recovery = recovery
        self._failures = 0
        self._open_until = 0.0
        self._trying = False

    @property
    def state(self) -> str:
        """closed, open or half-open."""
        if self._failures < self._threshold:
            return "closed"
        return "half-open" if self._trying or time.monotonic() >= self._open_until else "open"

    def enter(self) -> bool:
        """Before a call: whether it is the one on trial. Raises Unavailable where it may not be made."""
        if self._failures < self._threshold:
            return False
        if self._trying or time.monotonic() < self._open_until:
            raise Unavailable("it failed again and again, and is left alone for a while", counts=False)
        self._trying = True
        return True

    def success(self) -> None:
        """After a call that the API answered."""
        self._failures = 0
        self._trying = False

    def failure(self) -> None:
        """After a call that it did not."""
        self._failures += 1
        self._trying = False
        if self._failures >= self._threshold:
            self._open_until = time.monotonic() + self._recovery
