"""A Security API that allows everything, 5 ms after it was asked: `python -m bench.security_api PORT`.

It knows no more of HTTP than the benchmark needs: keep-alive, Content-Length.
"""

from __future__ import annotations

import asyncio
import json
import sys

from bench.upstream import LENGTH, answer

DELAY = 0.005


class SecurityApi(asyncio.Protocol):
    """One connection; a client waits for the answer before it asks again."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers a request that is whole, in a while."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        length = LENGTH.search(self._buffer, 0, end) if end >= 0 else None
        stop = end + 4 + (int(length[1]) if length else 0)
        if end < 0 or len(self._buffer) < stop:
            return
        items = json.loads(self._buffer[end + 4 : stop] or b'{"items": []}')["items"]
        del self._buffer[:stop]
        reply = {"items": [{"id": item["id"], "action": "allow"} for item in items]}
        assert self._transport is not None
        body = json.dumps(reply, separators=(",", ":")).encode()
        asyncio.get_running_loop().call_later(DELAY, self._transport.write, answer(body))


async def serve(port: int) -> None:
    """Serves until the process ends."""
    server = await asyncio.get_running_loop().create_server(SecurityApi, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
