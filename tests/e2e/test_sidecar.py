"""`proxy-guard run --door asgi` as a reverse proxy: what it passes on, and what it says where there is no answer."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.e2e.servers import Server, sidecar

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
                while request := _request(connection):
                    self.seen.append(request)
                    self.answerer(connection, request)
            except OSError:
                pass
            finally:
                connection.close()
                self.ended.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave `accept` waiting
        self._listener.close()


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def _request(connection: socket.socket) -> bytes:
    """One request, headers and all; empty where the connection has ended."""
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
            body += _some(connection)
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


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    server = Raw()
    yield server
    server.close()


@pytest.fixture(scope="module")
def door(folder: Path, raw: Raw) -> Iterator[Server]:
    with sidecar(f"http://127.0.0.1:{raw.port}", folder / "sidecar-raw.log", "--door", "asgi") as server:
        yield server


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


def test_headers_go_on_as_they_came_but_for_those_of_the_hop(door: Server, raw: Raw) -> None:
    fields = (
        b"X-A: 1\r\nX-A: 2\r\nAccept-Encoding: gzip, x-own\r\nCookie: a=b\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n"
        b"Keep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: X-T\r\nUpgrade: h2c\r\nProxy-Connection: close\r\n"
        b"Expect: 100-continue\r\n"
    )
    answered = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Encoding: x-own\r\nX-Up: 1\r\nConnection: X-Up\r\n"
        b"Keep-Alive: timeout=5\r\nTrailer: X-T\r\nLocation: http://elsewhere/\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\n\x00\xff\x01\r\n0\r\nX-T: 1\r\n\r\n"
    )
    with told(raw, lambda connection, _: connection.sendall(answered)):
        request = b"PUT /any%2Fpath/../x?q=%41&&b HTTP/1.1\r\nHost: other.example\r\n" + fields
        got = exchange(door.port, request + b"Content-Length: 3\r\n\r\n\x00\xff\x02")
    assert got.startswith(b"HTTP/1.1 100 ")
    status, headers, body = head_of(got.partition(b"\r\n\r\n")[2])
    assert status.startswith(b"HTTP/1.1 200 ")
    assert body == b"3\r\n\x00\xff\x01\r\n0\r\n\r\n"
    assert sorted(headers) == [
        (b"connection", b"close"),
        (b"content-encoding", b"x-own"),
        (b"location", b"http://elsewhere/"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
        (b"transfer-encoding", b"chunked"),
    ]
    [seen] = raw.seen
    first, headers, body = head_of(seen)
    assert first == b"PUT /any%2Fpath/../x?q=%41&&b HTTP/1.1"
    assert body == b"\x00\xff\x02"
    assert headers == [
        (b"host", f"127.0.0.1:{raw.port}".encode()),
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"accept-encoding", b"gzip, x-own"),
        (b"cookie", b"a=b"),
        (b"content-length", b"3"),
    ]


def test_redirects_are_the_clients(door: Server, raw: Raw) -> None:
    answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
    with told(raw, lambda connection, _: connection.sendall(answer)):
        status, headers, _ = post(door.port, "/moved")
        assert (status, headers["location"], len(raw.seen)) == (307, "/elsewhere", 1)


def test_a_whole_url_as_the_target_is_its_path(door: Server, raw: Raw) -> None:
    with told(raw, lambda connection, _: connection.sendall(OK)):
        head = b"POST http://other.example/v1/chat/completions?a=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        exchange(door.port, head + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(CHAT) + CHAT)
    first, _, body = head_of(raw.seen[0])
    assert first == b"POST /v1/chat/completions?a=1 HTTP/1.1"
    assert PHONE.encode() not in body


@pytest.mark.parametrize(
    "framing", [b"content-length: 3\r\ntransfer-encoding: chunked\r\n", b"transfer-encoding: gzip, chunked\r\n"]
)
def test_where_a_body_ends_has_to_be_clear(framing: bytes, door: Server, raw: Raw) -> None:
    with told(raw, lambda connection, _: connection.sendall(OK)):
        head = b"POST /any HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        answer = exchange(door.port, head + framing + b"\r\n1\r\na\r\n0\r\n\r\n")
        assert answer.split(b" ")[1] in (b"400", b"501")
        assert raw.seen == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/unmatched"])
def test_no_answer_is_an_error_in_the_apis_own_shape(path: str, door: Server, raw: Raw, folder: Path) -> None:
    with told(raw, lambda connection, _: connection.close()):
        broke = post(door.port, path)
    with told(raw, lambda connection, _: connection.sendall(b"garbage\r\n\r\n")):
        garbage = post(door.port, path)
    with told(raw, lambda connection, _: connection.sendall(OK.replace(b"200", b"999"))):
        nonsense = post(door.port, path)
    for status, headers, body in (broke, garbage, nonsense):
        assert (status, headers.get("x-proxy-guard-incident")) == (502, None)
        told_ = json.loads(body)
        assert "chat API did not answer" in json.dumps(told_)
        assert ("error" in told_) == (path != "/unmatched")
        assert PHONE.encode() not in body
    assert "no answer from upstream" in door.printed()
    assert PHONE not in door.printed()
    assert "Traceback" not in door.printed()


def test_a_reply_that_breaks_off_is_not_made_to_look_whole(door: Server, raw: Raw) -> None:
    def broken(connection: socket.socket, _: bytes) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n"
        )
        time.sleep(0.2)
        connection.close()

    with told(raw, broken):
        with pytest.raises(http.client.IncompleteRead):
            post(door.port, "/unmatched")
        assert post(door.port)[0] == 502, "one that is held can still be told of"
    assert "Traceback" not in door.printed()


def test_a_client_that_leaves_ends_the_request_upstream(door: Server, raw: Raw) -> None:
    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\na\r\n")
            time.sleep(0.02)

    with told(raw, endless), socket.create_connection(("127.0.0.1", door.port), timeout=30) as client:
        client.sendall(b"GET /unmatched HTTP/1.1\r\nhost: x\r\n\r\n")
        client.recv(100)
        assert not raw.ended.is_set()
        client.close()
        assert raw.ended.wait(10), "while the reply comes"
    with told(raw, lambda connection, _: bool(connection.recv(1))):
        client = socket.create_connection(("127.0.0.1", door.port), timeout=30)
        client.sendall(b"GET /unmatched HTTP/1.1\r\nhost: x\r\n\r\n")
        while not raw.seen:
            time.sleep(0.01)
        client.close()
        assert raw.ended.wait(10), "while it is waited for"
    with told(raw, lambda connection, _: None):
        client = socket.create_connection(("127.0.0.1", door.port), timeout=30)
        client.sendall(b"POST /unmatched HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\na")
        time.sleep(0.2)
        client.close()
        assert raw.ended.wait(10), "while it sends"
        assert raw.seen == []


def test_the_upstreams_certificate_is_verified(folder: Path) -> None:
    raw, authorities = Raw(), [trustme.CA(), trustme.CA()]
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in authorities]
    for authority, context in zip(authorities, contexts, strict=True):
        authority.issue_cert("localhost").configure_cert(context)
    bundle = folder / "authority.pem"
    authorities[0].cert_pem.write_to_path(str(bundle))
    url, flags = f"https://localhost:{raw.port}", ("--door", "asgi", "--policy", "block")
    with sidecar(url, folder / "sidecar-tls.log", *flags, SSL_CERT_FILE=str(bundle)) as door:
        raw.context = contexts[1]
        assert post(door.port, "/unmatched")[0] == 502
        assert raw.seen == []
        raw.context = contexts[0]
        raw.answerer = once
        assert post(door.port, "/unmatched")[0] == 200
        assert f"host: localhost:{raw.port}".encode() in raw.seen[0].lower()
        raw.close()
        assert post(door.port, "/unmatched")[0] == 502
        assert post(door.port)[0] == 422, "the guard decides first"


def test_what_is_under_way_ends_before_the_process_does(door: Server, raw: Raw) -> None:
    """The last of this module: the door is gone then."""

    def slow(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        for _ in range(5):
            connection.sendall(b"a")
            time.sleep(0.2)

    with told(raw, slow):
        with socket.create_connection(("127.0.0.1", door.port), timeout=30) as client:
            client.sendall(b"GET /unmatched HTTP/1.1\r\nhost: x\r\n\r\n")
            data = client.recv(4096)
            door.process.terminate()
            while piece := client.recv(4096):
                data += piece
        assert data.endswith(b"aaaaa")
        assert door.process.wait(15) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", door.port), timeout=1)
