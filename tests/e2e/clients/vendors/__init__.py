"""Servers that speak each vendor's wire format, as one application, which remembers what it was sent byte for byte."""

from __future__ import annotations

import base64
import json
import logging
import os
from typing import Any

from starlette.applications import Starlette

from proxy_guard.asgi import ProxyGuardMiddleware
from tests.e2e.clients.vendors import anthropic, bedrock, cohere, gemini, messaging, mistral, ollama, openai

_received: list[dict[str, Any]] = []
_app = Starlette(
    routes=[
        *openai.routes,
        *anthropic.routes,
        *gemini.routes,
        *bedrock.routes,
        *cohere.routes,
        *mistral.routes,
        *ollama.routes,
        *messaging.routes,
    ]
)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The vendors; `GET /_received` gives what came since it was asked last."""
    if scope["type"] != "http":
        await _app(scope, receive, send)
        return
    if scope["path"] == "/_received":
        content = json.dumps(_received).encode()
        _received.clear()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"x/received")]})
        await send({"type": "http.response.body", "body": content})
        return
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    head = [scope["method"].encode(), scope["raw_path"], scope["query_string"]]
    raw = b"\n".join([*head, *(b": ".join(pair) for pair in scope["headers"]), b"", body])
    _received.append({"path": scope["path"], "raw": base64.b64encode(raw).decode()})
    events = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Any:
        return events.pop() if events else await receive()

    await _app(scope, replayed, send)


def guarded() -> Any:
    """The same behind the middleware, by the rules in GUARD_RULES."""
    logging.basicConfig()
    logging.getLogger("proxy_guard").setLevel(logging.INFO)
    return ProxyGuardMiddleware(app, rules=os.environ["GUARD_RULES"])
