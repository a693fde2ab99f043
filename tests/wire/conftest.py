from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.rulesets import make_rules
from tests.e2e.servers import Server, sidecar, uvicorn
from tests.wire.tap import Tap, taken


@dataclass(frozen=True)
class Door:
    """A guard, and what has arrived behind it since that was asked last."""

    name: str
    port: int
    arrived: Callable[[], bytes]
    server: Server


@pytest.fixture(scope="session")
def wire_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped API descriptions; what they do not match is scanned, save below `/open` and `/closed`."""
    rules = make_rules(tmp_path_factory.mktemp("wire"))
    (rules / "guard.yaml").write_text(GUARD)
    return rules


GUARD = """\
version: 1
routes:
  - {paths: ["/_taken"], unmatched: allow}
  - {paths: ["/closed/**"], unmatched: block}
  - {paths: ["/open/**"], unmatched: allow}
  - {policy: mask, unmatched: scan}
limits: {body: 200000, decoded: 400000, depth: 20}
"""


@pytest.fixture(scope="session")
def doors(wire_rules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Door]]:
    """mitmproxy and the sidecar on uvicorn before a server that reads nothing, and the middleware around an app."""
    folder = tmp_path_factory.mktemp("doors")
    taps = [Tap(), Tap()]

    def behind(tap: Tap, name: str, *flags: str) -> AbstractContextManager[Server]:
        return sidecar(f"http://127.0.0.1:{tap.port}", folder / f"{name}.log", "--rules", str(wire_rules), *flags)

    starts = [
        behind(taps[0], "mitm"),
        behind(taps[1], "sidecar", "--door", "asgi"),
        uvicorn("tests.wire.tap:guarded", folder / "asgi.log", "--factory", GUARD_RULES=str(wire_rules)),
    ]
    with ExitStack() as stack, ThreadPoolExecutor(len(starts)) as pool:
        mitm, proxy, asgi = pool.map(stack.enter_context, starts)
        yield [
            Door("mitmproxy", mitm.port, taps[0].take, mitm),
            Door("sidecar", proxy.port, taps[1].take, proxy),
            Door("asgi", asgi.port, partial(taken, asgi.port), asgi),
        ]
    for tap in taps:
        tap.close()
