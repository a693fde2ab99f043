"""HTTP as such: HTTP/2 where it is offered, connections that are kept, event loops that come and go."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import hypercorn.asyncio
import pytest
import trustme
from hypercorn.config import Config

from tests.e2e.servers import free_port
from tests.remote.rulesets import connection, found, guard, message
from tests.remote.serving import answer, raw, read_request

VERSIONS: list[str] = []


async def judge(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    VERSIONS.append(scope["http_version"])
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    said = json.dumps(found(json.loads(body)["items"])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": said})


@contextmanager
def over_tls(folder: Path) -> Iterator[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    served = authority.issue_cert("127.0.0.1")
    served.private_key_pem.write_to_path(folder / "server.key")
    served.cert_chain_pems[0].write_to_path(folder / "server.pem")
    port = free_port()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile = str(folder / "server.pem"), str(folder / "server.key")
    config.errorlog = None
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def main() -> None:
        async def trigger() -> None:
            ready.set()
            await stop.wait()

        await hypercorn.asyncio.serve(judge, config, shutdown_trigger=trigger)
        await asyncio.sleep(0.1)

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(15)
        loop.close()


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the server's
@pytest.mark.parametrize(("http2", "version"), [(True, "2"), (False, "1.1")])
def test_http_2_is_spoken_where_it_is_offered(tmp_path: Path, http2: bool, version: str) -> None:
    VERSIONS.clear()

    async def run(origin: str) -> None:
        made = guard(
            tmp_path, f"{origin}/judge", http2=http2, tls={"ca": str(tmp_path / "ca.pem")}, time=20, timeout=10
        )

        async def one() -> None:
            assert (await made.inspect(message())).action == "rewrite"

        async with anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(one)
        await made.aclose()

    with over_tls(tmp_path) as origin:
        anyio.run(run, origin)
    assert [version] * 30 == VERSIONS


def test_connections_are_kept_and_few(tmp_path: Path) -> None:
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while True:
            _, body = await read_request(reader)
            writer.write(answer(json.dumps(found(json.loads(body)["items"])).encode()))
            await writer.drain()

    async def run(origin: str) -> None:
        made = guard(tmp_path, origin, concurrency=5, time=20, timeout=10)

        async def some() -> None:
            for _ in range(10):
                assert (await made.inspect(message())).action == "rewrite"

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(some)
        await made.aclose()

    with raw(serve) as origin:
        anyio.run(run, origin)
    assert opened <= 5


def test_a_connection_that_the_server_closed_is_not_noticed_from_outside(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await read_request(reader)
        writer.write(answer(json.dumps(found(json.loads(body)["items"])).encode()))  # and says nothing of closing

    async def run(origin: str) -> None:
        made = guard(tmp_path, origin)
        for _ in range(10):
            assert (await made.inspect(message())).action == "rewrite"
        await made.aclose()

    with raw(serve) as origin:
        anyio.run(run, origin)


def test_a_guard_serves_in_one_event_loop_after_another(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, body = await read_request(reader)
            writer.write(answer(json.dumps(found(json.loads(body)["items"])).encode()))
            await writer.drain()

    async def run() -> None:
        assert (await made.inspect(message())).action == "rewrite"
        await made.aclose()
        assert (await made.inspect(message())).action == "rewrite"  # it opens anew what it needs
        await made.aclose()

    with raw(serve) as origin:
        made = guard(tmp_path, origin)
        anyio.run(run)
        anyio.run(run)


def test_no_proxy_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert connection(tmp_path, "http://127.0.0.1:9/").origin == "http://127.0.0.1:9"
    test_connections_are_kept_and_few(tmp_path)
