"""`make soak`: both doors under traffic of every kind for some minutes, and what they hold on to meanwhile.

Each door serves its share for the whole time. Every answer is judged, every message that the upstream gets is searched
for personal data, and memory, files and tasks are looked at as long as it lasts and once more at rest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.faults.switch import descendants
from tests.soak.doors import Door, door, make_rules
from tests.soak.traffic import Tally, drive, mix

MIX = {
    "clean": 8, "personal": 8, "streamed": 4, "blocked": 2, "malformed": 2, "models": 2, "leaving": 1, "large": 1, "document": 1,
    "picture": 1, "socket": 2,
}  # fmt: skip
_TEXTS = 10 * sum(MIX.values())
"""Different texts: so few that the cache of findings has them all when the time to warm up is over."""
_EACH = 5.0
"""Seconds from one look at memory to the next."""
_REST = 8.0
"""Seconds without traffic after which nothing is under way: more than connections to the upstream are kept."""
_GROWTH = 3.0
"""Percent by which memory may grow."""


@dataclass
class Watched:
    """What a door holds: bytes of its own process and of its workers, by seconds; open files and tasks at rest."""

    door: Door
    probe: Path
    tally: Tally = field(default_factory=Tally)
    own: list[tuple[float, int]] = field(default_factory=list)
    workers: list[tuple[float, int]] = field(default_factory=list)
    files: list[tuple[float, int]] = field(default_factory=list)
    rests: list[dict[str, int]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    def look(self, second: float) -> None:
        pid = self.door.server.process.pid
        self.own.append((second, _resident(pid)))
        self.workers.append((second, sum(map(_resident, descendants(pid)))))
        self.files.append((second, _files(pid)))

    def rest(self) -> None:
        inside = json.loads(self.probe.read_text())
        self.rests.append({"files": _files(self.door.server.process.pid), **inside})


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _growth(samples: list[tuple[float, int]], warm: float) -> float:
    """Percent from what there was when it was warm to what there is at the end, by medians over a sixth of the looks."""
    sizes = [size for second, size in samples if second >= warm]
    some = max(1, len(sizes) // 6)
    early, late = statistics.median(sizes[:some]), statistics.median(sizes[-some:])
    return 100 * (late - early) / early if early else 0.0


@contextmanager
def _doors(names: list[str], folder: Path) -> Iterator[list[Watched]]:
    rules = make_rules(folder)
    with ExitStack() as stack:
        watched = []
        for name in names:
            probe = folder / f"{name}.probe"
            guarded = stack.enter_context(door(name, rules, folder, inject="tests.soak.probe", PROBE=str(probe)))
            watched.append(Watched(guarded, probe))
        yield watched


async def _soak(doors: list[Watched], seconds: float, warm: float, width: int, progress: Progress) -> None:
    bar = progress.add_task("soak", total=seconds)
    began = time.monotonic()

    def passed() -> float:
        return time.monotonic() - began

    async def traffic(until: float) -> None:
        await asyncio.gather(
            *[
                drive(
                    each.door.server.url,
                    mix(MIX, texts=_TEXTS),
                    each.tally,
                    lambda: passed() < until,
                    width=width,
                    patience=60,
                )
                for each in doors
            ]
        )

    async def looks(until: float) -> None:
        while passed() < until:
            for each in doors:
                each.look(passed())
            messages = sum(each.tally.messages for each in doors)
            progress.update(bar, completed=passed(), description=f"{messages} messages")
            await asyncio.sleep(_EACH)

    for until in (warm, seconds):
        await asyncio.gather(traffic(until), looks(until))
        await asyncio.sleep(_REST)
        for each in doors:
            each.rest()
    progress.update(bar, completed=seconds)
    async with aiohttp.ClientSession() as session:
        for each in doors:
            async with session.get(each.door.upstream.url + "/_told") as answer:
                each.told = await answer.json(content_type=None)


def _faults(each: Watched, grown: float) -> list[str]:
    """What is not as it should be."""
    faults = [f"{count} × {why}" for why, count in each.tally.wrong.items()]
    faults += [f"{count} leaks to the client: {kind}" for kind, count in each.tally.leaks.items()]
    faults += [f"{count} leaks to the upstream: {kind}" for kind, count in each.told["leaks"].items()]
    if each.told["inside"]:
        faults.append(f"{each.told['inside']} requests are still under way at the upstream")
    if grown >= _GROWTH:
        faults.append(f"memory grew by {grown:.1f} %")
    before, after = each.rests
    if after["tasks"] > before["tasks"]:
        faults.append(f"{after['tasks'] - before['tasks']} tasks are left")
    if after["files"] > before["files"] + 4:
        faults.append(f"{after['files'] - before['files']} files are left open")
    if each.door.server.process.poll() is not None:
        faults.append("its process has ended")
    return faults


def _results(doors: list[Watched], warm: float) -> dict[str, dict[str, Any]]:
    results = {}
    for each in doors:
        grown = _growth(each.own, warm)
        results[each.door.name] = {
            "messages": each.tally.messages,
            "ends": {f"{kind} {end}": count for (kind, end), count in sorted(each.tally.ends.items(), key=str)},
            "received": each.told["received"],
            "slowest_s": round(each.tally.slowest, 2),
            "memory_mb": round(each.own[-1][1] / 1e6, 1),
            "memory_growth_percent": round(grown, 2),
            "workers_mb": round(each.workers[-1][1] / 1e6, 1),
            "workers_growth_percent": round(_growth(each.workers, warm), 2),
            "most_files": max(count for _, count in each.files),
            "at_rest": each.rests,
            "memory": [(round(second), round(size / 1e6, 1)) for second, size in each.own],
            "faults": _faults(each, grown),
        }
    return results


def _shown(results: dict[str, dict[str, Any]]) -> Table:
    table = Table(
        "door", "messages", "slowest", "memory", "growth", "workers", "growth", "files, tasks at rest", "faults"
    )
    for name, each in results.items():
        rests = " → ".join(f"{rest['files']}, {rest['tasks']}" for rest in each["at_rest"])
        table.add_row(
            name,
            str(each["messages"]),
            f"{each['slowest_s']} s",
            f"{each['memory_mb']:.0f} MB",
            f"{each['memory_growth_percent']} %",
            f"{each['workers_mb']:.0f} MB",
            f"{each['workers_growth_percent']} %",
            rests,
            "\n".join(each["faults"]) or "none",
        )
    return table


def main() -> int:
    """The exit code: 1 where anything is not as it should be."""
    options = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--doors", default="mitmproxy,asgi", help="of mitmproxy, asgi, middleware")
    options.add_argument("--width", type=int, default=6, help="requests at a time and door")
    options.add_argument("--json", action="store_true", help="for machines: JSON on standard output")
    chosen = options.parse_args()
    warm = min(120.0, chosen.seconds / 3)
    console = Console(stderr=chosen.json)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with tempfile.TemporaryDirectory() as folder, _doors(chosen.doors.split(","), Path(folder)) as doors:
        with Progress(*columns, console=console) as progress:
            asyncio.run(_soak(doors, chosen.seconds, warm, chosen.width, progress))
        results = _results(doors, warm)
    if chosen.json:
        print(json.dumps(results, indent=1))
    else:
        console.print(_shown(results))
    return int(any(each["faults"] for each in results.values()))


if __name__ == "__main__":
    sys.exit(main())
