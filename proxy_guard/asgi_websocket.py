"""WebSockets behind the ASGI middleware: it translates between the events of one connection and the guard.

Messages of the client are inspected as the application receives them, those of the application as it sends them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from proxy_guard.exchange import Exchange
from proxy_guard.model import Message, Verdict
from proxy_guard.websocket import Close, Frame, Lane, Passed

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
_DENIAL = "websocket.http.response"
"""The extension with which an application, or a middleware, answers a handshake with a response of its own."""


async def deny(verdict: Verdict, headers: list[tuple[bytes, bytes]], scope: Scope, send: Send) -> None:
    """Answers the handshake with a block; 403 where the server can't have it otherwise."""
    if _DENIAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    await send({"type": f"{_DENIAL}.start", "status": verdict.status, "headers": headers})
    await send({"type": f"{_DENIAL}.body", "body": verdict.body})


async def converse(app: App, scope: Scope, receive: Receive, send: Send, exchange: Exchange, head: Message) -> None:
    """Runs the application with a connection whose messages are inspected; `head` is the request that opens it."""
    client, server = exchange.lane(head), exchange.lane(exchange.response(101, ()))
    if client is None and server is None:
        await app(scope, receive, send)
        return
    # A denial of the application's is a body that this middleware would not see.
    extensions = {name: value for name, value in (scope.get("extensions") or {}).items() if name != _DENIAL}
    connection = _Connection(receive, send, client, server)
    await app({**scope, "extensions": extensions}, connection.receive, connection.send)


class _Connection:
    """What the application has of a connection."""

    def __init__(self, receive: Receive, send: Send, client: Lane | None, server: Lane | None) -> None:
        self._receive = receive
        self._send = send
        self._client = client
        self._server = server
        self._ready: deque[Event] = deque()
        self._closed: Close | None = None

    async def receive(self) -> Event:
        """The next event for the application."""
        while not self._ready:
            if self._closed:
                return {"type": "websocket.disconnect", "code": self._closed.code, "reason": self._closed.reason}
            event = await self._receive()
            if self._client is None or event["type"] not in ("websocket.receive", "websocket.disconnect"):
                return event
            if event["type"] == "websocket.disconnect":
                passed = await self._client.end()
                self._ready.extend([*(_event("receive", frame) for frame in passed.frames), event])
            else:
                passed = await self._client.feed(_frame(event))
                self._ready.extend(_event("receive", frame) for frame in passed.frames)
                await self._tell(passed)
        return self._ready.popleft()

    async def send(self, event: Event) -> None:
        """Takes an event of the application's. Raises OSError where the guard has ended the connection."""
        if self._closed:
            raise _closed()
        kind = event["type"]
        if self._server is None or kind not in ("websocket.send", "websocket.close"):
            await self._send(event)
            return
        passed = await (self._server.feed(_frame(event)) if kind == "websocket.send" else self._server.end())
        for frame in passed.frames:
            await self._send(_event("send", frame))
        await self._tell(passed)
        if self._closed:
            raise _closed()
        if kind == "websocket.close":
            await self._send(event)

    async def _tell(self, passed: Passed) -> None:
        """Tells the client of a block, and ends the connection where that is what becomes of it."""
        if self._closed:
            return
        self._closed = passed.close
        for frame in passed.told:
            await self._send(_event("send", frame))
        if passed.close:
            await self._send({"type": "websocket.close", "code": passed.close.code, "reason": passed.close.reason})


def _closed() -> OSError:
    return ConnectionResetError("the guard has closed the WebSocket")


def _frame(event: Event) -> Frame:
    text = event.get("text")
    return Frame(event.get("bytes") or b"", text=False) if text is None else Frame(text.encode("utf-8", "replace"))


def _event(kind: str, frame: Frame) -> Event:
    if frame.text:
        return {"type": f"websocket.{kind}", "text": frame.data.decode("utf-8", "replace")}
    return {"type": f"websocket.{kind}", "bytes": frame.data}
