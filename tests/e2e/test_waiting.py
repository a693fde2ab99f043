"""Replies that stream while somebody has to be asked about their texts: each goes on before the next has come."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.raw import CHAT, JSON, Raw, told
from tests.e2e.servers import Server, sidecar

_FIRST = "My sister Maria Gonzalez wrote to me yesterday. Then she left for Rome. And so "
_SECOND = "did her friend John Smith. "


@pytest.fixture(scope="module", params=["mitmproxy", "asgi"])
def door(request: pytest.FixtureRequest, raw: Raw, folder: Path) -> Iterator[Server]:
    log = folder / f"waiting.{request.param}.log"
    flags = ("--policy", "strict", "--door", request.param)
    with sidecar(f"http://127.0.0.1:{raw.port}", log, *flags) as server:
        yield server


def _events(text: str) -> bytes:
    """An event for each word."""
    chunks = [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": f"{word} "}}]}
        for word in text.split()
    ]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()


def _text(body: bytes) -> str:
    events = [line[6:] for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    return "".join(json.loads(each)["choices"][0]["delta"]["content"] for each in events)


def test_a_sentence_that_a_model_has_read_goes_on(door: Server, raw: Raw) -> None:
    heard = threading.Event()

    def answer(connection: socket.socket, _: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head)
        for piece, wait in ((_events(_FIRST), True), (_events(_SECOND), False), (b"data: [DONE]\n\n", False)):
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            if wait and not heard.wait(60):
                return  # the client sees that the end is missing
        connection.sendall(b"0\r\n\r\n")

    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=90)
    with told(raw, answer):
        connection.request("POST", "/v1/chat/completions", CHAT.replace(b"call 9876543210", b"hello"), JSON)
        response = connection.getresponse()
        body = b""
        while b"yesterday" not in body:
            piece = response.read1()
            assert piece, body
            body += piece
        assert "Gonzalez" not in _text(body)
        heard.set()
        body += response.read()
    connection.close()
    text = _text(body)
    assert "wrote to me yesterday. Then she left for " in text
    assert not any(name in text for name in ("Maria", "Gonzalez", "John", "Smith"))
    assert body.endswith(b"data: [DONE]\n\n")
