"""An HTTP server for tests: it remembers each request by its `x-case` header, and answers as `x-answer` says.

`x-answer` is base64 of JSON: {"status", "headers": [[name, value]], "body": base64, "chunks": n, "pause": seconds}.
It is an ASGI application, served plainly behind mitmproxy, or with the middleware around it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from typing import Any

from proxy_guard.asgi import ProxyGuardMiddleware

received: dict[str, dict[str, Any]] = {}


async def recorder(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["path"] == "/_received":
        found = received.get(scope["query_string"].decode())
        await _send(send, 200, [], json.dumps(found).encode())
        return
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body", False):
            break
    case = headers.pop("x-case", "")
    received[case] = {
        "method": scope["method"],
        "path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "user": headers.get("x-user", ""),
        "headers": [[n.decode(), v.decode("latin-1")] for n, v in scope["headers"]],
        "body": base64.b64encode(body).decode(),
    }
    answer = json.loads(base64.b64decode(headers.get("x-answer", "e30=")))
    content = base64.b64decode(answer.get("body", "e30=")) + b" " * answer.get("pad", 0)
    pieces = _pieces(content, answer.get("chunks", 0))
    await send(
        {
            "type": "http.response.start",
            "status": answer.get("status", 200),
            "headers": [(n.encode(), v.encode("latin-1")) for n, v in answer.get("headers", [])],
        }
    )
    for index, piece in enumerate(pieces):
        if index and answer.get("pause"):
            await asyncio.sleep(answer["pause"])
        await send({"type": "http.response.body", "body": piece, "more_body": index < len(pieces) - 1})


def _pieces(body: bytes, chunks: int) -> list[bytes]:
    if chunks < 2:
        return [body]
    size = max(1, len(body) // chunks)
    return [body[start : start + size] for start in range(0, len(body), size)] or [b""]


async def _send(send: Any, status: int, headers: list[Any], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Any, send: Any) -> None:
    """Answers the server as it starts and ends an application that has nothing to do then."""
    while True:
        event = await receive()
        await send({"type": event["type"] + ".complete"})
        if event["type"] == "lifespan.shutdown":
            return


app: Any = recorder


def guarded() -> Any:
    """The recorder with the middleware around it, by the rules in GUARD_RULES."""
    return ProxyGuardMiddleware(recorder, rules=os.environ["GUARD_RULES"])
