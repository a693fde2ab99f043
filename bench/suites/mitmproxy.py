"""mitmdump in reverse mode: with an addon that does nothing, and with the guard."""

from __future__ import annotations

import shutil
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from bench import http_suite
from bench.model import ROOT, Bench, BenchError, Report, Suite
from bench.services import free_port, server, upstream

_NOOP = ("-s", str(ROOT / "bench" / "noop_addon.py"))
_GUARD = ("-s", str(ROOT / "addons" / "proxy_guard_addon.py"), "--set", f"guard_rules={ROOT / 'rules'}")


def run(bench: Bench) -> Report:
    """Measures both in turns, before the same upstream."""
    with (
        upstream(bench.workdir) as api,
        mitmdump(bench, "mitmdump-noop", api, _NOOP) as base,
        mitmdump(bench, "mitmdump-guard", api, _GUARD) as guard,
    ):
        return http_suite.compare(
            bench,
            "mitmproxy",
            http_suite.Setup("mitmdump no-op", base, f"{api}/last"),
            http_suite.Setup("mitmdump guard", guard, f"{api}/last", guarded=True),
        )


def mitmdump(bench: Bench, name: str, api: str, addon: tuple[str, ...]) -> AbstractContextManager[str]:
    """mitmdump before `api`, with a configuration folder of its own: none of the user's options count."""
    beside = Path(sys.executable).with_name("mitmdump")
    program = str(beside) if beside.exists() else shutil.which("mitmdump")
    if program is None:
        raise BenchError("mitmdump is not installed: pip install 'proxy-guard[dev]'")
    port = free_port()
    command = [program, "-q", "--set", "flow_detail=0", "--set", f"confdir={bench.workdir / name}"]
    command += ["--mode", f"reverse:{api}", "--listen-host", "127.0.0.1", "-p", str(port)]
    command += ["--set", "connection_strategy=lazy", *addon]
    return server(name, command, port, bench.workdir)


SUITE = Suite("mitmproxy", run, lambda settings: http_suite.seconds(settings, 2), order=20, needs_wrk=True)
