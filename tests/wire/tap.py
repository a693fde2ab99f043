"""What stands behind a door and keeps every byte that arrives, understood or not, and clients that send as plainly."""

from __future__ import annotations

import base64
import json
import socket
import threading
from typing import Any

from proxy_guard.asgi import ProxyGuardMiddleware

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_QUIET = 1.0
"""Seconds without a byte after which what was sent is answered, whole or not."""


class Tap:
    """An upstream that keeps all that it is sent, whatever it makes of it."""

    def __init__(self) -> None:
        self._seen: list[bytearray] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        kept = bytearray()
        self._seen.append(kept)
        with connection:
            connection.settimeout(_QUIET)
            asked = b""
            while True:
                try:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    kept += piece
                    asked += piece
                    if not _whole(asked):
                        continue
                except TimeoutError:
                    pass
                except OSError:
                    return
                if asked:
                    connection.sendall(OK)
                asked = b""

    def take(self) -> bytes:
        """All that has arrived since it was asked last."""
        seen = b"\n\n".join(bytes(each) for each in self._seen if each)
        for kept in self._seen:
            kept.clear()
        return seen

    def close(self) -> None:
        """Stops listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def say(port: int, request: bytes, seconds: float = 3.0) -> bytes:
    """What comes back on a connection until it ends, or nothing has come for so long."""
    data = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        try:
            client.sendall(request)
            while piece := client.recv(65536):
                data += piece
                if _whole(data):
                    client.settimeout(0.1)
        except (TimeoutError, ConnectionError):
            pass
    return data


def _whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    head = head.lower()
    if b"transfer-encoding:" in head:
        return body.endswith(b"0\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0].partition(b":")[2]) if lengths else 0)


def status(answer: bytes) -> int:
    """The status of the first reply; 0 where the connection ended without one."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else 0


_taken: list[dict[str, Any]] = []


async def _application(scope: Any, receive: Any, send: Any) -> None:
    """Keeps what it is given; `GET /_taken` tells, and forgets."""
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        _taken.append({"path": scope["path"], "type": "websocket"})
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            _taken.append({"text": event.get("text"), "bytes": (event.get("bytes") or b"").decode("latin-1")})
            await send({"type": "websocket.send", "text": "{}"})
        return
    if scope["path"] == "/_taken":
        content = json.dumps(_taken).encode()
        _taken.clear()
        await _answer(send, content)
        return
    body = b""
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            break
        body += event.get("body", b"")
        more = event.get("more_body", False)
    _taken.append(
        {
            "method": scope["method"],
            "path": scope["path"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in scope["headers"]],
            "body": base64.b64encode(body).decode(),
        }
    )
    await _answer(send, b"{}")


async def _answer(send: Any, content: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def guarded() -> Any:
    """The application behind the middleware, by the rules in GUARD_RULES."""
    import os

    return ProxyGuardMiddleware(_application, rules=os.environ["GUARD_RULES"])


def taken(port: int) -> bytes:
    """What the application behind the middleware was given since it was asked last, as bytes of requests."""
    answer = say(port, b"GET /_taken HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 10)
    requests = json.loads(answer.partition(b"\r\n\r\n")[2] or b"[]")
    return b"\n\n".join(map(_shown, requests))


def _shown(request: dict[str, Any]) -> bytes:
    if "body" not in request:
        return json.dumps(request, ensure_ascii=False).encode()
    lines = [f"{request['method']} {request['raw_path']}?{request['query']} HTTP/1.1 ({request['path']})"]
    lines += [f"{name}: {value}" for name, value in request["headers"]]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + base64.b64decode(request["body"])
