"""The chat application behind whoever asks a Security API of every message: factories for uvicorn.

`by_hand` is the least that a program can do which asks it with httpx: it reads the JSON, sends the texts, reads
the judgements and hands the message on. `guarded` is the middleware. SECURITY_API and BENCH_RULES say where.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from bench.chat_app import plain
from proxy_guard.asgi import ProxyGuardMiddleware

App = Callable[[Any, Any, Any], Awaitable[None]]


def guarded() -> App:
    """Behind the guard."""
    return ProxyGuardMiddleware(plain(), rules=os.environ["BENCH_RULES"])


def by_hand() -> App:
    """Behind a program of a few lines."""
    app = plain()
    url = os.environ["SECURITY_API"] + "/v1/inspect"
    clients: list[httpx.AsyncClient] = []

    async def ask(texts: list[str], direction: str) -> bool:
        if not clients:
            limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
            clients.append(httpx.AsyncClient(limits=limits, timeout=10, trust_env=False))
        items = [
            {
                "id": str(n),
                "kind": "text",
                "media_type": "text/plain",
                "path": "$",
                "direction": direction,
                "text": text,
            }
            for n, text in enumerate(texts)
        ]
        reply = await clients[0].post(url, json={"items": items})
        reply.raise_for_status()
        return all(item["action"] == "allow" for item in reply.json()["items"])

    async def asking(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        chat = json.loads(body)
        assert await ask([message["content"] for message in chat["messages"]], "request")
        start: list[Any] = []
        held: list[bytes] = []

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def judged(event: Any) -> None:
            if event["type"] == "http.response.start":
                start.append(event)
                return
            held.append(event.get("body", b""))
            if event.get("more_body"):
                return
            answer = b"".join(held)
            assert await ask([choice["message"]["content"] for choice in json.loads(answer)["choices"]], "response")
            await send(start[0])
            await send({"type": "http.response.body", "body": answer})

        await app(scope, again, judged)

    return asking
