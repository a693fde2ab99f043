"""`proxy-guard vault`: what an operator does with the vaults of `guard.yaml`. Nothing printed holds a value."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import anyio
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from proxy_guard import plugins, resources
from proxy_guard.errors import ProxyGuardError
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.reading import did_you_mean
from proxy_guard.vault import Stats, Vault, VaultRule, build

_console = Console()


def show(rules: Path | None, as_json: bool) -> None:
    """Lists the vaults that the rules name."""
    shown = []
    file = Column("path", overflow="fold")
    table = Table("name", "kind", file, "keys, the current one first", "ttl")
    for name, rule in _rules(rules).items():
        keys = [key.id for key in getattr(rule.settings, "keys", [])]
        path, ttl = _path(rule), rule.settings.ttl
        place = str(path) if path else None
        shown.append({"name": name, "kind": rule.kind, "path": place, "keys": keys, "ttl": ttl})
        table.add_row(name, rule.kind, place, ", ".join(keys), f"{ttl} s")
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        _console.print(table)


def stats(rules: Path | None, vault: str | None, as_json: bool) -> None:
    """Shows how much each vault holds."""

    async def ask(_: str, each: Vault) -> Stats:
        return await each.stats()

    found = _each(rules, vault, ask)
    if as_json:
        typer.echo(json.dumps({name: asdict(each) for name, each in found.items()}))
        return
    table = Table("vault", "pseudonyms", "expired", "bytes", "by entity", "by key")
    for name, each in found.items():
        counts = [", ".join(f"{key} {count}" for key, count in by.items()) for by in (each.entities, each.keys)]
        table.add_row(name, str(each.entries), str(each.expired), str(each.bytes), *counts)
    _console.print(table)


def expire(rules: Path | None, vault: str | None, as_json: bool) -> None:
    """Erases what has expired."""

    async def erase(_: str, each: Vault) -> int:
        return await each.expire()

    _tell(_each(rules, vault, erase), "expired", as_json)


def forget(
    value: str | None, rules: Path | None, vault: str | None, entity: str | None, scope: str | None, as_json: bool
) -> None:
    """Erases values: the argument, or what a prompt or the lines of standard input say."""
    values = [value] if value is not None else _asked()

    async def erase(_: str, each: Vault) -> int:
        return sum([await each.forget(one, entity, scope) for one in values])

    _tell(_each(rules, vault, erase), "forgotten", as_json)


def _asked() -> list[str]:
    if sys.stdin.isatty():
        return [typer.prompt("Value to forget", hide_input=True)]
    return [line for line in sys.stdin.read().splitlines() if line]


def rotate(rules: Path | None, vault: str | None, as_json: bool) -> None:
    """Puts everything under the current key."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bars:

        async def move(name: str, each: Vault) -> int:
            bar = bars.add_task(name, total=None)
            count = await each.rotate(lambda done, total: bars.update(bar, completed=done, total=total))
            bars.update(bar, completed=count, total=count)
            return count

        moved = _each(rules, vault, move)
    _tell(moved, "rotated", as_json)


def _path(rule: VaultRule) -> Path | None:
    path: Path | None = getattr(rule.settings, "path", None)
    return path


def _rules(folder: Path | None) -> dict[str, VaultRule]:
    return dict(load_rules(folder or resources.rules_dir()).vaults)


def _each[T](folder: Path | None, name: str | None, ask: Callable[[str, Vault], Awaitable[T]]) -> dict[str, T]:
    """What `ask` gives for the vault of that name, else for all that can be reached from here."""
    rules = _rules(folder)
    if name is not None and name not in rules:
        hint = did_you_mean(name, rules) or f"known: {', '.join(rules) or 'none'}"
        raise ProxyGuardError(f"guard.yaml has no vault '{name}' ({hint})")
    lasting = [each for each in rules if plugins.load("vaults", rules[each].kind).persistent]
    if name is not None and name not in lasting:
        raise ProxyGuardError(f"the vault '{name}' lives in the guard's own process: restart that to empty it")
    if not lasting:
        raise ProxyGuardError("guard.yaml has no vault that outlives the guard's process")
    chosen = lasting if name is None else [name]
    for each in chosen:
        path = _path(rules[each])
        if path is not None and not path.exists():  # "0 forgotten" of a file that is elsewhere would be a lie
            raise ProxyGuardError(f"the vault '{each}' has no file yet: {path}")

    async def all_of_them() -> dict[str, T]:
        given = {}
        for each, vault in build(rules, chosen).items():
            given[each] = await ask(each, vault)
            await vault.aclose()
        return given

    return anyio.run(all_of_them)


def _tell(counts: dict[str, int], what: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({name: {what: count} for name, count in counts.items()}))
        return
    for name, count in counts.items():
        _console.print(f"{name}: {count} {what}", highlight=False)
