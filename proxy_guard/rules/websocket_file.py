"""How an API speaks over WebSockets: what people write in its description."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from proxy_guard.rules.reading import FileModel

KeyPath = Annotated[str, Field(pattern=r"^\$((\.\w+)|(\[\*\]))*\.\w+$")]


class RunningText(FileModel):
    """A text that goes on from message to message."""

    path: str = Field(description="A JSONPath (RFC 9535).")
    types: list[str] = Field(default=[], description="The types of messages that it is in; all without it.")
    kind: Literal["text", "json", "tool", "media"] = Field(
        default="text",
        description="text: goes as it is decided on. json: pieces of a JSON document, decided on when it is whole. "
        "tool: the name of the tool that the json with the same key is given to. media: what can't be inspected.",
    )
    key: list[KeyPath] = Field(
        default=[], description="What tells texts apart: those with the same values here are pieces of one text."
    )
    signed: bool = Field(default=False, description="Signed by the API: a finding ends the connection.")
    policy: str | None = Field(default=None, description="A policy for this text, in place of the route's.")
    entity: str | None = Field(default=None, description="What the whole text is known to be.")


class TextEnd(FileModel):
    """Messages with which texts end."""

    types: list[str] = Field(min_length=1)
    key: list[KeyPath] = Field(
        default=[], description="Whose texts end: those whose own keys begin with these; all without it."
    )


class Side(FileModel):
    """The texts of one side that go on from message to message."""

    fields: list[RunningText] = Field(min_length=1)
    end: list[TextEnd] = []


class WebSocketSection(FileModel):
    """How an API speaks over a WebSocket: a JSON document a message.

    The fields of messages of the client are those of `request`, of messages of the server those of `response`. Here
    are texts that go on from message to message.
    """

    type: KeyPath = Field(default="$.type", description="Where a message says of what type it is.")
    binary: Literal["json", "refuse"] = Field(
        default="refuse",
        description="Binary messages. json: they hold JSON, too. refuse: they are media that can't be inspected.",
    )
    marks: list[str] = Field(default=[], description="Messages that are no JSON and hold no text, such as `ping`.")
    send: Side | None = Field(default=None, description="Texts that go on, of the client.")
    receive: Side | None = Field(default=None, description="Texts that go on, of the server.")
