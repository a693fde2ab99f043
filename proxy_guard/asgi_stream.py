"""A streamed reply of an ASGI application on its way to the client.

While few replies stream, each chunk is decided on when it comes. A decision and a write cost as much as many chunks,
though: where many replies stream, each takes strides, so that the chunks which come meanwhile are decided on together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from proxy_guard.passage import Passage

_A_REPLY, _LONGEST = 0.0005, 0.03
"""Seconds by which each reply that streams lengthens the strides of all, and the longest stride."""
_MOST = 64 * 1024
"""Bytes that wait for the end of a stride."""


class Strides:
    """How long those replies that stream right now wait from one decision to the next: next to nothing if few do."""

    def __init__(self) -> None:
        self.replies = 0

    @property
    def seconds(self) -> float:
        """The length of a stride."""
        return min(self.replies * _A_REPLY, _LONGEST)


class StreamedReply:
    """One reply. `send` is given what goes on, and whether more may follow; nothing after that."""

    def __init__(self, passage: Passage, strides: Strides, send: Callable[[bytes, bool], Awaitable[None]]) -> None:
        self._passage = passage
        self._send = send
        self._strides = strides
        self._strides.replies += 1
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # a server on another kind of loop: there are no strides
        self._waiting: list[bytes] = []
        self._size = 0
        self._decided = float("-inf")
        self._turn = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    async def take(self, chunk: bytes, *, more: bool) -> None:
        """Takes a chunk of the application's. Raises what `send` raised for one before it."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()
        if self._ended:
            return
        self._waiting.append(chunk)
        self._size += len(chunk)
        if not (more and self._size < _MOST and self._later()):
            await self._decide(last=not more)

    def close(self) -> None:
        """The application has said all that it will."""
        self._strides.replies -= 1
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self._task.cancel() and not self._task.cancelled():
            self._task.exception()  # the application is gone: there is no one to tell

    def _later(self) -> bool:
        """Whether the stride is not over; what waits is decided on when it is."""
        if self._loop is None:
            return False
        left = self._decided + self._strides.seconds - self._loop.time()
        if left > 0 and self._timer is None:
            self._timer = self._loop.call_later(left, self._wake)
        return left > 0

    def _wake(self) -> None:
        self._timer = None
        if self._waiting and self._task is None and self._loop is not None:
            self._task = self._loop.create_task(self._decide(last=False))

    async def _decide(self, *, last: bool) -> None:
        async with self._turn:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            chunks, self._waiting, self._size = self._waiting, [], 0
            if self._ended or not (chunks or last):
                return
            out = await self._passage.feed(*chunks, last=last)
            verdict = self._passage.verdict
            self._ended = last or (verdict is not None and verdict.action == "block")
            if out or self._ended:
                await self._send(out, not self._ended)
            if self._loop is not None and self._strides.replies > 1:
                self._decided = self._loop.time()
