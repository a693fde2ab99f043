"""The guard: rules and scrubbers at hand, it drives the engine. The one place where the engine meets the world.

Adapters ask `open` once per exchange, on the request's head; what it gives answers for both directions.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import anyio
import anyio.to_thread

from proxy_guard import audit, engine, plugins, resources
from proxy_guard.codecs.content_encoding import encodings_of
from proxy_guard.codecs.unpacking import unpackable
from proxy_guard.consult import Consultant
from proxy_guard.errors import Late, Unavailable
from proxy_guard.exchange import Exchange
from proxy_guard.media.asked import MediaScrubbed, ScrubMedia
from proxy_guard.media_scrubber import MediaScrubber
from proxy_guard.model import (
    Consulted,
    Failed,
    Headers,
    Message,
    Screening,
    Scrub,
    Verdict,
)
from proxy_guard.policy import Policy
from proxy_guard.remote.scrubber import RemoteScrubber
from proxy_guard.rules.compiled import Match, Ruleset
from proxy_guard.rules.folder import unchanged
from proxy_guard.rules.load import load_rules
from proxy_guard.scrubbers import Screen, Scrubber, scrubbed_of
from proxy_guard.stages import Answer, Wish
from proxy_guard.stream import PackedInspection, StreamInspection, stream_of
from proxy_guard.stream.messages import MessageInspection
from proxy_guard.workers import WorkerDied, Workers, rule_texts, worker_pools

BROKEN = engine.BROKEN
log = audit.logger()


class Guard:
    """Inspects messages by a set of rules. Safe to share between tasks."""

    def __init__(
        self,
        rules: Ruleset,
        workers: Workers | None = None,
        media_workers: Workers | None = None,
        before: Guard | None = None,
    ) -> None:
        """Prepares the scrubbers and operators of every policy in use. Raises ProxyGuardError where one can't serve.

        `workers` inspect large messages, by the same rules, and `media_workers` scrub media; without them it is done in
        threads. Vaults of `before` that are as they were are taken over.
        """
        self._rules = rules
        self._source: tuple[Path, str | None] | None = None
        self._workers = workers
        self._running = 0
        self._scrubbers: dict[str, Scrubber] = {}
        for policy in rules.in_use:
            for name in policy.asked:
                if name not in self._scrubbers:
                    self._scrubbers[name] = self._scrubber(name)
                self._scrubbers[name].prepare(policy.wanted)
            for rule in policy.every_rule:
                rule.operator.prepare()

        self._consultant: Consultant = Consultant(rules, before._consultant if before else None)
        self.media = MediaScrubber(rules, media_workers, self._answer)

    def _scrubber(self, name: str) -> Scrubber:
        if name in self._rules.connections:
            return RemoteScrubber(self._rules.connections[name])
        scrubber: Scrubber = plugins.load("scrubbers", name)()
        return scrubber

    async def aclose(self, heir: Guard | None = None) -> None:
        """Closes what is held open in this event loop, save what `heir` took over; it is opened anew when needed."""
        for scrubber in self._scrubbers.values():
            await scrubber.aclose()
        await self._consultant.aclose(heir._consultant if heir else None)
        await self.media.aclose()
        if self._workers:
            await self._workers.aclose()

    @classmethod
    def from_rules(
        cls, rules: str | Path | None = None, *, policy: str | None = None, before: Guard | None = None
    ) -> Self:
        """A guard by the rule files of a folder; without one, by the shipped rules.

        `policy` takes that policy for all traffic. Raises RulesError with every mistake in the files, and
        MissingExtra where a policy needs a part that is not installed.
        """
        folder = Path(rules) if rules else resources.rules_dir()
        with unchanged(folder):
            loaded = load_rules(folder, policy)
            texts = rule_texts(folder)
        guard = cls(loaded, *worker_pools(texts, policy, loaded.limits), before)
        guard._source = folder, policy
        return guard

    def renewed(self) -> Guard:
        """A guard by the same folder as it is now, for adapters to put in the place of this one. Raises as that."""
        assert self._source is not None, "made by from_rules"
        return Guard.from_rules(self._source[0], policy=self._source[1], before=self)

    @property
    def body_limit(self) -> int:
        """Bytes of a body, at most; an adapter need not hold more than one byte beyond it."""
        return self._rules.limits.body

    @property
    def policies(self) -> list[str]:
        """The names of the policies in use."""
        return sorted(policy.name for policy in self._rules.in_use)

    def open(self, method: str, url: str, headers: Headers = ()) -> Exchange:
        """The exchange that a request begins; `headers` are the request's."""
        match = self._rules.match(method, url, headers)
        return Exchange(self, match, method, url, match.owner.of(headers) if match else ("", ""))

    async def inspect(self, message: Message) -> Verdict:
        """The verdict on one whole message. Never raises for what is in it."""
        exchange = self.open(message.method, message.url, message.headers if message.direction == "request" else ())
        if not exchange.concerns(message.direction):
            return Verdict("allow", message.headers, message.body, reason="no rule is about this message")
        verdict = await exchange.inspect(exchange.owned(message))
        if exchange.rewritten and verdict.action != "block" and verdict.url is None:
            return replace(verdict, url=exchange.rewritten)
        return verdict

    async def run(self, message: Message, match: Match) -> Verdict:
        """Drives the engine over one message, to its verdict; a block where it breaks."""
        if self._running >= self._rules.limits.in_flight:
            return engine.failed(message, match, Failed("unavailable", "too many messages are being inspected"))
        self._running += 1
        try:
            if engine.is_large(message, match, self._rules.limits):
                return await self._large(message, match)
            return await self._small(message, match)
        except WorkerDied as death:
            log.error("worker died", cause=str(death))
            return BROKEN
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the guard, the message must not pass
            log.error("guard failed", error=type(error).__name__)
            return BROKEN
        finally:
            self._running -= 1

    async def _small(self, message: Message, match: Match) -> Verdict:
        """The verdict, with nothing between the engine and the event loop."""
        inspection = engine.inspect(message, match, self._rules.limits)
        said = engine.advance(inspection)
        deadline = time.monotonic() + self._rules.limits.time
        within = True  # nobody else was asked yet: it can be begun again elsewhere
        while not isinstance(said, Verdict):
            if within and isinstance(said, Scrub) and self._workers and self._slow(said) and self._workers.ready():
                return await self._large(message, match)
            within = within and isinstance(said, Screening | Scrub) and said.scrubber not in self._rules.connections
            asked = time.monotonic()
            answer = await self._answer(message, said, deadline)
            if isinstance(said, ScrubMedia):  # each medium has a time of its own
                deadline += time.monotonic() - asked
            said = engine.advance(inspection, answer)
        return said

    def _slow(self, wish: Scrub) -> bool:
        scrubber = self._scrubbers[wish.scrubber]
        return scrubber.slow(scrubber.slots_of(wish), wish.wanted)

    async def _large(self, message: Message, match: Match) -> Verdict:
        """The same where it would hold up the event loop: in a worker process, or for want of one in threads."""
        if self._workers:
            verdict = await self._workers.inspect(message, match.key, partial(self._answer, message))
            return engine.failed(message, match, verdict) if isinstance(verdict, Failed) else verdict
        inspection = engine.inspect(message, match, self._rules.limits)
        said = await anyio.to_thread.run_sync(engine.advance, inspection)
        deadline = time.monotonic() + self._rules.limits.time
        while not isinstance(said, Verdict):
            answer = await self._answer(message, said, deadline)
            said = await anyio.to_thread.run_sync(engine.advance, inspection, answer)
        return said

    async def drive[T](
        self, passing: Generator[Wish, Answer, T], message: Message, size: int = 0, said: Wish | T | None = None
    ) -> T:
        """What goes on of a stream, by asking whom its inspection wants to ask; in threads if `size` is large.

        `said` is what `drive_at_once` has said of it.
        """
        deadline = 0.0
        if said is None:
            said = await self._stepped(passing, size)
        while isinstance(said, Wish):
            asked = time.monotonic()
            deadline = deadline or asked + self._rules.limits.time
            answer = await self._answer(message, said, deadline)
            if isinstance(said, ScrubMedia):  # each medium has a time of its own
                deadline += time.monotonic() - asked
            said = await self._stepped(passing, size, answer)
        return said

    async def _stepped[T](
        self, passing: Generator[Wish, Answer, T], size: int, answer: Answer | None = None
    ) -> Wish | T:
        if size > self._rules.limits.large:
            return await anyio.to_thread.run_sync(partial(_step, passing, answer))
        return _step(passing, answer)

    def drive_at_once[T](self, passing: Generator[Wish, Answer, T], size: int) -> Wish | T | None:
        """The same as far as nobody has to be waited for: what `drive` goes on with, or in the end what goes on."""
        if size > self._rules.limits.large:
            return None
        said = _step(passing)
        while isinstance(said, Wish):
            try:
                answer = self._answer_at_once(said)
            except Exception:  # noqa: BLE001 - `drive` asks again, and tells what is wrong
                return said
            if answer is None:
                return said
            said = _step(passing, answer)
        return said

    def _answer_at_once(self, wish: Wish) -> Answer | None:
        """The answer, where it takes a millisecond or so; None where it may take longer."""
        if isinstance(wish, Screening):
            return self._scrubbers[wish.scrubber].screened(wish)
        if not isinstance(wish, Scrub):
            return None
        scrubber = self._scrubbers[wish.scrubber]
        slots = scrubber.slots_of(wish)
        judgements = None if scrubber.slow(slots, wish.wanted) else scrubber.at_once(slots, wish.wanted)
        return None if judgements is None else scrubbed_of(wish, slots, judgements)

    def stream(self, head: Message, match: Match) -> StreamInspection | None:
        """The inspection of a reply that streams; None for one that does not, or can't be read as it passes."""
        api = match.api
        rule = stream_of(head, api) if api else None
        if rule is None:
            return None
        encodings = encodings_of([value for name, value in head.headers if name.lower() == "content-encoding"])
        if not encodings:
            return StreamInspection(head, match, rule, self._rules.limits, self._screen_of)
        if match.policy.observe or not unpackable(encodings):
            return None  # what is only looked at keeps its encoding
        return PackedInspection(head, match, rule, self._rules.limits, self._screen_of, encodings)

    def _screen_of(self, policy: Policy) -> Screen | None:
        return self._scrubbers[policy.scrubbers[0]].screen(policy.wanted)

    def messages(self, head: Message, match: Match) -> MessageInspection | None:
        """The inspection of the messages of a WebSocket in one direction; None where nothing in them is looked at."""
        return MessageInspection.of(head, match, self._rules.limits)

    def refuse(self, message: Message, match: Match) -> Verdict | None:
        """The engine's verdict on a head alone, if it has one."""
        return engine.refuse(message, match, self._rules.limits)

    async def _answer(self, message: Message, wish: Wish, deadline: float) -> Answer:
        """What the engine asked for, by `deadline` of the monotonic clock."""
        if isinstance(wish, Screening | Scrub):
            who, source = "scrubber", wish.scrubber
        elif isinstance(wish, ScrubMedia):
            who, source = "media scrubber", wish.policy
        else:
            who, source = "vault or lookup", ", ".join(sorted({ask.source for ask in wish.asks}))
        try:
            if (answer := self._answer_at_once(wish)) is not None:
                return answer
            assert not isinstance(wish, Screening)
            if isinstance(wish, ScrubMedia):
                return MediaScrubbed(await self.media.scrub(wish, message))
            with anyio.fail_after(max(0, deadline - time.monotonic())):
                if not isinstance(wish, Scrub):
                    return Consulted(await self._consultant.answers(wish.asks, message))
                scrubber = self._scrubbers[wish.scrubber]
                slots = scrubber.slots_of(wish)
                return scrubbed_of(wish, slots, await scrubber.scrub(slots, wish.wanted))
        except Unavailable as error:
            log.error(f"{who} failed", source=source, why=error.why)
            if isinstance(error, Late):
                return Failed("timeout", f"the {who} did not answer in time")
            return Failed("unavailable", f"the {who} failed")
        except TimeoutError:
            return Failed("timeout", f"the {who} did not answer within {self._rules.limits.time:g} s")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there, the message must not pass
            # The type only: an exception's own text may hold the message's.
            log.error(f"{who} failed", source=source, error=type(error).__name__)
            return Failed("unavailable", f"the {who} failed")


def _step[T](passing: Generator[Wish, Answer, T], answer: Answer | None = None) -> Wish | T:
    """What the inspection of a stream asks next, or in the end what goes on."""
    try:
        return passing.send(answer)  # type: ignore[arg-type]  # None starts it
    except StopIteration as end:
        done: T = end.value
        return done
