"""How long an event loop stood still: a task beside the server's own that wants to run every millisecond.

`app` and `guarded` are factories for uvicorn, and the module is a mitmproxy script; all answer `GET /stall` with the
longest stall in milliseconds since they were asked last.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bench.model import ROOT
from proxy_guard.asgi import ProxyGuardMiddleware

_EVERY = 0.001
RULES = os.environ.get("BENCH_RULES") or str(ROOT / "rules")


class Ticker:
    """The task. A pause longer than a millisecond is time in which the loop served no one."""

    def __init__(self) -> None:
        self._longest = 0.0

    async def run(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_EVERY)
            now = time.perf_counter()
            self._longest = max(self._longest, now - last - _EVERY)
            last = now

    def take(self) -> str:
        longest, self._longest = self._longest, 0.0
        return f"{longest * 1e3:.2f}"


TICKER = Ticker()


async def _stall(_: Request) -> Response:
    return PlainTextResponse(TICKER.take())


async def _chat(request: Request) -> Response:
    """Takes the body and leaves it as it is: what this application does takes no time."""
    await request.body()
    return Response(b'{"choices":[]}', media_type="application/json")


def _app(middleware: list[Middleware]) -> Starlette:
    @contextlib.asynccontextmanager
    async def ticking(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(TICKER.run())
        yield
        task.cancel()

    routes = [Route("/v1/chat/completions", _chat, methods=["POST"]), Route("/stall", _stall)]
    return Starlette(routes=routes, middleware=middleware, lifespan=ticking)


def app() -> Starlette:
    """The application by itself."""
    return _app([])


def guarded() -> Starlette:
    """The application behind the guard."""
    return _app([Middleware(ProxyGuardMiddleware, rules=RULES)])


class _Addon:
    def running(self) -> None:
        self._task = asyncio.create_task(TICKER.run())

    def requestheaders(self, flow: object) -> None:
        from mitmproxy import http

        assert isinstance(flow, http.HTTPFlow)
        if flow.request.path == "/stall":
            flow.response = http.Response.make(200, TICKER.take())


addons = [_Addon()]
