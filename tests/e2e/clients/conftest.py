from __future__ import annotations

import importlib
import multiprocessing
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxy_guard import resources
from tests.e2e.clients.doors import Door
from tests.e2e.clients.planted import SENT, leaks
from tests.e2e.clients.sdks import PLANTED, Outcome, Sdk, Talk, run
from tests.e2e.servers import free_port, mitmdump, uvicorn

Ask = Callable[[type[Sdk], str, str, Talk], Outcome]
Direct = Callable[[type[Sdk], str], tuple[Outcome, list[bytes]]]
_GUARD = """\
version: 1
routes:
  - {hosts: [localhost], policy: block-and-media}
  - {policy: mask-and-media}
"""


@pytest.fixture(scope="session")
def client_rules(folder: Path) -> Path:
    """The shipped rules, with media let through: 127.0.0.1 masks, localhost blocks."""
    rules = folder / "client-rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.yaml").write_text(_GUARD)
    (rules / "guard.test.yaml").unlink(missing_ok=True)
    for name in ("mask", "block"):
        policy = (rules / "policies" / f"{name}.yaml").read_text().replace(f"name: {name}", f"name: {name}-and-media")
        (rules / "policies" / f"{name}-and-media.yaml").write_text(f"{policy}\non_error: {{unsupported_media: keep}}\n")
    return rules


def _settle() -> None:
    """Clients warn of their own ways, leave sockets to the collector, and ask the network for tables."""
    warnings.simplefilter("ignore")
    os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LANGSMITH_TRACING": "false"}


def _import_the_slow_ones() -> None:
    for name in ("openai", "anthropic", "google.genai", "boto3", "langchain_openai", "litellm"):
        importlib.import_module(name)


@pytest.fixture(scope="session")
def client() -> Iterator[Ask]:
    """Makes a call in a process of the clients' own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_settle) as pool:
        pool.submit(_import_the_slow_ones)  # while the doors start

        def ask(sdk: type[Sdk], name: str, url: str, talk: Talk) -> Outcome:
            return pool.submit(run, sdk, name, url, talk).result(60)

        yield ask


@pytest.fixture(scope="session")
def direct(doors: dict[str, Door], client: Ask) -> Direct:
    """What comes of a call without a guard: its reply, and the bodies of its requests."""

    known: dict[tuple[type[Sdk], str], tuple[Outcome, list[bytes]]] = {}

    def ask(sdk: type[Sdk], name: str) -> tuple[Outcome, list[bytes]]:
        if (sdk, name) not in known:
            door = doors["direct"]
            door.received()
            outcome = client(sdk, name, door.url, PLANTED)
            requests = door.received()
            assert outcome.error == ""
            assert any(leaks(each.raw, SENT) for each in requests), "the values are seen without a guard"
            known[sdk, name] = outcome, [each.body for each in requests]
        return known[sdk, name]

    return ask


@pytest.fixture(scope="session")
def doors(folder: Path, client_rules: Path, client: Ask) -> Iterator[dict[str, Door]]:
    """The vendors without a guard, behind mitmdump, and behind the middleware."""
    quiet = ("--log-level", "warning")
    with ExitStack() as stack:
        vendors = stack.enter_context(uvicorn("tests.e2e.clients.vendors:app", folder / "vendors.log", *quiet))
        asgi = stack.enter_context(
            uvicorn(
                "tests.e2e.clients.vendors:guarded",
                folder / "clients-asgi.log",
                *quiet,
                "--factory",
                GUARD_RULES=str(client_rules),
            )
        )
        blocking = free_port()
        # The address of the upstream is the host that the addon sees: one mode for each policy.
        second = f"reverse:http://localhost:{vendors.port}@{blocking}"
        mitm = stack.enter_context(mitmdump(vendors.url, client_rules, folder / "clients-mitm.log", "--mode", second))
        yield {
            "direct": Door(vendors.url, vendors.url, vendors, vendors),
            "mitmproxy": Door(mitm.url, f"http://127.0.0.1:{blocking}", mitm, vendors),
            "asgi": Door(asgi.url, f"http://localhost:{asgi.port}", asgi, asgi),
        }
