"""The chat API behind the doors, as an ASGI application: `app` by itself, `guarded` with the middleware around it.

GET /_told gives its ledger, past the guard.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from proxy_guard.asgi import ProxyGuardMiddleware
from tests.e2e.recorder import lifespan
from tests.soak.answers import ID, Ledger, reply

ledger = Ledger()


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"] == "/_told":
        await _say(send, 200, "application/json", [ledger.told()])
    else:
        ledger.inside += 1
        try:
            await (_talk if scope["type"] == "websocket" else _answer)(scope, receive, send)
        finally:
            ledger.inside -= 1


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    number, kind = ledger.enter(scope["path"], body)
    answer = reply(number, kind)
    own = [(name, value) for name, value in scope["headers"] if name == ID.encode()]
    await _say(send, answer.status, answer.kind, answer.pieces, answer.pause, own, whole=answer.whole)


async def _talk(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        answer = reply(*ledger.enter(scope["path"], event["text"].encode()))
        for piece in answer.pieces:
            await asyncio.sleep(answer.pause)
            await send({"type": "websocket.send", "text": piece.decode()})


async def _say(
    send: Any,
    status: int,
    kind: str,
    pieces: list[bytes],
    pause: float = 0,
    own: Sequence[tuple[bytes, bytes]] = (),
    *,
    whole: bool = True,
) -> None:
    headers = [(b"content-type", kind.encode()), *own]
    if whole:
        headers.append((b"content-length", str(sum(map(len, pieces))).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for place, piece in enumerate(pieces):
        if place and pause:
            await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": piece, "more_body": place < len(pieces) - 1})


def guarded() -> Any:
    middleware = ProxyGuardMiddleware(app, rules=os.environ["GUARD_RULES"])

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        past = scope["type"] == "http" and scope["path"] == "/_told"
        await (app if past else middleware)(scope, receive, send)

    return serve
