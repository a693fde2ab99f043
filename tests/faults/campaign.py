"""Faults under load: each is made to happen while messages pass through a door, and what came of them is counted."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.soak.doors import Door
from tests.soak.traffic import Sent, Tally, drive, exchange, mix, sent

MIX = {"clean": 2, "personal": 6, "streamed": 2, "blocked": 1, "malformed": 1}
LARGE = {"personal": 3, "large": 4}
Fault = Callable[[], AbstractContextManager[Any]]
_numbers = itertools.count(1, 10_000)


@dataclass(frozen=True)
class Outcome:
    """What one fault did. `back`: seconds from its end until messages were served again as they should be."""

    door: str
    fault: str
    messages: int
    received: int
    leaks_up: int
    leaks_down: int
    unanswered: int
    hurt: int
    back: float
    within: float

    @property
    def good(self) -> bool:
        return not (self.leaks_up or self.leaks_down or self.unanswered) and self.back < self.within


async def told(door: Door) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(door.upstream.url + "/_told") as answer:
        return dict(await answer.json(content_type=None))


async def under(
    door: Door,
    name: str,
    fault: Fault,
    *,
    messages: int = 60,
    weights: dict[str, int] = MIX,
    width: int = 8,
    path: str = "",
    least: float = 0.0,
    patience: float = 30.0,
    waits: bool = False,
    within: float = 5.0,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> Outcome:
    """Has so many messages, and for so many seconds at least, meet a fault; then waits until all is well again.

    Where a fault has clients wait by its nature (`waits`), those that give up are none that were lost.
    All has to be well `within` so many seconds of its end.
    `meanwhile`, or what the fault gives, is called again and again as long as it lasts.
    """
    before = await told(door)
    tally = Tally()
    requests = _at(path, mix(weights, next(_numbers)))
    with fault() as given:
        meanwhile = meanwhile or given
        until = time.monotonic() + least
        going: Callable[[], bool] = lambda: tally.messages < messages or time.monotonic() < until  # noqa: E731
        load = asyncio.create_task(drive(door.server.url, requests, tally, going, width=width, patience=patience))
        while not load.done():
            if meanwhile is not None:
                await meanwhile()
            await asyncio.wait([load], timeout=0.1)
        await load
    back = await _back(door, path, weights)
    after = await told(door)
    up = sum(after["leaks"].values()) - sum(before["leaks"].values())
    return Outcome(
        door.name,
        name,
        tally.messages,
        sum(after["received"].values()) - sum(before["received"].values()),
        up,
        sum(tally.leaks.values()),
        0 if waits else sum(count for (_, end), count in tally.ends.items() if end == "no answer"),
        sum(tally.wrong.values()),
        back,
        within,
    )


def _at(path: str, requests: Iterable[Sent]) -> Iterator[Sent]:
    for each in requests:
        yield Sent(each.number, each.kind, each.method, path + each.path, each.body)


async def _back(door: Door, path: str, weights: dict[str, int]) -> float:
    """Seconds until messages of those kinds are all served as they should be."""
    began = time.monotonic()
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        while time.monotonic() - began < 60:
            tally = Tally()
            for kind in weights:
                (request,) = _at(path, [sent(next(_numbers), kind)])
                await exchange(session, door.server.url, request, tally, patience=20)
            if not tally.wrong:
                return time.monotonic() - began
            await asyncio.sleep(0.05)
    return time.monotonic() - began


def table(outcomes: Iterable[Outcome]) -> str:
    """For people, and in the message of a test that fails."""
    rows = [f"{'door':11} {'fault':28} {'sent':>6} {'got':>6} {'leaks':>6} {'hurt':>6} {'lost':>5} {'back s':>7}"]
    for each in outcomes:
        leaks = each.leaks_up + each.leaks_down
        rows.append(
            f"{each.door:11} {each.fault:28} {each.messages:6} {each.received:6} {leaks:6} {each.hurt:6}"
            f" {each.unanswered:5} {each.back:7.2f}" + ("" if each.good else "  <<<")
        )
    return "\n".join(rows)


def as_json(outcomes: Iterable[Outcome]) -> str:
    return json.dumps([vars(each) for each in outcomes], indent=1)
