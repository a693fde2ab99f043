"""The inspection of one streamed reply: bytes go in as they come, and out as soon as they are decided on.

Events leave in the order in which they came, each once all text in it is decided on; an event in which nothing
changes leaves byte for byte. So what is held is whole events, as many as undecided text spans. Sans-IO: `feed` and
`close` are generators of wishes like `engine.inspect`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import replace
from itertools import chain
from typing import Any

from proxy_guard.codecs import Document, Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Cause, Unreadable
from proxy_guard.locate.fields import Located, locate
from proxy_guard.model import Failed, Message, Path, Slot, Verdict
from proxy_guard.policy import Policy, headers
from proxy_guard.policy.decide import Decider, Forward
from proxy_guard.rules.compiled import Match
from proxy_guard.rules.streams import EventRule, StreamRule
from proxy_guard.scrubbers import Screen
from proxy_guard.stages import Answer, Wish
from proxy_guard.stream.formats import FRAMERS
from proxy_guard.stream.framing import Event, Framer
from proxy_guard.stream.held import scrub_located
from proxy_guard.stream.running import Found, Running
from proxy_guard.stream.shape import Shapes
from proxy_guard.stream.texts import Texts
from proxy_guard.stream.waiting import Position, Waiting, edits_of, position_of, write_back

Passing = Generator[Wish, Answer, bytes]
_JSON = JsonCodec()
About = tuple[Position, Path, EventRule]
"""What is known of the one text in events of a shape: what it is part of, where it stands, and their rule."""


class StreamInspection:
    """One reply that streams. `verdict` is there once it has ended, by itself or by a block."""

    def __init__(
        self,
        head: Message,
        match: Match,
        rule: StreamRule,
        limits: Limits,
        screen_of: Callable[[Policy], Screen | None] = lambda _: None,
    ) -> None:
        """`rule` is of `match.api`. `head` is the reply without its body. `screen_of` gives a policy's screen."""
        assert match.api is not None
        self.verdict: Verdict | None = None
        self.headers = head.headers if match.policy.observe else headers.without_body(head.headers)
        self._headers = head.headers
        self._rule = rule
        self._match = match
        self._limits = limits
        body = match.api.block_body
        told = (body[0], rule.block_body or body[1])
        self._decider, self._teller = (
            Decider(head, match.policy, match.api.name, each, answering=match.api.answering_at(head.url))
            for each in (body, told)
        )
        self._told = b""
        self._framer: Framer = FRAMERS[self._rule.format](limits)
        self._incoming: deque[Event] = deque()
        self._queue: deque[Waiting] = deque()
        self._held = 0
        self._begun = False
        self._shapes: Shapes[About] = Shapes()
        self._known: dict[tuple[str | None, str], str] = {}
        """Texts that have ended, and what they became."""
        self._observe = match.policy.observe
        self._found = Found(observe=self._observe)
        self._texts = Texts(match, limits, self._found, kept=rule.repeats, screen_of=screen_of)
        self._changed = False
        self._edited = False
        self._uninspected = False

    @property
    def waiting(self) -> int:
        """Bytes that have come and not gone on."""
        return self._held + self._framer.waiting

    def feed(self, *chunks: bytes) -> Passing:
        """What goes on to the client now that `chunks` have come; nothing after a block."""
        if self._uninspected:
            return b"".join(chunks)
        if self.verdict:
            return b""
        running: Running | None = None
        for number, chunk in enumerate(chunks):
            running = self._swift(chunk)
            if running is None:
                return (yield from self._passed(b"".join(chunks[number:]), final=False))
        if running is None:
            return b""
        if self._held <= self._limits.body and running.advance():
            return b"".join(self._emitted())
        return (yield from self._passed(b"", final=False))

    def close(self) -> Passing:
        """What goes on to the client now that the reply has ended. There is a verdict then."""
        out = b""
        if not (self._uninspected or self.verdict):
            out = yield from self._passed(b"", final=True)
        if self.verdict is None:
            findings = self._found.findings
            observed = "would rewrite" if findings and self._observe else ""
            if self._found.blocking:
                self.verdict = self._decider.found(self._found.blocking, findings)
            elif self._changed:
                self.verdict = self._decider.rewrite(findings, "rewritten", Forward(self._headers, b"", None))
            else:
                self.verdict = self._decider.allow(findings, observed)
            self.verdict = replace(self.verdict, more=dict(self._found.more))
        return out

    def whole(self, out: bytes) -> Verdict:
        """The verdict with what went on to the client in all, once it has ended."""
        assert self.verdict is not None
        if self.verdict.action != "rewrite":
            return self.verdict
        whole = self._decider.rewrite(self.verdict.findings, self.verdict.reason, Forward(self._headers, out, None))
        return replace(whole, more=self.verdict.more)

    def error(self, verdict: Verdict) -> bytes:
        """The event that tells the client of a block."""
        data = self._told or verdict.body
        return self._framer.error(self._rule.error, data, f"incident {verdict.incident}", begun=self._begun)

    def _swift(self, chunk: bytes) -> Running | None:
        """Takes a chunk that is one event of a known shape, as most are. Gives the text that goes on in it."""
        if len(self._texts) != 1 or not self._framer.idle:
            return None
        known = self._shapes.framed(chunk)
        if known is None:
            return None
        data, (position, path, rule), text = known
        waiting = Waiting(Event(chunk, data), rule=rule, read=True)
        self._queue.append(waiting)
        self._held += len(chunk)
        waiting.texts.append(self._texts.add(position, path, text))
        return self._texts[position]

    def _passed(self, chunk: bytes, *, final: bool) -> Passing:
        out: list[bytes] = []
        try:
            self._incoming += self._framer.close() if final else self._framer.feed(chunk)
            failed = yield from self._taken(final=final)
            out += self._emitted()
            if self._held > self._limits.body:
                raise Unreadable(f"more than {self._limits.body} bytes wait", status=413, cause="too_large")
            if failed:
                self._fail(failed.cause, 503, failed.why, out)
        except Unreadable as error:
            out += self._emitted()
            self._fail(error.cause, error.status, error.why, out)
        if self._found.ends:
            self._conclude(self._ending)
        return b"".join(out)

    def _ending(self, decider: Decider) -> Verdict:
        found = self._found
        if found.blocking:
            return decider.found(found.blocking, found.findings)
        return decider.rejected(found.rejected, found.findings)

    def _conclude(self, decide: Callable[[Decider], Verdict]) -> Verdict:
        """The verdict, and how the client is told of it amid the stream."""
        self.verdict = replace(decide(self._decider), more=dict(self._found.more))
        self._told = decide(self._teller).body
        return self.verdict

    def _fail(self, cause: Cause, status: int, why: str, out: list[bytes]) -> None:
        """The stream ends, or where the policy has that, passes uninspected from here on."""
        verdict = self._conclude(lambda decider: decider.failed(cause, status, why))
        if verdict.action != "block":
            self._uninspected = True
            out += [each.event.raw for each in self._queue]
            out += [event.raw for event in self._incoming]
            out.append(self._framer.rest())

    def _taken(self, *, final: bool) -> Generator[Wish, Answer, Failed | None]:
        """Reads what has come, and decides what can be."""
        while self._incoming:
            waiting = Waiting(self._incoming.popleft())
            self._queue.append(waiting)
            self._held += len(waiting.event.raw)
            failed = yield from self._read(waiting)
            if failed or self._found.ends:
                return failed
            waiting.read = True
        return (yield from self._texts.decide(final=final))

    def _read(self, waiting: Waiting) -> Generator[Wish, Answer, Failed | None]:
        """Takes the texts of an event, and ends those that it ends."""
        data = waiting.event.data
        if data is None or waiting.event.name in self._rule.plain:
            return None
        if data.strip() in self._rule.marks:
            return (yield from self._finish([()]))
        known = self._shapes.find(data, waiting.event.name)
        if known:
            (position, path, waiting.rule), text = known
            waiting.texts.append(self._texts.add(position, path, text))
            return (yield from self._texts.outrun([position]))
        waiting.document = document = _JSON.decode(data, self._limits)
        if not isinstance(document.value, dict | list):
            raise Unreadable("an event of the stream holds no object, so that no field can be located in it")
        self._decider.document = self._teller.document = document.value
        waiting.edited = waiting.event.more
        waiting.rule = rule = self._rule.event(document.value, waiting.event.name)
        lanes = [lane for end in rule.ends for lane in end.lanes(document.value)]
        if lanes and not rule.lanes:  # what ends here may be told again here
            failed = yield from self._finish(lanes)
            if failed or self._found.ends:
                return failed
        replies = [node for query in self._rule.replies for node in query(document.value)]
        located = locate(rule.fields, document, self._limits, self._known, replies)
        waiting.echoes = located.echoes
        if rule.lanes:
            failed = yield from self._run_on(waiting, document, located.slots, lanes)
            if failed or self._found.ends:
                return failed
        failed = yield from self._inspect(waiting, document, located, [node[0] for node in replies])
        if not (failed or lanes or replies):
            self._learn(waiting, document, located)
        return failed

    def _run_on(
        self, waiting: Waiting, document: Document, slots: list[Slot], lanes: list[tuple[Any, ...]]
    ) -> Generator[Wish, Answer, Failed | None]:
        """Takes those texts of an event that go on with others, and ends those that it ends."""
        assert waiting.rule is not None
        pieces = [(waiting.rule.lanes[slot.rule], slot) for slot in slots if slot.rule in waiting.rule.lanes]
        taken = self._texts.take(pieces, document.value)
        waiting.texts += chain.from_iterable(taken.values())
        failed = yield from self._texts.outrun(list(taken))
        if failed or not lanes:
            return failed
        return (yield from self._finish(lanes))

    def _inspect(
        self, waiting: Waiting, document: Document, located: Located, replies: list[Any]
    ) -> Generator[Wish, Answer, Failed | None]:
        """Scrubs the texts that an event holds whole, and the replies in it."""
        assert waiting.rule is not None
        own = [slot for slot in located.slots if slot.rule not in waiting.rule.lanes]
        parts = [(located, own, document.value)] if own or located.known or located.media else []
        for reply in replies:
            if isinstance(reply, dict):
                inner = locate(self._rule.reply, Document(reply, exact=document.exact), self._limits, self._known)
                parts.append((inner, inner.slots, reply))
        for part in parts:
            outcome = yield from scrub_located(part[0], part[1], self._match, part[2], "response", self._limits)
            if isinstance(outcome, Failed):
                return outcome
            waiting.edited |= self._found.take(outcome)
        return None

    def _learn(self, waiting: Waiting, document: Document, located: Located) -> None:
        """Sees what the event has in common with one before it that brought more of the same text."""
        event, rule = waiting.event, waiting.rule
        others = [slot for slot in located.slots if rule and slot.rule not in rule.lanes]
        if rule is None or len(located.slots) != len(others) + 1 or len(waiting.texts) != 1:
            return
        if waiting.edited or document.ambiguous or located.echoes or located.known or located.media or rule.spelled:
            return
        (slot,) = (slot for slot in located.slots if slot.rule in rule.lanes)
        if slot.path[-1] in self._rule.compared or not all(other.unreached for other in others):
            return
        about = position_of(rule.lanes[slot.rule], slot, document.value), slot.path, rule
        texts = [other.text for other in others]

        def reading(marked: str) -> str | None:
            return self._alike(_JSON.decode_text(marked, self._limits).value, event.name, about, texts)

        self._shapes.learn(event, about, reading)

    def _alike(self, document: Any, name: str, about: About, others: list[str]) -> str | None:
        """The text of an event, if it is as another one in all but that: `about` that text, and with these others."""
        position, path, rule = about
        if self._rule.event(document, name) is not rule:
            return None
        if any(end.lanes(document) for end in rule.ends) or any(query(document) for query in self._rule.replies):
            return None
        slots = locate(rule.fields, Document(document), self._limits).slots
        texts = [slot for slot in slots if slot.rule in rule.lanes]
        if len(texts) != 1 or [slot.text for slot in slots if slot is not texts[0]] != others:
            return None
        (slot,) = texts
        if slot.path != path or position_of(rule.lanes[slot.rule], slot, document) != position:
            return None
        return slot.text

    def _finish(self, lanes: list[tuple[Any, ...]]) -> Generator[Wish, Answer, Failed | None]:
        """Decides on all there is of the texts whose keys begin with one of `lanes`."""
        ended = self._texts.of(lanes)
        failed = yield from self._texts.finish(ended)
        if self._rule.repeats and not (failed or self._found.ends):
            self._known.update(told for each in ended if (told := self._texts[each].ended()))
        return failed

    def _emitted(self) -> list[bytes]:
        """The events at the front that are decided on; they are let go of."""
        out: list[bytes] = []
        while self._queue and (self._queue[0].ready or (self._observe and self._queue[0].read)):
            waiting = self._queue.popleft()
            self._held -= len(waiting.event.raw)
            self._begun = True
            out.append(self._written(waiting))
        return out

    def _written(self, waiting: Waiting) -> bytes:
        event, document = waiting.event, waiting.document
        if self._observe or event.data is None:
            return event.raw
        edits = edits_of(waiting.texts)
        waiting.edited |= bool(edits)
        self._edited |= waiting.edited
        if edits and document is None:
            document = _JSON.decode(event.data, self._limits)
        if document is None:
            return event.raw
        write_back(edits, document.value)
        if self._edited and waiting.rule:
            waiting.edited |= self._silence(waiting.rule, document)
        if not (waiting.edited or document.ambiguous):
            return event.raw
        self._changed = True
        for holder, key in waiting.echoes if waiting.edited else ():
            holder[key] = None
        return self._framer.written(event, _JSON.encode(document)[0])

    def _silence(self, rule: EventRule, document: Document) -> bool:
        """Makes null what spells the texts of all events so far; whether there is any."""
        told = [node for query in rule.spelled for node in query(document.value) if node[0]]
        for _, _, holder, key in told:
            holder[key] = None
        return bool(told)
