"""A Starlette application with the middleware, added as its users do."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from proxy_guard.asgi import ProxyGuardMiddleware

events: list[str] = []


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    events.append("started")
    yield


def completion(text: str) -> dict[str, object]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}


async def chat(request: Request) -> Response:
    body = await request.json()
    events.append("chat")
    return JSONResponse(completion(f"you wrote: {body['messages'][0]['content']}; mine is 9876543210"))


async def background(request: Request) -> Response:
    async def later() -> None:
        await asyncio.sleep(0.1)
        events.append("background done")

    return JSONResponse(completion("fine"), background=BackgroundTask(later))


async def waits(request: Request) -> Response:
    await request.body()
    for _ in range(200):
        if await request.is_disconnected():
            events.append("disconnected")
            break
        await asyncio.sleep(0.05)
    return JSONResponse(completion("late"))


async def breaks(request: Request) -> Response:
    raise RuntimeError("the app is broken")


async def file(request: Request) -> Response:
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as target:
        json.dump(completion("call 9876543210"), target)
    return FileResponse(target.name, media_type="application/json", background=BackgroundTask(Path(target.name).unlink))


async def ticks(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"tick %d\n" % number
            await asyncio.sleep(0.15)

    return StreamingResponse(pieces(), media_type="text/plain")


async def count(request: Request) -> Response:
    total = 0
    async for piece in request.stream():
        total += len(piece)
    return PlainTextResponse(str(total))


async def told(request: Request) -> Response:
    return JSONResponse(events)


app = Starlette(
    routes=[
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/background/chat/completions", background, methods=["POST"]),
        Route("/waits/chat/completions", waits, methods=["POST"]),
        Route("/breaks/chat/completions", breaks, methods=["POST"]),
        Route("/file/chat/completions", file, methods=["POST"]),
        Route("/count", count, methods=["POST"]),
        Route("/ticks", ticks),
        Route("/events", told),
    ],
    middleware=[Middleware(ProxyGuardMiddleware, rules=os.environ.get("GUARD_RULES"))],
    lifespan=lifespan,
)
