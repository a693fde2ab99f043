"""Both doors before one chat API, with a route for each way of treating media."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy_guard import resources
from tests.e2e.servers import Server, sidecar
from tests.media.security_api import SecurityApi
from tests.media.upstream import Upstream
from tests.media.web import HOSTS, Web, web
from tests.remote.serving import serve
from tests.remote.test_security_api import TOKEN

DOORS = ("mitmproxy", "asgi")
_POLICIES = {
    "block": "{style: block}",
    "asked": "{scrubber: security-api}",
    "otherwise": "{otherwise: security-api}",
    "faces": "{faces: true}",
    "fetch": f"{{links: fetch, hosts: {HOSTS}}}",
    "ignore": "{links: ignore}",
    "mask": "{}",
}
"""The `media` section of each route's policy; the route of `mask` is that of all other paths."""


def write_rules(folder: Path, policies: dict[str, str], limits: str) -> Path:
    """The shipped rules, with a policy and a route for each of these `media` sections."""
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules, ignore=shutil.ignore_patterns("*.test.yaml"))
    routes = ""
    for name, media in policies.items():
        text = f"version: 1\nname: {name}\nentities: {{PHONE_NUMBER: {{action: mask, char: X}}}}\nmedia: {media}\n"
        (rules / "policies" / f"{name}.yaml").write_text(text)
        routes += f'  - {{paths: ["{"/**" if name == "mask" else f"/{name}/**"}"], policy: {name}}}\n'
    (rules / "guard.yaml").write_text(f"version: 1\nroutes:\n{routes}limits: {limits}\n")
    return rules


@pytest.fixture(scope="session")
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture(scope="session")
def security_api() -> SecurityApi:
    return SecurityApi()


@pytest.fixture(scope="session")
def internet() -> Iterator[Web]:
    with web() as made:
        yield made


@pytest.fixture(scope="session")
def doors(
    tmp_path_factory: pytest.TempPathFactory, upstream: Upstream, security_api: SecurityApi, internet: Web
) -> Iterator[dict[str, Server]]:
    """Each door by its name."""
    folder = tmp_path_factory.mktemp("doors")
    rules = write_rules(folder, _POLICIES, "{media_workers: 1}")
    shipped = rules / "connections" / "security-api.yaml"
    shipped.write_text(shipped.read_text() + "retries: {times: 0}\nbreaker: {failures: 1000}\n")
    flags = ("--rules", str(rules), "--door")
    with serve(upstream.app) as url, serve(security_api.app) as api:
        env: dict[str, Any] = internet.env | {"SECURITY_API_URL": api, "SECURITY_API_TOKEN": TOKEN}
        with (
            sidecar(url, folder / "mitm.log", *flags, DOORS[0], fresh=True, **env) as mitm,
            sidecar(url, folder / "asgi.log", *flags, DOORS[1], fresh=True, **env) as asgi,
        ):
            yield dict(zip(DOORS, (mitm, asgi), strict=True))


@pytest.fixture(params=DOORS)
def door(
    request: pytest.FixtureRequest,
    doors: dict[str, Server],
    upstream: Upstream,
    security_api: SecurityApi,
    internet: Web,
) -> Server:
    """One door after the other, and nothing has come to those behind it yet."""
    for each in (upstream.arrived, security_api.asked, internet.public, internet.private):
        each.clear()
    security_api.status = 200
    return doors[request.param]
