"""Findings of texts seen before: chat clients send the whole conversation again with every turn.

Kept are spans, never text; texts are told apart by a keyed hash whose key lives and dies with the process. The
oldest are dropped first, so that what is kept stays under a number of bytes.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict

from proxy_guard.model import Finding

_ENTRY_BYTES = 300
_FINDING_BYTES = 200
"""What an entry and a finding take in memory, on the large side."""


class FindingsCache:
    """Texts to their findings, bounded in bytes, least recently used first out. Safe between threads."""

    def __init__(self, size: int) -> None:
        """`size` in bytes; 0 keeps nothing."""
        self._size = size
        self._used = 0
        self._key = secrets.token_bytes(32)
        self._entries: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def key_of(self, text: str) -> bytes:
        """What a text is known by; useless to who lacks the process's key."""
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()

    def get(self, key: bytes) -> tuple[Finding, ...] | None:
        """The findings of a text, or None where it is not known."""
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, key: bytes, findings: list[Finding]) -> None:
        """Keeps the findings of a text."""
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = tuple(findings)
            self._used += _cost(findings)
            while self._used > self._size and self._entries:
                _, dropped = self._entries.popitem(last=False)
                self._used -= _cost(dropped)

    def __len__(self) -> int:
        return len(self._entries)


def _cost(findings: list[Finding] | tuple[Finding, ...]) -> int:
    return _ENTRY_BYTES + _FINDING_BYTES * len(findings)
