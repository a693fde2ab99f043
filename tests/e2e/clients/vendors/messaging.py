"""Slack's web API (https://api.slack.com/web) and Twilio's messages (https://www.twilio.com/docs/messaging/api)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import TEXT


async def post_message(request: Request) -> Response:
    if request.headers["content-type"].startswith("application/json"):
        channel = (await request.json())["channel"]
    else:
        channel = (await request.form())["channel"]
    message = {"type": "message", "user": "U1", "bot_id": "B1", "text": TEXT, "ts": "1503435956.000247"}
    return JSONResponse({"ok": True, "channel": channel, "ts": "1503435956.000247", "message": message})


async def upload_url(request: Request) -> Response:
    """The first of three requests of an upload; the URL is this server's own, by the door that the client came by."""
    await request.form()
    url = f"{request.headers['x-base']}/upload/v1/abc"
    return JSONResponse({"ok": True, "upload_url": url, "file_id": "F1"})


async def upload(request: Request) -> Response:
    await request.body()
    return PlainTextResponse("OK - 9")


async def complete_upload(request: Request) -> Response:
    await request.form()
    return JSONResponse({"ok": True, "files": [{"id": "F1", "title": TEXT}]})


async def twilio(request: Request) -> Response:
    form = await request.form()
    sid = "SM" + "0123456789abcdef" * 2
    reply: dict[str, Any] = {
        "sid": sid,
        "account_sid": request.path_params["account"],
        "messaging_service_sid": None,
        "body": TEXT,
        "from": form.get("From"),
        "to": form.get("To"),
        "status": "queued",
        "direction": "outbound-api",
        "num_segments": "1",
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error_message": None,
        "api_version": "2010-04-01",
        "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
        "date_sent": None,
        "date_updated": "Thu, 24 Aug 2023 05:01:45 +0000",
        "uri": f"/2010-04-01/Accounts/{request.path_params['account']}/Messages/{sid}.json",
        "subresource_uris": {
            "media": f"/2010-04-01/Accounts/{request.path_params['account']}/Messages/{sid}/Media.json"
        },
    }
    return JSONResponse(reply, 201)


routes = [
    Route("/api/chat.postMessage", post_message, methods=["POST"]),
    Route("/api/files.getUploadURLExternal", upload_url, methods=["POST"]),
    Route("/upload/v1/abc", upload, methods=["POST"]),
    Route("/api/files.completeUploadExternal", complete_upload, methods=["POST"]),
    Route("/2010-04-01/Accounts/{account}/Messages.json", twilio, methods=["POST"]),
]
