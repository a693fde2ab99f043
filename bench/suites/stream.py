"""Streamed replies: events per second with the middleware and without it, and what a client waits for at each door."""

from __future__ import annotations

import contextlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from statistics import median

import httpx

from bench import sse
from bench.bodies import KINDS, Kind
from bench.model import ROOT, Bench, BenchError, Report, Row, Settings, Suite
from bench.services import free_port, server
from bench.stream_app import PER_SECOND, SECRETS
from bench.suites.mitmproxy import mitmdump

AT_A_TIME = 64
_REPLY = 400  # tokens
_LONG = 2000
_FIRSTS = 25
_TIMED = 3  # long replies at a time, of each setup
_GUARD = ("-s", str(ROOT / "addons" / "proxy_guard_addon.py"), "--set", f"guard_rules={ROOT / 'rules'}")


def run(bench: Bench) -> Report:
    """Both."""
    report = Report()
    with uvicorn(bench, "plain") as base, uvicorn(bench, "guarded") as guard:
        for kind in KINDS:
            _verify(base, kind, guarded=False)
            _verify(guard, kind, guarded=True)
            _throughput(bench, report, kind, base, guard)
        with ExitStack() as stack:
            doors = {
                "asgi": guard,
                "mitmproxy": stack.enter_context(mitmdump(bench, "stream-mitm", base, _GUARD)),
                "asgi_sidecar": stack.enter_context(_sidecar(bench, base)),
            }
            _waiting(bench, report, base, doors)
    return report


def _throughput(bench: Bench, report: Report, kind: Kind, base: str, guard: str) -> None:
    """Events per second of both, in turns. The ratio is the median of the rounds' own ratios, guard to base."""
    body = sse.asking("fast", kind, _REPLY)
    rates: dict[str, list[tuple[float, float]]] = {base: [], guard: []}
    for turn in range(bench.settings.rounds):
        for setup, taken in rates.items():
            bench.say(f"stream: {kind}, round {turn + 1} of {bench.settings.rounds}")
            with contextlib.closing(sse.Load(setup, body, AT_A_TIME)) as load:
                load.run(bench.settings.warmup)
                used, before = _cpu(setup), load.events
                rate = load.run(bench.settings.seconds)
                taken.append((rate, (load.events - before) / (_cpu(setup) - used)))
            bench.tick(bench.settings.warmup + bench.settings.seconds)
    by_clock = [ours[0] / theirs[0] for theirs, ours in zip(rates[base], rates[guard], strict=True)]
    by_cpu = [ours[1] / theirs[1] for theirs, ours in zip(rates[base], rates[guard], strict=True)]
    for label, setup in (("base", base), ("guard", guard)):
        rate = median(each[0] for each in rates[setup])
        row = Row(f"asgi {label}", f"{AT_A_TIME} streams, {kind}", rate, "events")
        if setup == guard:
            row = Row(
                row.setup, row.body, rate, "events", ratio=median(by_clock), spread=(min(by_clock), max(by_clock))
            )
        report.rows.append(row)
        report.values[f"stream.{kind}.{label}_events"] = rate
        report.values[f"stream.{kind}.{label}_events_per_cpu_second"] = median(each[1] for each in rates[setup])
    report.values[f"stream.{kind}.events_ratio"] = median(by_clock)
    report.values[f"stream.{kind}.events_cpu_ratio"] = median(by_cpu)


def _waiting(bench: Bench, report: Report, base: str, doors: dict[str, str]) -> None:
    """What a client waits for: the first token, the end of a long reply, and the text that is held back."""
    setups = {"direct": base, **doors}
    firsts: dict[str, list[float]] = {name: [] for name in setups}
    for number in range(_FIRSTS + 2):
        bench.say(f"stream: first token, {number} of {_FIRSTS}")
        for name, setup in setups.items():
            first = sse.timed(setup, "clean", 10).first
            if number > 1:
                firsts[name].append(first)
    bench.say(f"stream: replies of {_LONG} tokens at {PER_SECOND} a second")
    with ThreadPoolExecutor(_TIMED * len(setups)) as pool:
        asked = {
            name: [pool.submit(sse.timed, setup, "clean", _LONG) for _ in range(_TIMED)]
            for name, setup in setups.items()
        }
        long = {name: [each.result() for each in some] for name, some in asked.items()}
    bench.tick(_LONG / PER_SECOND)
    direct = median(firsts["direct"]), median(each.end for each in long["direct"])
    for name in setups:
        first, end = median(firsts[name]), median(each.end for each in long[name])
        hold = max(each.hold for each in long[name])
        late = sorted(each for reply in long[name] for each in reply.lateness)
        row = Row(f"{name}, a stream", f"first {1e3 * first:.1f} ms, end {end:.3f} s, {hold} held")
        report.rows.append(row)
        report.rows.append(
            Row(f"{name}, a stream", "an event", p50_ms=1e3 * median(late), p99_ms=1e3 * late[len(late) * 99 // 100])
        )
        if name == "direct":
            report.values |= {"stream.direct.first_ms": 1e3 * first, "stream.direct.end_ms": 1e3 * end}
        else:
            report.values[f"stream.{name}.first_added_ms"] = 1e3 * (first - direct[0])
            report.values[f"stream.{name}.end_added_ms"] = 1e3 * (end - direct[1])
        report.values[f"stream.{name}.hold_characters"] = hold


def _verify(setup: str, kind: Kind, *, guarded: bool) -> None:
    """Raises BenchError unless a reply comes whole, and behind the guard without its personal data."""
    with httpx.Client(timeout=60, trust_env=False) as client:
        headers = {"content-type": "application/json"}
        answer = client.post(setup + sse.CHAT, content=sse.asking("fast", kind, _REPLY), headers=headers)
    if answer.status_code != 200 or answer.content.count(b"\n\n") != _REPLY + 1:
        raise BenchError(f"{setup}, {kind}: not the whole reply came: {answer.status_code}")
    text = "".join(
        json.loads(line.removeprefix("data: "))["choices"][0]["delta"]["content"]
        for line in answer.text.splitlines()
        if line.startswith("data: {")
    )
    found = [secret for secret in SECRETS if secret in text]
    if bool(found) != (kind == "pii" and not guarded):
        raise BenchError(f"{setup}, {kind}: {len(found)} pieces of personal data came through")


def _cpu(setup: str) -> float:
    return float(httpx.get(f"{setup}/cpu", timeout=60, trust_env=False).text)


def uvicorn(bench: Bench, factory: str) -> AbstractContextManager[str]:
    """The application under a uvicorn of its own."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"bench.stream_app:{factory}", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    return server(f"stream-{factory}", command, port, bench.workdir)


def _sidecar(bench: Bench, api: str) -> AbstractContextManager[str]:
    """The sidecar on uvicorn before `api`."""
    port = free_port()
    command = [sys.executable, "-m", "proxy_guard", "run", "--door", "asgi", "--upstream", api]
    command += ["--rules", str(ROOT / "rules"), "--listen", f"127.0.0.1:{port}"]
    return server("stream-sidecar", command, port, bench.workdir)


def _seconds(settings: Settings) -> float:
    return len(KINDS) * 2 * settings.rounds * (settings.warmup + settings.seconds) + _LONG / PER_SECOND


SUITE = Suite("stream", run, _seconds, order=35)
