"""The inspection of the messages of one direction of a WebSocket. Sans-IO like the engine.

Messages leave in the order in which they came. Texts that stand by themselves are inspected as those of requests and
replies, those that go on from message to message as those of streamed replies: a message waits until all its texts are
decided on. One in which nothing changes leaves byte for byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proxy_guard.codecs import Document, Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Unreadable
from proxy_guard.locate.fields import Located, locate
from proxy_guard.locate.jsonpath import Query
from proxy_guard.model import Failed, LocatedFinding, Message, Slot, Verdict
from proxy_guard.policy import Policy
from proxy_guard.policy.decide import Decider, Forward
from proxy_guard.rules.compiled import Match
from proxy_guard.rules.websockets import MessageRule, MessageType, RunningField
from proxy_guard.stages import Answer, Wish, scrubbed
from proxy_guard.stream.held import Held
from proxy_guard.stream.inspection import in_pieces
from proxy_guard.stream.running import Found, Running

_JSON = JsonCodec()
_MOST_POSITIONS = 1024


class Frame(NamedTuple):
    """One message of a WebSocket, whole: its payload, UTF-8 where it is `text`."""

    data: bytes
    text: bool = True


Taking = Generator[Wish, Answer, list[Frame]]
Position = tuple[str, tuple[Any, ...]]


@dataclass(slots=True)
class _Waiting:
    """A message on its way. `texts` go on: where they stand in the texts that they are part of."""

    frame: Frame
    document: Document | None = None
    texts: list[tuple[Running, Slot, int, int]] = field(default_factory=list)
    echoes: list[tuple[Any, Any]] = field(default_factory=list)
    edited: bool = False

    @property
    def ready(self) -> bool:
        return all(end <= running.decided for running, _, _, end in self.texts)


class MessageInspection:
    """One direction of one connection.

    `verdict` is there when a message may not pass, or when some passed uninspected; then either `drop` or `resume`, or
    nothing more is taken.
    """

    @classmethod
    def of(cls, head: Message, match: Match, limits: Limits) -> MessageInspection | None:
        """The inspection for the direction of `head`; None where no rule is about its messages."""
        section = match.api.websocket if match.api else None
        if section is None:
            return None
        rule = section.request if head.direction == "request" else section.response
        if not any(len(each.fields) for each in (rule.others, *rule.types.values())):
            return None
        return cls(head, match, limits, rule)

    def __init__(self, head: Message, match: Match, limits: Limits, rule: MessageRule) -> None:
        """`head` is of what opened the connection, in that direction."""
        assert match.api is not None
        self.verdict: Verdict | None = None
        self._match = match
        self._limits = limits
        self._rule = rule
        self._decider = Decider(head, match.policy, match.api.name, match.api.block_body)
        self._observe = match.policy.observe
        self._queue: deque[_Waiting] = deque()
        self._positions: dict[Position, Running] = {}
        self._tools: dict[tuple[Any, ...], str] = {}
        self._found = Found(observe=self._observe)
        self._changed = False
        self._alone = True
        """Whether what is decided on is a message by itself, not a text that goes on."""

    def take(self, frame: Frame) -> Taking:
        """What goes on now that a message has come."""
        self._alone = True
        waiting = _Waiting(frame)
        try:
            if self._legible(frame):
                failed = yield from self._read(waiting)
            else:
                self._queue.append(waiting)
                failed = None
            return self._passed(failed)
        except Unreadable as error:
            return self._stopped(self._decider.failed(error.cause, error.status, error.why), waiting)

    def end(self) -> Taking:
        """What waits, now that nothing more comes."""
        self._alone = False
        failed = yield from self._decide(list(self._positions.values()), final=True)
        return self._passed(failed)

    def report(self) -> Verdict:
        """What was found since it was last asked."""
        found, findings = self._found, list(self._found.findings)
        verdict = self.verdict
        if verdict is None and found.blocking:
            verdict = self._decider.found(found.blocking, findings)
        elif verdict is None and self._changed:
            verdict = self._decider.rewrite(findings, "rewritten", Forward((), b"", None))
        elif verdict is None:
            verdict = self._decider.allow(findings, "would rewrite" if findings and self._observe else "")
        found.findings.clear()
        found.blocking.clear()
        found.rejected = ""
        self._changed = False
        return verdict

    def drop(self) -> bool:
        """Goes on without the message that is blocked, where the policy has that and it is no part of a longer text."""
        if self._match.policy.drops and self._alone:
            self.verdict = None
            return True
        return False

    def resume(self) -> None:
        """Goes on after messages that the policy lets pass uninspected."""
        self.verdict = None
        self._positions.clear()

    def _legible(self, frame: Frame) -> bool:
        """Whether a message is to be read; raises Unreadable where it can't be, and may not pass."""
        if len(frame.data) > self._limits.body:
            why = f"a message is larger than {self._limits.body} bytes"
            raise Unreadable(why, status=413, cause="too_large")
        if not frame.text and not self._rule.binary:
            if not self._match.policy.passes("unsupported_media"):
                raise Unreadable("a binary message can't be inspected", status=415, cause="unsupported_media")
            return False
        return frame.data.strip() not in self._rule.marks

    def _read(self, waiting: _Waiting) -> Generator[Wish, Answer, Failed | None]:
        document = _JSON.decode(waiting.frame.data, self._limits)
        if not isinstance(document.value, dict | list):
            raise Unreadable("a message holds no object, so that no field can be located in it")
        rule = self._rule.of(document.value)
        located = locate(rule.fields, document, self._limits)
        if located.media and not self._match.policy.passes("unsupported_media"):
            raise Unreadable(f"media can't be inspected ({located.media[0]})", status=415, cause="unsupported_media")
        waiting.document, waiting.echoes = document, located.echoes
        failed = yield from self._scrub(waiting, located, rule, document)
        if failed or self._found.ends:
            return failed
        self._alone = not (rule.running or rule.ends)
        self._queue.append(waiting)
        outrun = self._add(waiting, [slot for slot in located.slots if slot.rule in rule.running], rule, document.value)
        failed = yield from self._decide(outrun, final=True)
        if failed or self._found.ends:
            return failed
        failed = yield from self._finish([_lane(document.value, keys) for keys in rule.ends])
        if failed or self._found.ends:
            return failed
        return (yield from self._decide([running for running, *_ in waiting.texts], final=False))

    def _scrub(
        self, waiting: _Waiting, located: Located, rule: MessageType, document: Document
    ) -> Generator[Wish, Answer, Failed | None]:
        """Scrubs the texts that stand by themselves."""
        groups: dict[str, tuple[Policy, list[Slot]]] = {}
        for slot in located.slots:
            if slot.rule not in rule.running:
                policy = self._match.policies.get(slot.policy or "", self._match.policy)
                groups.setdefault(policy.name, (policy, []))[1].append(slot)
        edits: list[tuple[Slot, str]] = []
        blocking: list[LocatedFinding] = []
        speaker = self._match.api.speaker if self._match.api else ""
        for policy, slots in groups.values():
            outcome = yield from scrubbed(slots, policy, document.value, speaker, slots[0].direction)
            if isinstance(outcome, Failed):
                return outcome
            self._found.findings += outcome.findings
            blocking += outcome.blocking
            if not policy.observe:
                self._found.rejected = self._found.rejected or outcome.rejected
                edits += [(slots[n], text) for n, text in outcome.texts.items() if text != slots[n].text]
        self._found.blocking += blocking
        waiting.edited = not self._found.ends and located.apply(edits)
        return None

    def _add(self, waiting: _Waiting, slots: list[Slot], rule: MessageType, document: Any) -> list[Running]:
        """Takes the texts that go on. Gives those that end thereby: what else was said in the same place before."""
        here: set[Position] = set()
        for slot in slots:
            running = rule.running[slot.rule]
            keys = tuple(key.of(document, slot.path) for key in running.keys)
            if running.kind == "tool":
                self._tools[keys] = slot.text
                continue
            position = (slot.rule, keys)
            text = self._positions.get(position) or self._begun(position, running, slot)
            start = text.length
            text.add(slot.text)
            waiting.texts.append((text, slot, start, text.length))
            here.add(position)
        lanes = {keys[:1] for _, keys in here}
        return [
            text
            for position, text in self._positions.items()
            if position not in here and position[1][:1] in lanes and text.decided < text.length
        ]

    def _begun(self, position: Position, running: RunningField, slot: Slot) -> Running:
        if len(self._positions) >= _MOST_POSITIONS:  # a connection lasts: what is decided on need not be gone on with
            for each in [each for each, text in self._positions.items() if text.decided == text.length]:
                del self._positions[each]
        if len(self._positions) >= _MOST_POSITIONS:
            why = f"more than {_MOST_POSITIONS} texts go on at once"
            raise Unreadable(why, status=413, cause="too_large")
        policy = self._match.policies.get(slot.policy or "", self._match.policy)
        text: Running
        if running.kind == "json":
            text = Held(slot, policy, self._found, self._limits, tool=self._tools.pop(position[1], ""))
        elif in_pieces(policy):
            text = Running(slot, policy, self._limits.stream_hold, self._found)
        else:
            text = Held(slot, policy, self._found, self._limits)
        self._positions[position] = text
        return text

    def _finish(self, lanes: list[tuple[Any, ...]]) -> Generator[Wish, Answer, Failed | None]:
        """Decides on all there is of the texts whose keys begin with one of `lanes`; they end."""
        ended = [each for each in self._positions if any(each[1][: len(lane)] == lane for lane in lanes)]
        failed = yield from self._decide([self._positions[each] for each in ended], final=True)
        for each in ended:
            del self._positions[each]
        return failed

    def _decide(self, some: list[Running], *, final: bool) -> Generator[Wish, Answer, Failed | None]:
        for text in some:
            failed = yield from text.decide(final=final)
            if failed or self._found.ends:
                return failed
        return None

    def _passed(self, failed: Failed | None) -> list[Frame]:
        """Lets go of the messages at the front that are decided on; sees whether there is a verdict."""
        out = self._emitted()
        if sum(len(each.frame.data) for each in self._queue) > self._limits.body:
            raise Unreadable(f"more than {self._limits.body} bytes wait", status=413, cause="too_large")
        if failed:
            return out + self._stopped(self._decider.failed(failed.cause, 503, failed.why))
        if self._found.ends:
            found = self._found
            self.verdict = (
                self._decider.found(found.blocking, found.findings)
                if found.blocking
                else self._decider.rejected(found.rejected, found.findings)
            )
        return out

    def _stopped(self, verdict: Verdict, last: _Waiting | None = None) -> list[Frame]:
        """The verdict on what can't be inspected; where the policy lets that pass, all that waits does."""
        self.verdict = verdict
        if verdict.action == "block":
            return []
        out = [each.frame for each in self._queue if each is not last]
        self._queue.clear()
        return [*out, last.frame] if last else out

    def _emitted(self) -> list[Frame]:
        out: list[Frame] = []
        while self._queue and (self._observe or self._queue[0].ready):
            out.append(self._written(self._queue.popleft()))
        return out

    def _written(self, waiting: _Waiting) -> Frame:
        document = waiting.document
        if document is None or self._observe:
            return waiting.frame
        for running, slot, start, end in waiting.texts:
            new = running.rendered(start, end, slot.text)
            if new != slot.text:
                slot.holder[slot.key] = new
                waiting.edited = True
        if not (waiting.edited or document.ambiguous):
            return waiting.frame
        self._changed = True
        for holder, key in waiting.echoes if waiting.edited else ():
            holder[key] = None
        return Frame(_JSON.encode(document)[0], waiting.frame.text)


def _lane(document: Any, keys: Sequence[Query]) -> tuple[Any, ...]:
    """The keys of the texts that a message ends."""
    return tuple(next((value for value, *_ in key(document)), None) for key in keys)
