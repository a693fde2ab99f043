"""An application with webhooks, and Bedrock: each checks the signature with what its vendor's library makes of it.

It answers 200 with what it received, or 401. Served plainly behind mitmproxy, or with the middleware around it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any

from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from proxy_guard.asgi import ProxyGuardMiddleware
from tests.signing.aws import is_valid
from tests.signing.rulesets import PUBLIC, SECRETS


def _mac(secret: str, body: bytes) -> bytes:
    return hmac.digest(SECRETS[secret].encode(), body, hashlib.sha256)


def slack(request: Request, body: bytes) -> bool:
    return SignatureVerifier(SECRETS["SLACK_SECRET"]).is_valid_request(body, dict(request.headers))


def meta(request: Request, body: bytes) -> bool:
    return request.headers["x-hub-signature-256"] == "sha256=" + _mac("META_SECRET", body).hex()


def line(request: Request, body: bytes) -> bool:
    return base64.b64decode(request.headers["x-line-signature"]) == _mac("LINE_SECRET", body)


def twilio(request: Request, body: bytes) -> bool:
    from tests.signing.test_vectors import _params

    url = f"{PUBLIC}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
    params = body.decode() if "json" in request.headers["content-type"] else _params(body)
    return bool(RequestValidator(SECRETS["TWILIO_TOKEN"]).validate(url, params, request.headers["x-twilio-signature"]))


def bedrock(request: Request, body: bytes) -> bool:
    path = request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
    url = f"http://{request.headers['host']}{path}"
    return is_valid("POST", url, request.headers.items(), body, SECRETS["AWS_KEY"], SECRETS["AWS_SECRET"])


CHECKS = {"/slack/events": slack, "/slack/commands": slack, "/drop/slack/events": slack, "/webhook": meta,
          "/line/callback": line, "/twilio/sms": twilio}  # fmt: skip
seen: list[str] = []


async def hook(request: Request) -> Response:
    body = await request.body()
    check = CHECKS.get(request.url.path, bedrock)
    seen.append(request.url.path)
    if not check(request, body):
        return JSONResponse({"message": "bad signature"}, 401)
    if check is bedrock:
        return _converse(body)
    return JSONResponse({"received": base64.b64encode(body).decode()})


def _converse(body: bytes) -> Response:
    said = json.loads(body)["messages"][-1]["content"][0]["text"]
    return JSONResponse(
        {
            "output": {"message": {"role": "assistant", "content": [{"text": f"you said {said}"}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
            "metrics": {"latencyMs": 1},
        }
    )


async def log(request: Request) -> Response:
    return JSONResponse(seen)


app = Starlette(routes=[Route("/_seen", log), Route("/{path:path}", hook, methods=["POST"])])


def guarded() -> Any:
    """The application with the middleware around it, by the rules in GUARD_RULES."""
    return ProxyGuardMiddleware(app, rules=os.environ["GUARD_RULES"])
