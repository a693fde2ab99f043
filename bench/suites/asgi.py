"""A Starlette chat application under uvicorn: by itself, and behind the middleware."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from bench import http_suite
from bench.model import Bench, Report, Suite
from bench.services import free_port, server


def run(bench: Bench) -> Report:
    """Measures both in turns."""
    with _uvicorn(bench, "plain") as base, _uvicorn(bench, "guarded") as guard:
        return http_suite.compare(
            bench,
            "asgi",
            http_suite.Setup("uvicorn app", base, f"{base}/last"),
            http_suite.Setup("uvicorn guard", guard, f"{guard}/last", guarded=True),
        )


def _uvicorn(bench: Bench, factory: str) -> AbstractContextManager[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"bench.chat_app:{factory}"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--no-access-log", "--log-level", "warning"]
    return server(f"uvicorn-{factory}", command, port, bench.workdir)


SUITE = Suite("asgi", run, lambda settings: http_suite.seconds(settings, 2), order=30, needs_wrk=True)
