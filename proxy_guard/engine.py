"""The sans-IO engine: a message goes in, requests for findings come out, and it ends in a verdict.

It never touches a clock, file, socket, loop or environment. It is asked twice: `refuse` on the head, before
the body is read, and `inspect` on the whole message. A driver answers each `Scrub` that `inspect` yields with
`Scrubbed`, each `Consult` with `Consulted`, or either with `Failed`, and never raises into it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from proxy_guard.codecs import UNNAMED, Codec, ContentType, Document, Limits
from proxy_guard.codecs.charset import known, read_content_type, with_charset
from proxy_guard.codecs.content_encoding import decode_content, encodings_of, longer_decoded
from proxy_guard.errors import Unreadable
from proxy_guard.locate.fields import Located, locate
from proxy_guard.locate.head import Head, locate_head
from proxy_guard.media_stage import MediaOutcome, scrubbed_media, uninspected
from proxy_guard.model import Failed, Headers, LocatedFinding, Message, Slot, Verdict
from proxy_guard.policy import Policy, decide
from proxy_guard.policy.decide import Decider, Forward, broken, compile_block_body
from proxy_guard.rules.compiled import Api, Match
from proxy_guard.signing import Signing, Unverified
from proxy_guard.stages import Answer, Wish, scrubbed
from proxy_guard.stream import STREAMED, stream_of, whole

__all__ = ["BROKEN", "advance", "failed", "inspect", "is_large", "refuse", "unanswered"]
BROKEN = broken()
"""The block for when the guard itself broke, put in place before it starts."""
_PROBLEM = compile_block_body(None)
_MEDIA, _STRINGS, _LONG = 1024 * 1024, 4096, 16 * 1024
"""Bytes of media that a message may have beside what else is inspected in the event loop: 2 ms; and what tells them."""
Inspection = Generator[Wish, Answer, Verdict]


def _decider(message: Message, match: Match) -> Decider:
    """Who decides on `message`, in the way of answering of the API that it met."""
    api = match.api
    acknowledgement = match.webhooks.acknowledgement if match.webhooks and match.policy.acknowledges else None
    body = api.block_body if api else _PROBLEM
    answering = api.answering_at(message.url) if api else None
    return Decider(message, match.policy, api.name if api else None, body, acknowledgement, answering)


def refuse(message: Message, match: Match, limits: Limits) -> Verdict | None:
    """A verdict that the head of a message is enough for; None where the body is needed. `body` is not read."""
    decider = _decider(message, match)
    if match.api is None:
        verdict = _without_api(match, decider)
        return verdict if verdict.action == "block" else None
    try:
        if match.signing and message.direction == "request":
            match.signing.look(message)
        _check_head(message, match.api, limits)
    except Unverified as error:
        verdict = decider.unverified(error.why)
        return verdict if verdict.action == "block" else None
    except Unreadable as error:
        if _verifies(message, match):
            # Only who is verified learns more, or is told that it was received: that takes the body.
            return _unverifiable(decider, limits) if error.cause == "too_large" else None
        verdict = decider.failed(error.cause, error.status, error.why)
        return verdict if verdict.action == "block" else None
    return None


def _without_api(match: Match, decider: Decider) -> Verdict:
    return decider.failed("undecodable", 400, match.unclear) if match.unclear else decider.unmatched()


def _verifies(message: Message, match: Match) -> bool:
    return message.direction == "request" and match.signing is not None and match.signing.verifies


def _unverifiable(decider: Decider, limits: Limits) -> Verdict:
    """The verdict on a body that is not there as a whole; no policy lets it pass unverified."""
    return decider.unverified(f"its body is larger than {limits.body} bytes", 413)


def advance(inspection: Inspection, answer: Answer | None = None) -> Wish | Verdict:
    """What an inspection asks next, given the answer to what it asked before; in the end its verdict."""
    try:
        return inspection.send(answer)  # type: ignore[arg-type]  # None starts it
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def is_large(message: Message, match: Match, limits: Limits) -> bool:
    """Whether there is so much to inspect in a message that it takes long; not where it is refused at sight."""
    size = len(message.body)
    if match.api is None or size > limits.body or not match.api.fields(message.direction):
        return False
    if size > limits.large:
        return size > limits.large + _MEDIA or size - _of_media(message.body) > limits.large
    if size > _FEW and message.body.count(b'"') > _MANY:
        return True
    named = [value for name, value in message.headers if name.lower() == "content-encoding"]
    return bool(named) and longer_decoded(limits.large, message.body, encodings_of(named))


def _of_media(body: bytes) -> int:
    """The bytes of `body` that are long strings without a space: base64, which takes no longer than to copy it."""
    if body.count(b'"') > _STRINGS:
        return 0
    return sum(len(each) for each in body.split(b'"') if len(each) > _LONG and b" " not in each)


_FEW = 16 * 1024
"""Bytes of a body that can't hold enough texts to take long."""
_MANY = 3000
"""Quotation marks of a body with so many short texts that they take as long as a long one."""


def failed(message: Message, match: Match, failure: Failed) -> Verdict:
    """The verdict on a message whose inspection did not come to its end."""
    decider = _decider(message, match)
    verdict = decider.failed(failure.cause, 503, failure.why)
    if verdict.action == "block" or match.signing is None or message.direction == "response":
        return verdict
    try:
        return match.signing.renewed(message, verdict, match.signing.verify(message))
    except Unverified as error:
        return decider.unverified(error.why)


def unanswered(match: Match | None, status: int, why: str) -> Verdict:
    """The answer to a request that got none, in the way of the API that it met."""
    return decide.unanswered(match.api.block_body if match and match.api else _PROBLEM, status, why)


def inspect(message: Message, match: Match, limits: Limits) -> Inspection:
    """The verdict on a whole message."""
    if match.signing and message.direction == "request":
        return (yield from _signed(message, match, match.signing, limits))
    return (yield from _unsigned(message, match, limits))


def _signed(message: Message, match: Match, signing: Signing, limits: Limits) -> Inspection:
    """The same for a request that is signed: only what is from whom it says to be is inspected at all."""
    decider = _decider(message, match)
    if signing.verifies and len(message.body) > limits.body:
        return _unverifiable(decider, limits)
    try:
        verified = signing.verify(message)
    except Unverified as error:
        return decider.unverified(error.why)
    verdict = yield from _unsigned(message, match, limits)
    if verdict.action == "block":
        return verdict
    try:
        return signing.renewed(message, verdict, verified)
    except Unverified as error:
        return decider.unsignable(error.why, verdict.findings)


def _unsigned(message: Message, match: Match, limits: Limits) -> Inspection:
    decider = _decider(message, match)
    if match.api is None:
        return _without_api(match, decider)
    if message.direction == "response" and match.api.untouched(message.headers):
        return decider.allow()
    if not message.body and not (match.api.head and message.direction == "request"):
        return decider.allow()
    try:
        return (yield from _inspect(message, match, match.api, limits, decider))
    except Unreadable as error:
        return decider.failed(error.cause, error.status, error.why)


def _inspect(message: Message, match: Match, api: Api, limits: Limits, decider: Decider) -> Inspection:
    stream = stream_of(message, api)
    if stream is not None:
        _, encodings = _check_head(message, api, limits)
        if len(message.body) > limits.body:
            raise _too_large(limits)
        return (yield from whole(message, decode_content(message.body, encodings, limits), match, stream, limits))
    read = _read(message, api, limits)
    decider.document = read.document.value
    _no_more_than(limits.strings, len(read.head.slots) + len(read.located.slots), "texts")
    media = read.located.media
    about_media = uninspected(media, match)
    findings: list[LocatedFinding] = []
    blocking: list[LocatedFinding] = []
    edits: list[tuple[Slot, str]] = []
    for policy, slots in _by_policy([*read.head.slots, *read.located.slots], match):
        outcome = yield from scrubbed(slots, policy, read.document.value, api.speaker, message.direction)
        if isinstance(outcome, Failed):
            return decider.failed(outcome.cause, 503, outcome.why)
        if outcome.rejected and not policy.observe:
            return decider.rejected(outcome.rejected, outcome.findings)
        findings += outcome.findings
        _no_more_than(limits.findings, len(findings), "findings")
        blocking += outcome.blocking
        if not policy.observe:
            # An operator may give back what it was given; that is no change.
            edits += [(slots[n], text) for n, text in outcome.texts.items() if text != slots[n].text]
    if blocking:
        return decider.found(blocking, findings)
    failed = yield from scrubbed_media(media, match, limits, about_media)
    if failed:
        return decider.failed(failed.cause, 503, failed.why)
    findings += about_media.findings
    if about_media.rejected:
        return decider.rejected(about_media.rejected, findings)
    passed = f"passed uninspected, unsupported_media: {about_media.passed}" if about_media.passed else ""
    if match.policy.observe:
        return decider.allow(findings, "would rewrite" if findings else passed)
    written = read.write(message, edits, about_media)
    if written is None:
        return decider.allow(findings, passed)
    reason = "rewritten" if edits or about_media.changed else "read in one of several ways, forwarded as read"
    return decider.rewrite(findings, reason, written)


def _no_more_than(most: int, number: int, what: str) -> None:
    if number > most:
        raise Unreadable(f"the message has more than {most} {what}", status=413, cause="too_large")


@dataclass(frozen=True, slots=True)
class _Read:
    """A message, read: what its head and its body hold. There is no codec where the body is not looked into."""

    head: Head
    located: Located
    document: Document
    codec: Codec | None = None
    scalar: list[Any] | None = None
    """Of a body that is one string or number: that, where it can be written."""

    def write(self, message: Message, edits: list[tuple[Slot, str]], media: MediaOutcome) -> Forward | None:
        """What is forwarded in place of the message; None where that goes on as it came."""
        own = {id(slot) for slot in self.head.slots}
        headers, url = self.head.write(message, [edit for edit in edits if id(edit[0]) in own])
        body = None
        in_body = [edit for edit in edits if id(edit[0]) not in own]
        changed = self.located.apply(in_body) | media.write()
        if self.codec and (changed or self.document.ambiguous):
            document = replace(self.document, value=self.scalar[0]) if self.scalar else self.document
            body, charset = self.codec.encode(document)
            headers = _naming(headers, charset) if charset else headers
        same = body is None and url is None and headers is message.headers
        return None if same else Forward(headers, body, url)


def _read(message: Message, api: Api, limits: Limits) -> _Read:
    content_type, encodings = _check_head(message, api, limits)
    if len(message.body) > limits.body:
        raise _too_large(limits)
    head = locate_head(api.head, message) if api.head and message.direction == "request" else _NO_HEAD
    fields = api.fields(message.direction)
    if not fields or not message.body:
        return _Read(head, Located([], [], []), _NO_BODY)
    body = decode_content(message.body, encodings, limits)
    codec = api.formats.codec(content_type, body)
    document = codec.decode(body, limits, content_type)
    if isinstance(document.value, dict | list):
        return _Read(head, locate(fields, document, limits), document, codec)
    if not fields.reads_all:
        raise Unreadable("the body is JSON, but no object or array, so that no field can be located in it")
    held = [document.value]
    return _Read(head, locate(fields, replace(document, value=held), limits), document, codec, held)


_NO_HEAD = Head()
_NO_BODY = Document({})


def _naming(headers: Headers, charset: str) -> Headers:
    """The headers, with another charset in the Content-Type."""
    return tuple(
        (name, with_charset(value, charset) if name.lower() == "content-type" else value) for name, value in headers
    )


def _by_policy(slots: list[Slot], match: Match) -> list[tuple[Policy, list[Slot]]]:
    """The slots of each policy: the route's, save where a field has its own."""
    if not match.policies:
        return [(match.policy, slots)] if slots else []
    groups: dict[str, tuple[Policy, list[Slot]]] = {}
    for slot in slots:
        policy = match.policies.get(slot.policy or "", match.policy)
        groups.setdefault(policy.name, (policy, []))[1].append(slot)
    return list(groups.values())


def _check_head(message: Message, api: Api, limits: Limits) -> tuple[ContentType, list[str]]:
    """What the head says of the body: its Content-Type and encodings.

    Raises Unreadable for what the head alone shows to be wrong.
    """
    if message.status == 206:
        raise Unreadable("a part of a body can't be judged", status=502)
    if len(message.headers) > limits.headers:
        why = f"the message has more than {limits.headers} header fields"
        raise Unreadable(why, status=431 if message.direction == "request" else 502, cause="too_large")
    if not api.fields(message.direction):
        return UNNAMED, []
    types: list[str] = []
    encodings: list[str] = []
    for name, value in message.headers:
        match name.lower():
            case "content-type":
                types.append(value)
            case "content-encoding":
                encodings.append(value)
            case "content-length" if value.isdecimal() and _more_than(value, limits.body):
                raise _too_large(limits)
            case "content-range" if message.direction == "request":
                raise Unreadable("a part of a body can't be judged")
    if message.direction == "request":
        _check_framing(message)
    if len(types) > 1:
        raise Unreadable("the message has more than one Content-Type", status=400)
    content_type = read_content_type(types[0]) if types else UNNAMED
    if types and stream_of(message, api) is None:
        _check_type(content_type, message, api)
        if content_type.charset:
            known(content_type.charset)
    return content_type, encodings_of(encodings) if encodings else []


def _check_framing(message: Message) -> None:
    """Raises Unreadable where two servers could see the end of the body at different places (RFC 9112 6.3)."""
    told = [(lower, value) for name, value in message.headers if (lower := name.lower()) in _FRAMING]
    if len(told) > 1 or any(name == "transfer-encoding" and value.lower() != "chunked" for name, value in told):
        raise Unreadable("where the body ends is not clear")


_FRAMING = frozenset({"content-length", "transfer-encoding"})


def _check_type(content_type: ContentType, message: Message, api: Api) -> None:
    """Raises Unreadable where nothing of the API description reads such a body."""
    try:
        api.formats.codec(content_type)
    except Unreadable:
        if message.direction == "request" or content_type.name not in STREAMED:
            raise
        why = f"API description '{api.name}' has no `stream` section for {content_type.name}"
        raise Unreadable(why, status=415) from None


def _more_than(digits: str, limit: int) -> bool:
    # A number of thousands of digits is not worth being read.
    return len(digits.lstrip("0")) > len(str(limit)) or int(digits or 0) > limit


def _too_large(limits: Limits) -> Unreadable:
    return Unreadable(f"the body is larger than {limits.body} bytes", status=413, cause="too_large")
