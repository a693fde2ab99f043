"""Faults that a guard meets from outside: processes that end, disks that are full, files that are half written."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import resource
import signal
import socket
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.campaign import LARGE, Fault
from tests.faults.points import KINDS, points_of
from tests.faults.switch import Switch, descendants, limited
from tests.remote.rulesets import FINDS
from tests.soak.doors import Door, make_rules
from tests.soak.traffic import CHAT

ASKED_OF = {
    each.replace("_", "-"): each
    for each in ("hang", "error_500", "garbage", "reset_at_once", "wrong_ids", "wrong_span", "bomb", "truncated_json")
}
"""How a Security API fails, by the names of connections; each has a path of its own, `/asks-NAME`."""
PLAIN = {"clean": 1, "personal": 4, "streamed": 1}
"""Where a route has a policy of its own, so that nothing is blocked."""
LEAVING = {"leaving": 3, "personal": 1}
_GUARD = """\
version: 1
routes:
  - {{paths: ["/block/**"], policy: block}}
  - {{paths: ["/vault/**"], policy: vaulted}}
  - {{paths: ["/names/**"], policy: names}}
{asks}  - {{policy: mask}}
limits: {{time: 4, queue: 4}}
vaults:
  default: {{kind: sqlite, path: ../vault.db, keys: [{{id: k, key: "${{env:VAULT_KEY}}"}}]}}
"""
_VAULTED = "\n".join(
    (
        "version: 1",
        "name: vaulted",
        "entities: {PHONE_NUMBER: {action: pseudonymize}, EMAIL_ADDRESS: {action: pseudonymize}, CREDIT_CARD: {action: mask}}",
        "",
    )
)


def make_faulty_rules(folder: Path, security_api: str) -> Path:
    asks = "".join(f'  - {{paths: ["/asks-{each}/**"], policy: asks-{each}}}\n' for each in ASKED_OF)
    rules = make_rules(folder, _GUARD.format(asks=asks))
    policies = rules / "policies"
    (policies / "vaulted.yaml").write_text(_VAULTED)
    mask = (policies / "mask.yaml").read_text()
    names = mask.replace("name: mask", "name: names").replace(
        "entities:\n", "entities:\n  PERSON: { action: replace }\n"
    )
    (policies / "names.yaml").write_text(names)
    (rules / "connections").mkdir(exist_ok=True)
    for each, failure in ASKED_OF.items():
        # What the Security API does not know of is the local engine's to find.
        text = mask.replace("name: mask", f"name: asks-{each}") + f"\nscrubber: [asks-{each}, local]\n"
        (policies / f"asks-{each}.yaml").write_text(text)
        connection = {**FINDS, "name": f"asks-{each}", "url": f"{security_api}/{failure}", "timeout": 1}
        (rules / "connections" / f"asks-{each}.yaml").write_text(json.dumps(connection))
    return rules


def keepers_of(door: Door) -> list[int]:
    """The guard's own children, each of which has a nursery."""
    return _of_generation(door, 1)


def nurseries_of(door: Door) -> list[int]:
    """What forks the workers."""
    return _of_generation(door, 2)


def workers_of(door: Door) -> list[int]:
    """The workers, by now."""
    return _of_generation(door, 3)


def _of_generation(door: Door, number: int) -> list[int]:
    return [each for each in descendants(door.server.process.pid) if _generation(each) == number]


def _generation(pid: int) -> int:
    """How many processes in a row, from this one up, are the guard's helpers."""
    with suppress(OSError):
        if b"proxy_guard.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return 1 + _generation(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]))
    return 0


async def _signalled(door: Door, pids: Callable[[Door], list[int]], number: signal.Signals) -> None:
    """Sends a signal to one of these processes."""
    await asyncio.sleep(0.2)
    if found := pids(door):
        with suppress(ProcessLookupError):
            os.kill(random.choice(found), number)


async def _helpers_killed(door: Door) -> None:
    """Kills all that forks workers."""
    await asyncio.sleep(0.2)
    for each in (*keepers_of(door), *nurseries_of(door)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


@contextmanager
def _edited(door: Door, rules: Path) -> Iterator[Callable[[], Awaitable[None]]]:
    """Has the rules reloaded again and again, with a policy that is half written every other time."""
    policy = rules / "policies" / "mask.yaml"
    good = policy.read_text()
    turn = 0

    async def edit() -> None:
        nonlocal turn
        turn += 1
        policy.write_text(good[: len(good) // 2] + "{" if turn % 2 else good)
        door.server.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(0.3)

    try:
        yield edit
    finally:
        policy.write_text(good)
        door.server.process.send_signal(signal.SIGHUP)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    asyncio.get_running_loop().call_later(2, os.kill, pid, signal.SIGCONT)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _half_sent(door: Door) -> None:
    """Clients that leave amid their request, each at another place."""
    for cut in (20, 90, 160, 220):
        with suppress(OSError), socket.create_connection(("127.0.0.1", door.server.port), timeout=5) as client:
            body = b'{"messages": [{"role": "user", "content": "call +919810000009 and nobody else, please"}]}'
            head = f"POST {CHAT} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            client.sendall((head.encode() + body)[:cut])
    await asyncio.sleep(0.05)


@contextmanager
def _broken(security_api: str) -> Iterator[None]:
    _told(security_api, "break")
    try:
        yield
    finally:
        _told(security_api, "heal")


def _told(security_api: str, what: str) -> None:
    with urllib.request.urlopen(f"{security_api}/{what}", timeout=60) as answer:
        answer.read()


@dataclass(frozen=True)
class Plan:
    """A fault, and how it is met: the named arguments of `under`."""

    name: str
    fault: Fault
    how: dict[str, Any] = field(default_factory=dict)


def inside(door: Door, switch: Switch) -> list[Plan]:
    """The faults that can be made to happen inside."""
    listed = []
    for point, kind in itertools.product(points_of(door.name), KINDS):
        how: dict[str, Any] = {}
        if point in ("workers", "fork"):
            how = {"weights": LARGE}
        elif point in ("scrub", "model", "rest", "proceed"):  # who asks a model, asks it in a thread
            how = {"path": "/names", "weights": PLAIN}
        listed.append(Plan(f"{point} {kind}", partial(switch.on, point, kind), how))
    return listed


def plans(door: Door, switch: Switch, rules: Path, security_api: str) -> list[Plan]:
    """The faults from outside that a door can meet."""
    pid = door.server.process.pid
    kill, stop = signal.SIGKILL, signal.SIGSTOP
    large: dict[str, Any] = {"weights": LARGE, "least": 3.0}
    vault: dict[str, Any] = {"path": "/vault", "weights": PLAIN}
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    no_files, no_disk = (
        partial(limited, pid, resource.RLIMIT_NOFILE, files + 4),
        partial(limited, pid, resource.RLIMIT_FSIZE, 0),
    )
    listed = [
        Plan("workers killed", nullcontext, {**large, "meanwhile": partial(_signalled, door, workers_of, kill)}),
        Plan("workers stopped", nullcontext, {**large, "meanwhile": partial(_signalled, door, workers_of, stop)}),
        Plan("nursery killed", nullcontext, {**large, "meanwhile": partial(_signalled, door, nurseries_of, kill)}),
        # Only large messages wait for the next ones, which have all to load that the guard itself has at start.
        Plan(
            "nursery and its keeper killed",
            nullcontext,
            {**large, "within": 30.0, "meanwhile": partial(_helpers_killed, door)},
        ),
        Plan("pool exhausted", nullcontext, {"weights": LARGE, "width": 24}),
        Plan("clients leave", nullcontext, {"weights": LEAVING, "meanwhile": partial(_half_sent, door)}),
        Plan("clock a day ahead", partial(switch.on, "clock", "86400"), vault),
        Plan("clock a day behind", partial(switch.on, "clock", "-86400"), vault),
        Plan("disk full: log", no_disk),
        Plan("disk full: vault", no_disk, vault),
        Plan("no more files", no_files, {"least": 2.0, "width": 16, "patience": 5, "waits": True}),
    ]
    listed += [
        Plan(f"security API: {n}", partial(_broken, security_api), {"path": f"/asks-{n}", "weights": PLAIN})
        for n in ASKED_OF
    ]
    if door.upstream is not door.server:
        listed.append(Plan("upstream stopped", partial(_stopped, door.upstream.process.pid)))
    if door.name != "middleware":  # a server reloads by starting its processes anew
        listed.append(Plan("rules half written", partial(_edited, door, rules), {"least": 4.0}))
    return listed
