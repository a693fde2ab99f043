"""Media seen before: a picture in a chat is sent again with every turn.

Kept is what may go on, never what came; media are told apart by a keyed hash whose key lives and dies with the process.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import replace

from proxy_guard.media import Redacted
from proxy_guard.media.asked import Refused

_ENTRY_BYTES = 1000
_FINDING_BYTES = 300
"""What an entry and a finding take in memory, on the large side."""


class MediaCache:
    """Media to what they became, bounded in bytes, least recently used first out. For one event loop."""

    def __init__(self, size: int) -> None:
        """`size` in bytes; 0 keeps nothing."""
        self._size = size
        self._used = 0
        self._key = secrets.token_bytes(32)
        self._entries: OrderedDict[bytes, Redacted | Refused] = OrderedDict()

    def key_of(self, data: bytes, *scope: str) -> bytes:
        """What a medium is known by under a policy and whatever else decides on it."""
        hashed = hashlib.blake2b(key=self._key, digest_size=32)
        for each in scope:
            part = each.encode("utf-8", "surrogatepass")
            hashed.update(len(part).to_bytes(8) + part)
        hashed.update(data)
        return hashed.digest()

    def get(self, key: bytes, data: bytes) -> Redacted | Refused | None:
        """What became of the medium `data`, or None where it is not known."""
        known = self._entries.get(key)
        if known is None:
            return None
        self._entries.move_to_end(key)
        return known if isinstance(known, Refused) or known.changed else replace(known, data=data)

    def put(self, key: bytes, result: Redacted | Refused) -> None:
        """Keeps what became of a medium; of one that did not change, only that."""
        if isinstance(result, Redacted) and not result.changed:
            result = replace(result, data=b"")
        if key in self._entries or _cost(result) > self._size:
            return
        self._entries[key] = result
        self._used += _cost(result)
        while self._used > self._size:
            _, dropped = self._entries.popitem(last=False)
            self._used -= _cost(dropped)

    def __len__(self) -> int:
        return len(self._entries)


def _cost(result: Redacted | Refused) -> int:
    if isinstance(result, Refused):
        return _ENTRY_BYTES
    return _ENTRY_BYTES + len(result.data) + _FINDING_BYTES * len(result.findings)
