"""`lint`, `test` and `init`: what the security team does with rule files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy_guard import resources
from proxy_guard.errors import ProxyGuardError, RulesError
from proxy_guard.guard import Guard
from proxy_guard.proofs import Outcome, run_proofs, unproven
from proxy_guard.rules.files import GuardFile
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.reading import SourceFile

_console = Console()


def lint(folder: Path | None, as_json: bool) -> None:
    """Prints every mistake, or what was read; exit code 2 on mistakes."""
    folder = folder or resources.rules_dir()
    try:
        ruleset = load_rules(folder)
        Guard(ruleset)  # what the policies in use need, such as a model, is there
    except RulesError as error:
        if as_json:
            faults = [{slot: getattr(each, slot) for slot in each.__slots__} for each in error.faults]
            typer.echo(json.dumps({"ok": False, "faults": faults}))
        else:
            for fault in error.faults:
                _console.print(Text("error: ", "bold red") + Text(str(fault)), soft_wrap=True)
        raise typer.Exit(2) from None
    missing = [str(path) for path in unproven(folder)]
    if as_json:
        shown = {"apis": sorted(ruleset.apis), "policies": sorted(ruleset.policies)}
        shown |= {"connections": sorted(ruleset.connections), "unproven": missing}
        typer.echo(json.dumps({"ok": True, "faults": [], **shown}))
        return
    table = Table("kind", "name", "", title=f"Rules in {folder}", title_justify="left")
    for route in ruleset.routes:
        table.add_row("route", route.policy.name, ", ".join(api.name for api in route.apis))
    for api in ruleset.apis.values():
        table.add_row("api", api.name, f"{len(api.request)} request fields, {len(api.response)} response fields")
    for policy in ruleset.policies.values():
        table.add_row("policy", policy.name, ", ".join(f"{e} {r.action}" for e, r in policy.rules.items()))
    for connection in ruleset.connections.values():
        table.add_row("connection", connection.name, connection.kind + ("" if connection.secrets else ", not in use"))
    _console.print(table)
    for name in missing:
        _console.print(Text("warning: ", "yellow") + Text(f"{name} has no proof beside it"), soft_wrap=True)
    for number in _silent_routes(folder):
        why = f"routes[{number}] of guard.yaml does not say `unmatched`: what no API description matches passes"
        _console.print(Text("warning: ", "yellow") + Text(why), soft_wrap=True)
    _console.print("No mistakes.", style="green")


def _silent_routes(folder: Path) -> list[int]:
    """The numbers of the routes of valid rules that do not say what becomes of what no API description matches."""
    source = SourceFile(folder / "guard.yaml", "guard.yaml")
    routes = source.validate(GuardFile).routes
    return [n for n, route in enumerate(routes) if "unmatched" not in route.model_fields_set]


def test(folder: Path | None, as_json: bool) -> None:
    """Runs all proofs; exit code 1 where one fails."""
    folder = folder or resources.rules_dir()
    outcomes = run_proofs(folder)
    missing = [str(path) for path in unproven(folder)]
    failed = [each for each in outcomes if not each.passed and not each.skipped]
    if as_json:
        slots = ("file", "case", "passed", "skipped", "why")
        cases = [{slot: getattr(each, slot) for slot in slots} for each in outcomes]
        typer.echo(json.dumps({"ok": not failed, "cases": cases, "unproven": missing}))
    else:
        _show(outcomes, missing)
    raise typer.Exit(1 if failed else 0)


def _show(outcomes: list[Outcome], missing: list[str]) -> None:
    table = Table("file", "case", "")
    for each in outcomes:
        if each.passed:
            result = Text("passed", "green")
        elif each.skipped:
            result = Text(f"not run: {each.why}", "yellow")
        else:
            result = Text(f"failed: {each.why}", "bold red")
        table.add_row(each.file, each.case, result)
    _console.print(table)
    for name in missing:
        _console.print(Text("warning: ", "yellow") + Text(f"{name} has no proof beside it"), soft_wrap=True)
    passed = sum(each.passed for each in outcomes)
    skipped = sum(each.skipped for each in outcomes)
    _console.print(
        f"{passed} passed, {len(outcomes) - passed - skipped} failed" + (f", {skipped} not run" if skipped else "")
    )


def init(folder: Path) -> None:
    """Copies the shipped rules into a new or empty folder."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProxyGuardError(f"{folder} is not a new or empty folder")
    shutil.copytree(resources.rules_dir(), folder, dirs_exist_ok=True)
    _console.print(
        f"Starter rules are in {folder}. Check them after an edit: proxy-guard lint {folder}", soft_wrap=True
    )
