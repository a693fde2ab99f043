"""The sidecar on uvicorn and httpcore: a reverse proxy with the ASGI middleware around it.

What the middleware lets pass goes on as it comes, in both directions: bytes are neither decoded nor kept, and a side
that reads slowly slows the other down. Only hop-by-hop fields change (RFC 9110 7.6.1), and the Host, which becomes the
upstream's. Redirects are the client's, proxies of the environment are not asked, trailers are left out (6.5.1).
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from types import FrameType
from urllib.parse import unquote, urlsplit

import anyio
import httpcore
import uvicorn

from proxy_guard import audit
from proxy_guard.asgi import (
    ABSOLUTE,
    Event,
    ProxyGuardMiddleware,
    Receive,
    Scope,
    Send,
    from_wire,
    reply,
    to_wire,
    url_of,
)
from proxy_guard.asgi_websocket import deny
from proxy_guard.guard import BROKEN, Guard
from proxy_guard.hops import Unanswered, end_to_end
from proxy_guard.model import WEBSOCKET, Verdict
from proxy_guard.reload import reload_on_hangup
from proxy_guard.reverse_websocket import Upstream

log = audit.logger()

CONNECTIONS = 1000
"""To the upstream, at most; who finds none free waits."""
_IDLE = 4.0  # seconds: less than servers wait for another request (uvicorn and Node 5), so that none is lost
TIMEOUTS = {"connect": 10.0, "pool": 10.0, "write": 60.0, "read": 600.0}
"""Seconds without a byte of progress. A model may think for minutes before it says anything."""
_KEEP_ALIVE = 75  # seconds; longer than clients keep a connection, so that they close it
_GRACE = 25  # seconds for what is under way at the end; Kubernetes kills after 30
_LARGEST_HEAD = 64 * 1024
_PORTS = {"http": 80, "https": 443}


class _ClientLeft(Exception):
    """The client closed its connection before its request was whole."""


class ReverseProxy:
    """An ASGI application that passes requests on to `upstream` (http(s)://host[:port]), guarded by `guard`."""

    def __init__(self, upstream: str, guard: Guard) -> None:
        target = urlsplit(upstream)
        host = target.hostname or ""
        host = f"[{host}]" if ":" in host else host
        self._scheme = target.scheme
        self._host = host.strip("[]").encode()
        self._port = target.port or _PORTS[self._scheme]
        self._named = (host if self._port == _PORTS[self._scheme] else f"{host}:{self._port}").encode()
        self._sockets = Upstream(self._scheme, self._named.decode(), 2 * guard.body_limit)
        self._guarded = ProxyGuardMiddleware(self._forward, guard=guard)
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=_IDLE
        )

    @property
    def guard(self) -> Guard:
        """The guard that new requests meet."""
        return self._guarded.guard

    @guard.setter
    def guard(self, guard: Guard) -> None:
        self._guarded.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection. Whatever goes wrong is told in the API's own way, as long as nothing has gone out."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._guarded(scope, receive, send)
            return
        begun = False

        async def answer(event: Event) -> None:
            nonlocal begun
            begun = True
            await send(event)

        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scheme = self._scheme if kind == "http" else self._sockets.scheme
        scope = {**scope, "scheme": scheme, "headers": [(b"host", self._named), *others], **_target(scope)}
        failure: Verdict = BROKEN
        try:
            await self._guarded(scope, receive, answer)
        except _ClientLeft:
            return
        except Unanswered as error:
            log.error("no answer from upstream", status=error.status, why=error.why)
            method = scope["method"] if kind == "http" else WEBSOCKET
            exchange = self.guard.open(method, url_of(scope), from_wire(scope["headers"]))
            failure = exchange.unanswered(error.status, error.why)
        except Exception as error:  # noqa: BLE001 - its text and frames may hold the message's: no one else logs them
            log.error("guard failed", error=type(error).__name__)
        else:
            return
        if begun:  # the server closes the connection, so that the client sees that the end is missing
            return
        if kind == "http":
            await reply(failure, send)
        else:
            await deny(failure, to_wire(failure.headers), scope, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the middleware is around."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._sockets.converse(scope, receive, send)
        else:
            await self._exchange(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with anyio.create_task_group() as group:
            group.start_soon(reload_on_hangup, self)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            group.cancel_scope.cancel()
        await self._pool.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the request on and the response back; ends both when the client leaves."""
        body = _Body(receive)
        request = self._request(scope, body)
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(body.cancel_when_left, group.cancel_scope)
            try:
                await self._respond(request, send)
            except (_ClientLeft, Unanswered) as error:
                failure = error
            except httpcore.TimeoutException as error:
                late = not isinstance(error, httpcore.PoolTimeout)
                failure = Unanswered(504, "it took too long") if late else Unanswered(503, "too many are waiting")
            except httpcore.LocalProtocolError:
                failure = Unanswered(400, "the request is no HTTP that can be sent on")
            except (httpcore.NetworkError, httpcore.ProtocolError) as error:
                failure = Unanswered(502, _WHY.get(type(error), "it broke off"))
            group.cancel_scope.cancel()
        if failure:
            raise failure

    def _request(self, scope: Scope, body: _Body) -> httpcore.Request:
        headers, chunked, length = end_to_end(scope["headers"], 400)
        if any(name == b"upgrade" and value.strip().lower() == b"websocket" for name, value in scope["headers"]):
            raise Unanswered(501, "this is no handshake of a WebSocket")
        if chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        url = httpcore.URL(scheme=self._scheme.encode(), host=self._host, port=self._port, target=target)
        content = body.pieces() if chunked or length else body.none()
        return httpcore.Request(
            scope["method"], url, headers=headers, content=content, extensions={"timeout": TIMEOUTS}
        )

    async def _respond(self, request: httpcore.Request, send: Send) -> None:
        response = await self._pool.handle_async_request(request)
        try:
            if not 200 <= response.status < 600:
                raise Unanswered(502, "its status is none")
            headers, _, _ = end_to_end(response.headers, 502)
            # Alt-Svc would lead clients round the guard.
            named = [(name.lower(), value) for name, value in headers if name.lower() != b"alt-svc"]
            await send({"type": "http.response.start", "status": response.status, "headers": named})
            async for piece in response.aiter_stream():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await response.aclose()


_WHY = {httpcore.ConnectError: "it can't be reached", httpcore.RemoteProtocolError: "its answer is no HTTP"}


class _Body:
    """A request's body as it comes, and after that the news that the client has left."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = anyio.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body. Raises _ClientLeft where it does not end."""
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise _ClientLeft
            if event.get("body"):
                yield event["body"]
            if not event.get("more_body", False):
                self._ended.set()
                return

    def none(self) -> bytes:
        """No body is to come."""
        self._ended.set()
        return b""

    async def cancel_when_left(self, scope: anyio.CancelScope) -> None:
        """Cancels `scope` when the client leaves."""
        await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


def _target(scope: Scope) -> Scope:
    """The path and query of a target that came as a whole URL (RFC 9112 3.2.2), which a server has to take."""
    found = ABSOLUTE.fullmatch(scope["raw_path"])
    if not found:
        return {}
    raw: bytes = found[2] or b"/"
    return {"raw_path": raw, "path": unquote(raw.decode("latin-1"))}


def serve(guard: Guard, upstream: str, host: str, port: int) -> None:
    """Runs uvicorn, until the process is asked to end; what is under way then has some time to.

    Headers are the upstream's alone, and what is printed are errors only, without URLs.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _done)
    config = uvicorn.Config(
        ReverseProxy(upstream, guard),
        host=host,
        port=port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        ws="websockets-sansio",
        ws_max_size=2 * guard.body_limit,  # the guard refuses what is over its limit, and says so
        ws_ping_timeout=None,  # who reads slowly answers late
        lifespan="on",
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
    )
    uvicorn.Server(config).run()


def _done(number: int, frame: FrameType | None) -> None:
    """uvicorn has ended when it raises again the signal that ended it: the process has then nothing left to do."""
