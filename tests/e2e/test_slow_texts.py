"""A message that is built to be slow is inspected where it holds nobody up, once there are workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from proxy_guard import Guard, Message
from proxy_guard.rules.load import load_rules
from tests.e2e.rulesets import make_rules
from tests.e2e.test_workers import limited, message, same

_MAIL = " a@example.com"
SLOW = {
    "numbers in binary": "01100001 ",
    "signs in one word": "%",
    "fractions": "½",
    "addresses": "@gmail.com ",
    "numbers": "^123456789 ",
}


def chat(text: str) -> Message:
    return message(json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode())


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return limited(make_rules(tmp_path), time=30)


async def loaded(guard: Guard) -> None:
    assert guard._workers is not None
    with anyio.fail_after(60):
        while not guard._workers.ready():  # noqa: ASYNC110 - of another process
            await anyio.sleep(0.05)


def jobs_of(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many messages have been taken to a worker."""
    assert guard._workers is not None
    taken, inspect = 0, guard._workers.inspect

    async def counted(*args: object) -> object:
        nonlocal taken
        taken += 1
        return await inspect(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(guard._workers, "inspect", counted)
    return lambda: taken


@pytest.mark.parametrize("unit", SLOW.values(), ids=SLOW)
def test_it_is_inspected_by_a_worker_with_the_same_verdict(
    rules: Path, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard, here = Guard.from_rules(rules), Guard(load_rules(rules))
    jobs = jobs_of(guard, monkeypatch)
    asked = chat(unit * (4000 // len(unit)) + _MAIL)

    async def run() -> None:
        expected = await here.inspect(asked)
        assert expected.findings
        first = await guard.inspect(asked)  # there are no workers yet: it waits for none
        assert same(first, expected)
        assert jobs() == 0
        await loaded(guard)
        again = chat(unit * (4000 // len(unit)) + " b@example.com")
        assert same(await guard.inspect(again), await here.inspect(again))
        assert jobs() == 1
        await guard.aclose()

    anyio.run(run)


def test_what_was_seen_before_and_what_is_short_or_clean_is_not(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard.from_rules(rules)
    jobs = jobs_of(guard, monkeypatch)
    slow = chat("01100001 " * 400 + _MAIL)

    async def run() -> None:
        await guard.inspect(slow)
        await loaded(guard)
        for text in ("Write to " + _MAIL, "Please explain how plants live of light. " * 500):
            assert (await guard.inspect(chat(text))).status is None
        assert (await guard.inspect(slow)).action == "rewrite"
        assert jobs() == 0
        await guard.aclose()

    anyio.run(run)


def test_nothing_is_started_for_ordinary_messages(rules: Path) -> None:
    guard = Guard.from_rules(rules)

    async def run() -> None:
        assert (await guard.inspect(chat("My address is" + _MAIL))).action == "rewrite"
        assert guard._workers is not None
        assert guard._workers._nursery is None
        assert guard._workers._coming is None

    anyio.run(run)


def test_where_no_worker_has_room_they_are_inspected_all_the_same(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, time=30, workers=1, queue=1))
    verdicts = []

    async def one(number: int) -> None:
        verdicts.append(await guard.inspect(chat("01100001 " * 400 + f" a{number}@example.com")))

    async def run() -> None:
        await guard.inspect(chat("01100001 " * 400 + _MAIL))
        await loaded(guard)
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(one, number)
        await guard.aclose()

    anyio.run(run)
    assert [verdict.action for verdict in verdicts] == ["rewrite"] * 8
    assert not any(b"@example.com" in verdict.body for verdict in verdicts)
