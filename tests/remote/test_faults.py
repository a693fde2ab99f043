"""Faults of a Security API under load: nothing passes unscrubbed, nobody waits too long, and it heals. Counted."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import anyio
import pytest

from proxy_guard import Guard
from proxy_guard.errors import Late, Unavailable
from proxy_guard.remote.client import Client
from tests.e2e.servers import free_port
from tests.remote.faulty import COUNTING, FAULTS, Faulty
from tests.remote.rulesets import PHONE, connection, guard, message
from tests.remote.serving import answer, raw

BUDGET = 3.0
MESSAGES = 120
AT_A_TIME = 20


async def load(made: Guard) -> tuple[Counter[str], float]:
    """How often what became of a message, and the longest wait. No verdict lets a number pass."""
    ends: Counter[str] = Counter()
    longest = 0.0
    turns = anyio.Semaphore(AT_A_TIME)

    async def one() -> None:
        nonlocal longest
        async with turns:
            begun = anyio.current_time()
            verdict = await made.inspect(message())
            longest = max(longest, anyio.current_time() - begun)
        assert PHONE.encode() not in verdict.body
        assert PHONE not in verdict.reason
        ends[f"{verdict.action} {verdict.status}"] += 1

    async with anyio.create_task_group() as group:
        for _ in range(MESSAGES):
            group.start_soon(one)
    return ends, longest


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_blocks_and_the_api_is_left_alone_until_it_is_well(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    api = Faulty()

    async def run(origin: str) -> None:
        breaker = {"failures": 5, "recovery": 0.5}
        made = guard(tmp_path, f"{origin}/{fault}", time=BUDGET, timeout=2.0, breaker=breaker, max_reply=1_000_000)
        ends, longest = await load(made)
        assert ends == {"block 503": MESSAGES}
        assert longest <= BUDGET * 1.1
        if fault in COUNTING:  # those under way when the circuit opened, and a few on trial
            assert api.calls[fault] <= AT_A_TIME + 30
            assert "fine" not in api.calls
        api.healed = True
        await anyio.sleep(0.6)
        assert (await made.inspect(message())).action == "rewrite"
        ends, longest = await load(made)
        assert ends == {"rewrite None": MESSAGES}
        await made.aclose()

    with raw(api) as origin:
        anyio.run(run, origin)
    assert PHONE not in caplog.text


def test_refused_then_there(tmp_path: Path) -> None:
    port = free_port()
    api = Faulty()

    async def run() -> None:
        made = guard(tmp_path, f"http://127.0.0.1:{port}/fine", time=BUDGET, breaker={"failures": 5, "recovery": 0.3})
        ends, longest = await load(made)
        assert ends == {"block 503": MESSAGES}
        assert longest <= BUDGET * 1.1
        with raw(api, port):
            await anyio.sleep(0.4)
            assert (await made.inspect(message())).action == "rewrite"  # the one on trial
            ends, _ = await load(made)
            assert ends == {"rewrite None": MESSAGES}
        await made.aclose()

    anyio.run(run)


def test_half_of_the_calls_fail_and_none_is_lost_by_it(tmp_path: Path) -> None:
    """With retries, a reset now and then is not seen from outside."""

    class Flaky(Faulty):
        async def _fail(self, fault: str, right: bytes, writer: asyncio.StreamWriter) -> None:
            if self.calls[fault] % 2:
                await super()._fail("reset_mid_body", right, writer)
            else:
                writer.write(answer(right) if self.calls[fault] % 4 else answer(right, "500 Internal Server Error"))

    api = Flaky()

    async def run(origin: str) -> None:
        made = guard(tmp_path, f"{origin}/x", retries={"times": 8}, time=10, breaker={"failures": 1000})
        for _ in range(20):
            assert (await made.inspect(message())).action == "rewrite"
        await made.aclose()

    with raw(api) as origin:
        anyio.run(run, origin)
    assert api.calls["x"] > 20


@pytest.mark.parametrize(
    ("settings", "fault", "calls"),
    [
        ({}, "error_500", 3),
        ({}, "reset_at_once", 3),
        ({"retries": {"times": 0}}, "error_500", 1),
        ({"retries": {"idempotent": False}}, "error_500", 1),
        ({"retries": {"idempotent": False}}, "reset_at_once", 1),
        ({}, "garbage", 1),
        ({}, "wrong_ids", 1),
        ({}, "bad_request", 1),
        ({}, "redirect", 1),
        ({}, "unauthorized", 1),
        ({}, "busy_429", 1),  # it asks for more time than there is
    ],
)
def test_only_what_is_safe_is_sent_again(tmp_path: Path, settings: dict[str, object], fault: str, calls: int) -> None:
    api = Faulty()

    async def run(origin: str) -> None:
        made = guard(tmp_path, f"{origin}/{fault}", **settings)  # type: ignore[arg-type]
        assert (await made.inspect(message())).status == 503
        await made.aclose()

    with raw(api) as origin:
        anyio.run(run, origin)
    assert api.calls == {fault: calls}


def test_retry_after_is_waited_for_where_there_is_time(tmp_path: Path) -> None:
    class Busy(Faulty):
        async def _fail(self, fault: str, right: bytes, writer: asyncio.StreamWriter) -> None:
            self.healed = True
            writer.write(answer(b"{}", "429 Too Many Requests", "retry-after: 1"))

    api = Busy()

    async def run(origin: str) -> float:
        made = guard(tmp_path, f"{origin}/x", time=5)
        begun = anyio.current_time()
        assert (await made.inspect(message())).action == "rewrite"
        await made.aclose()
        return anyio.current_time() - begun

    with raw(api) as origin:
        assert 1 <= anyio.run(run, origin) < 2


def test_the_policy_may_let_messages_pass(tmp_path: Path) -> None:
    async def run(origin: str) -> None:
        made = guard(tmp_path, f"{origin}/error_500", policy="on_error: {unavailable: keep, timeout: block}\n", time=1)
        assert (await made.inspect(message())).action == "allow"
        slow = guard(tmp_path, f"{origin}/hang", policy="on_error: {unavailable: keep, timeout: block}\n", time=0.5)
        assert (await slow.inspect(message())).status == 503
        await made.aclose()
        await slow.aclose()

    with raw(Faulty()) as origin:
        anyio.run(run, origin)


def test_a_bulkhead_holds_the_rest_back(tmp_path: Path) -> None:
    most = at_once = 0

    class Slow(Faulty):
        async def _fail(self, fault: str, right: bytes, writer: asyncio.StreamWriter) -> None:
            nonlocal most, at_once
            at_once += 1
            most = max(most, at_once)
            await anyio.sleep(0.02)
            at_once -= 1
            writer.write(answer(right))

    async def run(origin: str) -> None:
        made = guard(tmp_path, f"{origin}/x", concurrency=7, time=10)
        ends, _ = await load(made)
        assert ends == {"rewrite None": MESSAGES}
        await made.aclose()

    with raw(Slow()) as origin:
        anyio.run(run, origin)
    assert most == 7


def test_texts_of_a_message_go_in_one_call_or_side_by_side(tmp_path: Path) -> None:
    texts = [f"call {PHONE} {n}" for n in range(10)]
    for batch, calls in ((100, 1), (4, 3), (1, 10)):
        api = Faulty()

        async def run(origin: str, batch: int = batch) -> bytes:
            made = guard(tmp_path, f"{origin}/fine", batch=batch)
            verdict = await made.inspect(message(*texts, " ", ""))
            await made.aclose()
            return verdict.body

        with raw(api) as origin:
            body = json.loads(anyio.run(run, origin))
        assert [m["content"] for m in body["messages"]] == [f"call XXXXXXXX10 {n}" for n in range(10)] + [" ", ""]
        assert api.calls == {"fine": calls}


def test_one_failing_call_fails_the_message(tmp_path: Path) -> None:
    class Once(Faulty):
        async def _fail(self, fault: str, right: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(answer(b"{}", "400 Bad Request") if b'"id": "2"' in right else answer(right))

    async def run(origin: str) -> None:
        made = guard(tmp_path, f"{origin}/x", batch=1)
        assert (await made.inspect(message("a", "b"))).action == "allow"
        assert (await made.inspect(message("a", "b", PHONE))).status == 503
        await made.aclose()

    with raw(Once()) as origin:
        anyio.run(run, origin)


def test_a_caller_that_goes_away_leaves_no_trial_behind(tmp_path: Path) -> None:
    api = Faulty()

    async def run(origin: str) -> None:
        made = connection(
            tmp_path, f"{origin}/hang", breaker={"failures": 1, "recovery": 0.2}, timeout=0.1, retries={"times": 0}
        )
        client = Client(made)

        async def ask() -> None:
            await client.call(made.main, {"items": []}, lambda reply: reply)

        with pytest.raises(Late):
            await ask()
        assert client.breaker.state == "open"
        with pytest.raises(Unavailable, match="left alone"):
            await ask()
        await anyio.sleep(0.25)
        assert client.breaker.state == "half-open"
        with anyio.move_on_after(0.03):
            await ask()
        assert client.breaker.state == "open"
        api.healed = True
        await anyio.sleep(0.25)
        await ask()
        assert client.breaker.state == "closed"
        await client.aclose()

    with raw(api) as origin:
        anyio.run(run, origin)
