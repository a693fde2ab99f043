"""A WebSocket under the guard: its messages one by one, each direction in order, by the rules of what opened it.

Adapters give messages and get those that go on, and what there is to do when one may not: tell the client, close.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import anyio

from proxy_guard import audit
from proxy_guard.engine import BROKEN
from proxy_guard.model import Message, Verdict
from proxy_guard.stream.messages import Frame, MessageInspection, Taking

__all__ = ["Close", "Frame", "Lane", "Passed"]
log = audit.logger()
_LONGEST = 123
"""Bytes of the reason of a close, at most (RFC 6455 5.5)."""


class Close(NamedTuple):
    """How a connection ends: a status code of RFC 6455 7.4.1, and a reason without personal data."""

    code: int
    reason: str


class Passed(NamedTuple):
    """What comes of a message: what goes on in its direction, what the client is told, and whether that is the end."""

    frames: list[Frame]
    told: list[Frame]
    close: Close | None = None


class Lane:
    """One direction of one connection. Messages are taken one at a time, in order."""

    def __init__(
        self,
        inspection: MessageInspection,
        head: Message,
        drive: Callable[[Taking, Message, int], Awaitable[list[Frame]]],
        seal: Callable[[Verdict, Message], Verdict],
    ) -> None:
        """`drive` runs a step of an inspection, of that many bytes; `seal` takes note of a verdict."""
        self._inspection = inspection
        self._head = head
        self._drive = drive
        self._seal = seal
        self._lock = anyio.Lock()
        self._close: Close | None = None

    async def feed(self, frame: Frame) -> Passed:
        """What comes of a message of this direction. Never raises for what is in it."""
        return await self._step(self._inspection.take(frame), len(frame.data))

    async def end(self) -> Passed:
        """What was waiting, now that the connection ends."""
        return await self._step(self._inspection.end(), 0)

    async def _step(self, taking: Taking, size: int) -> Passed:
        async with self._lock:
            if self._close:
                return Passed([], [], self._close)
            # Whoever gives up waiting for a message leaves the inspection of it halfway: nothing may follow.
            self._close = _close_of(BROKEN)
            try:
                frames = await self._drive(taking, self._head, size)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the guard, no message may pass
                log.error("guard failed", error=type(error).__name__)
                verdict = self._seal(BROKEN, self._head)
                self._close = _close_of(verdict)
                return Passed([], [], self._close)
            told, self._close = self._judged()
            return Passed(frames, told, self._close)

    def _judged(self) -> tuple[list[Frame], Close | None]:
        inspection = self._inspection
        uninspected = inspection.verdict is not None and inspection.verdict.action != "block"
        verdict = inspection.report()
        if verdict.findings or verdict.reason:
            verdict = self._seal(verdict, self._head)
        if uninspected:
            inspection.resume()
        if verdict.action != "block":
            return [], None
        # Only an answer in the API's own shape is a message that its clients understand.
        told = [Frame(verdict.body)] if ("content-type", "application/json") in verdict.headers else []
        if inspection.drop():
            return told, None
        return told, _close_of(verdict)


def _close_of(verdict: Verdict) -> Close:
    status = verdict.status or 503
    code = 1009 if status == 413 else 1011 if status >= 500 else 1008
    reason = f"{verdict.reason or 'the guard failed'}; incident {verdict.incident}"
    return Close(code, reason.encode()[:_LONGEST].decode(errors="ignore"))
