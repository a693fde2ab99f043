"""The load generator: wrk, driven by post.lua."""

from __future__ import annotations

import math
import re
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from bench.model import Bench, BenchError
from bench.services import process, tail

SCRIPT = Path(__file__).with_name("post.lua")
_ERRORS = ("status", "connect", "read", "write", "timeout")
_PAIR = re.compile(r"(\w+)=(\d+)")


@dataclass(frozen=True)
class Sample:
    """One stretch of load: requests per second and latencies in milliseconds."""

    rps: float
    p50_ms: float
    p99_ms: float


def wrk() -> str | None:
    """Where wrk is, if it is installed."""
    return shutil.which("wrk")


def load(bench: Bench, url: str, bodies: Path, seconds: float) -> Sample:
    """Posts `bodies` to `url` for so long. Raises BenchError unless every answer came and was a good one."""
    log = bench.workdir / "wrk.log"
    connections = str(bench.settings.connections)
    # wrk knows whole seconds only; on SIGINT it stops and reports on the time that it really had.
    limit = f"{math.ceil(seconds) + 5}s"
    command = [wrk() or "wrk", "-t1", "-c", connections, "-d", limit, "--timeout", "10s", "-s", str(SCRIPT)]
    with process([*command, url, "--", str(bodies)], log) as running:
        started = last = time.monotonic()
        while running.poll() is None and last - started < seconds:
            time.sleep(0.05)
            now = time.monotonic()
            bench.tick(now - last)
            last = now
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
        running.wait(30)
    return _sample(tail(log), url)


def _sample(output: str, url: str) -> Sample:
    line = next((each for each in output.splitlines() if each.startswith("bench ")), None)
    if line is None:
        raise BenchError(f"wrk gave no report on {url}:\n{output}")
    told = {name: int(number) for name, number in _PAIR.findall(line)}
    wrong = ", ".join(f"{told[name]} {name}" for name in _ERRORS if told[name])
    if wrong or not told["requests"]:
        raise BenchError(f"wrk met errors on {url}: {wrong or 'no answer at all'}")
    return Sample(
        rps=told["requests"] / told["duration_us"] * 1e6,
        p50_ms=told["p50_us"] / 1e3,
        p99_ms=told["p99_us"] / 1e3,
    )
