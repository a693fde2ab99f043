"""The only place that turns findings and failures into a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from proxy_guard.errors import Cause
from proxy_guard.model import Action, Direction, Headers, LocatedFinding, Message, Verdict, unshown
from proxy_guard.policy import Policy
from proxy_guard.policy.headers import with_body

Id = int | str | None
BlockBody = Callable[[int, str, str, str, Id], bytes]
"""Status, message, reason, code and the identifier of what is answered to the body of a block."""
Acknowledgement = tuple[int, str, bytes]
"""Status, media type and body that tell a provider that its webhook was received."""

_UNINSPECTED = "The guard could not inspect this message."
_CODES = {
    "found": "content_blocked",
    "unmatched": "request_blocked",
    "undecodable": "content_unreadable",
    "too_large": "content_too_large",
    "unsupported_media": "content_unsupported",
    "timeout": "guard_timeout",
    "unavailable": "guard_unavailable",
    "unverified": "signature_invalid",
    "unsignable": "signature_broken",
}
_UNANSWERED = {
    400: "request_invalid",
    501: "upgrade_unsupported",
    505: "version_unsupported",
    503: "upstream_busy",
    504: "upstream_timeout",
}


def compile_block_body(template: dict[str, Any] | None) -> tuple[str, BlockBody]:
    """The media type and the maker of block bodies for an API; RFC 9457 problem+json without a template."""
    if template is None:
        problem = {"type": "about:blank", "title": "{message}", "detail": "{reason}", "status": "{status}"}
        return "application/problem+json", _filler({**problem, "code": "{code}"})
    return "application/json", _filler(template)


def _filler(template: Any) -> BlockBody:
    def fill(part: Any, values: dict[str, Any]) -> Any:
        if isinstance(part, dict):
            return {name: fill(member, values) for name, member in part.items()}
        if isinstance(part, list):
            return [fill(item, values) for item in part]
        if not isinstance(part, str):
            return part
        if part in ("{status}", "{id}"):
            return values[part[1:-1]]
        for name, value in values.items():
            part = part.replace("{" + name + "}", str(value))
        return part

    def body(status: int, message: str, reason: str, code: str, answered: Id = None) -> bytes:
        values = {"status": status, "message": message, "reason": reason, "code": code, "id": answered}
        return json.dumps(fill(template, values), ensure_ascii=False, separators=(",", ":")).encode()

    return body


def broken() -> Verdict:
    """A block for when the guard itself breaks; no policy lets such a message pass."""
    media_type, body = compile_block_body(None)
    return _blocked(media_type, body(503, _UNINSPECTED, "the guard failed", _CODES["unavailable"], None), 503)


def unanswered(block_body: tuple[str, BlockBody], status: int, why: str) -> Verdict:
    """What the client is told where the upstream gave no answer: nothing was found, and nothing goes on."""
    media_type, body = block_body
    unasked = status in (400, 501, 505)
    message = "The request could not be sent on." if unasked else "The chat API did not answer."
    return _blocked(
        media_type, body(status, f"{message} ({why})", why, _UNANSWERED.get(status, "upstream_failed"), None), status
    )


def _blocked(media_type: str, body: bytes, status: int) -> Verdict:
    headers: Headers = (("content-length", str(len(body))), ("cache-control", "no-store"))
    return Verdict("block", (("content-type", media_type), *headers) if body else headers, body, status)


class Answering(NamedTuple):
    """How a block answers messages that have an identifier, in APIs where one is answered by it (JSON-RPC)."""

    status: int
    id_of: Callable[[Any, Direction], Id]
    """The identifier in the document of a message; None where it is none that an answer may tell again."""


@unshown
class Forward(NamedTuple):
    """What goes on in place of a message: headers, and body and URL where they are not the message's own."""

    headers: Headers
    body: bytes | None
    url: str | None


class Decider:
    """Makes the verdicts on one message, for one policy and one API's way of answering.

    With `acknowledgement` a block is answered with that, unless sending the message again may help; with `answering`,
    as that says, once the `document` of the message is there.
    """

    document: Any = None

    def __init__(
        self,
        message: Message,
        policy: Policy,
        api: str | None,
        block_body: tuple[str, BlockBody],
        acknowledgement: Acknowledgement | None = None,
        answering: Answering | None = None,
    ) -> None:
        self._message = message
        self._policy = policy
        self._api = api
        self._media_type, self._body = block_body
        self._acknowledgement = acknowledgement
        self._answering = answering

    def allow(self, findings: Iterable[LocatedFinding] = (), reason: str = "") -> Verdict:
        """Forward the message as it came."""
        message = self._message
        return self._forward("allow", message.headers, message.body, findings, reason)

    def rewrite(self, findings: Iterable[LocatedFinding], reason: str, forward: Forward) -> Verdict:
        """Forward this in place of the message."""
        headers, body, url = forward
        if body is None:
            body = self._message.body
        else:
            headers = with_body(headers, body)
        verdict = self._forward("rewrite", headers, body, findings, reason)
        return replace(verdict, url=url) if url else verdict

    def found(self, blocking: list[LocatedFinding], findings: Iterable[LocatedFinding]) -> Verdict:
        """Block for what was found; in observe mode, say so only."""
        reason = "found " + ", ".join(sorted({f"{each.entity} in {each.rule}" for each in blocking}))
        if self._policy.observe:
            return self.allow(findings, f"would block: {reason}")
        return self._block(self._policy.status, self._policy.message, reason, "found", tuple(findings))

    def rejected(self, reason: str, findings: Iterable[LocatedFinding]) -> Verdict:
        """Block since a scrubber says so; `reason` is who and why."""
        return self._block(self._policy.status, self._policy.message, reason, "found", tuple(findings))

    def unmatched(self) -> Verdict:
        """What the policy says of a request that no API description matches, where its route blocks such."""
        reason = "no API description matches this request"
        if self._policy.observe:
            return self.allow(reason=f"would block: {reason}")
        return self._block(403, "This request may not be sent.", reason, "unmatched", ())

    def unverified(self, why: str, status: int = 401) -> Verdict:
        """Block what is not from whom it says to be; that is never acknowledged."""
        reason = f"its signature is not verified: {why}"
        if self._policy.observe:
            return self.allow(reason=f"would block: {reason}")
        return self._error(status, "This message is refused.", reason, "unverified", ())

    def unsignable(self, reason: str, findings: tuple[LocatedFinding, ...]) -> Verdict:
        """Block what would go on with a signature that is wrong."""
        return self._block(422, "This message may not be changed.", reason, "unsignable", findings)

    def failed(self, cause: Cause, status: int, why: str) -> Verdict:
        """What the policy says of a message that could not be read or decided."""
        if self._policy.passes(cause):
            return self.allow(reason=f"passed uninspected, {cause}: {why}")
        upstream = self._message.status or 0
        # A reply that reports a server's error stays one, so that clients retry as they would have.
        status = upstream if upstream >= 500 else status
        return self._block(status, _UNINSPECTED, why, cause, ())

    def _block(
        self, status: int, message: str, reason: str, code: str, findings: tuple[LocatedFinding, ...]
    ) -> Verdict:
        if self._acknowledgement is None or status >= 500:
            return self._error(status, message, reason, code, findings)
        status, media_type, body = self._acknowledgement
        return self._told(_blocked(media_type, body, status), f"acknowledged and dropped: {reason}", findings)

    def _error(
        self, status: int, message: str, reason: str, code: str, findings: tuple[LocatedFinding, ...]
    ) -> Verdict:
        answered: Id = None
        if self._answering and self.document is not None:
            answered = self._answering.id_of(self.document, self._message.direction)
            status = status if answered is None else self._answering.status
        body = self._body(status, f"{message} ({reason})", reason, _CODES[code], answered)
        return self._told(_blocked(self._media_type, body, status), reason, findings)

    def _told(self, verdict: Verdict, reason: str, findings: tuple[LocatedFinding, ...]) -> Verdict:
        return replace(verdict, findings=findings, reason=reason, api=self._api, policy=self._policy.name)

    def _forward(
        self, action: Action, headers: Headers, body: bytes, findings: Iterable[LocatedFinding], reason: str
    ) -> Verdict:
        return Verdict(action, headers, body, None, tuple(findings), reason, self._api, self._policy.name)
