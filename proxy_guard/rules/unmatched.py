"""What is inspected of requests that no API description matches, and of their replies, where a route says `scan`.

All of a message that can be read: query, path, every text, number and name of the body, in whatever format. Values may
be split over the parts of a message, over tags of HTML, over the events of the streams that chat APIs have.
"""

from __future__ import annotations

from typing import Literal

from proxy_guard import plugins
from proxy_guard.locate.fields import Field, FieldTree
from proxy_guard.locate.head import HeadFields
from proxy_guard.locate.jsonpath import Query, compile_path
from proxy_guard.locate.unreached import STRUCTURAL, Remainder
from proxy_guard.model import Direction
from proxy_guard.policy.decide import compile_block_body
from proxy_guard.rules.compiled import Api
from proxy_guard.rules.formats import Formats
from proxy_guard.rules.matching import name_pattern, path_pattern
from proxy_guard.rules.stream_file import StreamEnd, StreamField, StreamSection
from proxy_guard.rules.streams import StreamRule, compile_stream, key_of
from proxy_guard.rules.websockets import MessageRule, MessageType, WebSocketRule

NAME = "unmatched"
_JOINED = {
    "$.texts[*].text": "$.texts",  # of HTML and XML
    "$.messages[*].content": "$.messages[*]",
    "$.messages[*].content[*].text": "$.messages[*]",
    "$.input[*].content": "$.input[*]",
    "$.input[*].content[*].text": "$.input[*]",
    "$.contents[*].parts[*].text": "$.contents[*]",
}
_REPLIES = (
    "application/json",
    "application/*+json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-www-form-urlencoded",
    "text/plain",
    "text/event-stream",
    "text/xml",
    "application/xml",
    "application/*+xml",
)
"""Of data. Pages, scripts, pictures and downloads pass: they are what the server has for everyone."""
_INDEX = "$.choices[*].index"
_STREAMED = (
    StreamField(path="$.choices[*].delta.content", key=_INDEX),
    StreamField(path="$.choices[*].delta['reasoning','reasoning_content']", key=_INDEX),
    StreamField(path="$.choices[*].text", key=_INDEX),
    StreamField(path="$.delta.text", key="$.index"),
    StreamField(path="$.delta"),
    StreamField(path="$.candidates[*].content.parts[*].text", key="$.candidates[*].index"),
    StreamField(path="$.message.content"),
    StreamField(path="$.response"),
)


def unmatched_api() -> Api:
    """The API description that stands for all others."""
    codecs = [plugins.load("codecs", name)() for name in sorted(plugins.available("codecs"))]
    request, response = (FieldTree(_fields(direction), Remainder("scan")) for direction in ("request", "response"))
    return Api(
        name=NAME,
        methods=frozenset(),
        hosts=name_pattern(["*"]),
        paths=path_pattern(["/**"]),
        formats=Formats([media_type for codec in codecs for media_type in codec.media_types]),
        request=request,
        response=response,
        block_body=compile_block_body(None),
        head=HeadFields(every_parameter=True, every_segment=True),
        streams=(_stream("sse"), _stream("ndjson")),
        websocket=WebSocketRule(_messages(request), _messages(response)),
        replies=name_pattern(_REPLIES),
    )


def _fields(direction: Direction) -> list[Field]:
    joined = [
        Field(path, compile_path(path), "text", join=len(compile_path(start).segments), direction=direction)
        for path, start in _JOINED.items()
    ]
    return [*joined, Field("$", compile_path("$"), "json", direction=direction, identifiers=STRUCTURAL)]


def _stream(format_: Literal["sse", "ndjson"]) -> StreamRule:
    ends = [StreamEnd(path="$.choices[*].finish_reason", key=_INDEX)]
    section = StreamSection(format=format_, fields=list(_STREAMED), end=ends)

    def query(_: object, path: str) -> Query:
        return compile_path(path)

    return compile_stream(section, query, _fields("response"), Remainder("scan"))


def _messages(fields: FieldTree) -> MessageRule:
    return MessageRule(key_of("$.type"), {}, MessageType(fields, {}, ()), binary=False, marks=frozenset(), text=True)
