"""An organisation's own endpoint for contacts, and the platform that works with references only: both for the demo.

The organisation keeps the value behind each reference, and tells it to who shows the right credentials: an address
over GET with basic auth, a number over POST with a token that it gives out itself.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

USER, PASSWORD, STORE_TOKEN, CLIENT_SECRET = "guard", "demo-password", "demo-store-token", "demo-client-secret"
_REFUSED = JSONResponse({"error": "not authorized"}, status_code=401)


def make_organisation() -> Starlette:
    """The organisation's endpoint, with its own memory."""
    kept: dict[str, str] = {}
    tokens: set[str] = set()

    async def keep(request: Request) -> JSONResponse:
        if request.headers.get("authorization") != f"Bearer {STORE_TOKEN}":
            return _REFUSED
        kept[request.path_params["reference"]] = (await request.json())["value"]
        return JSONResponse({}, status_code=201)

    async def email(request: Request) -> JSONResponse:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return _REFUSED
        value = kept.get(request.path_params["reference"])
        return JSONResponse({"contact": {"email": value}} if value else {}, status_code=200 if value else 404)

    async def token(request: Request) -> JSONResponse:
        if CLIENT_SECRET not in (await request.body()).decode():
            return _REFUSED
        tokens.add(made := secrets.token_urlsafe())
        return JSONResponse({"access_token": made, "expires_in": 3600, "token_type": "Bearer"})

    async def phone(request: Request) -> JSONResponse:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return _REFUSED
        value = kept.get((await request.json())["referenceId"])
        return JSONResponse({"phone": value} if value else {}, status_code=200 if value else 404)

    return Starlette(
        routes=[
            Route("/token", token, methods=["POST"]),
            Route("/contacts/phone", phone, methods=["POST"]),
            Route("/contacts/{reference}", keep, methods=["PUT"]),
            Route("/contacts/{reference}", email, methods=["GET"]),
        ]
    )


def make_platform() -> Starlette:
    """The platform: it stores contacts and sends surveys; `GET /received` tells what it was given."""
    received: list[Any] = []

    async def take(request: Request) -> JSONResponse:
        received.append(await request.json())
        return JSONResponse({"ok": True})

    async def seen(_: Request) -> JSONResponse:
        return JSONResponse(received)

    return Starlette(routes=[Route("/received", seen, methods=["GET"]), Route("/{_:path}", take, methods=["POST"])])


organisation = make_organisation()
platform = make_platform()
