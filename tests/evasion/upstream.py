"""The chat API behind the doors: it writes down each request as it came, and answers with as good as nothing.

A line of the file that EVASION_LOG names is one request: its `x-case`, what it asked for, and its body in base64. What it
answers to a case, or says to it over a WebSocket, is in the file that EVASION_REPLIES names.
"""

from __future__ import annotations

import base64
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from proxy_guard.asgi import ProxyGuardMiddleware
from tests.e2e.recorder import recorder

MESSAGES = "\x1e"
"""What stands between the messages of a WebSocket (RECORD SEPARATOR)."""


OK: dict[str, Any] = {"status": 200, "type": "application/json", "pieces": [base64.b64encode(b'{"ok":true}').decode()]}


@cache
def _replies() -> dict[str, Any]:
    return dict(json.loads(Path(os.environ["EVASION_REPLIES"]).read_text()))


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await recorder(scope, receive, send)
        return
    headers = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    case = dict(headers).get("x-case", "")
    answer = _replies().get(case, OK)
    if scope["type"] == "websocket":
        body = await _talk(receive, send, answer["told"])
    else:
        body = await _body(receive)
    target = f"{scope.get('method', 'GET')} {scope['raw_path'].decode()}?{scope['query_string'].decode()}"
    _write({"case": case, "target": target, "headers": headers, "body": base64.b64encode(body).decode()})
    if scope["type"] == "http":
        start = [(b"content-type", answer["type"].encode())]
        await send({"type": "http.response.start", "status": answer["status"], "headers": start})
        for piece in answer["pieces"]:
            await send({"type": "http.response.body", "body": base64.b64decode(piece), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return body


async def _talk(receive: Any, send: Any, told: list[str]) -> bytes:
    """Says what there is to say, and gives what the client says, one message a line."""
    await receive()
    await send({"type": "websocket.accept"})
    for text in told:
        await send({"type": "websocket.send", "text": text})
    if told:
        await send({"type": "websocket.close", "code": 1000})
        return b""
    said = []
    while (event := await receive())["type"] == "websocket.receive":
        said.append(event["text"])
    return MESSAGES.join(said).encode()


def _write(seen: dict[str, Any]) -> None:
    with Path(os.environ["EVASION_LOG"]).open("a") as log:
        log.write(json.dumps(seen) + "\n")


def guarded() -> Any:
    """The same with the middleware around it, by the rules in GUARD_RULES."""
    return ProxyGuardMiddleware(app, rules=os.environ["GUARD_RULES"])
