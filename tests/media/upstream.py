"""A chat API of many vendors in the test's own process: keeps what arrives, and answers as each vendor does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

_METHODS = ["GET", "POST", "PUT"]


@dataclass
class Arrived:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """`files` are what a request of their path is answered with: media type and bytes. `replies` the same for JSON;
    `headers` are those of an empty reply, `streams` make the events of one that streams.
    """

    arrived: list[Arrived] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    replies: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    streams: dict[str, Callable[[], AsyncIterator[bytes]]] = field(default_factory=dict)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])

    def take(self) -> Arrived:
        """The one message that came since the last time."""
        (one,) = self.arrived
        self.arrived.clear()
        return one

    def none(self) -> bool:
        return not self.arrived

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self.arrived.append(Arrived(request.method, path, dict(request.headers), await request.body()))
        if path in self.streams:
            return StreamingResponse(self.streams[path](), media_type="text/event-stream")
        if path in self.files:
            media_type, data = self.files[path]
            return Response(data, headers={"content-type": media_type, "etag": '"1"'})
        if path in self.replies:
            return JSONResponse(self.replies[path])
        if path in self.headers:
            return Response(headers=self.headers[path])
        return JSONResponse(next((reply for end, reply in _REPLIES.items() if path.endswith(end)), {"id": "x"}))


_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "input_tokens": 1, "output_tokens": 1}
_MESSAGE = {"role": "assistant", "content": "I see."}
_REPLIES: dict[str, Any] = {
    "/chat/completions": {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": _USAGE,
        "choices": [{"index": 0, "finish_reason": "stop", "message": _MESSAGE}],
    },
    "/responses": {
        "id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "parallel_tool_calls": True,
        "tool_choice": "auto", "tools": [], "usage": None,
        "output": [{"type": "message", "id": "m", "status": "completed", "role": "assistant",
                    "content": [{"type": "output_text", "text": "I see.", "annotations": []}]}],
    },
    "/messages": {
        "id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "usage": _USAGE,
        "content": [{"type": "text", "text": "I see."}],
    },
    ":generateContent": {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "I see."}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 2},
    },
    "/files": {
        "id": "file-1", "object": "file", "type": "file", "bytes": 1, "size_bytes": 1, "created_at": "2026-01-01T00:00:00Z",
        "filename": "a", "purpose": "user_data", "status": "processed", "mime_type": "image/png", "downloadable": False,
    },
    "/images/edits": {"created": 1, "data": []},
}  # fmt: skip
"""By the end of the path."""
