"""One HTTP exchange with one host: sent through httpx's transport, read within limits, faults named without secrets.

The transport is used rather than a client: it follows no redirect, keeps no cookie, asks no proxy of the
environment, and writes no URL to a log.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import httpx
from anyio.lowlevel import RunVar

from proxy_guard.codecs import Limits
from proxy_guard.codecs.content_encoding import decode_content, encodings_of
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Late, Unavailable, Unreadable

_JSON = JsonCodec()
_LONGEST_PAUSE = 60.0
logging.getLogger("hpack").setLevel(logging.WARNING)  # at DEBUG it writes every header, credentials too


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unpacked."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Traced:
    """One exchange, for whoever tests a connection. `error` is set where there is no reply."""

    request: httpx.Request = field(repr=False)
    reply: Reply | None
    seconds: float
    error: str = ""


Observe = Callable[[Traced], None]


class Wire:
    """Exchanges for one connection file. Each event loop has its own TCP connections, made when first needed.

    HTTP/2 has one transport for all exchanges. Without it each exchange under way has a transport with one connection
    of its own, the one last used if there is any: a transport that has many looks at every one of them each time.
    How many exchanges there are at a time is the caller's to limit.
    """

    def __init__(
        self, tls: ssl.SSLContext | None, *, http2: bool, connections: int, max_reply: int, observe: Observe | None
    ) -> None:
        # Without TLS no context is ever used; an empty one spares reading all the authorities of the system.
        self._tls = tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._shares = http2 and tls is not None
        self._connections = connections if self._shares else 1
        self._limits = Limits(body=max_reply, decoded=max_reply)
        self._observe = observe
        self._free: RunVar[list[httpx.AsyncHTTPTransport]] = RunVar("transports")

    @contextmanager
    def _transport(self) -> Iterator[httpx.AsyncHTTPTransport]:
        free = self._free.get(None)
        if free is None:
            free = []
            self._free.set(free)
        transport = free.pop() if free else self._made()
        if self._shares:
            free.append(transport)
        try:
            yield transport
        finally:
            if not self._shares:
                free.append(transport)

    def _made(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=self._connections, max_keepalive_connections=self._connections)
        return httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, http2=self._shares, limits=limits)

    async def aclose(self) -> None:
        """Closes the connections of this event loop."""
        free = self._free.get(None) or []
        while free:
            await free.pop().aclose()

    async def send(self, request: httpx.Request, seconds: float, *, repeatable: bool) -> Reply:
        """The reply, whatever its status, within `seconds`. Raises Unavailable and nothing else.

        `repeatable`: it does no harm if the request arrives twice.
        """
        begun = time.monotonic()
        reply: Reply | None = None
        error = Unavailable("cut short")
        try:
            with anyio.fail_after(seconds), self._transport() as transport:
                response = await transport.handle_async_request(request)
                try:
                    reply = Reply(response.status_code, response.headers, await self._read(response))
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            late = isinstance(fault, httpx.TimeoutException)
            error = Late("no connection in time", again=True) if late else Unavailable(_named(fault), again=True)
            raise error from None
        except (TimeoutError, httpx.TimeoutException):
            error = Late(f"no answer within {seconds:.3g} s", again=repeatable)
            raise error from None
        except (httpx.HTTPError, httpx.StreamError, OSError) as fault:
            error = Unavailable(f"the connection broke ({type(fault).__name__})", again=repeatable)
            raise error from None
        except Unreadable as fault:
            error = Unavailable(f"its reply: {fault.why}")
            raise error from None
        except (httpx.InvalidURL, ValueError, TypeError) as fault:  # what h11 and h2 say of a bad request
            error = Unavailable(f"the request can't be sent ({type(fault).__name__})")
            raise error from None
        finally:
            if self._observe:
                self._observe(Traced(request, reply, time.monotonic() - begun, "" if reply else error.why))
        return reply

    async def _read(self, response: httpx.Response) -> bytes:
        most = self._limits.body
        body = bytearray()
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        async for piece in stream:
            body += piece
            if len(body) > most:
                raise Unreadable(f"it is larger than {most} bytes")
        encodings = encodings_of(response.headers.get_list("content-encoding"))
        return decode_content(bytes(body), encodings, self._limits) if encodings else bytes(body)


def check(reply: Reply, *, repeatable: bool) -> None:
    """Raises Unavailable unless the reply is a success (2xx)."""
    status = reply.status
    if 200 <= status < 300:
        return
    if status in (429, 503):  # it was turned away, not worked upon
        after = _retry_after(reply.headers.get("retry-after", ""))
        raise Unavailable(f"it answered {status}", again=True, after=after)
    if status in (408, 425) or status >= 500:
        raise Unavailable(f"it answered {status}", again=repeatable)
    if 300 <= status < 400:
        raise Unavailable(f"it answered {status}: redirects are not followed", counts=False)
    if status in (401, 403):
        raise Unavailable(f"it refused our credentials ({status})", counts=False)
    raise Unavailable(f"it answered {status}", counts=False)


def decode(reply: Reply) -> Any:
    """The JSON in a reply. Raises Unavailable."""
    try:
        return _JSON.decode(reply.body, Limits()).value
    except Unreadable as error:
        raise Unavailable(f"its reply is no JSON: {error.why}") from None


def _retry_after(value: str) -> float:
    """Seconds, from seconds or a date (RFC 9110 10.2.3); none where it can't be read."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(float(value), _LONGEST_PAUSE)
    try:
        pause = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError):
        return 0.0
    return min(max(pause, 0.0), _LONGEST_PAUSE)


def _named(error: BaseException) -> str:
    """What kept a connection from being made: the operating system's or OpenSSL's own words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS connection: {cause.reason}"
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return f"no connection: {os.strerror(cause.errno)}"
        if isinstance(cause, socket.gaierror):  # its numbers are its own, and below 0
            return f"no connection: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return "no connection"
