"""Amazon Bedrock's runtime: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import ARGUMENTS, TEXT, TOOL, dumps
from tests.e2e.clients.vendors import anthropic
from tests.e2e.clients.vendors.wire import pieces, stream

USAGE = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
AWS_STREAM = "application/vnd.amazon.eventstream"


async def converse(request: Request) -> Response:
    body = await request.json()
    parts: list[dict[str, Any]] = [{"text": TEXT}]
    if "toolConfig" in body:
        parts.append({"toolUse": {"toolUseId": "t1", "name": TOOL, "input": ARGUMENTS}})
    finish = "tool_use" if "toolConfig" in body else "end_turn"
    message = {"role": "assistant", "content": parts}
    return JSONResponse(
        {"output": {"message": message}, "stopReason": finish, "usage": USAGE, "metrics": {"latencyMs": 1}}
    )


async def converse_stream(request: Request) -> Response:
    body = await request.json()
    return stream(b"".join(_converse_events("toolConfig" in body)), AWS_STREAM)


def _converse_events(tools: bool) -> Iterator[bytes]:
    yield frame("messageStart", {"role": "assistant"})
    for piece in pieces(TEXT):
        yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}})
    yield frame("contentBlockStop", {"contentBlockIndex": 0})
    if tools:
        start = {"toolUse": {"toolUseId": "t1", "name": TOOL}}
        yield frame("contentBlockStart", {"contentBlockIndex": 1, "start": start})
        for piece in pieces(dumps(ARGUMENTS)):
            yield frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": piece}}})
        yield frame("contentBlockStop", {"contentBlockIndex": 1})
    yield frame("messageStop", {"stopReason": "tool_use" if tools else "end_turn"})
    yield frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})


async def invoke(request: Request) -> Response:
    return JSONResponse(anthropic.message(await request.json()))


async def invoke_stream(request: Request) -> Response:
    events = anthropic.events(anthropic.message(await request.json()))
    packed = [frame("chunk", {"bytes": base64.b64encode(dumps(each).encode()).decode()}) for each in events]
    return stream(b"".join(packed), AWS_STREAM)


def frame(kind: str, payload: Any) -> bytes:
    """One message of an AWS event stream: prelude, headers of strings (type 7), payload, checksums."""
    headers = b""
    for name, value in ((":event-type", kind), (":content-type", "application/json"), (":message-type", "event")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    body = json.dumps(payload, ensure_ascii=False).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


routes = [
    Route("/model/{id:path}/converse", converse, methods=["POST"]),
    Route("/model/{id:path}/converse-stream", converse_stream, methods=["POST"]),
    Route("/model/{id:path}/invoke", invoke, methods=["POST"]),
    Route("/model/{id:path}/invoke-with-response-stream", invoke_stream, methods=["POST"]),
]
