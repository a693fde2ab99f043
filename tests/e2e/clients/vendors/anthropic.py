"""Anthropic's API: https://docs.anthropic.com/en/api."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import ARGUMENTS, SIGNATURE, TEXT, TOOL, dumps
from tests.e2e.clients.vendors.wire import pieces, sse

USAGE = {"input_tokens": 1, "output_tokens": 1}
THOUGHT = "They want to be called."


def content(thinks: bool, tools: bool) -> list[dict[str, Any]]:
    """The blocks of a reply."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": TEXT, "citations": None}]
    if thinks:
        blocks.insert(0, {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE})
    if tools:
        blocks.append({"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": ARGUMENTS})
    return blocks


def events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events that a message streams as."""
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": USAGE}}
    for index, block in enumerate(message["content"]):
        begun, deltas = _streamed(block)
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
        yield {"type": "ping"}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": USAGE,
    }
    yield {"type": "message_stop"}


def _streamed(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": each} for each in pieces(block["text"])]
        case "thinking":
            signed = {"type": "signature_delta", "signature": block["signature"]}
            thoughts = [{"type": "thinking_delta", "thinking": each} for each in pieces(block["thinking"])]
            return {**block, "thinking": "", "signature": ""}, [*thoughts, signed]
    written = [{"type": "input_json_delta", "partial_json": each} for each in pieces(dumps(block["input"]))]
    return {**block, "input": {}}, written


def message(body: dict[str, Any]) -> dict[str, Any]:
    """The reply to a request."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "m"),
        "content": content("thinking" in body, bool(body.get("tools"))),
        "stop_reason": "tool_use" if body.get("tools") else "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
    }


async def messages(request: Request) -> Response:
    body = await request.json()
    reply = message(body)
    if body.get("stream"):
        return sse((data["type"], data) for data in events(reply))
    return JSONResponse(reply)


async def count_tokens(_: Request) -> Response:
    return JSONResponse({"input_tokens": 7})


BATCH = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2025-01-01T00:00:00Z",
    "expires_at": "2025-01-02T00:00:00Z",
    "ended_at": "2025-01-01T00:00:01Z",
    "archived_at": None,
    "cancel_initiated_at": None,
}


async def batches(request: Request) -> Response:
    return JSONResponse({**BATCH, "results_url": f"{request.headers['x-base']}/v1/messages/batches/msgbatch_1/results"})


async def results(_: Request) -> Response:
    line = {"custom_id": "a", "result": {"type": "succeeded", "message": message({})}}
    return Response(dumps(line).encode() + b"\n", media_type="application/x-jsonl")


routes = [
    Route("/v1/messages", messages, methods=["POST"]),
    Route("/v1/messages/count_tokens", count_tokens, methods=["POST"]),
    Route("/v1/messages/batches", batches, methods=["POST"]),
    Route("/v1/messages/batches/{id}", batches),
    Route("/v1/messages/batches/{id}/results", results),
]
