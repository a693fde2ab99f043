"""A Security API with faults behind both doors, under load: no unscrubbed byte is forwarded. Counted."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from proxy_guard import resources
from tests.e2e.corpus import CHAT, PHONE, Answer, Case, chat, dumps, reply
from tests.e2e.doors import send
from tests.e2e.servers import Server, free_port, mitmdump, running, uvicorn
from tests.remote.faulty import FAULTS
from tests.remote.rulesets import FINDS

BUDGET = 3.0
MESSAGES = 24
AT_A_TIME = 12
TOKEN = "d00r-t0k3n"


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[Server]:
    port = free_port()
    with running(["-m", "tests.remote.faulty", str(port)], port, folder / "faulty.log") as server:
        yield server


@pytest.fixture(scope="module")
def asking_rules(folder: Path, api: Server) -> Path:
    """A route, a policy and a connection for each fault; those of `fine` have none."""
    rules = folder / "asking-rules"
    for kind in ("policies", "connections", "apis"):
        (rules / kind).mkdir(parents=True)
    shipped = resources.rules_dir() / "apis" / "openai-chat.yaml"
    (rules / "apis" / shipped.name).write_text(shipped.read_text())
    routes = ""
    for fault in ("fine", "refused", *FAULTS):
        name = fault.replace("_", "-")
        url = f"http://127.0.0.1:9/{fault}" if fault == "refused" else f"{api.url}/{fault}"
        settings = {
            "name": name,
            "url": url,
            "max_reply": 1_000_000,
            "timeout": 1.0,
            "breaker": {"failures": 5, "recovery": 1},
        }
        auth = {"type": "bearer", "token": "${env:DOOR_TOKEN}"}
        (rules / "connections" / f"{name}.yaml").write_text(json.dumps({**FINDS, **settings, "auth": auth}))
        (rules / "policies" / f"{name}.yaml").write_text(
            f"version: 1\nname: {name}\nscrubber: {name}\nentities: {{PHONE_NUMBER: {{action: mask, char: X, keep_last: 2}}}}\n"
        )
        routes += f'  - {{paths: ["/{fault}/**"], policy: {name}}}\n'
    (rules / "guard.yaml").write_text(f"version: 1\nroutes:\n{routes}limits: {{time: {BUDGET}}}\n")
    return rules


@pytest.fixture(scope="module", params=["mitm", "asgi"])
def door(
    request: pytest.FixtureRequest, folder: Path, asking_rules: Path, upstream: Server
) -> Iterator[tuple[Server, Server]]:
    """A door, and who receives behind it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOOR_TOKEN", TOKEN)
        if request.param == "mitm":
            flags = ("-v", "--set", "flow_detail=0")
            with mitmdump(upstream.url, asking_rules, folder / "asking-mitm.log", *flags) as server:
                yield server, upstream
        else:
            flags = ("--factory", "--log-level", "trace")
            with uvicorn(
                "tests.e2e.recorder:guarded", folder / "asking.log", *flags, GUARD_RULES=str(asking_rules)
            ) as server:
                yield server, server


@pytest.mark.parametrize("direction", ["request", "response"])
def test_what_the_api_says_is_done(door: tuple[Server, Server], direction: str) -> None:
    text = f"call {PHONE}"
    asked = chat(text) if direction == "request" else chat("hello")
    seen = send(*door, Case("fine", dumps(asked), f"/fine{CHAT}", answer=Answer(body=dumps(reply(text)))))
    assert seen.received is not None
    assert seen.status == 200
    shown = seen.received["body"] if direction == "request" else seen.body
    assert b"call XXXXXXXX10" in shown
    assert PHONE.encode() not in seen.received["body"] + seen.body


def test_a_large_message_goes_to_the_api_too(door: tuple[Server, Server]) -> None:
    text = f"{'lorem ipsum ' * 60_000}call {PHONE}"  # so large that a worker reads and writes it
    seen = send(*door, Case("large", dumps(chat(text)), f"/fine{CHAT}"))
    assert seen.received is not None
    assert json.loads(seen.received["body"])["messages"][0]["content"] == text.replace(PHONE, "XXXXXXXX10")


@pytest.mark.parametrize("fault", ["refused", *FAULTS])
def test_a_fault_lets_nothing_through(door: tuple[Server, Server], fault: str) -> None:
    ends: Counter[int] = Counter()
    waits: list[float] = []

    def one(number: int) -> None:
        begun = time.monotonic()
        seen = send(*door, Case(f"{fault}-{number}", dumps(chat(f"{number}: call {PHONE}")), f"/{fault}{CHAT}"))
        waits.append(time.monotonic() - begun)
        ends[seen.status] += 1
        assert seen.received is None
        assert PHONE.encode() not in seen.body

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, range(MESSAGES)))
    assert ends == {503: MESSAGES}
    # The door and the client wait for their turn on the machine, too.
    assert max(waits) < BUDGET * 1.1 + 1
    assert not any(secret in door[0].printed() for secret in (PHONE, TOKEN))


def test_the_api_heals_and_the_doors_with_it(door: tuple[Server, Server], api: Server) -> None:
    httpx.get(f"{api.url}/heal", trust_env=False)
    time.sleep(1.2)
    for fault in FAULTS:
        seen = send(*door, Case(f"healed-{fault}", dumps(chat(f"call {PHONE}")), f"/{fault}{CHAT}"))
        assert seen.received is not None, fault
        assert b"call XXXXXXXX10" in seen.received["body"]
    httpx.get(f"{api.url}/break", trust_env=False)
