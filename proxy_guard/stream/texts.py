"""The texts of one stream that go on from event to event, or from message to message: what each event adds to them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from proxy_guard.codecs import Limits
from proxy_guard.errors import Unreadable
from proxy_guard.model import Failed, Path, Slot
from proxy_guard.policy import Policy
from proxy_guard.rules.compiled import Match
from proxy_guard.rules.streams import Lane
from proxy_guard.scrubbers import Screen
from proxy_guard.stages import Answer, Wish
from proxy_guard.stream.held import Held
from proxy_guard.stream.running import Found, Running
from proxy_guard.stream.waiting import Position, Text, position_of

_MOST = 1024
"""Texts that go on at once."""
Deciding = Generator[Wish, Answer, Failed | None]


class Texts:
    """Texts by their positions. What is found in them goes to `found`.

    `kept` keeps what they become, for where they are told again; `screen_of` gives a policy's screen.
    """

    def __init__(
        self,
        match: Match,
        limits: Limits,
        found: Found,
        *,
        kept: bool = False,
        screen_of: Callable[[Policy], Screen | None] = lambda _: None,
    ) -> None:
        self._match = match
        self._limits = limits
        self._found = found
        self._kept = kept
        self._screen_of = screen_of
        self._running: dict[Position, Running] = {}
        self._tools: dict[tuple[Any, ...], str] = {}

    def __len__(self) -> int:
        return len(self._running)

    def __getitem__(self, position: Position) -> Running:
        return self._running[position]

    def clear(self) -> None:
        """Forgets all of them."""
        self._running.clear()

    def take(self, pieces: Iterable[tuple[Lane, Slot]], document: Any) -> dict[Position, list[Text]]:
        """Takes the pieces of an event, and tells what they are part of. Raises Unreadable if there are too many."""
        taken: dict[Position, list[Text]] = {}
        for lane, slot in pieces:
            position = position_of(lane, slot, document)
            if lane.kind == "tool":
                if len(self._tools) >= _MOST:
                    raise Unreadable(f"more than {_MOST} calls go on at once", status=413, cause="too_large")
                self._tools[position[1]] = slot.text
                continue
            if position not in self._running:
                self._running[position] = self._begun(lane, slot, position[1])
            taken.setdefault(position, []).append(self.add(position, slot.path, slot.text))
        return taken

    def add(self, position: Position, path: Path, text: str) -> Text:
        """Takes a piece of a text that has begun."""
        running = self._running[position]
        start = running.length
        running.add(text)
        return Text(running, path, text, start, running.length)

    def _begun(self, lane: Lane, slot: Slot, keys: tuple[Any, ...]) -> Running:
        if len(self._running) >= _MOST and not self._kept:  # what is decided on need not be gone on with
            for each in [each for each, running in self._running.items() if running.decided == running.length]:
                del self._running[each]
        if len(self._running) >= _MOST:
            raise Unreadable(f"more than {_MOST} texts go on at once", status=413, cause="too_large")
        policy = self._match.policies.get(slot.policy or "", self._match.policy)
        if lane.kind == "json":
            tool = self._tools.pop(keys, "")
            return Held(slot, policy, self._found, self._limits, tool=tool, kept=self._kept)
        if not in_pieces(policy):
            return Held(slot, policy, self._found, self._limits, kept=self._kept)
        bound, screen = self._limits.stream_hold, self._screen_of(policy)
        return Running(slot, policy, bound, self._found, kept=self._kept, screen=screen)

    def decide(self, *, final: bool = False) -> Deciding:
        """Decides what can be of all texts; with `final`, all there is."""
        return (yield from self._decide(list(self._running.values()), final=final))

    def outrun(self, here: Sequence[Position]) -> Deciding:
        """Ends the texts in whose place others are said: those that share the first key of one `here`."""
        if len(self._running) == len(here):
            return None
        lanes = {keys[:1] for _, keys in here}
        ended = [
            running
            for position, running in self._running.items()
            if position not in here
            and position[1][:1] in lanes
            and running.decided < running.length
            and not (isinstance(running, Held) and running.json)  # calls of tools may take turns
        ]
        return (yield from self._decide(ended, final=True))

    def of(self, lanes: Sequence[tuple[Any, ...]]) -> list[Position]:
        """Those whose keys begin with one of `lanes`."""
        return [each for each in self._running if any(each[1][: len(lane)] == lane for lane in lanes)]

    def finish(self, some: Iterable[Position]) -> Deciding:
        """Decides on all there is of these."""
        return (yield from self._decide([self._running[each] for each in some], final=True))

    def forget(self, some: Iterable[Position]) -> None:
        """Lets go of these, which have ended."""
        for each in some:
            del self._running[each]

    def _decide(self, some: Iterable[Running], *, final: bool) -> Deciding:
        for running in some:
            if not final and running.advance():
                continue
            failed = yield from running.decide(final=final)
            if failed or self._found.ends:
                return failed
        return None


def in_pieces(policy: Policy) -> bool:
    """Whether a text can be decided on piece by piece under a policy: where the local scrubber alone finds."""
    return policy.scrubbers == ("local",)
