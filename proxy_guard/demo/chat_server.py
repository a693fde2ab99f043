"""A small chat server that speaks OpenAI's chat completions: real HTTP, canned wits.

It answers what a support desk might, and tells on `GET /received` what it was sent.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_ANSWERS = {
    "who": "Your agent is Ravi; reach him on +91 98765 43210 or at ravi.kumar@example.com.",
    "refund": "A refund takes three working days.",
}
_DEFAULT = "Thank you, that has been noted."


def make_app() -> Starlette:
    """The server as an ASGI application, with its own memory."""
    received: list[Any] = []

    async def chat(request: Request) -> JSONResponse:
        body = await request.json()
        received.append(body)
        question = str(body["messages"][-1]["content"]).casefold()
        answer = next((text for word, text in _ANSWERS.items() if word in question), _DEFAULT)
        return JSONResponse(
            {
                "id": f"chatcmpl-{uuid.uuid4().hex}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        )

    async def seen(_: Request) -> JSONResponse:
        return JSONResponse(received)

    return Starlette(
        routes=[Route("/v1/chat/completions", chat, methods=["POST"]), Route("/received", seen, methods=["GET"])]
    )


app = make_app()
