"""Fetches linked media: from named hosts only, of public addresses only, within a size.

The address is looked at where the connection is made to it, so that a name that resolves otherwise the next moment
(DNS rebinding), and every redirect, meet the same check.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable, Sequence
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urljoin, urlsplit

import anyio
import httpcore

_REDIRECTS = 3
_NAT64 = 0x64FF9B << 96
"""64:ff9b::/96 (RFC 6052): an IPv4 address in its last 32 bits, which a gateway reaches."""


class Unfetchable(Exception):
    """A linked medium that can't be had. `cause` as `Refused` has it; `why` holds nothing of the link."""

    def __init__(self, why: str, cause: str = "link") -> None:
        super().__init__(why)
        self.why = why
        self.cause = cause


class Fetcher:
    """Fetches for one policy."""

    def __init__(self, hosts: Sequence[str], size: int, *, public_only: bool = True, tls: ssl.SSLContext | None = None):
        """`hosts` as the policy has them: names, or `*.` and a name for every host below. `size` in bytes."""
        self._hosts = hosts
        self._size = size
        self._backend = _Backend(public_only)
        self._own_tls = tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._own_tls or ssl.create_default_context()

    async def fetch(self, url: str) -> tuple[bytes, str]:
        """The bytes, and the media type that their server names. Raises Unfetchable."""
        for _ in range(_REDIRECTS + 1):
            self._check(url)
            found = await self._get(url)
            if not isinstance(found, str):
                return found
            url = urljoin(url, found)
        raise Unfetchable(f"a link redirects more than {_REDIRECTS} times")

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Unfetchable("a link is no URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise Unfetchable("a link is none of http or https without credentials")
        if port not in (None, 80, 443) and self._backend.public_only:
            raise Unfetchable("a link names a port of its own")
        if re.search(r"[\s\x00-\x1f\x7f]", url) or not url.isascii():
            raise Unfetchable("a link holds letters that no URL has")
        host = parts.hostname.rstrip(".").lower()
        if not any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in self._hosts):
            raise Unfetchable("a link leads to a host that is not named in `media.hosts`")

    async def _get(self, url: str) -> tuple[bytes, str] | str:
        """Body and media type, or where a redirect leads."""
        headers = [(b"Host", urlsplit(url).netloc.encode()), (b"Accept-Encoding", b"identity"), (b"Accept", b"*/*")]
        try:
            async with (
                httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=self._backend) as pool,
                pool.stream("GET", url, headers=headers) as response,
            ):
                said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status in (301, 302, 303, 307, 308) and "location" in said:
                    return said["location"]
                if response.status != 200:
                    raise Unfetchable(f"a linked medium was answered with {response.status}")
                if said.get("content-encoding", "identity").lower() != "identity":
                    raise Unfetchable("a linked medium came in a Content-Encoding that nobody asked for")
                body = bytearray()
                async for piece in response.aiter_stream():
                    body += piece
                    if len(body) > self._size:
                        raise Unfetchable(f"a linked medium is larger than {self._size} bytes", "too_large")
                return bytes(body), said.get("content-type", "").partition(";")[0].strip().lower()
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError, ValueError) as error:
            raise Unfetchable(f"a linked medium could not be fetched ({type(error).__name__})", "unavailable") from None


class _Backend(httpcore.AnyIOBackend):
    """Connects to public addresses only; resolves the name itself, so that what was checked is what is used."""

    def __init__(self, public_only: bool) -> None:
        super().__init__()
        self.public_only = public_only

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        # One that is not public among them is reason enough: a resolver that answers both is being tried.
        if self.public_only and not all(is_public(each) for each in addresses):
            raise Unfetchable("a link leads to an address that is not public")
        error: Exception = OSError("no address")
        for address in addresses:
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                error = fault
        raise error


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the Internet could reach."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner: IPv4Address | None = None
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if int(found) >> 32 == _NAT64 >> 32:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)
