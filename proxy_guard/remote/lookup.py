"""Endpoints that tell the real value behind a reference, and those that are given one to keep."""

from __future__ import annotations

import time
from typing import Any, final

from proxy_guard.errors import NotFound
from proxy_guard.remote.client import Client
from proxy_guard.remote.connection import Connection
from proxy_guard.remote.wire import Observe

_MOST_KEPT = 10_000


@final
class Lookup:
    """A connection of kind lookup. Values are kept for `cache` seconds, and by default not at all."""

    def __init__(self, connection: Connection, observe: Observe | None = None) -> None:
        assert connection.value is not None
        self._client = Client(connection, observe)
        self._connection = connection
        self._read = connection.value
        self._seconds = connection.settings.cache
        self._kept: dict[str, tuple[float, str]] = {}

    async def value(self, reference: str) -> str:
        """The value. Raises Unavailable, and NotFound where the endpoint knows none."""
        if reference in ("", ".", "..") or not reference.isprintable():  # in a path these would mean another place
            raise NotFound("a reference that is none")
        kept = self._kept.get(reference) if self._seconds else None
        if kept and time.monotonic() < kept[0]:
            return kept[1]
        value = await self._client.call(self._connection.main, {"reference": reference}, self._read)
        if value is None:
            raise NotFound(f"the reply of {self._connection.name} has no value at {self._at}")
        if self._seconds:
            self._keep(reference, value)
        return value

    @property
    def _at(self) -> str:
        return self._connection.settings.reply.value or ""

    def _keep(self, reference: str, value: str) -> None:
        now = time.monotonic()
        self._kept.pop(reference, None)  # the order is that of ages
        self._kept[reference] = (now + self._seconds, value)
        for old in list(self._kept):
            if self._kept[old][0] > now and len(self._kept) <= _MOST_KEPT:
                break
            del self._kept[old]

    async def aclose(self) -> None:
        """Closes the connections of this event loop."""
        await self._client.aclose()


@final
class Store:
    """A connection of kind store."""

    def __init__(self, connection: Connection, observe: Observe | None = None) -> None:
        self._client = Client(connection, observe)
        self._connection = connection

    async def put(self, reference: str, entity: str, value: str) -> None:
        """Gives `value` to the endpoint; it has it when this returns. Raises Unavailable."""
        values = {"reference": reference, "entity": entity, "value": value}
        await self._client.call(self._connection.main, values, _nothing)

    async def aclose(self) -> None:
        """Closes the connections of this event loop."""
        await self._client.aclose()


def _nothing(reply: Any) -> None:
    return None
