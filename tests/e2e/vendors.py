"""A chat API that answers as OpenAI and Anthropic do, and counts what it was sent."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

received: list[Any] = []


async def openai(request: Request) -> JSONResponse:
    body = await request.json()
    received.append(body)
    message = {"role": "assistant", "content": f"You said: {body['messages'][-1]['content']}. Call 9876543210."}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    base = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"]}
    return JSONResponse({**base, "choices": [choice], "usage": usage})


async def anthropic(request: Request) -> JSONResponse:
    body = await request.json()
    received.append(body)
    base = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_reason": "end_turn"}
    content = [{"type": "text", "text": "Call 9876543210."}]
    return JSONResponse({**base, "content": content, "usage": {"input_tokens": 1, "output_tokens": 1}})


async def seen(request: Request) -> JSONResponse:
    found = list(received)
    received.clear()
    return JSONResponse(found)


app = Starlette(
    routes=[
        Route("/v1/chat/completions", openai, methods=["POST"]),
        Route("/v1/messages", anthropic, methods=["POST"]),
        Route("/seen", seen),
    ]
)
