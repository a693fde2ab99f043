"""The inspection of a streamed reply whose Content-Encoding is still on: it is taken off as the reply comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy_guard.codecs import Limits
from proxy_guard.codecs.unpacking import Unpacking
from proxy_guard.errors import Unreadable
from proxy_guard.model import Message
from proxy_guard.policy import Policy
from proxy_guard.rules.compiled import Match
from proxy_guard.rules.streams import StreamRule
from proxy_guard.scrubbers import Screen
from proxy_guard.stream.inspection import Passing, StreamInspection


class PackedInspection(StreamInspection):
    """What goes on is without the encodings, which are `unpackable`."""

    def __init__(
        self,
        head: Message,
        match: Match,
        rule: StreamRule,
        limits: Limits,
        screen_of: Callable[[Policy], Screen | None],
        encodings: Sequence[str],
    ) -> None:
        super().__init__(head, match, rule, limits, screen_of)
        self._unpacking = Unpacking(encodings, limits)

    def feed(self, *chunks: bytes) -> Passing:
        """What goes on to the client now that `chunks` have come; nothing after a block."""
        if self.verdict and not self._uninspected:
            return b""
        try:
            chunk = self._unpacking.feed(b"".join(chunks))
        except Unreadable as error:
            return self._undone(error)
        return (yield from super().feed(chunk))

    def close(self) -> Passing:
        """What goes on to the client now that the reply has ended. There is a verdict then."""
        out = b""
        if self.verdict is None:
            try:
                self._unpacking.close()
            except Unreadable as error:
                out = self._undone(error)
        return out + (yield from super().close())

    def _undone(self, error: Unreadable) -> bytes:
        """What is left to go on. What an encoding is still on can't, whatever the policy."""
        out: list[bytes] = []
        if self.verdict is None:
            self._fail(error.cause, error.status, error.why, out)
        return b"".join(out)
