"""A small chat application in Starlette, `plain` and `guarded`: factories for uvicorn."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.model import ROOT
from bench.reply import completion
from proxy_guard.asgi import ProxyGuardMiddleware

_LAST = {"body": b"{}"}


async def chat(request: Request) -> JSONResponse:
    """Reads the chat and answers it."""
    _LAST["body"] = await request.body()
    asked = await request.json()
    words = sum(len(message["content"].split()) for message in asked["messages"])
    return JSONResponse(completion(asked["model"], words))


async def last(_: Request) -> Response:
    """The last body that the application was given."""
    return Response(_LAST["body"], media_type="application/json")


def _app(middleware: list[Middleware]) -> Starlette:
    routes = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/last", last)]
    return Starlette(routes=routes, middleware=middleware)


def plain() -> Starlette:
    """The application by itself."""
    return _app([])


def guarded() -> Starlette:
    """The application behind the guard."""
    return _app([Middleware(ProxyGuardMiddleware, rules=ROOT / "rules")])
