"""The command: `python -m bench`. Exit codes: 0 measured, 1 a measurement failed, 2 usage or no wrk."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench import results
from bench.load import wrk
from bench.model import ROOT, Bench, BenchError, Report, Settings, Suite
from bench.registry import all_suites

OUT = Console()
ERR = Console(stderr=True)


def main() -> int:
    """Runs the suites that the command line asks for."""
    suites = all_suites()
    options = _options([suite.name for suite in suites])
    chosen = [suite for suite in suites if not options.only or suite.name in options.only]
    if any(suite.needs_wrk for suite in chosen) and wrk() is None:
        ERR.print("wrk, the load generator, is not installed: apt-get install wrk", highlight=False)
        return 2
    settings = Settings(options.seconds, options.rounds, options.warmup, options.connections, options.bodies)
    about = results.facts(settings)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        reports = measure(chosen, settings)
    except BenchError as error:
        ERR.print(f"[bold red]failed[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        ERR.print("interrupted")
        return 130
    values = results.flat(reports, about)
    options.output.write_text(json.dumps(values, indent=2) + "\n")
    if options.json:
        OUT.print_json(data=values)
    else:
        OUT.print(results.table(reports.values()))
        OUT.print(f"Written to {options.output}", highlight=False, soft_wrap=True)
    return 0


def measure(suites: Sequence[Suite], settings: Settings) -> dict[str, Report]:
    """The report of each suite, by its name."""
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="proxy-guard-bench-") as folder,
        Progress(*columns, console=ERR, transient=True) as progress,
    ):
        task = progress.add_task("starting", total=sum(suite.seconds(settings) for suite in suites))
        bench = Bench(
            settings=settings,
            workdir=Path(folder),
            tick=lambda seconds: progress.advance(task, seconds),
            say=lambda text: progress.update(task, description=text),
        )
        reports: dict[str, Report] = {}
        for suite in suites:
            bench.say(f"{suite.name}: starting")
            reports[suite.name] = suite.run(bench)
        return reports


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    # As an exception, so that every process that was started is ended.
    sys.exit(128 + number)


def _options(names: Sequence[str]) -> argparse.Namespace:
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Requests per second and latency with the guard and without it, side by side.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seconds", type=_at_least_one, default=default.seconds, help="length of a round")
    parser.add_argument("--rounds", type=_count, default=default.rounds, help="rounds per setup and body")
    parser.add_argument("--warmup", type=_at_least_one, default=default.warmup, help="seconds before them")
    parser.add_argument("--connections", type=_count, default=default.connections, help="at a time")
    parser.add_argument("--bodies", type=_count, default=default.bodies, help="different chats to send")
    parser.add_argument("--only", type=_names(names), help=f"some suites, by comma: {', '.join(names)}")
    parser.add_argument("--json", action="store_true", help="print the results as JSON, not as a table")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results.json", help="the file")
    return parser.parse_args()


def _at_least_one(text: str) -> float:
    value = float(text)
    if not 1 <= value < 3600:
        raise argparse.ArgumentTypeError("must be 1 second or more")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        given = [name.strip() for name in text.split(",")]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"no suite {', '.join(unknown)}: there are {', '.join(known)}")
        return given

    return names


if __name__ == "__main__":
    sys.exit(main())
