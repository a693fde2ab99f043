"""Both doors before one chat API, with a route for each way of treating media."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_guard import resources
from tests.e2e.servers import Server, sidecar
from tests.media.upstream import Upstream
from tests.remote.serving import serve

DOORS = ("mitmproxy", "asgi")
_ENTITIES = "PHONE_NUMBER: {action: mask, char: X}"
_POLICIES = {
    "block": "{style: block}",
    "mask": "{}",
}
"""The `media` section of each route's policy; the route of `mask` is that of all other paths."""


def write_rules(folder: Path, policies: dict[str, str], limits: str) -> Path:
    """The shipped rules, with a policy and a route for each of these `media` sections."""
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules, ignore=shutil.ignore_patterns("*.test.yaml"))
    routes = ""
    for name, media in policies.items():
        text = f"version: 1\nname: {name}\nentities: {{{_ENTITIES}}}\nmedia: {media}\n"
        (rules / "policies" / f"{name}.yaml").write_text(text)
        routes += f'  - {{paths: ["{"/**" if name == "mask" else f"/{name}/**"}"], policy: {name}}}\n'
    (rules / "guard.yaml").write_text(f"version: 1\nroutes:\n{routes}limits: {limits}\n")
    return rules


@pytest.fixture(scope="session")
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[dict[str, Server]]:
    """Each door by its name."""
    folder = tmp_path_factory.mktemp("doors")
    rules = write_rules(folder, _POLICIES, "{media_workers: 1}")
    flags = ("--rules", str(rules), "--door")
    with (
        serve(upstream.app) as url,
        sidecar(url, folder / "mitm.log", *flags, DOORS[0]) as mitm,
        sidecar(url, folder / "asgi.log", *flags, DOORS[1]) as asgi,
    ):
        yield dict(zip(DOORS, (mitm, asgi), strict=True))


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, doors: dict[str, Server], upstream: Upstream) -> Server:
    upstream.arrived.clear()
    return doors[request.param]
