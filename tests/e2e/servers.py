"""Starts real servers on free loopback ports and ends them by their handles.

They are forks of a process that has imported what they need, save those that are to be `fresh` interpreters.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from proxy_guard import resources
from tests.forked import Forked, start

START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    port: int
    output: Path
    process: subprocess.Popen[bytes] | Forked

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def temporary(self) -> Path:
        """Its folder of temporary files."""
        return self.output.with_name(f"{self.output.name}.tmp")

    def printed(self) -> str:
        return self.output.read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(arguments: list[str], port: int, output: Path, *, fresh: bool = False, **env: str) -> Iterator[Server]:
    """A server that Python runs with these arguments."""
    with output.open("wb") as sink:
        temporary = output.with_name(f"{output.name}.tmp")
        temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(temporary), **env}
        process: subprocess.Popen[bytes] | Forked
        if fresh:
            command = [sys.executable, *arguments]
            process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=environment)
        else:
            process = start(arguments, sink, environment)
        try:
            server = Server(port, output, process)
            _ready(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended at once:\n{server.printed()}")
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no answer on port {server.port}:\n{server.printed()}")


@contextmanager
def uvicorn(app: str, output: Path, *flags: str, fresh: bool = False, **env: str) -> Iterator[Server]:
    port = free_port()
    arguments = ["-m", "uvicorn", app, "--port", str(port), "--no-server-header", *flags]
    with running(arguments, port, output, fresh=fresh, **env) as server:
        yield server


@contextmanager
def mitmdump(
    upstream: str,
    rules: Path,
    output: Path,
    *flags: str,
    addon: Path | None = None,
    port: int = 0,
    fresh: bool = False,
    env: dict[str, str] | None = None,
) -> Iterator[Server]:
    """More than one `--mode` in `flags` names its own port."""
    port = port or free_port()
    arguments = ["-c", "from mitmproxy.tools.main import mitmdump; mitmdump()"]
    arguments += ["-s", str(addon or resources.addon_path()), "--mode", f"reverse:{upstream}@{port}"]
    arguments += ["--listen-host", "127.0.0.1", "--set", f"guard_rules={rules}", *flags]
    with running(arguments, port, output, fresh=fresh, **(env or {})) as server:
        yield server


@contextmanager
def sidecar(upstream: str, output: Path, *flags: str, fresh: bool = False, **env: str) -> Iterator[Server]:
    port = free_port()
    arguments = ["-m", "proxy_guard", "run", "--upstream", upstream, "--listen", f"127.0.0.1:{port}"]
    with running([*arguments, *flags], port, output, fresh=fresh, **env) as server:
        yield server
