"""One request and its response, as adapters have them inspected."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy_guard import audit, engine
from proxy_guard.model import Direction, Failed, Headers, Message, Verdict
from proxy_guard.passage import Passage
from proxy_guard.policy import headers as policy_headers
from proxy_guard.rules.compiled import Match
from proxy_guard.websocket import Lane

if TYPE_CHECKING:
    from proxy_guard.guard import Guard

INCIDENT_HEADER = "x-proxy-guard-incident"
log = audit.logger()


class Exchange:
    """One request and its response, under the rules that were in force when the request came."""

    __slots__ = ("_guard", "_match", "_method", "_owner", "_url", "rewritten")

    def __init__(self, guard: Guard, match: Match | None, method: str, url: str, owner: tuple[str, str]) -> None:
        self._guard = guard
        self._match = match
        self._method = method
        self._url = match.url if match else url
        self._owner = owner
        self.rewritten = self._url if self._url != url else None
        """The URL that goes on where that is not spelled as it came (RFC 3986 6.2.2), whatever the verdicts are."""

    def concerns(self, direction: Direction) -> bool:
        """Whether a message of that direction is to be inspected; if not, its body may stream by untouched."""
        match = self._match
        if match is None:
            return False
        if match.api is None:
            return match.blocks and direction == "request"
        signed = match.signing is not None and match.signing.verifies
        return match.api.concerns(direction) or (signed and direction == "request")

    def untouched(self, reply: Message) -> bool:
        """Whether a reply is of a kind that goes by uninspected, by its head."""
        return self._match is not None and self._match.api is not None and self._match.api.untouched(reply.headers)

    @property
    def api(self) -> str | None:
        """The API description that is about it."""
        return self._match.api.name if self._match and self._match.api else None

    def unknown(self, message: Message) -> Verdict:
        """The verdict on a connection that becomes one of a protocol that the guard does not know."""
        if self._match is None:
            return Verdict("allow", message.headers, message.body)
        why = Failed("unavailable", "the connection becomes one of a protocol that can't be inspected")
        return self.seal(engine.failed(message, self._match, why), message)

    def asking(self, headers: Headers) -> Headers:
        """The headers of the request for an upstream whose reply is to be inspected; `headers` where none changes."""
        assert self._match is not None
        assert self._match.api is not None
        streams = bool(self._match.api.streams) and self._match.api.replies is None
        return policy_headers.asking(headers, streams=streams)

    def request(self, headers: Headers, body: bytes = b"") -> Message:
        """The exchange's request as a message, that came now."""
        return Message("request", self._method, self._url, headers, body, None, *self._owner, time.time())

    def response(self, status: int, headers: Headers, body: bytes = b"") -> Message:
        """Its response as a message."""
        return Message("response", self._method, self._url, headers, body, status, *self._owner)

    def owned(self, message: Message) -> Message:
        """`message` with its owner, if it does not name one itself, the time, if it does not tell that, and its URL."""
        if self.rewritten:
            message = replace(message, url=self.rewritten)
        if message.at is None:
            message = replace(message, at=time.time())
        account, conversation = self._owner
        if message.account or message.conversation or not (account or conversation):
            return message
        return replace(message, account=account, conversation=conversation)

    def refuse(self, head: Message) -> Verdict | None:
        """A block that the head of a message is enough for, so that its body need not be read."""
        assert self._match is not None
        verdict = self._guard.refuse(head, self._match)
        return self.seal(verdict, head) if verdict else None

    def unanswered(self, status: int, why: str) -> Verdict:
        """The answer to the client where the upstream gave none."""
        return engine.unanswered(self._match, status, why)

    async def inspect(self, message: Message) -> Verdict:
        """The verdict on a whole message."""
        assert self._match is not None
        return self.seal(await self._guard.run(message, self._match), message)

    def stream(self, head: Message) -> Passage | None:
        """How a reply that streams passes, by its head; None for one that has to be inspected whole."""
        assert self._match is not None
        inspection = self._guard.stream(head, self._match)
        return Passage(self._guard, inspection, head, self.seal) if inspection else None

    def lane(self, head: Message) -> Lane | None:
        """How messages of a WebSocket pass in the direction of `head`; None where they are not looked at."""
        inspection = self._guard.messages(head, self._match) if self._match else None
        return Lane(inspection, head, self._guard.drive, self.seal) if inspection else None

    def seal(self, verdict: Verdict, message: Message) -> Verdict:
        """Gives a block its incident id, and leaves a trace of every verdict that is more than a pass."""
        if verdict.action == "block":
            incident = uuid.uuid4().hex
            verdict = replace(verdict, incident=incident, headers=(*verdict.headers, (INCIDENT_HEADER, incident)))
        if verdict.action != "allow" or verdict.reason:
            audit.record(log, message, verdict)
        return verdict
