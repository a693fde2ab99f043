"""The processes that are measured. Each is started and ended by its handle, in a `with` block."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.model import ROOT, BenchError

_START = 60.0  # seconds for a server to accept connections; the guard compiles its patterns in them
_END = 3.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command in the project's folder, its output in `log`, and ends it on the way out.

    It gets a session of its own: Ctrl-C reaches the harness only, which ends its processes itself.
    """
    with log.open("wb") as output:
        running = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        end(running)


def end(running: subprocess.Popen[bytes]) -> None:
    """Ends a process, politely at first."""
    if running.poll() is None:
        running.terminate()
        try:
            running.wait(_END)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextlib.contextmanager
def server(name: str, command: Sequence[str], port: int, workdir: Path) -> Iterator[str]:
    """Runs a server and gives its address once it accepts connections."""
    log = workdir / f"{name}.log"
    with process(command, log) as running:
        until = time.monotonic() + _START
        while not _accepts(port):
            if running.poll() is not None:
                raise BenchError(f"{name} did not start (exit code {running.returncode}):\n{tail(log)}")
            if time.monotonic() > until:
                raise BenchError(f"{name} did not listen within {_START:g} s:\n{tail(log)}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"


def upstream(workdir: Path) -> contextlib.AbstractContextManager[str]:
    """The fast server in place of the chat API."""
    port = free_port()
    return server("upstream", [sys.executable, "-m", "bench.upstream", str(port)], port, workdir)


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
