"""Mistral's API, where it is other than OpenAI's: https://docs.mistral.ai/api."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import ARGUMENTS, TEXT, TOOL, dumps
from tests.e2e.clients.vendors.openai import USAGE
from tests.e2e.clients.vendors.wire import pieces, sse


async def chat(request: Request) -> Response:
    body = await request.json()
    call = {"id": "D681PevKs", "function": {"name": TOOL, "arguments": dumps(ARGUMENTS)}, "index": 0}
    calls: dict[str, Any] = {"tool_calls": [call]} if body.get("tools") else {}
    base = {"id": "c1", "object": "chat.completion", "created": 1, "model": body["model"]}
    if body.get("stream"):  # a call of a tool comes whole
        deltas = [*({"role": "assistant", "content": each} for each in pieces(TEXT)), {"content": "", **calls}]
        chunks = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        return sse([(None, chunk) for chunk in chunks], end="[DONE]")
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT, **calls}}
    return JSONResponse({**base, "choices": [choice], "usage": USAGE})


async def embeddings(request: Request) -> Response:
    body = await request.json()
    data = [{"object": "embedding", "index": n, "embedding": [1.0, 0.5]} for n, _ in enumerate(body["input"])]
    return JSONResponse({"id": "e1", "object": "list", "data": data, "model": body["model"], "usage": USAGE})


routes = [
    Route("/mistral/v1/chat/completions", chat, methods=["POST"]),
    Route("/mistral/v1/fim/completions", chat, methods=["POST"]),
    Route("/mistral/v1/embeddings", embeddings, methods=["POST"]),
]
