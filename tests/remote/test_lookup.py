"""Lookups and stores against a real endpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from proxy_guard.errors import NotFound, Unavailable
from proxy_guard.remote.connection import Connection
from proxy_guard.remote.lookup import Lookup, Store
from proxy_guard.rules.connections import load_connection
from proxy_guard.rules.reading import SourceFile
from tests.remote.serving import serve

LOOKUP: dict[str, Any] = {
    "version": 1, "name": "contacts", "kind": "lookup", "method": "GET", "retries": {"times": 0},
    "reply": {"value": "$.contact.email"},
}  # fmt: skip


def made(tmp_path: Path, **settings: Any) -> Connection:
    path = tmp_path / "contacts.yaml"
    path.write_text(json.dumps(LOOKUP | settings))
    return load_connection(SourceFile(path, "contacts.yaml"), in_use=True)


class Contacts:
    def __init__(self) -> None:
        self.values: dict[str, Any] = {
            "r1": "maria@example.com",
            "a/b ?ü": "odd@example.com",
            "none": None,
            "list": [1],
        }
        self.calls = 0
        self.fail = False
        routes = [
            Route("/c/{reference:path}", self.one, methods=["GET", "PUT"]),
            Route("/c", self.post, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def one(self, request: Request) -> Response:
        self.calls += 1
        # As sent, so that a slash in a reference is told from one of the path.
        reference = request.scope["raw_path"].decode().removeprefix("/c/")
        if request.method == "PUT":
            if self.fail:
                return Response(status_code=500)
            self.values[reference] = await request.json()
            return Response(status_code=204)
        from urllib.parse import unquote

        return self._told(unquote(reference))

    async def post(self, request: Request) -> Response:
        self.calls += 1
        body = await request.json()
        assert set(body) == {"referenceId"}
        return self._told(body["referenceId"])

    def _told(self, reference: str) -> Response:
        if reference not in self.values:
            return JSONResponse({}, 404)
        return JSONResponse({"contact": {"email": self.values[reference]}})


def test_get_and_post_tell_the_value(tmp_path: Path) -> None:
    contacts = Contacts()

    async def run(origin: str) -> None:
        ways = (
            {"url": f"{origin}/c/{{reference}}"},
            {"url": f"{origin}/c", "method": "POST", "request": {"referenceId": "{reference}"}},
        )
        for way in ways:
            lookup = Lookup(made(tmp_path, **way))
            assert await lookup.value("r1") == "maria@example.com"
            assert await lookup.value("a/b ?ü") == "odd@example.com"
            for unknown in ("r2", "none"):
                with pytest.raises(NotFound) as error:
                    await lookup.value(unknown)
                assert unknown not in str(error.value).split()
            with pytest.raises(Unavailable, match="selects something that is no text"):
                await lookup.value("list")
            await lookup.aclose()

    with serve(contacts.app) as origin:
        anyio.run(run, origin)


@pytest.mark.parametrize("reference", ["", ".", "..", "a\nb", "a\x00"])
def test_a_reference_that_would_mean_another_place_is_not_asked_for(tmp_path: Path, reference: str) -> None:
    contacts = Contacts()

    async def run(origin: str) -> None:
        lookup = Lookup(made(tmp_path, url=f"{origin}/c/{{reference}}"))
        with pytest.raises(NotFound):
            await lookup.value(reference)
        await lookup.aclose()

    with serve(contacts.app) as origin:
        anyio.run(run, origin)
    assert contacts.calls == 0


@pytest.mark.parametrize(("cache", "calls"), [(0, 4), (0.3, 2)])
def test_a_value_is_kept_as_long_as_is_said_and_by_default_not(tmp_path: Path, cache: float, calls: int) -> None:
    contacts = Contacts()

    async def run(origin: str) -> None:
        lookup = Lookup(made(tmp_path, url=f"{origin}/c/{{reference}}", cache=cache))
        for _ in range(3):
            await lookup.value("r1")
        await anyio.sleep(0.35)
        contacts.values["r1"] = "new@example.com"
        assert await lookup.value("r1") == "new@example.com"
        await lookup.aclose()
        assert "example.com" not in repr(lookup)

    with serve(contacts.app) as origin:
        anyio.run(run, origin)
    assert contacts.calls == calls


def test_a_store_is_given_the_value_and_says_if_it_failed(tmp_path: Path) -> None:
    contacts = Contacts()
    settings = {"kind": "store", "method": "PUT", "reply": {}, "request": {"entity": "{entity}", "value": "{value}"}}

    async def run(origin: str) -> None:
        store = Store(made(tmp_path, url=f"{origin}/c/{{reference}}", **settings))
        await store.put("r9", "EMAIL_ADDRESS", "new@example.com")
        assert contacts.values["r9"] == {"entity": "EMAIL_ADDRESS", "value": "new@example.com"}
        contacts.fail = True
        with pytest.raises(Unavailable, match="answered 500"):
            await store.put("r9", "EMAIL_ADDRESS", "other@example.com")
        await store.aclose()

    with serve(contacts.app) as origin:
        anyio.run(run, origin)
