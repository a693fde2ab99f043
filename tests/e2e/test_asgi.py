"""The middleware around real applications under a real uvicorn."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.servers import Server, uvicorn

PHONE = "9876543210"
BODY = json.dumps({"messages": [{"role": "user", "content": f"call {PHONE}"}]}).encode()
HEADERS = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def app(folder: Path, rules: Path) -> Iterator[Server]:
    with uvicorn("tests.e2e.app:app", folder / "app.log", GUARD_RULES=str(rules)) as server:
        yield server


def call(app: Server, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    try:
        connection.request(method, path, body, HEADERS)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def events(app: Server) -> list[str]:
    found: list[str] = json.loads(call(app, "GET", "/events")[2])
    return found


def test_the_app_sees_a_scrubbed_request_and_the_client_a_scrubbed_reply(app: Server) -> None:
    status, headers, body = call(app, "POST", "/v1/chat/completions", BODY)
    assert status == 200
    assert json.loads(body)["choices"][0]["message"]["content"] == "you wrote: call XXXXXXXX10; mine is XXXXXXXX10"
    assert headers["content-length"] == str(len(body))


def test_lifespan_reaches_the_app(app: Server) -> None:
    assert events(app)[0] == "started"


def test_background_tasks_run_after_the_reply(app: Server) -> None:
    before = len(events(app))
    call(app, "POST", "/background/chat/completions", BODY)
    deadline = time.monotonic() + 10
    while "background done" not in events(app)[before:]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_no_rule_is_about_streams_as_it_comes(app: Server) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as client:
        client.sendall(b"GET /ticks HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        began = time.monotonic()
        data = b""
        while b"tick 0" not in data:
            data += client.recv(4096)
        assert b"tick 4" not in data, "the first piece came before the last was made"
        first = time.monotonic() - began
        while piece := client.recv(4096):
            data += piece
        assert b"tick 4" in data
        assert time.monotonic() - began > first + 0.3


def test_a_large_upload_that_no_rule_is_about_is_not_held(app: Server) -> None:
    status, _, body = call(app, "POST", "/count", b"x" * 1_000_000)
    assert (status, body) == (200, b"1000000")


def test_a_client_that_leaves_while_it_sends_never_reaches_the_app(app: Server) -> None:
    before = events(app)
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{")
    time.sleep(0.3)
    assert events(app) == before


def test_a_client_that_leaves_while_it_waits_is_told_to_the_app(app: Server) -> None:
    before = len(events(app))
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as client:
        head = b"POST /waits/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        client.sendall(head + b"content-length: %d\r\n\r\n" % len(BODY) + BODY)
        time.sleep(0.5)
    deadline = time.monotonic() + 10
    while "disconnected" not in events(app)[before:]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_app_that_breaks_before_its_reply_is_a_500_without_the_message(app: Server) -> None:
    status, _, body = call(app, "POST", "/breaks/chat/completions", BODY)
    assert status == 500
    assert PHONE.encode() not in body


def test_a_body_over_the_limit_is_refused_before_it_is_read(app: Server) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as client:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        client.sendall(head + b"content-length: 99999999\r\n\r\n")
        assert b" 413 " in client.recv(4096)


def test_a_chunked_body_over_the_limit_is_refused(app: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    connection.request("POST", "/v1/chat/completions", iter([b"x" * 100_000] * 3), HEADERS, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_file_response_can_not_pass_by(app: Server) -> None:
    _, _, body = call(app, "POST", "/file/chat/completions", BODY)
    assert PHONE.encode() not in body
    assert b"XXXXXXXX10" in body


def test_expect_continue_is_served(app: Server) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as client:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\n"
        client.sendall(head + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY))
        assert client.recv(4096).startswith(b"HTTP/1.1 100")
        client.sendall(BODY)
        answer = b""
        while piece := client.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200")
