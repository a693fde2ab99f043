"""Ollama's own API: https://github.com/ollama/ollama/blob/main/docs/api.md."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import ARGUMENTS, TEXT, TOOL
from tests.e2e.clients.vendors.wire import ndjson, pieces

COUNTS = {"done_reason": "stop", "total_duration": 1, "load_duration": 1, "prompt_eval_count": 1, "eval_count": 2}


async def chat(request: Request) -> Response:
    body = await request.json()
    base = {"model": body["model"], "created_at": "2025-01-01T00:00:00Z"}
    calls: dict[str, Any] = (
        {"tool_calls": [{"function": {"name": TOOL, "arguments": ARGUMENTS}}]} if body.get("tools") else {}
    )
    if not body["stream"]:
        return JSONResponse(
            {**base, "message": {"role": "assistant", "content": TEXT, **calls}, "done": True, **COUNTS}
        )
    lines: list[Any] = [
        {**base, "message": {"role": "assistant", "content": each}, "done": False} for each in pieces(TEXT)
    ]
    end = {**base, "message": {"role": "assistant", "content": "", **calls}, "done": True, **COUNTS}
    return ndjson([*lines, end])


async def generate(request: Request) -> Response:
    body = await request.json()
    base = {"model": body["model"], "created_at": "2025-01-01T00:00:00Z"}
    end = {"done": True, "context": [1, 2, 3], **COUNTS}
    if not body["stream"]:
        return JSONResponse({**base, "response": TEXT, **end})
    lines: list[Any] = [{**base, "response": each, "done": False} for each in pieces(TEXT)]
    return ndjson([*lines, {**base, "response": "", **end}])


async def embed(request: Request) -> Response:
    body = await request.json()
    return JSONResponse({"model": body["model"], "embeddings": [[1.0, 0.5]], "total_duration": 1})


routes = [
    Route("/api/chat", chat, methods=["POST"]),
    Route("/api/generate", generate, methods=["POST"]),
    Route("/api/embed", embed, methods=["POST"]),
]
