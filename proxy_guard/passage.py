"""A streamed reply under the guard: how its chunks pass, whatever the adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from proxy_guard import audit
from proxy_guard.engine import BROKEN
from proxy_guard.model import Headers, Message, Verdict
from proxy_guard.stages import Wish
from proxy_guard.stream import Passing, StreamInspection

log = audit.logger()


class Driver(Protocol):
    """Who answers what an inspection asks."""

    async def drive(self, passing: Passing, message: Message, size: int = 0, said: Wish | bytes | None = None) -> bytes:
        """What goes on of a stream, by asking whom its inspection wants to ask; `size` bytes of it are in hand."""
        ...

    def drive_at_once(self, passing: Passing, size: int) -> Wish | bytes | None:
        """The same as far as nobody has to be waited for."""
        ...


class Passage:
    """A streamed reply on its way through: chunks in, and out what is decided on. `verdict` once it has ended.

    After a block nothing more goes on: what was given last ends with the API's error event.
    """

    __slots__ = ("_begun", "_guard", "_head", "_inspection", "_seal", "headers", "verdict")

    def __init__(
        self, guard: Driver, inspection: StreamInspection, head: Message, seal: Callable[[Verdict, Message], Verdict]
    ) -> None:
        self._guard = guard
        self._inspection = inspection
        self._head = head
        self._seal = seal
        self._begun: tuple[Passing, int, Wish | bytes | None] | None = None
        self.headers: Headers = inspection.headers
        self.verdict: Verdict | None = None

    async def feed(self, *chunks: bytes, last: bool = False) -> bytes:
        """What goes on now that `chunks` have come, perhaps the `last` ones. Never raises for what is in them."""
        out = self.feed_at_once(*chunks, last=last)
        return await self.rest() if out is None else out

    def feed_at_once(self, *chunks: bytes, last: bool = False) -> bytes | None:
        """The same for who can't wait; None where somebody has to, for `rest`."""
        if self._ended:
            return b""
        try:
            size = self._inspection.waiting + sum(map(len, chunks))
            passing = self._passing(chunks, last=last)
            said = self._guard.drive_at_once(passing, size)
            if isinstance(said, bytes):
                return self._done(said)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the guard, the rest must not pass
            return self._broken(error)
        self._begun = passing, size, said
        return None

    async def rest(self) -> bytes:
        """What goes on of what `feed_at_once` has begun with."""
        assert self._begun is not None
        (passing, size, said), self._begun = self._begun, None
        try:
            return self._done(await self._guard.drive(passing, self._head, size, said))
        except Exception as error:  # noqa: BLE001 - likewise
            return self._broken(error)

    def _passing(self, chunks: Sequence[bytes], *, last: bool) -> Passing:
        out = yield from self._inspection.feed(*chunks)
        return out + (yield from self._inspection.close()) if last else out

    @property
    def _ended(self) -> bool:
        return self.verdict is not None and self.verdict.action == "block"

    def _done(self, out: bytes) -> bytes:
        if self._inspection.verdict is None or self.verdict is not None:
            return out
        self.verdict = self._seal(self._inspection.verdict, self._head)
        return out + self._inspection.error(self.verdict) if self._ended else out

    def _broken(self, error: Exception) -> bytes:
        self.verdict = BROKEN
        try:
            log.error("guard failed", error=type(error).__name__)
            self.verdict = self._seal(BROKEN, self._head)
            return self._inspection.error(self.verdict)
        except Exception:  # noqa: BLE001 - not even that can be told: the client sees that the end is missing
            return b""
