"""What HTTP promises, through real mitmproxy and real uvicorn, before a server that answers byte for byte as told."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import partial

import httpx
import pytest

from tests.e2e.raw import CHAT, PHONE, Raw, head_of, told
from tests.e2e.servers import Server

DOORS = ("raw_mitm", "raw_sidecar")
INSPECTED = "/formats/x"
"""A path of an API description for POST and GET, of requests and replies."""
REPLY = json.dumps({"text": f"call {PHONE}"}).encode()
MASKED = json.dumps({"text": "call XXXXXXXX10"}, separators=(",", ":")).encode()
CLEAN = b'{ "text" : "nothing" }'


@pytest.fixture(params=DOORS, ids=["mitmproxy", "asgi"])
def door(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(request.param)
    return server


@contextlib.contextmanager
def client(door: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=door.url, timeout=30, trust_env=False) as made:
        yield made


def answer(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _say(what: bytes, connection: socket.socket, _: bytes) -> None:
    connection.sendall(what)


def sent(raw: Raw) -> dict[str, str]:
    """The headers of the last request behind the door."""
    _, headers, _ = head_of(raw.seen[-1])
    return {name.decode(): value.decode() for name, value in headers}


def sha(body: bytes, name: str = "sha256") -> str:
    return b64encode(hashlib.new(name, body).digest()).decode()


def digests(body: bytes) -> dict[str, str]:
    return {
        "content-md5": sha(body, "md5"),
        "digest": f"SHA-256={sha(body)},unixsum=30637,md5={sha(body, 'md5')}",
        "content-digest": f"sha-256=:{sha(body)}:, sha-512=:{sha(body, 'sha512')}:, crc32c=:AAAAAA==:",
        "repr-digest": f"sha-512=:{sha(body, 'sha512')}:",
    }


KEPT = {"digest": ("unixsum=30637,", ""), "content-digest": (", crc32c=:AAAAAA==:", "")}
"""What is left out of `digests` when they are made anew: algorithms that are not known."""


def anew(body: bytes) -> dict[str, str]:
    return {name: value.replace(*KEPT[name]) if name in KEPT else value for name, value in digests(body).items()}


def test_digests_are_made_anew_with_the_body_and_etag_is_left_out(door: Server, raw: Raw) -> None:
    lines = [f"{name}: {value}" for name, value in digests(REPLY).items()]
    modified = "last-modified: Mon, 01 Jan 2024 00:00:00 GMT"
    with told(raw, lambda conn, _: conn.sendall(answer(REPLY, *lines, 'etag: "a"', modified))), client(door) as http:
        reply = http.post(INSPECTED, content=REPLY, headers={"content-type": "application/json", **digests(REPLY)})
    _, _, received = head_of(raw.seen[-1])
    assert received == reply.content == MASKED
    assert {name: value for name, value in sent(raw).items() if name in digests(b"")} == anew(MASKED)
    assert {name: value for name, value in reply.headers.items() if name in digests(b"")} == anew(MASKED)
    assert "etag" not in reply.headers
    assert reply.headers["last-modified"] == "Mon, 01 Jan 2024 00:00:00 GMT"
    assert reply.headers["content-length"] == str(len(MASKED))


def test_an_unknown_digest_goes_and_what_is_clean_keeps_all(door: Server, raw: Raw) -> None:
    crc = "content-digest: crc32c=:AAAAAA==:"
    with client(door) as http:
        with told(raw, lambda conn, _: conn.sendall(answer(REPLY, crc))):
            assert "content-digest" not in http.get(INSPECTED).headers
        with told(raw, lambda conn, _: conn.sendall(answer(CLEAN, crc, 'etag: "a"'))):
            reply = http.get(INSPECTED)
    assert reply.content == CLEAN
    assert (reply.headers["content-digest"], reply.headers["etag"]) == ("crc32c=:AAAAAA==:", '"a"')


def test_a_conditional_request_goes_on_and_304_has_no_body(door: Server, raw: Raw) -> None:
    not_modified = b'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n'
    with told(raw, lambda conn, _: conn.sendall(not_modified)), client(door) as http:
        for _ in range(2):  # the connection is whole afterwards
            reply = http.get(INSPECTED, headers={"if-none-match": '"a"'})
            assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", '"a"')
            assert sent(raw)["if-none-match"] == '"a"'


def test_204_and_head_have_no_body_and_their_headers_stay(door: Server, raw: Raw) -> None:
    with client(door) as http:
        with told(raw, lambda conn, _: conn.sendall(b"HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n")):
            for _ in range(2):
                reply = http.post(INSPECTED, content=CLEAN, headers={"content-type": "application/json"})
                assert (reply.status_code, reply.content, reply.headers["x-a"]) == (204, b"", "1")
        for kind in ("application/json", "text/event-stream"):
            length = answer(b"", kind=kind).replace(b": 0", b": 77")
            with told(raw, partial(_say, length)):
                for path in (INSPECTED, "/unmatched"):
                    reply = http.head(path)
                    assert (reply.status_code, reply.content, reply.headers["content-length"]) == (200, b"", "77")


def test_head_meets_the_rules_of_get(door: Server, raw: Raw) -> None:
    with told(raw, lambda conn, _: conn.sendall(answer(b""))), client(door) as http:
        http.head(f"{INSPECTED}?q={PHONE}")
    assert PHONE.encode() not in raw.seen[-1]


def test_options_go_by(door: Server, raw: Raw) -> None:
    allowed = b"HTTP/1.1 204 No Content\r\naccess-control-allow-origin: *\r\nallow: POST\r\n\r\n"
    with told(raw, lambda conn, _: conn.sendall(allowed)), client(door) as http:
        reply = http.options(
            "/v1/chat/completions", headers={"origin": "http://a", "access-control-request-method": "POST"}
        )
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (204, "*")
    assert sent(raw)["access-control-request-method"] == "POST"


def test_a_part_of_what_is_inspected_is_not_asked_for_and_not_passed(door: Server, raw: Raw) -> None:
    ranged = {"range": "bytes=0-9", "if-range": '"a"'}
    with client(door) as http:
        with told(raw, lambda conn, _: conn.sendall(answer(REPLY))):
            assert http.get(INSPECTED, headers=ranged).content == MASKED
            assert not set(ranged) & set(sent(raw))
        part = answer(b'9876543210"}', "content-range: bytes 15-26/27", status="206 Partial Content")
        with told(raw, lambda conn, _: conn.sendall(part)):
            reply = http.get(INSPECTED)
            assert reply.status_code == 502
            assert "x-proxy-guard-incident" in reply.headers
            assert PHONE.encode() not in reply.content
            reply = http.get("/unmatched", headers=ranged)
            assert (reply.status_code, reply.content) == (206, b'9876543210"}')
            assert set(ranged) <= set(sent(raw))
        with told(raw, lambda conn, _: conn.sendall(answer(b"{}"))):
            headers = {"content-type": "application/json", "content-range": "bytes 0-9/20"}
            assert http.post(INSPECTED, content=CLEAN, headers=headers).status_code == 400
            assert raw.seen == []


def test_only_encodings_that_can_be_read_are_asked_for(door: Server, raw: Raw) -> None:
    packed = gzip.compress(REPLY)
    with client(door) as http:
        with told(raw, lambda conn, _: conn.sendall(answer(packed, "content-encoding: gzip"))):
            reply = http.get(INSPECTED, headers={"accept-encoding": "gzip, exi;q=0.5, br, *"})
            assert sent(raw)["accept-encoding"] == "gzip, br"
            assert reply.content == MASKED
            http.get(INSPECTED, headers={"accept-encoding": "exi"})
            assert sent(raw)["accept-encoding"] == "identity"
            http.get(INSPECTED, headers={"accept-encoding": "gzip;q=1.0,identity"})
            assert sent(raw)["accept-encoding"] == "gzip;q=1.0,identity"
        with told(raw, lambda conn, _: conn.sendall(answer(b'{"choices":[]}'))):
            json_ = {"content-type": "application/json"}
            http.post("/v1/chat/completions", content=CHAT, headers={**json_, "accept-encoding": "gzip"})
            assert sent(raw)["accept-encoding"] == "identity", "it may stream"
            http.post("/unmatched", content=CHAT, headers={**json_, "accept-encoding": "exi"})
            assert sent(raw)["accept-encoding"] == "exi"


def read_one(reader: socket.socket, data: bytes = b"") -> tuple[bytes, bytes]:
    """One reply that has a length, and what has come after it."""
    while b"\r\n\r\n" not in data:
        data += _more(reader)
    head, _, rest = data.partition(b"\r\n\r\n")
    [length] = [
        int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    ]
    while len(rest) < length:
        rest += _more(reader)
    return head + b"\r\n\r\n" + rest[:length], rest[length:]


def _more(reader: socket.socket) -> bytes:
    piece = reader.recv(65536)
    assert piece, "the connection was closed"
    return piece


def request(path: str, body: bytes, *headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "host: x",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_the_connection_is_kept_after_a_block_and_replies_keep_their_order(door: Server, raw: Raw) -> None:
    def echo(connection: socket.socket, asked: bytes) -> None:
        connection.sendall(answer(head_of(asked)[2]))

    bodies = [json.dumps({"text": f"number {n}"}).encode() for n in range(5)]
    with told(raw, echo), socket.create_connection(("127.0.0.1", door.port), timeout=30) as conn:
        conn.sendall(request(f"/block{INSPECTED}", REPLY))
        blocked, rest = read_one(conn)
        assert blocked.startswith(b"HTTP/1.1 422 ")
        assert rest == b""
        conn.sendall(b"".join(request(INSPECTED, body) for body in bodies))
        for body in bodies:
            reply, rest = read_one(conn, rest)
            assert reply.endswith(b"\r\n\r\n" + body)


def test_expect_is_answered_and_a_refusal_comes_before_the_body(door: Server, raw: Raw) -> None:
    expecting = request(INSPECTED, REPLY, "expect: 100-continue").removesuffix(REPLY)
    with told(raw, lambda conn, _: conn.sendall(answer(b"{}"))):
        with socket.create_connection(("127.0.0.1", door.port), timeout=30) as conn:
            conn.sendall(expecting)
            assert conn.recv(4096).startswith(b"HTTP/1.1 100 ")
            conn.sendall(REPLY)
            assert read_one(conn)[0].startswith(b"HTTP/1.1 200 ")
        assert head_of(raw.seen[-1])[2] == MASKED
        assert "expect" not in sent(raw)


LINES = [{"content": "a"}, {"content": f"call {PHONE}"}, {"content": "é, and that is all"}]
NDJSON = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in LINES)


def slowly(body: bytes, size: int) -> Iterator[bytes]:
    """What httpx sends with Transfer-Encoding: chunked, cut amid lines, values and characters."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
        time.sleep(0.005)


@pytest.mark.parametrize("size", [1, 7, 400])
def test_a_request_that_streams_its_lines_is_inspected_whole(size: int, door: Server, raw: Raw) -> None:
    kind = {"content-type": "application/x-ndjson"}
    with told(raw, lambda conn, _: conn.sendall(answer(b"{}"))), client(door) as asking:
        reply = asking.post(INSPECTED, content=slowly(NDJSON, size), headers=kind)
        assert reply.request.headers["transfer-encoding"] == "chunked"
        assert reply.status_code == 200
        got = head_of(raw.seen[-1])[2]
        assert [json.loads(line) for line in got.splitlines()] == [LINES[0], {"content": "call XXXXXXXX10"}, LINES[2]]
        assert sent(raw)["content-length"] == str(len(got))
        assert "transfer-encoding" not in sent(raw)
        before = len(raw.seen)
        refused = asking.post(f"/block{INSPECTED}", content=slowly(NDJSON, size), headers=kind)
        assert refused.status_code == 422
        assert len(raw.seen) == before


def chunked(pieces: list[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def test_what_no_rule_is_about_streams_both_ways_byte_for_byte(door: Server, raw: Raw) -> None:
    pieces = [bytes([n]) * 300 + PHONE.encode() for n in range(6)]
    came: list[float] = []

    def slow(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in chunked(pieces):
            connection.sendall(piece)
            time.sleep(0.15)

    def dripping() -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            time.sleep(0.15)

    with client(door) as http, told(raw, slow):
        raw.reading = lambda _: came.append(time.monotonic())
        try:
            began = time.monotonic()
            with http.stream("POST", "/unmatched", content=dripping()) as reply:
                sending = time.monotonic() - began
                got: list[tuple[float, bytes]] = [(time.monotonic(), piece) for piece in reply.iter_raw()]
        finally:
            raw.reading = None
    assert b"".join(piece for _, piece in got) == b"".join(pieces)
    assert got[-1][0] - got[0][0] > 0.5, "the reply was held"
    assert sending > 0.75
    assert came[-1] - came[0] > 0.5, "the request was held"
    body = head_of(raw.seen[-1])[2]
    assert b"".join(chunked(pieces)) == body


def test_a_client_that_does_not_read_stops_the_upstream(door: Server, raw: Raw) -> None:
    """What is held for it stays bounded: a server that could send 200 MB gets rid of a few."""
    piece = b"x" * 65536
    passed = 0

    def flood(connection: socket.socket, _: bytes) -> None:
        nonlocal passed
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 209715200\r\n\r\n")
        connection.settimeout(30)
        for _number in range(3200):
            connection.sendall(piece)
            passed += len(piece)

    with told(raw, flood), socket.create_connection(("127.0.0.1", door.port), timeout=30) as conn:
        conn.sendall(b"GET /unmatched HTTP/1.1\r\nhost: x\r\n\r\n")
        before = -1
        deadline = time.monotonic() + 30
        while passed != before or not passed:
            assert time.monotonic() < deadline
            before = passed
            time.sleep(0.7)
        assert passed < 30_000_000
        conn.close()
        time.sleep(0.7)
        assert passed < 30_000_000, "nor is it read for nobody"


def test_clients_that_leave_leave_no_trace(door: Server, raw: Raw) -> None:
    def waits(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)

    with told(raw, lambda conn, _: conn.sendall(answer(b"{}"))):
        with socket.create_connection(("127.0.0.1", door.port), timeout=30) as conn:
            conn.sendall(request(INSPECTED, REPLY)[:-4])
        time.sleep(0.3)
        assert raw.seen == [], "amid the request"
    with told(raw, waits):
        with socket.create_connection(("127.0.0.1", door.port), timeout=30) as waiting:
            waiting.sendall(request(INSPECTED, CLEAN))
            while not raw.seen:
                time.sleep(0.01)
        assert raw.ended.wait(15), "while it waits"
    with told(raw, lambda conn, _: conn.sendall(answer(REPLY))), client(door) as http:
        assert http.get(INSPECTED).content == MASKED
    printed = door.printed()
    assert "Traceback" not in printed
    assert "guard failed" not in printed
    assert PHONE not in printed


class _OnlyHttp2(ssl.SSLContext):
    """httpx offers HTTP/1.1 before HTTP/2, and mitmproxy takes what comes first."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        super().set_alpn_protocols(["h2"])


def test_http2_clients_of_mitmproxy(raw_mitm: Server, raw: Raw) -> None:
    """Its listener takes TLS, too, and HTTP/2 by ALPN; the upstream gets HTTP/1.1."""
    trusting = _OnlyHttp2(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE  # a certificate of mitmproxy's own authority
    url = f"https://127.0.0.1:{raw_mitm.port}"
    event = b'data: {"choices":[{"index":0,"delta":{"content":"call 9876543210 now"}}]}\n\n'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    stream = head + b"".join(chunked([event, b"data: [DONE]\n\n"]))
    json_ = {"content-type": "application/json"}
    with httpx.Client(http1=False, http2=True, verify=trusting, timeout=30, trust_env=False) as http:
        with told(raw, lambda conn, _: conn.sendall(answer(REPLY))):
            reply = http.post(url + INSPECTED, content=REPLY, headers=json_)
            assert (reply.http_version, reply.content) == ("HTTP/2", MASKED)
            assert head_of(raw.seen[-1])[2] == MASKED
            assert http.post(f"{url}/block{INSPECTED}", content=REPLY, headers=json_).status_code == 422
            assert http.get(url + "/unmatched").content == REPLY
            assert http.head(url + INSPECTED).content == b""
        with told(raw, lambda conn, _: conn.sendall(stream)):
            reply = http.post(f"{url}/v1/chat/completions", content=CHAT, headers=json_)
            assert reply.http_version == "HTTP/2"
            assert b"call XXXXXXXX10 now" in reply.content
            assert reply.content.endswith(b"data: [DONE]\n\n")
            assert PHONE.encode() not in raw.seen[-1]
