"""`python -m tests.faults`: every fault at every door, under load, with a table of what came of it.

No message that holds personal data may reach the upstream unscrubbed, or a client; each has to be answered, or its
connection closed; and within 5 s of a fault's end all has to be well again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.e2e.servers import free_port, running
from tests.faults.campaign import Outcome, as_json, table, under
from tests.faults.outside import inside, make_faulty_rules, plans
from tests.faults.switch import Switch
from tests.soak.doors import DOORS, Door, door
from tests.soak.values import ANSWERED, ASKED, LEAKS


@contextmanager
def _security_api(folder: Path) -> Iterator[str]:
    port = free_port()
    with running(["-m", "tests.remote.faulty", str(port)], port, folder / "security-api.log") as server:
        yield server.url


async def _campaign(
    guarded: Door, switch: Switch, rules: Path, security_api: str, messages: int, only: str, progress: Progress
) -> list[Outcome]:
    outcomes = []
    every = inside(guarded, switch) + plans(guarded, switch, rules, security_api)
    every = [each for each in every if re.search(only, each.name)]
    bar = progress.add_task(guarded.name, total=len(every))
    for each in every:
        outcomes.append(await under(guarded, each.name, each.fault, messages=messages, **each.how))
        progress.advance(bar)
    return outcomes


def main() -> int:
    """The exit code: 1 where anything went by, was lost, or did not come back."""
    options = argparse.ArgumentParser(prog="python -m tests.faults")
    options.add_argument("--doors", default=",".join(DOORS))
    options.add_argument("--messages", type=int, default=60, help="for each fault, at least")
    options.add_argument("--only", default="", help="faults whose name this pattern is found in")
    options.add_argument("--json", action="store_true", help="for machines: JSON on standard output")
    chosen = options.parse_args()
    console = Console(stderr=chosen.json)
    os.environ["VAULT_KEY"] = secrets.token_hex(32)
    outcomes: list[Outcome] = []
    told: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with tempfile.TemporaryDirectory() as root, Progress(*columns, console=console) as progress:
        for name in chosen.doors.split(","):
            folder = Path(root, name)
            folder.mkdir()
            switch = Switch(folder / "faults")
            env = {"FAULTS": str(switch.folder), "FAULTS_DOOR": name}
            with _security_api(folder) as api:
                rules = make_faulty_rules(folder, api)
                with door(name, rules, folder, inject="tests.faults.inject", **env) as guarded:
                    run = _campaign(guarded, switch, rules, api, chosen.messages, chosen.only, progress)
                    outcomes += asyncio.run(run)
                    if guarded.server.process.poll() is not None:
                        told.append(f"{name}: its process has ended")
                    printed = guarded.server.printed().encode()
                    if LEAKS[ASKED].search(printed) or LEAKS[ANSWERED].search(printed):
                        told.append(f"{name}: personal data in its log")
    if chosen.json:
        print(as_json(outcomes))
    else:
        print(table(outcomes))
    messages, leaks = sum(each.messages for each in outcomes), sum(each.leaks_up + each.leaks_down for each in outcomes)
    told.append(f"{len(outcomes)} faults, {messages} messages, {leaks} with personal data let by")
    console.print("\n".join(told))
    return int(not all(each.good for each in outcomes) or len(told) > 1)


if __name__ == "__main__":
    sys.exit(main())
