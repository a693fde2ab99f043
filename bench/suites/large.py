"""What a message of 50 MB, or one that is built to be slow, costs the others: their p99 beside it and without it."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import statistics
import sys
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from bench.model import ROOT, Bench, BenchError, Report, Row, Settings, Suite
from bench.services import free_port, server, upstream
from bench.suites.detect import CLEAN, HITS
from bench.suites.mitmproxy import mitmdump

_SIZE = 50 * 1024 * 1024
_SECONDS = 8.0
_PAUSE = 0.02
"""Seconds between messages of the others: latency is measured, not throughput."""
_CHAT = "/v1/chat/completions"
_JSON = {"content-type": "application/json"}


def _chat(*texts: str) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text} for text in texts]}).encode()


def _bodies() -> dict[str, bytes]:
    return {
        "50 MB, one text": _chat(CLEAN * (_SIZE // len(CLEAN)) + HITS),
        "50 MB, many texts": _chat(*[f"{CLEAN}{number}" for number in range(_SIZE // 160)]),
        "50 MB, numbers": b"[" + b"1," * (_SIZE // 2) + b"1]",
        "50 MB, brackets": b'{"messages":[' + b"[]," * (_SIZE // 3) + b"[]]}",
        "100 kB, names": json.dumps({f"n{n}": {"a": str(n)} for n in range(4000)}).encode(),
        "100 kB, ats": _chat("@." * 50_000),
        **{f"{size} kB of {unit!r}": _slow(unit, size) for unit in _SLOW for size in (100, 16)},
    }


_SLOW = ("01100001 ", "^123456789 ", "@gmail.com ", "½")
"""What texts are made of that take long to look through."""
_TURN = b"turn 00000000"


def _slow(unit: str, size: int) -> bytes:
    return _chat(f"{_TURN.decode()} {unit * (size * 1000 // len(unit))} a@example.com")


def run(bench: Bench) -> Report:
    """Both doors, each alone and beside each kind of message."""
    rules = bench.workdir / "large-rules"
    shutil.copytree(ROOT / "rules", rules)
    text = (rules / "guard.yaml").read_text()
    limits = "limits: {body: 62914560, decoded: 62914560, time: 60}\n"
    (rules / "guard.yaml").write_text(text[: text.index("limits:")] + limits)
    report = Report()
    with upstream(bench.workdir) as api:
        doors = {"asgi": _uvicorn(bench, rules), "mitmproxy": _mitmproxy(bench, rules, api)}
        for name, door in doors.items():
            with door as address:
                worst = 0.0
                _send(address, _chat("a" * 300_000))  # the workers are there
                for kind, body in {"nothing": b"", **_bodies()}.items():
                    bench.say(f"large: {name}, beside {kind}")
                    sample = _beside(address, body)
                    bench.tick(_SECONDS)
                    p99 = statistics.quantiles(sample, n=100)[98]
                    if not body:
                        alone = p99
                    worst = max(worst, p99)
                    report.rows.append(Row(name, f"beside {kind}", p50_ms=statistics.median(sample), p99_ms=p99))
                report.values[f"large.{name}.alone_p99_ms"] = alone
                report.values[f"large.{name}.delay_p99_ms"] = worst - alone
    return report


def _beside(address: str, body: bytes) -> list[float]:
    """Milliseconds of short messages while `body` is sent again and again."""
    ended = threading.Event()

    def sending() -> None:
        turns = itertools.count()
        while body and not ended.is_set():
            _send(address, body.replace(_TURN, b"turn %08d" % next(turns), 1))  # else it was seen before

    sender = threading.Thread(target=sending)
    sender.start()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    small, sample = _chat(CLEAN), []
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("POST", _CHAT, small, _JSON)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise BenchError(f"a short message was answered with {answer.status}")
        sample.append((time.perf_counter() - began) * 1e3)
        time.sleep(_PAUSE)
    connection.close()
    ended.set()
    sender.join()
    return sample


def _send(address: str, body: bytes) -> None:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    try:
        connection.request("POST", _CHAT, body, _JSON)
        connection.getresponse().read()
    except OSError:
        pass  # one that is refused before it is whole
    finally:
        connection.close()


def _uvicorn(bench: Bench, rules: Path) -> AbstractContextManager[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "bench.stall:guarded", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    return server("large-asgi", ["env", f"BENCH_RULES={rules}", *command], port, bench.workdir)


def _mitmproxy(bench: Bench, rules: Path, api: str) -> AbstractContextManager[str]:
    addon = ROOT / "addons" / "proxy_guard_addon.py"
    return mitmdump(bench, "large-guard", api, ("-s", str(addon), "--set", f"guard_rules={rules}"))


def _seconds(_: Settings) -> float:
    return 2 * 15 * _SECONDS


SUITE = Suite("large", run, _seconds, order=55)
