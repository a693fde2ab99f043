"""What comes out of a run: a table for people, a flat JSON object for programs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from bench.model import Report, Row, Settings

Value = float | int | str | None
_PACKAGES = ("mitmproxy", "starlette", "uvicorn")
_OPTIONAL = ("uvloop", "httptools")


def facts(settings: Settings) -> dict[str, Value]:
    """Where, when and how the numbers were taken."""
    return {
        "machine.cpu_count": os.cpu_count(),
        "machine.cpu": _cpu(),
        "machine.platform": platform.platform(),
        "machine.python_version": platform.python_version(),
        "machine.date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine.load_average": round(os.getloadavg()[0], 2),
        **{f"version.{name}": _version(name) for name in (*_PACKAGES, *_OPTIONAL)},
        **{f"settings.{name}": value for name, value in asdict(settings).items()},
    }


def flat(reports: Mapping[str, Report], about: Mapping[str, Value]) -> dict[str, Value]:
    """All values of a run under one key each."""
    values: dict[str, Value] = {}
    for report in reports.values():
        values |= {key: round(value, 4) for key, value in report.values.items()}
    return {**values, **about}


def table(reports: Iterable[Report]) -> Table:
    """The rows of a run."""
    made = Table(title="Proxy Guard, side by side", title_justify="left")
    made.add_column("setup")
    made.add_column("body")
    for name in ("requests/s", "p50 ms", "p99 ms", "ratio (rounds)"):
        made.add_column(name, justify="right")
    for report in reports:
        for row in report.rows:
            made.add_row(*_cells(row))
        made.add_section()
    return made


def _cells(row: Row) -> tuple[str, ...]:
    rate = "" if row.rate is None else f"{row.rate:,.0f} {row.unit}".rstrip()
    latencies = ("" if each is None else f"{each:.2f}" for each in (row.p50_ms, row.p99_ms))
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    if row.spread is not None and row.spread[0] != row.spread[1]:
        ratio += f" ({row.spread[0]:.2f}–{row.spread[1]:.2f})"
    return (row.setup, row.body, rate, *latencies, ratio)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
