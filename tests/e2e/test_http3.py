"""HTTP/3 is refused: mitmproxy takes it wherever it listens for `https`, beside TCP."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent

from tests.e2e.raw import CHAT, PHONE, Raw
from tests.e2e.servers import free_port, mitmdump


class Http3(QuicConnectionProtocol):
    """A client's end of one connection."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._http = H3Connection(self._quic)
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._done = asyncio.get_running_loop().create_future()

    async def post(self, port: int, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the reply."""
        stream = self._quic.get_next_available_stream_id()
        authority = f"127.0.0.1:{port}".encode()
        head = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", authority), (b":path", path.encode())]
        self._http.send_headers(stream, [*head, (b"content-type", b"application/json")])
        self._http.send_data(stream, body, end_stream=True)
        self.transmit()
        await asyncio.wait_for(self._done, 20)
        return int(self._headers[b":status"]), self._body

    def quic_event_received(self, event: QuicEvent) -> None:
        for each in self._http.handle_event(event):
            if isinstance(each, HeadersReceived):
                self._headers |= dict(each.headers)
            elif isinstance(each, DataReceived):
                self._body += each.data
            if getattr(each, "stream_ended", False):
                self._done.set_result(None)


@pytest.mark.parametrize("scheme", ["https", "http3"])
def test_http3_is_refused(scheme: str, rules: Path, raw: Raw, tmp_path: Path) -> None:
    port = free_port()
    before = len(raw.seen)

    async def ask() -> tuple[int, bytes]:
        trusting = QuicConfiguration(alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE)
        async with connect("127.0.0.1", port, configuration=trusting, create_protocol=Http3) as client:
            assert isinstance(client, Http3)
            return await client.post(port, "/v1/chat/completions", CHAT)

    mode = f"reverse:{scheme}://127.0.0.1:{raw.port}@{port}"
    with mitmdump(f"http://127.0.0.1:{raw.port}", rules, tmp_path / "door.log", "--mode", mode) as door:
        status, body = asyncio.run(ask())
        printed = door.printed()
    assert status == 505
    assert b"HTTP/3 is not spoken" in body
    assert PHONE.encode() not in body
    assert PHONE not in printed
    assert len(raw.seen) == before
