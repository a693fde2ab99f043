"""A Security API that answers in 5 ms, asked by the middleware and by a program of a few lines; 64 at a time."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import AbstractContextManager
from dataclasses import replace

from bench import http_suite
from bench.model import ROOT, Bench, Report, Suite
from bench.services import free_port, server

AT_A_TIME = 64


def run(bench: Bench) -> Report:
    """Measures both in turns."""
    bench = replace(bench, settings=replace(bench.settings, connections=AT_A_TIME))
    rules = bench.workdir / "asking-rules"
    shutil.copytree(ROOT / "rules", rules)
    asks = "version: 1\nname: asks\nscrubber: security-api\nentities: {PHONE_NUMBER: {action: mask}}\n"
    (rules / "policies" / "asks.yaml").write_text(asks)
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{policy: asks}]\nlimits: {time: 30}\n")
    with (rules / "connections" / "security-api.yaml").open("a") as connection:
        connection.write("timeout: 10\nconnect_timeout: 10\n")  # a busy machine is no failure here
    port = free_port()
    command = [sys.executable, "-m", "bench.security_api", str(port)]
    with server("security-api", command, port, bench.workdir) as api:
        os.environ |= {
            "SECURITY_API": api,
            "SECURITY_API_URL": api,
            "SECURITY_API_TOKEN": "any",
            "BENCH_RULES": str(rules),
        }
        with _uvicorn(bench, "by_hand") as base, _uvicorn(bench, "guarded") as guard:
            return http_suite.compare(
                bench,
                "security_api",
                http_suite.Setup("httpx by hand", base, f"{base}/last"),
                http_suite.Setup("uvicorn guard, asking", guard, f"{guard}/last"),
            )


def _uvicorn(bench: Bench, factory: str) -> AbstractContextManager[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"bench.asking_app:{factory}"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--no-access-log", "--log-level", "warning"]
    return server(f"uvicorn-{factory}", command, port, bench.workdir)


SUITE = Suite("security_api", run, lambda settings: http_suite.seconds(settings, 2), order=40, needs_wrk=True)
