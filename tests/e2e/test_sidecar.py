"""`proxy-guard run --door asgi` as a reverse proxy: what it passes on, and what it says where there is no answer."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from pathlib import Path

import pytest
import trustme
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.utils import accept_key

from tests.e2e.raw import CHAT, OK, PHONE, Raw, exchange, head_of, post, told
from tests.e2e.servers import Server, sidecar


def test_headers_go_on_as_they_came_but_for_those_of_the_hop(raw_sidecar: Server, raw: Raw) -> None:
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
        request = b"PUT /any%2Fpath/y/../x?q=%41&&b HTTP/1.1\r\nHost: other.example\r\n" + fields
        got = exchange(raw_sidecar.port, request + b"Content-Length: 3\r\n\r\n\x00\xff\x02")
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
    assert first == b"PUT /any%2Fpath/x?q=%41&&b HTTP/1.1"
    assert body == b"\x00\xff\x02"
    assert headers == [
        (b"host", f"127.0.0.1:{raw.port}".encode()),
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"accept-encoding", b"gzip, x-own"),
        (b"cookie", b"a=b"),
        (b"content-length", b"3"),
    ]


def test_redirects_are_the_clients(raw_sidecar: Server, raw: Raw) -> None:
    answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
    with told(raw, lambda connection, _: connection.sendall(answer)):
        status, headers, _ = post(raw_sidecar.port, "/moved")
        assert (status, headers["location"], len(raw.seen)) == (307, "/elsewhere", 1)


def test_a_whole_url_as_the_target_is_its_path(raw_sidecar: Server, raw: Raw) -> None:
    with told(raw, lambda connection, _: connection.sendall(OK)):
        head = b"POST http://other.example/v1/chat/completions?a=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        exchange(
            raw_sidecar.port, head + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(CHAT) + CHAT
        )
    first, _, body = head_of(raw.seen[0])
    assert first == b"POST /v1/chat/completions?a=1 HTTP/1.1"
    assert PHONE.encode() not in body


@pytest.mark.parametrize(
    "framing", [b"content-length: 3\r\ntransfer-encoding: chunked\r\n", b"transfer-encoding: gzip, chunked\r\n"]
)
def test_where_a_body_ends_has_to_be_clear(framing: bytes, raw_sidecar: Server, raw: Raw) -> None:
    with told(raw, lambda connection, _: connection.sendall(OK)):
        head = b"POST /any HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        answer = exchange(raw_sidecar.port, head + framing + b"\r\n1\r\na\r\n0\r\n\r\n")
        assert answer.split(b" ")[1] in (b"400", b"501")
        assert raw.seen == []


@pytest.mark.parametrize("path", ["/v1/realtime", "/unmatched"])
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 3\r\n\r\nno!", 401),
        (b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", 502),
        (OK, 502),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 502),
        (b"garbage\r\n\r\n", 502),
        (b"", 502),
    ],
)
def test_a_websocket_that_the_upstream_refuses(
    answer: bytes, status: int, path: str, raw_sidecar: Server, raw: Raw
) -> None:
    def refuse(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer)
        connection.close()

    with told(raw, refuse), pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{raw_sidecar.port}{path}?a=%41", additional_headers={"X-A": "1"}, open_timeout=30)
    assert refused.value.response.status_code == status
    assert b"upstream_failed" in refused.value.response.body
    assert len(raw.seen) == 1
    first, headers, _ = head_of(raw.seen[0])
    assert first == f"GET {path}?a=%41 HTTP/1.1".encode()
    assert [value for name, value in headers if name == b"host"] == [f"127.0.0.1:{raw.port}".encode()]
    assert [value for name, value in headers if name == b"x-a"] == [b"1"]
    assert "Traceback" not in raw_sidecar.printed()


def test_a_websocket_whose_upstream_breaks_off_is_closed(raw_sidecar: Server, raw: Raw) -> None:
    def broken(connection: socket.socket, head: bytes) -> None:
        key = next(line.partition(b":")[2].strip() for line in head.split(b"\r\n") if b"-key:" in line.lower())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-up: 1\r\n"
            b"sec-websocket-accept: %s\r\n\r\n\x81\x02hi" % accept_key(key.decode()).encode()
        )
        connection.close()

    url = f"ws://127.0.0.1:{raw_sidecar.port}/unmatched"
    with told(raw, broken), connect(url, open_timeout=30) as client:
        assert client.response is not None
        assert client.response.headers["x-up"] == "1"
        assert client.recv(timeout=30) == "hi"
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=30)
        assert client.close_code == 1014
    assert "Traceback" not in raw_sidecar.printed()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/unmatched"])
def test_no_answer_is_an_error_in_the_apis_own_shape(path: str, raw_sidecar: Server, raw: Raw, folder: Path) -> None:
    with told(raw, lambda connection, _: connection.close()):
        broke = post(raw_sidecar.port, path)
    with told(raw, lambda connection, _: connection.sendall(b"garbage\r\n\r\n")):
        garbage = post(raw_sidecar.port, path)
    with told(raw, lambda connection, _: connection.sendall(OK.replace(b"200", b"999"))):
        nonsense = post(raw_sidecar.port, path)
    for status, headers, body in (broke, garbage, nonsense):
        assert (status, headers.get("x-proxy-guard-incident")) == (502, None)
        told_ = json.loads(body)
        assert "chat API did not answer" in json.dumps(told_)
        assert ("error" in told_) == (path != "/unmatched")
        assert PHONE.encode() not in body
    assert "no answer from upstream" in raw_sidecar.printed()
    assert PHONE not in raw_sidecar.printed()
    assert "Traceback" not in raw_sidecar.printed()


def test_a_reply_that_breaks_off_is_not_made_to_look_whole(raw_sidecar: Server, raw: Raw) -> None:
    def broken(connection: socket.socket, _: bytes) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n"
        )
        time.sleep(0.2)
        connection.close()

    with told(raw, broken):
        with pytest.raises(http.client.IncompleteRead):
            post(raw_sidecar.port, "/unmatched")
        assert post(raw_sidecar.port)[0] == 502, "one that is held can still be told of"
    assert "Traceback" not in raw_sidecar.printed()


def test_a_client_that_leaves_ends_the_request_upstream(raw_sidecar: Server, raw: Raw) -> None:
    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\na\r\n")
            time.sleep(0.02)

    with told(raw, endless), socket.create_connection(("127.0.0.1", raw_sidecar.port), timeout=30) as client:
        client.sendall(b"GET /unmatched HTTP/1.1\r\nhost: x\r\n\r\n")
        client.recv(100)
        assert not raw.ended.is_set()
        client.close()
        assert raw.ended.wait(10), "while the reply comes"
    with told(raw, lambda connection, _: bool(connection.recv(1))):
        client = socket.create_connection(("127.0.0.1", raw_sidecar.port), timeout=30)
        client.sendall(b"GET /unmatched HTTP/1.1\r\nhost: x\r\n\r\n")
        while not raw.seen:
            time.sleep(0.01)
        client.close()
        assert raw.ended.wait(10), "while it is waited for"
    with told(raw, lambda connection, _: None):
        client = socket.create_connection(("127.0.0.1", raw_sidecar.port), timeout=30)
        client.sendall(b"POST /unmatched HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\na")
        time.sleep(0.2)
        client.close()
        assert raw.ended.wait(10), "while it sends"
        assert raw.seen == []


def test_the_upstreams_certificate_is_verified_and_what_is_under_way_ends(folder: Path) -> None:
    raw, authorities = Raw(), [trustme.CA(), trustme.CA()]
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in authorities]
    for authority, context in zip(authorities, contexts, strict=True):
        authority.issue_cert("localhost").configure_cert(context)
    bundle = folder / "authority.pem"
    authorities[0].cert_pem.write_to_path(str(bundle))

    def slow(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 5\r\n\r\n")
        for _number in range(5):
            connection.sendall(b"a")
            time.sleep(0.2)

    url, flags = f"https://localhost:{raw.port}", ("--door", "asgi", "--policy", "block")
    with sidecar(url, folder / "sidecar-tls.log", *flags, SSL_CERT_FILE=str(bundle)) as door:
        raw.context = contexts[1]
        assert post(door.port, "/unmatched", b"{}")[0] == 502
        assert post(door.port)[0] == 422, "the guard decides first"
        assert raw.seen == []
        raw.context = contexts[0]
        with told(raw, slow), socket.create_connection(("127.0.0.1", door.port), timeout=30) as client:
            client.sendall(b"GET /unmatched HTTP/1.1\r\nhost: x\r\n\r\n")
            data = client.recv(4096)
            door.process.terminate()
            while piece := client.recv(4096):
                data += piece
        assert data.endswith(b"aaaaa")
        assert f"host: localhost:{raw.port}".encode() in raw.seen[0].lower()
        assert door.process.wait(15) == 0
    raw.close()
