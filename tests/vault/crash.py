"""Gives pseudonyms in a process that is killed at any moment, again and again, and looks whether they resolve.

`python -m tests.vault.crash give|rotate ROUNDS FILE`. Processes are forked from this one, which has everything imported.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio

from proxy_guard.vault import Vault, Wish
from tests.vault.conftest import KEYS, sqlite_vault


async def _give(path: Path, pipe: int, round_: int) -> None:
    vault = sqlite_vault(path)

    async def ask(task: int) -> None:
        for n in range(10_000):
            # One in two is asked for in every round: its pseudonym has to stay what it was.
            value = f"name {task} {n}" if n % 2 else f"round {round_} name {task} {n}"
            (token,) = await vault.pseudonyms([Wish("a", "PERSON", value)])
            os.write(pipe, f"{token}\t{value}\n".encode())

    async with anyio.create_task_group() as tasks:
        for task in range(8):
            tasks.start_soon(ask, task)


async def _rotate(path: Path, pipe: int, round_: int) -> None:
    await sqlite_vault(path, *(("k2", "k1") if round_ % 2 else ("k1", "k2"))).rotate()
    os.write(pipe, b"done\n")


def killed(what: str, path: Path, round_: int, after: float, *, early: bool) -> list[str]:
    """What a process wrote until it was killed, `after` seconds from its first word, or `early`: from its start."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            anyio.run(_give if what == "give" else _rotate, path, writing, round_)
        finally:
            os._exit(0)
    os.close(writing)
    if not early:
        select.select([reading], [], [], 60)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        return pipe.read().splitlines()


def apart(use: Callable[[Vault], Awaitable[Any]], path: Path, *keys: str) -> Any:
    """What `use` gives, in a process of its own: this one must have no threads, for it forks."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            given = json.dumps(anyio.run(use, sqlite_vault(path, *keys)))
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                pipe.write(given)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        given = pipe.read()
    os.waitpid(child, 0)
    return json.loads(given)


def count_missing(path: Path, given: dict[str, str], *keys: str) -> int:
    """How many of these do not resolve to their values."""
    found = apart(lambda vault: vault.values(list(given), "a"), path, *keys)
    return sum(value != wanted for value, wanted in zip(found, given.values(), strict=True))


def main(what: str, rounds: int, path: Path) -> None:
    """Prints the counts as JSON."""
    chance = random.Random(rounds)
    given: dict[str, str] = {}
    missing = split = wrote = finished = 0
    if what == "rotate":
        wishes = [Wish("a", "PERSON", f"name {n}") for n in range(3000)]
        tokens = apart(lambda vault: vault.pseudonyms(wishes), path)
        given = dict(zip(tokens, (wish.value for wish in wishes), strict=True))
    for round_ in range(rounds):
        early = what == "rotate" or round_ % 4 == 0
        lines = killed(what, path, round_, chance.uniform(0, 0.08 if what == "rotate" else 0.05), early=early)
        wrote += bool(lines)
        if what == "rotate":
            finished += bool(lines)
            missing += count_missing(path, given, "k1", "k2")
            continue
        now = dict(line.split("\t") for line in lines)
        split += sum(given.get(token, value) != value for token, value in now.items())
        given |= now
        missing += count_missing(path, now)
    if what == "rotate":
        apart(lambda vault: vault.rotate(), path, "k2", "k1")
        missing += count_missing(path, given, "k2")
    else:
        missing += count_missing(path, given)
    split += len(given) - len(set(given.values()))
    print(json.dumps({"given": len(given), "missing": missing, "split": split, "wrote": wrote, "finished": finished}))


if __name__ == "__main__":
    for name, key in KEYS.items():
        os.environ[f"VAULT_{name}"] = key
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
