"""Google's Gemini API: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import ARGUMENTS, SIGNATURE, TEXT, TOOL
from tests.e2e.clients.vendors.wire import pieces, sse

USAGE = {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}


def _reply(parts: list[dict[str, Any]], finish: str | None = "STOP") -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "gemini-2.5-flash", "responseId": "r1"}


async def answer(request: Request) -> Response:
    method = request.path_params["call"].partition(":")[2]
    body = await request.json()
    call = {"functionCall": {"name": TOOL, "args": ARGUMENTS}, "thoughtSignature": SIGNATURE}
    calls: list[dict[str, Any]] = [call] if body.get("tools") else []
    match method:
        case "generateContent":
            return JSONResponse(_reply([{"text": TEXT}, *calls]))
        case "streamGenerateContent":
            assert request.query_params["alt"] == "sse"
            chunks = [(None, _reply([{"text": each}], None)) for each in pieces(TEXT, 30)]
            return sse([*chunks, (None, _reply(calls or [{"text": ""}]))])
        case "countTokens":
            return JSONResponse({"totalTokens": 7})
        case "batchEmbedContents":
            return JSONResponse({"embeddings": [{"values": [1.0, 0.5]} for _ in body["requests"]]})
    return JSONResponse({"error": {"code": 404, "message": "no such method", "status": "NOT_FOUND"}}, 404)


routes = [Route("/{version}/models/{call}", answer, methods=["POST"])]
