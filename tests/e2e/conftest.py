from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.raw import Raw
from tests.e2e.rulesets import make_rules
from tests.e2e.servers import Server, mitmdump, sidecar, uvicorn


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="session")
def rules(folder: Path) -> Path:
    return make_rules(folder)


@pytest.fixture(scope="session")
def upstream(folder: Path) -> Iterator[Server]:
    """The chat API behind mitmproxy."""
    with uvicorn("tests.e2e.recorder:app", folder / "upstream.log") as server:
        yield server


@pytest.fixture(scope="session")
def mitm_door(folder: Path, rules: Path, upstream: Server) -> Iterator[Server]:
    """A real mitmdump with the addon, logging all it can."""
    flags = ("-v", "--set", "flow_detail=0")
    with mitmdump(upstream.url, rules, folder / "mitmdump.log", *flags, fresh=True) as server:
        yield server


@pytest.fixture(scope="session")
def asgi_door(folder: Path, rules: Path) -> Iterator[Server]:
    """A real uvicorn with the middleware around the same application."""
    flags = ("--factory", "--log-level", "trace")
    with uvicorn(
        "tests.e2e.recorder:guarded", folder / "asgi.log", *flags, fresh=True, GUARD_RULES=str(rules)
    ) as server:
        yield server


@pytest.fixture(scope="session")
def sidecar_door(folder: Path, rules: Path, upstream: Server) -> Iterator[Server]:
    """The sidecar on uvicorn, before the same application as mitmdump."""
    flags = ("--rules", str(rules), "--door", "asgi")
    with sidecar(upstream.url, folder / "sidecar.log", *flags, fresh=True) as server:
        yield server


@pytest.fixture(scope="session")
def raw() -> Iterator[Raw]:
    """An upstream that answers byte for byte as it is told to."""
    server = Raw()
    yield server
    server.close()


@pytest.fixture(scope="session")
def raw_mitm(folder: Path, rules: Path, raw: Raw) -> Iterator[Server]:
    with sidecar(f"http://127.0.0.1:{raw.port}", folder / "raw-mitm.log", "--rules", str(rules)) as server:
        yield server


@pytest.fixture(scope="session")
def raw_sidecar(folder: Path, rules: Path, raw: Raw) -> Iterator[Server]:
    flags = ("--rules", str(rules), "--door", "asgi")
    with sidecar(f"http://127.0.0.1:{raw.port}", folder / "raw-sidecar.log", *flags) as server:
        yield server
