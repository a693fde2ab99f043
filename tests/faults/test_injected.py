"""What fails inside a guarded process, while messages pass through it, lets none of them by: the short version.

`python -m tests.faults` makes every fault happen at every door.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from tests.faults.campaign import Outcome, table, under
from tests.faults.switch import Switch
from tests.soak.doors import Door, door, make_rules
from tests.soak.values import ANSWERED, ASKED, LEAKS

# One of each way in which a hook, the engine, a stream and the trail may fail.
FAULTS = {
    "mitmproxy": ("open cancelled", "inspect error", "stream error", "pass memory", "fields error", "audit error"),
    "asgi": ("open error", "inspect cancelled", "response error", "feed memory", "audit error"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_fails_inside_lets_no_message_by(tmp_path: Path, name: str) -> None:
    switch = Switch(tmp_path / "faults")
    env = {"FAULTS": str(switch.folder), "FAULTS_DOOR": name}

    async def run(guarded: Door) -> list[Outcome]:
        return [await under(guarded, fault, partial(switch.on, *fault.split()), messages=16) for fault in FAULTS[name]]

    with door(name, make_rules(tmp_path), tmp_path, inject="tests.faults.inject", **env) as guarded:
        outcomes = asyncio.run(run(guarded))
        printed = guarded.server.printed().encode()
    assert all(each.good for each in outcomes), table(outcomes)
    assert all(each.hurt for each in outcomes), "a fault that does nothing proves nothing:\n" + table(outcomes)
    assert not LEAKS[ASKED].search(printed)
    assert not LEAKS[ANSWERED].search(printed)
