"""A Security API that does as a test says."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.remote.test_security_api import conforms


class SecurityApi:
    """Says of every item what `says` holds, with that status, and keeps what it was asked."""

    def __init__(self) -> None:
        self.says: Any = {"action": "allow"}
        self.status = 200
        self.asked: list[Any] = []

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/inspect", self._inspect, methods=["POST"])])

    async def _inspect(self, request: Request) -> JSONResponse:
        asked = await request.json()
        conforms(asked, "Inspection")
        self.asked += asked["items"]
        said = {"items": [{"id": item["id"], **self.says} for item in asked["items"]]}
        return JSONResponse(said, self.status)
