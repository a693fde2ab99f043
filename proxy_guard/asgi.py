"""The ASGI middleware. It only translates between ASGI and the guard.

A request that no rule is about goes to the application as it came, streaming, and so does its response.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from proxy_guard import audit
from proxy_guard.asgi_stream import StreamedReply, Strides
from proxy_guard.asgi_websocket import converse, deny
from proxy_guard.engine import unanswered
from proxy_guard.exchange import Exchange
from proxy_guard.guard import BROKEN, Guard
from proxy_guard.model import WEBSOCKET, Headers, Verdict
from proxy_guard.passage import Passage

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = audit.logger()
_HOST = re.compile(r"[A-Za-z0-9._~-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")
NO_TARGET = unanswered(None, 400, "its target can't be read")
# Ways to send a body that this middleware would not see.
_BYPASSING = ("http.response.pathsend", "http.response.zerocopysend", "http.response.push")


class ProxyGuardMiddleware:
    """Guards an ASGI application: `app.add_middleware(ProxyGuardMiddleware, rules="rules/")`.

    `rules` is a folder of rule files (None: the shipped ones) and `policy` one policy for all traffic; or give a
    `guard` made elsewhere. Raises RulesError for bad rules, before the first request.
    """

    def __init__(
        self, app: App, rules: str | Path | None = None, *, policy: str | None = None, guard: Guard | None = None
    ) -> None:
        self.app = app
        self.guard = guard or Guard.from_rules(rules, policy=policy)
        self._strides = Strides()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError("the guard knows connections of the types http, websocket and lifespan only")
        guard = self.guard  # another one may be put in its place meanwhile
        try:
            guarded = await self._guarded(guard, scope, receive, send)
        except OSError:
            raise  # the client has gone
        except Exception as error:  # noqa: BLE001 - its text and frames may hold the message's: no one else logs them
            log.error("guard failed", error=type(error).__name__)
            await reply(BROKEN, send)
            return
        if guarded is None:
            return
        scope, receive, response = guarded
        if response is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, response)
        finally:
            response.close()

    async def _guarded(
        self, guard: Guard, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Scope, Receive, _ResponseGuard | None] | None:
        """What the application gets, and what its response passes; None where the client has its answer, or left."""
        clear = origin_form(scope)
        if clear is None:
            await reply(NO_TARGET, send)
            return None
        scope = clear
        headers = from_wire(scope["headers"])
        exchange = guard.open(scope["method"], url_of(scope), headers)
        if exchange.rewritten:
            scope = {**scope, **_to_scope(exchange.rewritten)}
        concerned = exchange.concerns("response")
        if concerned and (asking := exchange.asking(headers)) is not headers:
            scope = {**scope, "headers": to_wire(asking)}
        if exchange.concerns("request"):
            guarded = await self._request(exchange, guard.body_limit, scope, receive, send)
            if guarded is None:
                return None
            scope, receive = guarded
        if not concerned:
            return scope, receive, None
        extensions = {k: v for k, v in (scope.get("extensions") or {}).items() if k not in _BYPASSING}
        response = _ResponseGuard(exchange, guard.body_limit, send, self._strides)
        return {**scope, "extensions": extensions}, receive, response

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(event: Event) -> None:
            if event["type"].startswith("lifespan.shutdown."):  # after that the server does not wait
                await self.guard.aclose()
            await send(event)

        self.guard.media.start()
        await self.app(scope, receive, closing)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = from_wire(scope["headers"])
        exchange = self.guard.open(WEBSOCKET, url_of(scope), headers)
        if exchange.rewritten:
            scope = {**scope, **_to_scope(exchange.rewritten)}
        head = exchange.request(headers)
        if exchange.concerns("request"):
            verdict = await exchange.inspect(head)
            if verdict.action == "block":
                await deny(verdict, to_wire(verdict.headers), scope, send)
                return
            scope = {**scope, "headers": to_wire(verdict.headers), **(_to_scope(verdict.url) if verdict.url else {})}
        await converse(self.app, scope, receive, send, exchange, head)

    async def _request(
        self, exchange: Exchange, limit: int, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Scope, Receive] | None:
        """The scope and receive that the application gets; None where the client has its answer, or has gone."""
        headers = from_wire(scope["headers"])
        event: Event = {}
        verdict = exchange.refuse(exchange.request(headers))
        if verdict is None:
            whole = await _read(receive, limit)
            if whole is None:
                return None
            event = whole
            verdict = await exchange.inspect(exchange.request(headers, event["body"]))
        if verdict.action == "block":
            await reply(verdict, send)
            return None
        scope = {**scope, "headers": to_wire(verdict.headers), **(_to_scope(verdict.url) if verdict.url else {})}
        return scope, _replay({**event, "body": verdict.body}, receive)


class _ResponseGuard:
    """Holds a response back until it is whole and judged."""

    def __init__(self, exchange: Exchange, limit: int, send: Send, strides: Strides) -> None:
        self._exchange = exchange
        self._limit = limit
        self._send = send
        self._start: Event = {}
        self._body = bytearray()
        self._verdict: Verdict | None = None
        self._strides = strides
        self._passage: Passage | None = None
        self._reply: StreamedReply | None = None
        self._started = False
        self._untouched = False

    async def __call__(self, event: Event) -> None:
        """Takes an event of the application's."""
        try:
            await self._take(event)
        except OSError:
            raise  # the client has gone
        except Exception as error:  # noqa: BLE001 - likewise
            log.error("guard failed", error=type(error).__name__)
            if self._started:  # the application and the server learn of it, so that the client sees the end missing
                raise RuntimeError("the guard failed") from None
            self.close()
            self._reply, self._verdict, self._started = None, BROKEN, True
            await reply(BROKEN, self._send)

    async def _take(self, event: Event) -> None:
        kind = event["type"]
        if self._untouched:
            await self._send(event)
        elif kind == "http.response.start":
            self._start = event
            head = self._exchange.response(event["status"], self._headers())
            if self._exchange.untouched(head):
                self._untouched = self._started = True
                await self._send(event)
                return
            self._passage = self._exchange.stream(head)
            if self._passage is not None:
                self._reply = StreamedReply(self._passage, self._strides, self._pass)
        elif self._reply is not None:
            if kind == "http.response.body":
                await self._reply.take(event.get("body", b""), more=event.get("more_body", False))
        elif self._verdict is not None:
            if self._verdict.action != "block" and kind == "http.response.body":
                await self._send(event)  # the rest of a body that is too large, and that the policy lets pass
        elif kind == "http.response.body":
            self._body += event.get("body", b"")
            # One chunk beyond the limit is enough for the guard to refuse it.
            more = event.get("more_body", False)
            if not more or len(self._body) > self._limit:
                await self._judge(more)
        elif kind not in ("http.response.debug", "http.response.trailers"):
            await self._send(event)

    def _headers(self) -> Headers:
        return from_wire(self._start.get("headers", ()))

    def close(self) -> None:
        """The application has ended."""
        if self._reply is not None:
            self._reply.close()

    async def _pass(self, out: bytes, more: bool) -> None:
        """Sends on what of a stream is decided on."""
        assert self._passage is not None
        verdict = self._passage.verdict
        if not self._started:
            self._started = True
            if verdict is not None and verdict.action == "block":
                await reply(verdict, self._send)  # nothing has gone out: it can be said by status
                return
            await self._send({**self._start, "headers": to_wire(self._passage.headers), "trailers": False})
        await self._send({"type": "http.response.body", "body": out, "more_body": more})

    async def _judge(self, more: bool) -> None:
        status, headers = self._start["status"], self._headers()
        verdict = await self._exchange.inspect(self._exchange.response(status, headers, bytes(self._body)))
        self._verdict, self._started = verdict, True
        if verdict.action == "block":
            await reply(verdict, self._send)
            return
        start = {**self._start, "headers": to_wire(verdict.headers), "trailers": False}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": verdict.body, "more_body": more})


async def _read(receive: Receive, limit: int) -> Event | None:
    """The whole body as one event, or one chunk more than `limit` of it; None where the client left."""
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        body += event.get("body", b"")
        more = event.get("more_body", False)
        if not more or len(body) > limit:
            return {"type": "http.request", "body": bytes(body), "more_body": more}


def _replay(event: Event, receive: Receive) -> Receive:
    """A receive that gives `event` once and then what the server has to say: that the client left, in time."""
    pending = [event]

    async def replayed() -> Event:
        return pending.pop() if pending else await receive()

    return replayed


async def reply(verdict: Verdict, send: Send) -> None:
    """Answers the client with what a verdict holds."""
    await send({"type": "http.response.start", "status": verdict.status, "headers": to_wire(verdict.headers)})
    await send({"type": "http.response.body", "body": verdict.body})


def origin_form(scope: Scope) -> Scope | None:
    """A scope whose path is one (RFC 9112 3.2); None for a target that the guard can't tell the meaning of.

    A target may come as a whole URL, which a server has to take; then it has to name the host that the request is for.
    """
    raw: bytes = scope.get("raw_path") or b"/"
    if raw.startswith(b"/") and scope["method"] != "CONNECT":
        return scope
    if raw == b"*" and scope["method"] == "OPTIONS":
        return scope
    found = ABSOLUTE.fullmatch(raw)
    hosts = [value.lower() for name, value in scope["headers"] if name == b"host"]
    if not found or scope["method"] == "CONNECT" or hosts != [found[1].lower()]:
        return None
    path = found[2] or b"/"
    return {**scope, "raw_path": path, "path": unquote(path.decode("latin-1"))}


ABSOLUTE = re.compile(rb"https?://([^/?#@]+)(/[^?#]*)?", re.IGNORECASE)


def url_of(scope: Scope) -> str:
    """The URL of a request, which decides what rules apply."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1")
    if not _HOST.fullmatch(host):  # nor may a host turn the path into something else
        host = ":".join(map(str, scope.get("server") or ("",)))
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    path = "/*" if path == "*" else path
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}{path}" + (f"?{query}" if query else "")


def _to_scope(url: str) -> dict[str, Any]:
    """The path and query of a URL, as a scope has them."""
    path, _, query = url.partition("://")[2].partition("?")
    path = path[path.index("/") :]
    return {"path": unquote(path), "raw_path": path.encode("latin-1"), "query_string": query.encode("latin-1")}


def from_wire(headers: Any) -> Headers:
    """A scope's headers as the guard has them."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def to_wire(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Headers of the guard's as a scope has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
