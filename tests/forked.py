"""Python processes that start at once: forks of one that has imported what they need.

A fork runs what `python -m module …` or `python -c code …` would, with a folder, environment and standard files of its
own. What differs, that modules are there already, is for tests that start a fresh interpreter; see servers.py.

    python forked.py SOCKET -m module …     is such a process, for a shell.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

_NUMBER = 8


class Forked:
    """A process, with the methods of subprocess.Popen."""

    def __init__(
        self, arguments: Sequence[str], files: Sequence[int], env: dict[str, str], folder: str, path: str
    ) -> None:
        """`files` are its standard input, output and error; `path` is the socket of who forks it."""
        self.returncode: int | None = None
        self._told = socket.socket(socket.AF_UNIX)
        self._told.connect(path)
        request = json.dumps([list(arguments), env, folder]).encode()
        socket.send_fds(self._told, [len(request).to_bytes(_NUMBER)], list(files))
        self._told.sendall(request)
        self.pid = int.from_bytes(_exactly(self._told, _NUMBER))

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            self.returncode = int.from_bytes(_exactly(self._told, _NUMBER), signed=True)
            self._told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(arguments: Sequence[str], output: BinaryIO, env: dict[str, str]) -> Forked:
    """A process whose output, errors too, goes to a file."""
    with Path(os.devnull).open("rb") as nothing:
        files = [nothing.fileno(), output.fileno(), output.fileno()]
        return Forked(arguments, files, env, str(Path.cwd()), socket_path())


def run(
    arguments: Sequence[str], *, stdin: bytes = b"", env: dict[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """What comes of a process, as subprocess.run tells it."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        given.write(stdin)
        given.seek(0)
        files = [each.fileno() for each in (given, out, errors)]
        environment = dict(os.environ) if env is None else env
        process = Forked(arguments, files, environment, str(Path.cwd()), socket_path())
        try:
            process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(list(arguments), process.wait(), out.read(), errors.read())


@functools.cache
def socket_path() -> str:
    """The socket of the process that forks, which ends with this one."""
    folder = tempfile.mkdtemp(prefix="forks-")
    path = f"{folder}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(50)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", "--serve", str(listener.fileno())],
            cwd=Path(__file__).parents[1],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},  # threads are lost in a fork
        )

    def end() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        process.communicate(timeout=20)

    atexit.register(end)
    return path


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            raise EOFError("the process that forks has ended")
        data += piece
    return data


# --- the process that forks ----------------------------------------------------------------------------


def _imported() -> None:
    import importlib
    import pkgutil
    import warnings

    import phonenumbers

    import proxy_guard

    absent = {"proxy_guard.__main__", "proxy_guard.detect.nlp_stanza", "proxy_guard.detect.nlp_transformers"}
    ours = {each.name for each in pkgutil.walk_packages(proxy_guard.__path__, "proxy_guard.")} - absent
    others = """
        mitmproxy.tools.dump mitmproxy.tools.main spacy starlette.applications uvicorn.lifespan.on uvicorn.loops.auto
        uvicorn.main uvicorn.protocols.http.auto uvicorn.protocols.websockets.auto
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in [*sorted(ours), *others.split()]:
            importlib.import_module(name)
    for region in phonenumbers.SUPPORTED_REGIONS:
        phonenumbers.PhoneMetadata.metadata_for_region(region)


def _serve(listener: socket.socket) -> None:
    """Until who started this closes its standard input."""
    import gc

    _imported()
    del sys.path[0]  # the folder of the tests
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = listener.fileno()
    while 0 not in select.select([control, 0], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _watch(connection)
        connection.close()


def _watch(connection: socket.socket) -> NoReturn:
    """Forks the process that is asked for, and says how it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(connection, _NUMBER, 3)
    arguments, env, folder = json.loads(_exactly(connection, int.from_bytes(size)))
    pid = os.fork()
    if pid == 0:
        connection.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os._exit(_run(arguments, env, folder))
    connection.sendall(pid.to_bytes(_NUMBER))
    for file in (0, *files):
        os.close(file)
    _, status = os.waitpid(pid, 0)
    connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(_NUMBER, signed=True))
    os._exit(0)


def _run(arguments: list[str], env: dict[str, str], folder: str) -> int:
    """What an interpreter with these arguments does, and its exit code."""
    import runpy
    import threading
    import traceback
    import types

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    for name, mode, buffering in (("stdin", "r", -1), ("stdout", "w", -1), ("stderr", "w", 1)):
        number = ("stdin", "stdout", "stderr").index(name)
        setattr(sys, name, os.fdopen(number, mode, buffering, encoding="utf-8", closefd=False))
    flag, what, *rest = arguments
    sys.path[:0] = [folder if flag == "-m" else "", *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = [flag, *rest]
    try:
        if flag == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            assert flag == "-c"
            sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(what, "<string>", "exec"), vars(sys.modules["__main__"]))
        code: Any = 0
    except SystemExit as ended:
        code = ended.code or 0
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:  # noqa: BLE001 - as an interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined] # what an interpreter does at its end
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _serve(socket.socket(fileno=int(sys.argv[2])))
    else:
        _code = Forked(sys.argv[2:], (0, 1, 2), dict(os.environ), str(Path.cwd()), sys.argv[1]).wait()
        sys.exit(_code if _code >= 0 else 128 - _code)
