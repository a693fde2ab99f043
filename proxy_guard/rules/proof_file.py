"""Sibling proofs of rule files: what people write in them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from proxy_guard.model import Direction
from proxy_guard.rules.reading import FileModel, Name, Version


class Blocked(FileModel):
    """What a blocked case has to show."""

    status: int | None = None
    entities: list[str] = []
    body: dict[str, Any] | None = None


class Case(FileModel):
    """One message and what has to become of it: exactly one of `becomes` (or its like), `blocked` and `unchanged`."""

    name: str
    url: str = "https://api.openai.com/v1/chat/completions"
    method: str = "POST"
    text: str | None = Field(default=None, description="Short for a chat request whose one message is this text.")
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    messages: list[dict[str, Any]] | None = Field(
        default=None,
        description="Messages of a WebSocket, one after the other; of which direction, `direction` says. `url` is "
        "`wss://…` then. A message alone may be the `request` or `response` of such a URL.",
    )
    body: str | None = Field(
        default=None,
        description="A body as it is on the wire, whose Content-Type is in `headers`; line ends in it are CRLF where "
        "that is `multipart/`. Without this and the others: a request without a body.",
    )
    stream: list[dict[str, Any] | str] | None = Field(
        default=None,
        min_length=1,
        description="The data of the events of a streamed reply, in the format that the `stream` section says; with "
        "the name of an event: {event: name, data: …}.",
    )
    direction: Direction = Field(default="request", description="Of `body` and `messages`.")
    headers: dict[str, str] = {}
    policy: Name | None = Field(default=None, description="The policy to prove this with; else the file's own.")
    becomes: dict[str, Any] | list[dict[str, Any] | str] | str | None = None
    assembles: dict[str, str] = Field(
        default={}, description="For `stream`: JSONPath to what its texts in all events come to, strung together."
    )
    becomes_url: str | None = None
    becomes_headers: dict[str, str] = {}
    blocked: Blocked | Literal[True] | None = None
    unchanged: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = (self.text, self.request, self.response, self.messages, self.body, self.stream)
        if sum(each is not None for each in given) > 1:
            raise ValueError("a case has one of text, request, response, messages, body and stream")
        becomes = any(
            each is not None
            for each in (self.becomes, self.becomes_url, self.becomes_headers or self.assembles or None)
        )
        if becomes + (self.blocked is not None) + (self.unchanged is not None) != 1:
            raise ValueError("a case has exactly one of becomes, blocked and unchanged")
        if isinstance(self.becomes, str) and self.text is None and self.body is None:
            raise ValueError("`becomes` is a text only where the case has a text or a body")
        if self.assembles and self.stream is None:
            raise ValueError("`assembles` is for a case with a stream")
        several = self.stream is not None or self.messages is not None
        if self.becomes is not None and several != isinstance(self.becomes, list):
            raise ValueError("`becomes` is a list where the case has a stream or messages, and only there")
        return self


class ProofFile(FileModel):
    """The proof of the rule file beside it."""

    version: Version
    cases: list[Case] = Field(min_length=1)
