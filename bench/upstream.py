"""A fast HTTP/1.1 server in place of the chat API: `python -m bench.upstream PORT`.

It answers every POST with one fixed completion and GET /last with the last body that it was sent. It knows
no more of HTTP than the benchmark needs: keep-alive, pipelining, Content-Length.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import sys
from collections.abc import Callable

from bench.reply import completion

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


def answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    """One response."""
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (
        status,
        len(body),
    )
    return head + body


_REPLY = answer(json.dumps(completion("gpt-4o-mini", 350), separators=(",", ":")).encode())
_REFUSAL = answer(b"{}", b"501 Not Implemented")


class Upstream(asyncio.Protocol):
    """One connection."""

    last = b"{}"

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers every request that is whole."""
        assert self._transport is not None
        self._buffer += data
        replies: list[bytes] = []
        while (reply := self._next()) is not None:
            replies.append(reply)
        if replies:
            self._transport.write(b"".join(replies))

    def _next(self) -> bytes | None:
        """Takes one request out of the buffer and gives the answer to it; None if none is whole."""
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        if _CHUNKED.search(buffer, 0, end):
            buffer.clear()
            return _REFUSAL
        length = LENGTH.search(buffer, 0, end)
        start = end + 4
        stop = start + (int(length[1]) if length else 0)
        if len(buffer) < stop:
            return None
        if buffer.startswith(b"GET /last "):
            reply = answer(Upstream.last)
        else:
            Upstream.last = bytes(buffer[start:stop])
            reply = _REPLY
        del buffer[:stop]
        return reply


async def serve(port: int) -> None:
    """Serves until the process ends."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Serves on the port that the command line names, by uvloop where it is installed."""
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if importlib.util.find_spec("uvloop"):
        factory = importlib.import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
