"""The inspection of the messages of one direction of a WebSocket. Sans-IO like the engine.

Messages leave in the order in which they came. Texts that stand by themselves are inspected as those of requests and
replies, those that go on from message to message as those of streamed replies: a message waits until all its texts are
decided on. One in which nothing changes leaves byte for byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple

from proxy_guard.codecs import Codec, Document, Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.codecs.text import TextCodec
from proxy_guard.errors import Unreadable
from proxy_guard.locate.fields import locate
from proxy_guard.locate.jsonpath import Query
from proxy_guard.model import Failed, Message, Verdict, unshown
from proxy_guard.policy.decide import Decider, Forward
from proxy_guard.rules.compiled import Match
from proxy_guard.rules.websockets import MessageRule
from proxy_guard.stages import Answer, Wish
from proxy_guard.stream.held import scrub_located
from proxy_guard.stream.running import Found
from proxy_guard.stream.texts import Texts
from proxy_guard.stream.waiting import Text, edits_of, write_back

_JSON = JsonCodec()
_TEXT = TextCodec()


@unshown
class Frame(NamedTuple):
    """One message of a WebSocket, whole: its payload, UTF-8 where it is `text`."""

    data: bytes
    text: bool = True


Taking = Generator[Wish, Answer, list[Frame]]


@dataclass(slots=True)
class _Waiting:
    """A message on its way. `texts` go on: where they stand in the texts that they are part of."""

    frame: Frame
    document: Document | None = None
    codec: Codec = _JSON
    texts: list[Text] = field(default_factory=list)
    echoes: list[tuple[Any, Any]] = field(default_factory=list, repr=False)
    edited: bool = False

    @property
    def ready(self) -> bool:
        return all(each.end <= each.running.decided for each in self.texts)


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
        self._direction = head.direction
        self._match = match
        self._limits = limits
        self._rule = rule
        self._decider = Decider(head, match.policy, match.api.name, match.api.block_body)
        self._observe = match.policy.observe
        self._queue: deque[_Waiting] = deque()
        self._found = Found(observe=self._observe)
        self._texts = Texts(match, limits, self._found)
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
        failed = yield from self._texts.decide(final=True)
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
        verdict = replace(verdict, more=dict(found.more))
        found.clear()
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
        self._texts.clear()

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
        if self._rule.text and waiting.frame.data.lstrip()[:1] not in (b"{", b"["):
            waiting.codec = _TEXT
        document = waiting.codec.decode(waiting.frame.data, self._limits)
        if not isinstance(document.value, dict | list):
            raise Unreadable("a message holds no object, so that no field can be located in it")
        rule = self._rule.of(document.value)
        located = locate(rule.fields, document, self._limits)
        waiting.document, waiting.echoes = document, located.echoes
        own = [slot for slot in located.slots if slot.rule not in rule.running]
        outcome = yield from scrub_located(located, own, self._match, document.value, self._direction, self._limits)
        if isinstance(outcome, Failed):
            return outcome
        waiting.edited = self._found.take(outcome)
        if self._found.ends:
            return None
        self._alone = not (rule.running or rule.ends)
        self._queue.append(waiting)
        pieces = [(rule.running[slot.rule], slot) for slot in located.slots if slot.rule in rule.running]
        taken = self._texts.take(pieces, document.value)
        waiting.texts += chain.from_iterable(taken.values())
        failed = yield from self._texts.outrun(list(taken))
        if failed or self._found.ends:
            return failed
        ended = self._texts.of([_lane(document.value, keys) for keys in rule.ends])
        failed = yield from self._texts.finish(ended)
        self._texts.forget(ended)
        if failed or self._found.ends:
            return failed
        return (yield from self._texts.decide())

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
        edits = edits_of(waiting.texts)
        write_back(edits, document.value)
        waiting.edited |= bool(edits)
        if not (waiting.edited or document.ambiguous):
            return waiting.frame
        self._changed = True
        for holder, key in waiting.echoes if waiting.edited else ():
            holder[key] = None
        return Frame(waiting.codec.encode(document)[0], waiting.frame.text)


def _lane(document: Any, keys: Sequence[Query]) -> tuple[Any, ...]:
    """The keys of the texts that a message ends."""
    return tuple(next((value for value, *_ in key(document)), None) for key in keys)
