"""The longest that an event loop stands still while a message of 5 MB goes through, with the guard and without it."""

from __future__ import annotations

import http.client
import json
import statistics
import sys
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from bench.model import ROOT, Bench, BenchError, Report, Row, Settings, Suite
from bench.services import free_port, server, upstream
from bench.suites.detect import CLEAN, HITS
from bench.suites.mitmproxy import mitmdump

_SIZE = 5 * 1024 * 1024
_MESSAGES = 7


def _chat(texts: list[str]) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text} for text in texts]}).encode()


def run(bench: Bench) -> Report:
    """Both doors, each with one long text and with many short ones."""
    bodies = {
        "one text": _chat([CLEAN * (_SIZE // len(CLEAN)) + HITS]),
        "many texts": _chat([f"{CLEAN}{number}" for number in range(_SIZE // 160)]),
    }
    report = Report()
    with upstream(bench.workdir) as api:
        ticking, guard = ("-s", str(ROOT / "bench" / "stall.py")), ("-s", str(ROOT / "addons" / "proxy_guard_addon.py"))
        doors = {
            "asgi": (_uvicorn(bench, "app"), _uvicorn(bench, "guarded")),
            "mitmproxy": (
                mitmdump(bench, "stall-noop", api, ticking),
                mitmdump(bench, "stall-guard", api, (*ticking, *guard)),
            ),
        }
        for door, setups in doors.items():
            with setups[0] as base, setups[1] as guarded:
                worst = {"base": 0.0, "guard": 0.0}
                for text, body in bodies.items():
                    for setup, address in (("base", base), ("guard", guarded)):
                        bench.say(f"stall: {door}, {text}, {setup}")
                        stalls = _stalls(address, body)
                        bench.tick(1)
                        worst[setup] = max(worst[setup], statistics.median(stalls))
                        report.rows.append(
                            Row(
                                f"{door} {setup}",
                                f"5 MB, {text}: stall",
                                p50_ms=statistics.median(stalls),
                                p99_ms=max(stalls),
                            )
                        )
                report.values[f"{door}.stall_5mb_ms"] = worst["guard"]
                report.values[f"{door}.stall_5mb_base_ms"] = worst["base"]
    return report


def _stalls(address: str, body: bytes) -> list[float]:
    """Milliseconds of the longest stall during each of some messages, the first two left out."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    stalls = []
    for _ in range(_MESSAGES + 2):
        _get(connection, "/stall")
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status not in (200, 503):
            raise BenchError(f"a message of 5 MB was answered with {answer.status}")
        stalls.append(float(_get(connection, "/stall")))
    connection.close()
    return stalls[2:]


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


def _uvicorn(bench: Bench, factory: str) -> AbstractContextManager[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"bench.stall:{factory}", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    return server(f"stall-{factory}", command, port, bench.workdir)


def _seconds(_: Settings) -> float:
    return 8


SUITE = Suite("stall", run, _seconds, order=50)
