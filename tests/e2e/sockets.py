"""A realtime API over WebSockets: it remembers what it gets, and plays what it is asked to by name."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.e2e.streaming import ARGUMENTS, TEXT, pieces

received: dict[str, dict[str, Any]] = {}
PLACE = {"event_id": "event_1", "response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}


def text_events(seed: int) -> list[dict[str, Any]]:
    part = {"type": "output_text", "text": TEXT}
    item = {"id": "item_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    call = {"id": "item_2", "type": "function_call", "name": "send_mail", "call_id": "call_1", "arguments": ARGUMENTS}
    response = {"id": "resp_1", "object": "realtime.response", "status": "completed", "output": [item, call]}
    there = {**PLACE, "item_id": "item_2", "call_id": "call_1"}
    return [
        {"type": "response.created", "event_id": "event_1", "response": {"id": "resp_1", "object": "realtime.response"}},
        *({"type": "response.output_text.delta", **PLACE, "delta": piece} for piece in pieces(TEXT, seed)),
        {"type": "response.output_text.done", **PLACE, "text": TEXT},
        *({"type": "response.output_audio_transcript.delta", **PLACE, "delta": piece} for piece in pieces(TEXT, seed + 1)),
        {"type": "response.output_audio_transcript.done", **PLACE, "transcript": TEXT},
        {"type": "response.output_item.added", "event_id": "event_1", "response_id": "resp_1", "output_index": 1, "item": {**call, "arguments": ""}},
        *({"type": "response.function_call_arguments.delta", **there, "delta": piece} for piece in pieces(ARGUMENTS, seed)),
        {"type": "response.function_call_arguments.done", **there, "name": "send_mail", "arguments": ARGUMENTS},
        {"type": "response.done", "event_id": "event_1", "response": response},
    ]  # fmt: skip


async def play(socket: WebSocket, name: str, heard: dict[str, str] | None = None) -> None:
    seed, _, how = name.partition(" ")
    if how == "leave":  # amid a text that is undecided
        await socket.send_json({"type": "response.output_text.delta", **PLACE, "delta": "call 98765432"})
        await socket.send_json({"type": "response.output_text.delta", **PLACE, "delta": "10"})
        await socket.close(1000, "bye")
        return
    for event in text_events(int(seed)):
        if heard and event["type"] == "response.done":
            event["response"]["metadata"] = heard
        await socket.send_text(json.dumps(event, ensure_ascii=False))


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    mine: dict[str, Any] = {
        "url": str(socket.url.replace(hostname="h", port=None)),
        "user": socket.headers.get("x-user"),
        "messages": [],
        "close": None,
    }
    received[socket.headers.get("x-case", "")] = mine
    while True:
        event = await socket.receive()
        if event["type"] == "websocket.disconnect":
            mine["close"] = [event["code"], event.get("reason")]
            return
        text = event.get("text")
        mine["messages"].append(text if text is not None else list(event["bytes"]))
        if text and text.startswith('{"type": "play"'):
            await play(socket, json.loads(text)["event_id"])
        elif text and '"response.create"' in text:
            await play(socket, "7", {str(n): each for n, each in enumerate(mine["messages"])})
        elif text == "echo":
            await socket.send_text("call 9876543210")
            await socket.send_bytes(b"\x00\x01")


async def told(request: Request) -> JSONResponse:
    for _ in range(50):  # a close takes its time
        found = received.get(request.url.query)
        if found is None or found["close"]:
            break
        await asyncio.sleep(0.02)
    return JSONResponse(found)


routes = [
    WebSocketRoute("/{path:path}", talk),
    Route("/_received", told),
]
app = Starlette(routes=routes)


def guarded() -> Starlette:
    from proxy_guard.asgi import ProxyGuardMiddleware

    return Starlette(routes=routes, middleware=[Middleware(ProxyGuardMiddleware, rules=os.environ["GUARD_RULES"])])


def by_policy() -> Starlette:
    from proxy_guard.asgi import ProxyGuardMiddleware

    return Starlette(routes=routes, middleware=[Middleware(ProxyGuardMiddleware, policy=os.environ["GUARD_POLICY"])])
