"""The middleware by hand, without a server: what a client may write in a Host header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio
import pytest

from proxy_guard import Guard
from proxy_guard.asgi import ProxyGuardMiddleware

Event = MutableMapping[str, Any]
BODY = b'{"messages":[{"role":"user","content":"mail jane.roe@example.com"}]}'


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard.from_rules()


def through(guard: Guard, host: bytes | None, path: bytes = b"/v1/chat/completions", body: bytes = BODY) -> bytes:
    """What the application gets of a body; nothing where the middleware answers itself."""
    got: list[bytes] = []

    async def app(
        scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
    ) -> None:
        got.append((await receive())["body"])
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    async def receive() -> Event:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Event) -> None:
        pass

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path.decode(), "raw_path": path,
        "query_string": b"", "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 9),
        "headers": [(b"content-type", b"application/json"), *([(b"host", host)] if host is not None else [])],
    }  # fmt: skip
    anyio.run(ProxyGuardMiddleware(app, guard=guard), scope, receive, send)
    return b"".join(got)


# Put into a URL as it is, a `?` or `#` in it would make the path a query or a fragment, which no rule is about: a
# header of the client's would switch the guard off.
@pytest.mark.parametrize(
    "host",
    [
        b"localhost",
        b"",
        None,
        b"x?",
        b"x?y=1",
        b"x#",
        b"a/b",
        b"a/b?c",
        b"[",
        b"x\\",
        b"\xff",
        b"a@b",
        b"a:b:c",
        b" ",
        b"x y",
    ],
)
def test_no_host_header_hides_the_path_of_a_request(guard: Guard, host: bytes | None) -> None:
    assert b"jane.roe" not in through(guard, host)


@pytest.mark.parametrize(
    "path",
    [b"/v1/chat/completions", b"/v1//chat/%63ompletions/", b"//x/v1/chat/completions", b"/v1/chat/completions;a=b"],
)
def test_no_spelling_of_the_path_hides_a_request(guard: Guard, path: bytes) -> None:
    assert b"jane.roe" not in through(guard, b"localhost", path)


@pytest.mark.parametrize(
    "body", [b"nope", BODY[:-1], b'{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:x"}}]}]}']
)
def test_a_request_that_is_blocked_never_reaches_the_application(guard: Guard, body: bytes) -> None:
    assert through(guard, b"localhost", body=body) == b""


def test_what_no_description_matches_is_scrubbed_all_the_same(guard: Guard) -> None:
    assert through(guard, b"localhost", b"/other") not in (BODY, b"")


def test_a_connection_of_a_type_that_it_does_not_know_never_reaches_the_application(guard: Guard) -> None:
    async def app(*_: object) -> None:
        raise AssertionError("reached")

    async def receive() -> Event:
        return {}

    async def send(event: Event) -> None:
        pass

    with pytest.raises(RuntimeError, match="http, websocket and lifespan only"):
        scope: Event = {"type": "webtransport"}
        anyio.run(ProxyGuardMiddleware(app, guard=guard), scope, receive, send)
