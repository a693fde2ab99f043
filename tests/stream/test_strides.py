"""Replies that stream side by side: decided on in strides, each as it would be by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from proxy_guard import asgi_stream
from proxy_guard.asgi import ProxyGuardMiddleware
from proxy_guard.asgi_stream import Strides
from proxy_guard.guard import Guard

Event = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]
HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/v1/chat/completions",
    "query_string": b"",
    "headers": [(b"host", b"test")],
}


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


async def receive() -> Event:
    return {"type": "http.request", "body": b'{"messages": []}', "more_body": False}


async def reply(middleware: ProxyGuardMiddleware, send: Send) -> None:
    await middleware(dict(SCOPE), receive, send)


def side_by_side(guard: Guard, app: Callable[..., Awaitable[None]], send: Send, others: int = 60) -> None:
    """Serves `app` while other replies stream."""

    async def serve() -> None:
        middleware = ProxyGuardMiddleware(app, guard=guard)
        middleware._strides.replies += others
        await reply(middleware, send)
        assert middleware._strides.replies == others

    asyncio.run(serve())


def test_a_reply_alone_has_no_strides() -> None:
    strides = Strides()
    strides.replies = 1
    assert strides.seconds < 0.001
    strides.replies = 10_000
    assert strides.seconds <= 0.05


def test_what_waits_goes_on_though_nothing_more_comes(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi_stream, "_A_REPLY", 1.0)
    monkeypatch.setattr(asgi_stream, "_LONGEST", 1.0)
    out: list[bytes] = []
    gone = asyncio.Event()
    words = [f"word{chr(97 + n)}ly then " for n in range(20)]

    async def app(scope: Event, receive: Any, send: Send) -> None:
        await send(HEAD)
        for word in words:
            await send({"type": "http.response.body", "body": event(word), "more_body": True})
        async with asyncio.timeout(10):
            await gone.wait()
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})

    async def send(message: Event) -> None:
        if message["type"] == "http.response.body":
            out.append(message["body"])
            if event(words[-3]) in b"".join(out):  # the last ones are undecided yet
                gone.set()

    side_by_side(guard, app, send)
    assert b"".join(out) == b"".join(map(event, words)) + b"data: [DONE]\n\n"
    assert len(out) < len(words) / 2


def test_values_are_found_in_strides(guard: Guard) -> None:
    out: list[bytes] = []

    async def app(scope: Event, receive: Any, send: Send) -> None:
        await send(HEAD)
        for piece in ["Write to ", "jane.d", "oe@exam", "ple.com", " or call ", "98765 ", "43210", " at once."]:
            await send({"type": "http.response.body", "body": event(piece), "more_body": True})
            await asyncio.sleep(0.005)
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})

    async def send(message: Event) -> None:
        if message["type"] == "http.response.body":
            out.append(message["body"])

    side_by_side(guard, app, send)
    lines = [line.removeprefix("data: ") for line in b"".join(out).decode().splitlines() if line.startswith("data: {")]
    text = "".join(json.loads(line)["choices"][0]["delta"]["content"] for line in lines)
    assert text == "Write to <EMAIL_ADDRESS> or call <PHONE_NUMBER> at once."


def test_the_application_hears_of_a_client_that_has_gone(guard: Guard) -> None:
    async def app(scope: Event, receive: Any, send: Send) -> None:
        await send(HEAD)
        for _ in range(50):
            await send({"type": "http.response.body", "body": event("some words "), "more_body": True})
            await asyncio.sleep(0.01)

    sent: list[Event] = []

    async def send(message: Event) -> None:
        sent.append(message)
        if len(sent) > 3:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        side_by_side(guard, app, send)


def test_what_waits_is_bounded(guard: Guard) -> None:
    out: list[bytes] = []

    async def app(scope: Event, receive: Any, send: Send) -> None:
        await send(HEAD)
        for _ in range(40):
            await send({"type": "http.response.body", "body": event("many words " * 300), "more_body": True})
        assert sum(map(len, out)) > 20 * 3300
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(message: Event) -> None:
        if message["type"] == "http.response.body":
            out.append(message["body"])

    side_by_side(guard, app, send)
