"""The chat API behind the doors: it writes down each request as it came, and answers with as good as nothing.

A line of the file that EVASION_LOG names is one request: its `x-case`, what it asked for, and its body in base64.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from proxy_guard.asgi import ProxyGuardMiddleware
from tests.e2e.recorder import recorder


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await recorder(scope, receive, send)
        return
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    headers = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    seen = {
        "case": dict(headers).get("x-case", ""),
        "target": f"{scope['method']} {scope['raw_path'].decode()}?{scope['query_string'].decode()}",
        "headers": headers,
        "body": base64.b64encode(body).decode(),
    }
    _write(seen)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"ok":true}'})


def _write(seen: dict[str, Any]) -> None:
    with Path(os.environ["EVASION_LOG"]).open("a") as log:
        log.write(json.dumps(seen) + "\n")


def guarded() -> Any:
    """The same with the middleware around it, by the rules in GUARD_RULES."""
    return ProxyGuardMiddleware(app, rules=os.environ["GUARD_RULES"])
