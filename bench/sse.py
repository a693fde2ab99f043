"""Clients of streamed replies: one that counts events as fast as they come, one that looks at the time of each."""

from __future__ import annotations

import contextlib
import http.client
import json
import selectors
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.model import BenchError

CHAT = "/v1/chat/completions"
_END = b"\r\n0\r\n\r\n"  # of a body in chunks
_EVENT_END = b"\n\n"


def asking(model: str, kind: str, tokens: int) -> bytes:
    """The body of a request for a reply."""
    messages = [{"role": "user", "content": "How do I clean a window?"}]
    asked = {"model": model, "user": kind, "max_tokens": tokens, "stream": True, "messages": messages}
    return json.dumps(asked).encode()


class Load:
    """So many connections that ask for one reply after the other. They read what comes and count the events.

    Bytes are only searched for the ends of events, which costs a small part of what a server's work on them does.
    """

    def __init__(self, base: str, body: bytes, connections: int) -> None:
        self.events = 0
        self._selector = selectors.DefaultSelector()
        target = urlsplit(base)
        head = f"POST {CHAT} HTTP/1.1\r\nhost: {target.netloc}\r\ncontent-type: application/json\r\n"
        self._request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
        self._tails: dict[socket.socket, bytes] = {}
        for _ in range(connections):
            connection = socket.create_connection((target.hostname, target.port), timeout=10)
            connection.sendall(self._request)
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ)
            self._tails[connection] = b""

    def run(self, seconds: float) -> float:
        """Reads for so long; gives the events per second that came."""
        began = now = time.perf_counter()
        before = self.events
        while now - began < seconds:
            for key, _ in self._selector.select(0.1):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                self._read(connection)
            now = time.perf_counter()
        return (self.events - before) / (now - began)

    def _read(self, connection: socket.socket) -> None:
        data = connection.recv(1 << 18)
        if not data:
            raise BenchError("a connection was closed under load")
        tail = self._tails[connection]
        if not tail and not data.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"the answer is {data[:60]!r}")
        both = tail[-1:] + data
        self.events += both.count(_EVENT_END)
        tail = (tail + data)[-len(_END) :]
        if tail == _END:
            tail = b""
            connection.sendall(self._request)
        self._tails[connection] = tail

    def close(self) -> None:
        """Lets go of the connections."""
        for connection in self._tails:
            connection.close()
        self._selector.close()


@dataclass(frozen=True)
class Timed:
    """One reply as a client saw it. Times are seconds since it asked; `hold` is in characters.

    `hold` is the most text that had been sent and had not come yet, whenever something came.
    """

    text: str
    first: float
    end: float
    hold: int
    lateness: list[float]


def timed(base: str, kind: str, tokens: int) -> Timed:
    """Asks for a paced reply, and reads it event by event."""
    target = urlsplit(base)
    with contextlib.closing(http.client.HTTPConnection(target.netloc, timeout=60)) as connection:
        connection.connect()
        began = time.monotonic()
        connection.request("POST", CHAT, asking("paced", kind, tokens), {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise BenchError(f"the answer of {base} is {response.status}: {response.read(300)!r}")
        came: list[tuple[float, float, str]] = []  # when it came, when it was sent, what
        sent = 0.0
        while line := response.readline():
            name, _, value = line.strip().partition(b": ")
            if name == b"id":
                sent = int(value) / 1e9
            elif name == b"data" and value != b"[DONE]":
                text = json.loads(value)["choices"][0]["delta"]["content"]
                came.append((time.monotonic(), sent, text))
        end = time.monotonic()
    first = next((at for at, _, text in came if text), end)
    return Timed(
        "".join(text for _, _, text in came),
        first - began,
        end - began,
        _hold(came),
        [at - sent for at, sent, _ in came],
    )


def _hold(came: list[tuple[float, float, str]]) -> int:
    most = held = place = 0
    for at, _, text in came:
        while place < len(came) and came[place][1] < at:
            held += len(came[place][2])
            place += 1
        most = max(most, held)
        held -= len(text)
    return most
