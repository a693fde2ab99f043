"""Scrubbers turn slots into findings, or rewrite or reject them.

A third party adds one as an entry point in `proxy_guard.scrubbers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from proxy_guard.model import Judgement, Rejected, Rewritten, Screened, Screening, Scrub, Scrubbed, Slot, Wanted

Screen = Callable[..., bool]
"""True only where nothing is to be found in any of its texts (`*str`), whatever they follow."""


class Scrubber(ABC):
    """One way to find sensitive data in texts.

    An instance serves all messages of a process. Whatever it raises while it scrubs is taken as a failure, on
    which the policy's `on_error` decides; it never lets a message pass.
    """

    joins: ClassVar[bool] = False
    """Whether it gets the joints of slots too, as slots of their own after the others; only findings count there."""

    def slots_of(self, wish: Scrub) -> list[Slot]:
        """What it is asked of a wish: the slots, and the joints if it gets them."""
        return [*wish.slots, *wish.joints] if self.joins else wish.slots

    def prepare(self, wanted: Wanted) -> None:  # noqa: B027 - most have nothing to prepare
        """Called at load for every policy that names this scrubber: load models, compile patterns.

        Raises ProxyGuardError where it can't serve that policy.
        """

    def slow(self, slots: Sequence[Slot], wanted: Wanted) -> bool:
        """Whether `scrub` may hold the interpreter so long that the message is better inspected by a worker process."""
        return False

    def at_once(self, slots: Sequence[Slot], wanted: Wanted) -> Sequence[Judgement] | None:
        """The answer of `scrub`, where it takes less than a millisecond or so; None where it may take longer."""
        return None

    def screen(self, wanted: Wanted) -> Screen | None:
        """A test of a few microseconds that spares asking for each piece of a text that streams; None without one."""
        return None

    def screened(self, wish: Screening) -> Screened:
        """What its screen says of the texts of a wish."""
        screen = self.screen(wish.wanted)
        return Screened(screen is not None and screen(*wish.texts))

    @abstractmethod
    async def scrub(self, slots: Sequence[Slot], wanted: Wanted) -> Sequence[Judgement]:
        """What there is in each slot's text, in the same order; spans in code points.

        It is cancelled when the time for a message is over (`limits.time`).
        """

    async def aclose(self) -> None:  # noqa: B027 - most hold nothing
        """Called when the guard is closed: let go of connections that this event loop has."""


def scrubbed_of(wish: Scrub, slots: Sequence[Slot], judgements: Sequence[Judgement]) -> Scrubbed:
    """The answer to a wish, of the judgements on its `slots_of`. Raises ValueError where they can't be about these."""
    for slot, judgement in zip(slots, judgements, strict=True):
        if judgement == [] or isinstance(judgement, Rejected):
            continue
        for each in judgement.findings if isinstance(judgement, Rewritten) else judgement:
            if not (0 <= each.start < each.end <= len(slot.text) and 0 <= each.score <= 1):
                raise ValueError
    count = len(wish.slots)
    return Scrubbed(judgements[:count], [each for each in judgements[count:] if isinstance(each, list)])
