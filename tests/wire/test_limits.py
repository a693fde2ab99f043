"""Past each limit a message is refused, clearly and through every door, and what is behind sees nothing of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.rulesets import make_rules
from tests.e2e.servers import sidecar, uvicorn
from tests.wire.cases import CHAT, chat, request
from tests.wire.conftest import Door
from tests.wire.tap import Tap, say, status, taken

ANY = "/any"
ROUTES = "routes: [{paths: [/_taken], unmatched: allow}, "
LIMITS = (
    "{body: 20000, decoded: 40000, ratio: 50, depth: 10, nodes: 500, strings: 40, parts: 5, headers: 30, findings: 20}"
)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Door]]:
    folder = tmp_path_factory.mktemp("narrow")
    rules = make_rules(folder)
    (rules / "guard.yaml").write_text(f"version: 1\n{ROUTES}{{policy: mask, unmatched: scan}}]\nlimits: {LIMITS}\n")
    tap = Tap()
    starts = [
        sidecar(f"http://127.0.0.1:{tap.port}", folder / "mitm.log", "--rules", str(rules)),
        uvicorn("tests.wire.tap:guarded", folder / "asgi.log", "--factory", GUARD_RULES=str(rules)),
    ]
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        mitm, asgi = pool.map(stack.enter_context, starts)
        yield [
            Door("mitmproxy", mitm.port, tap.take, mitm),
            Door("asgi", asgi.port, partial(taken, asgi.port), asgi),
        ]
    tap.close()


def parts(number: int) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nhi\r\n'
    return request(ANY, part * number + b"--b--\r\n", kind="content-type: multipart/form-data; boundary=b")


def packed(size: int) -> bytes:
    return request(CHAT, gzip.compress(chat("x" * size)), "content-encoding: gzip")


WITHIN_AND_PAST = {
    "body": (request(CHAT, chat("x" * 19_000)), request(CHAT, chat("x" * 21_000)), 413, "larger than 20000 bytes"),
    "decoded": (packed(9000), packed(45_000), 413, "too large or too highly compressed"),
    "ratio": (packed(3000), packed(39_000 + 30_000), 413, "too large or too highly compressed"),
    "depth": (
        request(ANY, b"[" * 9 + b"]" * 9), request(ANY, b"[" * 11 + b"]" * 11), 400, "nested deeper than 10 levels",
    ),
    "nodes": (
        request(ANY, json.dumps([None] * 400).encode()),
        request(ANY, json.dumps([None] * 600).encode()),
        413,
        "more than 500 values",
    ),
    "strings": (
        request(ANY, json.dumps(["hi"] * 30).encode()),
        request(ANY, json.dumps(["hi"] * 60).encode()),
        413,
        "more than 40 texts",
    ),
    "parts": (parts(5), parts(6), 413, "more than 5 parts"),
    "headers": (
        request(CHAT, chat("hi"), *[f"x-{n}: 1" for n in range(20)]),
        request(CHAT, chat("hi"), *[f"x-{n}: 1" for n in range(40)]),
        431,
        "more than 30 header fields",
    ),
    "findings": (
        request(CHAT, chat("call 9876543210. " * 15)),
        request(CHAT, chat("call 9876543210. " * 30)),
        413,
        "more than 20 findings",
    ),
}  # fmt: skip


@pytest.mark.parametrize("limit", WITHIN_AND_PAST)
def test_a_limit_refuses_what_is_past_it_and_nothing_else(limit: str, narrow: list[Door]) -> None:
    within, past, refusal, why = WITHIN_AND_PAST[limit]
    for door in narrow:
        door.arrived()
        assert status(say(door.port, within, 20)) == 200, door.name
        assert door.arrived(), door.name
        answer = say(door.port, past, 20)
        assert status(answer) == refusal, (door.name, answer)
        assert why.encode() in answer, door.name
        assert not door.arrived(), door.name


SLOW = """
import asyncio, os
from proxy_guard import plugins
from proxy_guard.scrubbers import Scrubber

class Slow(Scrubber):
    async def scrub(self, slots, wanted):
        await asyncio.sleep(2)
        return [[] for _ in slots]

real_load, real_available = plugins.load, plugins.available
plugins.load = lambda group, name: Slow if name == "slow" else real_load(group, name)
plugins.available = lambda group: real_available(group) | ({"slow": Slow} if group == "scrubbers" else {})

from tests.wire.tap import guarded as app
"""


def test_messages_in_flight_are_bounded_and_so_is_the_time_of_each(tmp_path: Path) -> None:
    rules = make_rules(tmp_path)
    routes = f"{ROUTES}{{policy: slow}}]\nlimits: {{in_flight: 3, time: 0.5}}"
    (rules / "guard.yaml").write_text(f"version: 1\n{routes}\n")
    policy = "version: 1\nname: slow\nscrubber: slow\nentities: {PHONE_NUMBER: {action: mask}}\n"
    (rules / "policies" / "slow.yaml").write_text(policy)
    (tmp_path / "slow.py").write_text(SLOW)
    flags = ("--factory", "--app-dir", str(tmp_path))
    path = str(Path.cwd())
    with uvicorn("slow:app", tmp_path / "slow.log", *flags, GUARD_RULES=str(rules), PYTHONPATH=path) as server:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: say(server.port, request(CHAT, chat("hi")), 20), range(8)))
        late = [each for each in answers if b"did not answer within 0.5 s" in each]
        many = [each for each in answers if b"too many messages are being inspected" in each]
        assert {status(each) for each in answers} == {503}
        assert len(late) >= 3
        assert len(late) + len(many) == 8
        assert many
        assert taken(server.port) == b""
