"""Every way to show credentials, against servers that check them."""

from __future__ import annotations

import asyncio
import base64
import itertools
import ssl
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from proxy_guard.errors import RulesError, Unavailable
from proxy_guard.remote.client import Client
from proxy_guard.remote.connection import Connection
from tests.remote.rulesets import connection, found, guard, message
from tests.remote.serving import serve

SECRET = "s3cr3t/+ü&="
TOKEN = "tok-s3cr3t-123"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_USER", "maria")
    monkeypatch.setenv("API_SECRET", SECRET)
    monkeypatch.setenv("API_TOKEN", TOKEN)


class Api:
    """Answers, and keeps what it was sent."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.app = Starlette(routes=[Route("/judge", self.judge, methods=["POST"])])

    async def judge(self, request: Request) -> Response:
        self.seen.append(request)
        return JSONResponse(found((await request.json())["items"]))


async def ask(made: Connection) -> Any:
    client = Client(made)
    try:
        return await client.call(made.main, {"items": []}, lambda reply: reply)
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("auth", "header", "wanted"),
    [
        (None, "authorization", None),
        (
            {"type": "basic", "username": "${env:API_USER}", "password": "${env:API_SECRET}"},
            "authorization",
            "Basic " + base64.b64encode(f"maria:{SECRET}".encode()).decode(),
        ),
        ({"type": "bearer", "token": "${env:API_TOKEN}"}, "authorization", f"Bearer {TOKEN}"),
        ({"type": "api_key", "name": "X-Api-Key", "value": "${env:API_TOKEN}"}, "x-api-key", TOKEN),
    ],
)
def test_the_header_is_on_the_wire(tmp_path: Path, auth: Any, header: str, wanted: str | None) -> None:
    api = Api()
    with serve(api.app) as origin:
        anyio.run(ask, connection(tmp_path, f"{origin}/judge", **({"auth": auth} if auth else {})))
    (request,) = api.seen
    assert request.headers.get(header) == wanted
    assert request.url.query == ""


def test_the_key_is_in_the_query_beside_others(tmp_path: Path) -> None:
    api = Api()
    auth = {"type": "api_key", "in": "query", "name": "key", "value": "${env:API_SECRET}"}
    with serve(api.app) as origin:
        anyio.run(ask, connection(tmp_path, f"{origin}/judge", auth=auth, query={"v": "1"}))
    (request,) = api.seen
    assert dict(request.query_params) == {"v": "1", "key": SECRET}
    assert "authorization" not in request.headers


def test_headers_may_hold_secrets_too(tmp_path: Path) -> None:
    api = Api()
    with serve(api.app) as origin:
        made = connection(
            tmp_path, f"{origin}/judge", headers={"Authorization": "Token ${env:API_TOKEN}", "X-Org": "a"}
        )
        anyio.run(ask, made)
    assert api.seen[0].headers["authorization"] == f"Token {TOKEN}"
    assert api.seen[0].headers["x-org"] == "a"


# --- OAuth ---------------------------------------------------------------------------------------------


class OAuthApi(Api):
    """Gives out tokens, and takes none but the newest."""

    def __init__(self, **told: Any) -> None:
        super().__init__()
        self.told = told
        self.fetches: list[dict[str, Any]] = []
        self.valid = ""
        self.turned_away = 0
        self.pause = 0.0
        self.down = False
        self.most_at_a_time = self._at_a_time = 0
        self._numbers = itertools.count(1)
        self.app.router.routes.append(Route("/token", self.token, methods=["POST", "GET"]))

    async def token(self, request: Request) -> Response:
        self._at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self._at_a_time)
        self.fetches.append({"method": request.method, "headers": request.headers, "body": await request.body()})
        await asyncio.sleep(self.pause)
        self._at_a_time -= 1
        if self.down:
            return Response(status_code=503)
        self.valid = f"{TOKEN}-{next(self._numbers)}"
        return JSONResponse({"access_token": self.valid, "token_type": "Bearer", **self.told})

    async def judge(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.valid}" or not self.valid:
            self.turned_away += 1
            return JSONResponse({"error": "invalid_token"}, 401)
        return await super().judge(request)


def oauth(origin: str, **settings: Any) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "${env:API_SECRET}"}
    return {"type": "oauth", "token_url": f"{origin}/token", "form": form, **settings}


def test_the_token_request_is_as_configured(tmp_path: Path) -> None:
    api = OAuthApi()
    with serve(api.app) as origin:
        for auth in (
            oauth(origin, headers={"X-Tenant": "acme"}),
            {
                "type": "oauth", "token_url": f"{origin}/token", "json": {"who": ["me", "${env:API_SECRET}"]},
                "basic": {"type": "basic", "username": "me", "password": "${env:API_SECRET}"},
            },
            {"type": "oauth", "token_url": f"{origin}/token", "method": "GET", "headers": {"Metadata-Flavor": "Google"}},
        ):  # fmt: skip
            anyio.run(ask, connection(tmp_path, f"{origin}/judge", auth=auth))
    by_form, by_json, by_get = api.fetches
    assert by_form["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert by_form["headers"]["x-tenant"] == "acme"
    assert b"client_secret=s3cr3t%2F%2B%C3%BC%26%3D" in by_form["body"]
    assert by_json["body"].decode() == f'{{"who":["me","{SECRET}"]}}'
    assert by_json["headers"]["authorization"] == "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert (by_get["method"], by_get["headers"]["metadata-flavor"], by_get["body"]) == ("GET", "Google", b"")
    assert api.turned_away == 0


def test_a_token_is_kept_until_shortly_before_its_end(tmp_path: Path) -> None:
    api = OAuthApi(expires_in="1")  # some send a number as a text

    async def run(made: Connection) -> None:
        client = Client(made)
        for _ in range(5):
            await client.call(made.main, {"items": []}, lambda reply: reply)
        assert len(api.fetches) == 1
        await anyio.sleep(0.6)  # half its life: `early` is more than there is
        await client.call(made.main, {"items": []}, lambda reply: reply)
        await client.aclose()

    with serve(api.app) as origin:
        anyio.run(run, connection(tmp_path, f"{origin}/judge", auth=oauth(origin)))
    assert len(api.fetches) == 2
    assert api.turned_away == 0


def test_field_and_lifetime_can_be_configured(tmp_path: Path) -> None:
    class Nested(OAuthApi):
        async def token(self, request: Request) -> Response:
            await super().token(request)
            return JSONResponse({"data": {"jwt": self.valid}})

    api = Nested()

    async def run(made: Connection) -> None:
        client = Client(made)
        await client.call(made.main, {"items": []}, lambda reply: reply)
        await anyio.sleep(0.3)
        await client.call(made.main, {"items": []}, lambda reply: reply)
        await client.aclose()

    with serve(api.app) as origin:
        made = connection(tmp_path, f"{origin}/judge", auth=oauth(origin, token="$.data.jwt", lifetime=0.4))
        anyio.run(run, made)
    assert len(api.fetches) == 2


def test_a_token_that_is_turned_away_is_replaced_once(tmp_path: Path) -> None:
    api = OAuthApi()

    async def run(made: Connection) -> None:
        client = Client(made)
        await client.call(made.main, {"items": []}, lambda reply: reply)
        api.valid = "rotated"
        await client.call(made.main, {"items": []}, lambda reply: reply)
        assert (len(api.fetches), api.turned_away) == (2, 1)
        api.app.router.routes[0] = Route("/judge", lambda _: JSONResponse({}, 401), methods=["POST"])
        with pytest.raises(Unavailable, match=r"refused our credentials \(401\)"):
            await client.call(made.main, {"items": []}, lambda reply: reply)
        assert len(api.fetches) == 3  # one more try, and no loop
        await client.aclose()

    with serve(api.app) as origin:
        anyio.run(run, connection(tmp_path, f"{origin}/judge", auth=oauth(origin)))


@pytest.mark.parametrize("pause", [0.0, 0.3])
@pytest.mark.parametrize("how", ["none yet", "expired", "revoked"])
def test_200_messages_at_once_fetch_one_token(tmp_path: Path, how: str, pause: float) -> None:
    api = OAuthApi(expires_in=0.2 if how == "expired" else 3600)
    api.pause = pause

    async def run(origin: str) -> None:
        made = guard(tmp_path, f"{origin}/judge", auth=oauth(origin), time=30, timeout=20, concurrency=200)
        if how != "none yet":
            assert (await made.inspect(message())).action == "rewrite"
            api.told["expires_in"] = 3600
            await anyio.sleep(0.25)
            api.fetches.clear()
            if how == "revoked":
                api.valid = "revoked"
        verdicts: list[str] = []

        async def one() -> None:
            verdicts.append((await made.inspect(message())).action)

        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(one)
        assert verdicts == ["rewrite"] * 200
        await made.aclose()

    with serve(api.app) as origin:
        anyio.run(run, origin)
    assert len(api.fetches) == 1
    assert api.most_at_a_time == 1


def test_a_token_endpoint_that_is_down_or_slow_is_a_failure_that_all_share(tmp_path: Path) -> None:
    api = OAuthApi()
    api.down = True
    api.pause = 0.2

    async def run(origin: str, patience: float) -> float:
        retries = {"times": 0}
        made = guard(tmp_path, f"{origin}/judge", auth=oauth(origin, timeout=patience), time=5, retries=retries)
        begun = anyio.current_time()
        statuses: list[int | None] = []

        async def one() -> None:
            statuses.append((await made.inspect(message())).status)

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(one)
        assert statuses == [503] * 50
        await made.aclose()
        return anyio.current_time() - begun

    with serve(api.app) as origin:
        assert anyio.run(run, origin, 3) < 1  # not one after the other
        assert len(api.fetches) == 1
        api.pause = 30
        assert anyio.run(run, origin, 0.5) < 1.5
    assert api.seen == []


def test_an_old_token_serves_while_the_endpoint_is_down(tmp_path: Path) -> None:
    api = OAuthApi(expires_in=2)

    async def run(made: Connection) -> None:
        client = Client(made)
        await client.call(made.main, {"items": []}, lambda reply: reply)
        api.down = True
        await anyio.sleep(1.1)  # it should be renewed, and can't be
        await client.call(made.main, {"items": []}, lambda reply: reply)
        await anyio.sleep(1)
        with pytest.raises(Unavailable, match="token endpoint"):
            await client.call(made.main, {"items": []}, lambda reply: reply)
        await client.aclose()

    with serve(api.app) as origin:
        anyio.run(run, connection(tmp_path, f"{origin}/judge", auth=oauth(origin), retries={"times": 0}))


# --- TLS -----------------------------------------------------------------------------------------------


def test_own_authority_and_client_certificate(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")
    served, mine = authority.issue_cert("127.0.0.1"), authority.issue_cert("guard.example")
    served.private_key_pem.write_to_path(tmp_path / "server.key")
    served.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    mine.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    api = Api()
    options = {
        "ssl_keyfile": tmp_path / "server.key",
        "ssl_certfile": tmp_path / "server.pem",
        "ssl_ca_certs": str(tmp_path / "ca.pem"),
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }
    good = {"ca": str(tmp_path / "ca.pem"), "cert": str(tmp_path / "client.pem")}
    with serve(api.app, **options) as origin:
        anyio.run(ask, connection(tmp_path, f"{origin}/judge", tls=good))
        assert len(api.seen) == 1
        for bad in ({"ca": good["ca"]}, {**good, "ca": str(tmp_path / "stranger.pem")}, {}):
            with pytest.raises(Unavailable):
                anyio.run(ask, connection(tmp_path, f"{origin}/judge", tls=bad, retries={"times": 0}))
    assert len(api.seen) == 1
    with pytest.raises(RulesError, match="certificate"):
        connection(tmp_path, "https://x.example/", tls={**good, "cert": str(tmp_path / "nowhere.pem")})
