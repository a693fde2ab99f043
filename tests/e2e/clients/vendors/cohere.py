"""Cohere's API, versions 1 and 2: https://docs.cohere.com/reference/chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import ARGUMENTS, REPLY_MAIL, TEXT, TOOL, dumps
from tests.e2e.clients.vendors.wire import ndjson, pieces, sse

USAGE = {"billed_units": {"input_tokens": 1, "output_tokens": 2}, "tokens": {"input_tokens": 1, "output_tokens": 2}}
PLAN = f"I will write to {REPLY_MAIL}."


async def chat_v2(request: Request) -> Response:
    body = await request.json()
    tools = bool(body.get("tools"))
    call = {"id": "c1", "type": "function", "function": {"name": TOOL, "arguments": dumps(ARGUMENTS)}}
    finish = "TOOL_CALL" if tools else "COMPLETE"
    if body.get("stream"):
        return sse((data["type"], data) for data in _events(call if tools else None, finish))
    message: dict[str, Any] = {"role": "assistant", "content": [{"type": "text", "text": TEXT}]}
    if tools:
        message |= {"tool_plan": PLAN, "tool_calls": [call]}
    return JSONResponse({"id": "r1", "finish_reason": finish, "message": message, "usage": USAGE})


def _events(call: dict[str, Any] | None, finish: str) -> Iterator[dict[str, Any]]:
    yield {"type": "message-start", "id": "r1", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}}  # fmt: skip
    yield {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
    for piece in pieces(TEXT):
        yield {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}}
    yield {"type": "content-end", "index": 0}
    if call:
        for piece in pieces(PLAN):
            yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}
        begun = {**call, "function": {**call["function"], "arguments": ""}}
        yield {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": begun}}}
        for piece in pieces(call["function"]["arguments"]):
            delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            yield {"type": "tool-call-delta", "index": 0, "delta": delta}
        yield {"type": "tool-call-end", "index": 0}
    yield {"type": "message-end", "id": "r1", "delta": {"finish_reason": finish, "usage": USAGE}}


async def chat_v1(request: Request) -> Response:
    body = await request.json()
    reply: dict[str, Any] = {"response_id": "r1", "generation_id": "g1", "text": TEXT, "finish_reason": "COMPLETE"}
    if body.get("tools"):
        reply["tool_calls"] = [{"name": TOOL, "parameters": ARGUMENTS}]
    if not body.get("stream"):
        return JSONResponse({**reply, "chat_history": [{"role": "CHATBOT", "message": TEXT}]})
    start: list[dict[str, Any]] = [{"is_finished": False, "event_type": "stream-start", "generation_id": "g1"}]
    texts = [{"is_finished": False, "event_type": "text-generation", "text": each} for each in pieces(TEXT)]
    end = {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": reply}
    return ndjson([*start, *texts, end])


async def embed(request: Request) -> Response:
    body = await request.json()
    return JSONResponse({"id": "e1", "texts": body["texts"], "embeddings": {"float": [[1.0, 0.5] for _ in body["texts"]]}, "meta": {}})  # fmt: skip


async def rerank(request: Request) -> Response:
    body = await request.json()
    ranks = [{"index": n, "relevance_score": 0.5} for n, _ in enumerate(body["documents"])]
    return JSONResponse({"id": "k1", "results": ranks, "meta": {}})


routes = [
    Route("/v2/chat", chat_v2, methods=["POST"]),
    Route("/v1/chat", chat_v1, methods=["POST"]),
    Route("/v2/embed", embed, methods=["POST"]),
    Route("/v2/rerank", rerank, methods=["POST"]),
]
