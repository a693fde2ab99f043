"""A chat application that streams its replies as OpenAI does, `plain` and `guarded`: factories for uvicorn.

A request names its reply by its model: `fast`, as quickly as the server takes it, or `paced`, at 100 tokens a second
by the clock. `max_tokens` says how long it is, `user` whether there is personal data in it (`pii`). Each event has the
time at which it was sent as its id. `GET /cpu` tells the seconds of processor time that the server has used.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bench import bodies
from bench.model import ROOT
from proxy_guard.asgi import ProxyGuardMiddleware

PER_SECOND = 100
SECRETS = ("9876543210", "jane.doe@example.com")
LAST = b"data: [DONE]\n\n"
_EVENT = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini",'
    b'"choices":[{"index":0,"delta":{"content":%b},"logprobs":null,"finish_reason":null}]}\n\n'
)
_TOKEN = re.compile(r" ?\w{1,6}|.", re.DOTALL)
_SENTENCES = 4000
_DATA_EVERY = 10  # sentences

_rng = random.Random(20)


def _tokens(sentence: str) -> list[bytes]:
    return [json.dumps(token).encode() for token in _TOKEN.findall(f" {sentence}")]


_CLEAN = [_tokens(sentence) for sentence in bodies.sentences(_rng, _SENTENCES)]
_DATA = _tokens(f"Call {SECRETS[0]} or write to {SECRETS[1]} then.")


def _reply(count: int, *, data: bool) -> list[bytes]:
    """The tokens of a reply, `count` of them; hardly two replies are alike, so that no cache of texts can help."""
    tokens: list[bytes] = []
    sentences = 0
    while len(tokens) < count:
        sentences += 1
        tokens += _DATA if data and sentences % _DATA_EVERY == 0 else _rng.choice(_CLEAN)
    return tokens[:count]


async def _fast(tokens: list[bytes]) -> AsyncIterator[bytes]:
    for token in tokens:
        await asyncio.sleep(0)  # as the next token of a model does, each comes in its own turn of the loop
        yield _EVENT % token
    yield LAST


async def _paced(tokens: list[bytes]) -> AsyncIterator[bytes]:
    began = time.monotonic()
    for number, token in enumerate(tokens):
        await asyncio.sleep(max(0, began + number / PER_SECOND - time.monotonic()))
        yield b"id: %d\n%b" % (time.monotonic_ns(), _EVENT % token)
    yield LAST


async def chat(request: Request) -> Response:
    """Streams the reply that the request names."""
    asked = await request.json()
    tokens = _reply(asked["max_tokens"], data=asked["user"] == "pii")
    pieces = _fast(tokens) if asked["model"] == "fast" else _paced(tokens)
    return StreamingResponse(pieces, media_type="text/event-stream")


async def cpu(_: Request) -> Response:
    """Seconds of processor time that this process has used."""
    return PlainTextResponse(str(time.process_time()))


def _app(middleware: list[Middleware]) -> Starlette:
    routes = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/cpu", cpu)]
    return Starlette(routes=routes, middleware=middleware)


def plain() -> Starlette:
    """The application by itself."""
    return _app([])


def guarded() -> Starlette:
    """The application behind the guard."""
    return _app([Middleware(ProxyGuardMiddleware, rules=ROOT / "rules")])
