"""The time by which pseudonyms expire."""

from __future__ import annotations

import time


class SteadyClock:
    """Seconds since 1970, as the system's clock said at first and counted evenly from there.

    A clock that is set wrong while the guard runs would otherwise make live pseudonyms expire, and be erased.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        """Now."""
        return time.monotonic() + self._offset
