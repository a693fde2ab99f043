"""The remote scrubber: a Security API judges the texts and media of a message."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import partial
from itertools import batched
from typing import Any, final

import anyio

from proxy_guard.locate.jsonpath import normalized
from proxy_guard.model import Judgement, Slot, Wanted
from proxy_guard.remote import edits
from proxy_guard.remote.client import Client, at_leisure
from proxy_guard.remote.connection import Connection
from proxy_guard.remote.mapping import Item
from proxy_guard.remote.wire import Observe
from proxy_guard.scrubbers import Scrubber


@final
class RemoteScrubber(Scrubber):
    """Asks one connection: in one call for a message where the API takes several items, else side by side."""

    def __init__(self, connection: Connection, observe: Observe | None = None) -> None:
        assert connection.judge is not None
        self._client = Client(connection, observe)
        self._connection = connection
        self._judge = connection.judge
        self._batch = connection.settings.batch
        self._asked: dict[Wanted, dict[str, Any]] = {}

    def prepare(self, wanted: Wanted) -> None:
        """Keeps what the API is told of a policy, and has at hand what it may order."""
        if self._judge.takes_orders:
            edits.prepare()
        self._asked[wanted] = {
            "language": wanted.language,
            "entities": None if wanted.entities is None else sorted(wanted.entities),
            "min_score": wanted.min_score,
        }

    async def scrub(self, slots: Sequence[Slot], wanted: Wanted) -> list[Judgement]:
        """The API's judgement of each slot. Raises Unavailable."""
        items = [
            Item(str(number), slot.text, path=normalized(slot.path), direction=slot.direction)
            for number, slot in enumerate(slots)
            if slot.text and not slot.text.isspace()
        ]
        judged: list[Judgement] = [[] for _ in slots]
        for item, judgement in zip(items, await self.judge(items, wanted), strict=True):
            judged[int(item.id)] = judgement
        return judged

    async def judge(self, items: Sequence[Item], wanted: Wanted) -> list[Judgement]:
        """The API's judgement of each item. Raises Unavailable."""
        if wanted not in self._asked:
            self.prepare(wanted)
        if not items:
            return []
        asked = self._asked[wanted]
        chunks = [list(chunk) for chunk in batched(items, self._batch)]
        if len(chunks) == 1:  # the usual case needs no tasks
            return await self._ask(chunks[0], asked)
        answers: list[list[Judgement]] = [[] for _ in chunks]

        async def ask(index: int, chunk: list[Item]) -> None:
            answers[index] = await self._ask(chunk, asked)

        try:
            async with anyio.create_task_group() as group:
                for index, chunk in enumerate(chunks):
                    group.start_soon(ask, index, chunk)
        except ExceptionGroup as errors:
            raise _first(errors) from None
        return [judgement for answer in answers for judgement in answer]

    async def _ask(self, items: list[Item], asked: dict[str, Any]) -> list[Judgement]:
        connection = self._connection
        large = sum(len(each.data) for each in items if each.data is not None) > _LARGE
        values = await at_leisure(partial(request_values, connection, items, asked), large)
        if connection.before:
            values["before"] = await self._client.call(connection.before, values, _as_it_is)
        settings = connection.settings
        seconds = settings.timeout if all(each.data is None for each in items) else settings.media_timeout
        return await self._client.call(connection.main, values, partial(self._judge, items=items), seconds, large=large)

    async def aclose(self) -> None:
        """Closes the connections of this event loop."""
        await self._client.aclose()


_LARGE = 128 * 1024
"""Bytes of media in one request from which on it takes milliseconds to write it, and to read the reply."""


def request_values(connection: Connection, items: Sequence[Item], asked: dict[str, Any]) -> dict[str, Any]:
    """What the placeholders of a request stand for."""
    told = [{**asked, **_told(item)} for item in items]
    values = {**asked, "count": len(items), "direction": items[0].direction}
    if connection.item:
        values["items"] = [connection.item(each) for each in told]
    return told[0] | values if len(told) == 1 else values


def _told(item: Item) -> dict[str, Any]:
    medium = item.data is not None
    return {
        "id": item.id,
        "kind": "media" if medium else "text",
        "media_type": item.media_type,
        "path": item.path,
        "direction": item.direction,
        "text": None if medium else item.text,
        "base64": base64.b64encode(item.data).decode() if item.data is not None else None,
    }


def _as_it_is(reply: Any) -> Any:
    return reply


def _first(errors: BaseExceptionGroup) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
