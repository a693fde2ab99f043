"""A way to the vendors, and what they received by it."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.e2e.servers import Server

_BLOCKED = re.compile(r"event='block'")


class Received(NamedTuple):
    """A request as it came: its path, and head and body as bytes."""

    path: str
    raw: bytes

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\n\n")[2]


@dataclass(frozen=True)
class Door:
    """`url` masks, `blocking` blocks; without a guard both are the vendors' own."""

    url: str
    blocking: str
    guard: Server
    vendors: Server

    def received(self) -> list[Received]:
        """The requests that came to the vendors since this was asked last."""
        with urllib.request.urlopen(f"{self.vendors.url}/_received", timeout=10) as reply:
            found: list[Any] = json.load(reply)
        return [Received(each["path"], base64.b64decode(each["raw"])) for each in found]

    def blocks(self) -> int:
        """How many messages the guard has blocked."""
        return len(_BLOCKED.findall(self.guard.printed()))
