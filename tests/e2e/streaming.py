"""A chat API that streams as OpenAI and Anthropic do, its bytes cut at random places."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

TEXT = (
    "Grüße, Frau Müller! Your advisor is in. Call 9876543210 or write to jane.doe@example.com, and do say what it is "
    "about; then we will get back to you within a day or two, as we have always done. Yours, the team 🙂."
)
ARGUMENTS = '{"to": "jane.doe@example.com", "urgent": true, "n": 1.10}'
SECRETS = ("9876543210", "jane.doe@example.com")


def pieces(text: str, seed: int) -> Iterator[str]:
    """`text` in pieces of one to seven characters."""
    rng = random.Random(seed)
    place = 0
    while place < len(text):
        size = rng.randint(1, 7)
        yield text[place : place + size]
        place += size


def openai_events(seed: int) -> Iterator[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return b"data: " + json.dumps({**base, "choices": [choice], **more}).encode() + b"\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces("Call 9876543210, they said", seed + 1):
        yield chunk({"reasoning_content": piece})
    for piece in pieces(TEXT, seed):
        yield chunk({"content": piece})
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "send_mail", "arguments": ""}}
    yield chunk({"tool_calls": [call]})
    for piece in pieces(ARGUMENTS, seed + 2):
        yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield chunk({}, "tool_calls")
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    yield b"data: " + json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}).encode() + b"\n\n"  # fmt: skip
    yield b"data: [DONE]\n\n"


def anthropic_events(seed: int) -> Iterator[bytes]:
    def event(kind: str, **members: Any) -> bytes:
        return f"event: {kind}\r\ndata: {json.dumps({'type': kind, **members}, ensure_ascii=False)}\r\n\r\n".encode()

    usage = {"input_tokens": 1, "output_tokens": 1}
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
    }
    yield event("message_start", message={**message, "stop_sequence": None, "usage": usage})
    yield event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""})
    yield event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "They want to be called"})
    yield event(
        "content_block_delta", index=0, delta={"type": "signature_delta", "signature": "EqQBCkYIARgC9876543210=="}
    )
    yield event("content_block_stop", index=0)
    yield event("content_block_start", index=1, content_block={"type": "text", "text": ""})
    yield event("ping")
    for piece in pieces(TEXT, seed):
        yield event("content_block_delta", index=1, delta={"type": "text_delta", "text": piece})
    yield event("content_block_stop", index=1)
    tool = {"type": "tool_use", "id": "toolu_1", "name": "send_mail", "input": {}}
    yield event("content_block_start", index=2, content_block=tool)
    for piece in pieces(ARGUMENTS, seed):
        yield event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": piece})
    yield event("content_block_stop", index=2)
    yield event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 9})
    yield event("message_stop")


async def cut(events: Iterator[bytes], seed: int, pause: float) -> AsyncIterator[bytes]:
    """The events as bytes that are cut anywhere."""
    rng = random.Random(seed)
    rest = b""
    for event in events:
        rest += event
        while len(rest) > 200:
            size = rng.randint(1, 150)
            yield rest[:size]
            rest = rest[size:]
            await asyncio.sleep(pause)
    while rest:
        yield rest[:60]
        rest = rest[60:]
        await asyncio.sleep(0)


async def reply(request: Request) -> StreamingResponse:
    body = await request.json()
    seed = int(body["model"].removeprefix("seed-"))
    events = openai_events if request.url.path.endswith("completions") else anthropic_events
    return StreamingResponse(cut(events(seed), seed, 0.001), media_type="text/event-stream; charset=utf-8")


routes = [
    Route("/v1/chat/completions", reply, methods=["POST"]),
    Route("/v1/messages", reply, methods=["POST"]),
]
app = Starlette(routes=routes)


def guarded() -> Starlette:
    from proxy_guard.asgi import ProxyGuardMiddleware

    policy = os.environ.get("GUARD_POLICY") or None
    return Starlette(routes=routes, middleware=[Middleware(ProxyGuardMiddleware, policy=policy)])
