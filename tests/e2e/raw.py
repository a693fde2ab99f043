"""A server on a plain socket, which answers byte for byte as a test tells it to, and clients that read as plainly."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PHONE = "9876543210"
CHAT = json.dumps({"messages": [{"role": "user", "content": f"call {PHONE}"}]}).encode()
JSON = {"content-type": "application/json"}
Answerer = Callable[[socket.socket, bytes], object]


class Raw:
    """A server that takes one request after the other, and answers as it is told to, byte by byte."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.ended = threading.Event()
        self.answerer: Answerer = lambda connection, _: connection.sendall(OK)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.context: ssl.SSLContext | None = None
        self.reading: Callable[[bytes], object] | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                while request := _request(connection, self._read):
                    self.seen.append(request)
                    self.answerer(connection, request)
            except OSError:
                pass
            finally:
                connection.close()
                self.ended.set()

    def _read(self, piece: bytes) -> None:
        if self.reading:
            self.reading(piece)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave `accept` waiting
        self._listener.close()


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def _request(connection: socket.socket, reading: Callable[[bytes], object]) -> bytes:
    """One request, headers and all; empty where the connection has ended. `reading` is told of each piece."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    want = int(lengths[0].partition(b":")[2]) if lengths else 0
    if b"transfer-encoding: chunked" in head.lower():
        while not body.endswith(b"0\r\n\r\n"):
            piece = _some(connection)
            reading(piece)
            body += piece
    while len(body) < want:
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def once(connection: socket.socket, _: bytes) -> None:
    connection.sendall(OK)
    connection.close()


def _some(connection: socket.socket) -> bytes:
    piece = connection.recv(4096)
    if not piece:
        raise ConnectionResetError
    return piece


@contextmanager
def told(raw: Raw, answerer: Answerer) -> Iterator[None]:
    raw.seen.clear()
    raw.ended.clear()
    before, raw.answerer = raw.answerer, answerer
    yield
    raw.answerer = before


def exchange(port: int, request: bytes) -> bytes:
    """Everything that comes back, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(request)
        data = b""
        while piece := client.recv(65536):
            data += piece
        return data


def post(port: int, path: str = "/v1/chat/completions", body: bytes = CHAT) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, JSON)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def head_of(request: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    return first, [(n.lower(), v) for n, v in (line.split(b": ", 1) for line in lines)], body
