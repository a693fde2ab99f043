"""WebSockets of the sidecar on uvicorn: each goes on over one of its own to the upstream, message by message.

The upstream is asked first, so that what it says to the handshake is what the client hears.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
import httpcore
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException

from proxy_guard.asgi_websocket import Receive, Scope, Send
from proxy_guard.hops import HOP_BY_HOP, Unanswered

_SCHEMES = {"http": "ws", "https": "wss"}
_PER_CONNECTION = frozenset(
    b"host sec-websocket-key sec-websocket-version sec-websocket-accept sec-websocket-extensions"
    b" sec-websocket-protocol content-length".split()
)
_CONNECT = 10.0  # seconds, with the handshake
_GOING_AWAY, _NO_STATUS, _ABNORMAL, _BAD_GATEWAY = 1001, 1005, 1006, 1014  # RFC 6455 7.4.1 and IANA's registry


class Upstream:
    """Where WebSockets go: `scheme` http or https, `named` as the Host has it, `largest` message in bytes."""

    def __init__(self, scheme: str, named: str, largest: int) -> None:
        self.scheme = _SCHEMES[scheme]
        self._origin = f"{self.scheme}://{named}"
        self._largest = largest
        # The authorities are read once; those of the environment (SSL_CERT_FILE) count.
        self._tls = httpcore.default_ssl_context() if scheme == "https" else None

    async def converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one connection on, both ways, until either side ends it. Raises Unanswered before it is open."""
        await receive()  # that someone wants to connect
        upstream = await self._open(scope)
        try:
            headers = [(name.lower(), value) for name, value in _raw(upstream.response) if _goes_on(name)]
            await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol, "headers": headers})
            async with anyio.create_task_group() as group:
                group.start_soon(_from_upstream, upstream, send, group.cancel_scope)
                await _from_client(receive, upstream)
                group.cancel_scope.cancel()
        finally:
            upstream.transport.abort()

    async def _open(self, scope: Scope) -> ClientConnection:
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        connecting = _Connect(
            self._origin + target.decode("latin-1"),
            additional_headers=[
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"] if _goes_on(name)
            ],
            subprotocols=scope["subprotocols"] or None,
            user_agent_header=None,
            proxy=None,
            open_timeout=_CONNECT,
            ping_timeout=None,
            max_size=self._largest,
            ssl=self._tls,
        )
        try:
            return await connecting
        except TimeoutError:
            raise Unanswered(504, "it took too long") from None
        except InvalidStatus as error:
            status = error.response.status_code
            status = status if 400 <= status < 600 else 502
            raise Unanswered(status, "it refused the WebSocket") from None
        except InvalidURI:
            raise Unanswered(400, "the request is no HTTP that can be sent on") from None
        except (InvalidHandshake, WebSocketException):
            raise Unanswered(502, "its answer is no WebSocket") from None
        except OSError:
            raise Unanswered(502, "it can't be reached") from None


class _Connect(connect):
    """Follows no redirect: where a connection goes is the operator's to say."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _from_client(receive: Receive, upstream: ClientConnection) -> None:
    """Passes on what the client sends, and how it ends."""
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            code = event.get("code") or _NO_STATUS
            code = {_NO_STATUS: 1000, _ABNORMAL: _GOING_AWAY}.get(code, code)
            await upstream.close(code, event.get("reason") or "")
            return
        text = event.get("text")
        with suppress(ConnectionClosed):  # the other direction tells the client
            await upstream.send(event["bytes"] if text is None else text)


async def _from_upstream(upstream: ClientConnection, send: Send, scope: anyio.CancelScope) -> None:
    """Passes on what the upstream sends, and how it ends."""
    try:
        while True:
            message = await upstream.recv()
            content = {"text": message} if isinstance(message, str) else {"bytes": message}
            await send({"type": "websocket.send", **content})
    except ConnectionClosed as closed:
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (_BAD_GATEWAY, "")
        with suppress(OSError):
            code = 1000 if code == _NO_STATUS else code
            await send({"type": "websocket.close", "code": code, "reason": reason})
        scope.cancel()
    except OSError:
        pass  # the client has gone, or the guard has ended it: the other direction hears of that


def _goes_on(name: bytes) -> bool:
    name = name.lower()
    return name not in HOP_BY_HOP and name not in _PER_CONNECTION


def _raw(response: Any) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.raw_items()]
