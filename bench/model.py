"""The plain types that all parts of the harness share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class BenchError(Exception):
    """Why a run does not count, for the person who started it."""


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    seconds: float = 4.0
    rounds: int = 3
    warmup: float = 1.5
    connections: int = 16
    bodies: int = 200


@dataclass(frozen=True)
class Row:
    """One line of the table. What does not apply stays None."""

    setup: str
    body: str
    rate: float | None = None
    unit: str = ""  # what `rate` counts per second, where it is not requests
    p50_ms: float | None = None
    p99_ms: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None  # the least and the greatest ratio of all rounds


@dataclass
class Report:
    """What a suite found: rows for people, flat values for programs."""

    rows: list[Row] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """What a suite gets. `tick` moves the progress bar by seconds of work, `say` names the work at hand."""

    settings: Settings
    workdir: Path
    tick: Callable[[float], None]
    say: Callable[[str], None]


@dataclass(frozen=True)
class Suite:
    """A named group of measurements. A module in `bench.suites` gives one as `SUITE`.

    `seconds` is about how long `run` takes, in the unit that it ticks in. Suites run by ascending `order`.
    """

    name: str
    run: Callable[[Bench], Report]
    seconds: Callable[[Settings], float]
    order: int = 100
    needs_wrk: bool = False
