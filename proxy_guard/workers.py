"""Worker processes for large messages, so that the event loop never waits for one.

A large message goes to a worker as bytes and comes back as a verdict; what the engine asks for meanwhile and the
worker has no answer to (a remote scrubber, a vault) is answered here. The first one starts the nursery
(worker.py): who never sees a large message pays nothing. A worker that dies, takes too long, or runs out of memory
costs its one message; the next one gets a new worker.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import socket
import subprocess
import sys
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from proxy_guard.codecs import Limits
from proxy_guard.model import Failed, Message, Verdict
from proxy_guard.stages import Answer, Wish

Respond = Callable[[Wish, float], Awaitable[Answer]]
"""What answers a wish by a time of the loop's clock."""
_START = 60.0
"""Seconds for the nursery to load the rules and for its first worker to be there."""
NUMBER = 4
"""Bytes of a worker's number, as the nursery is told it. With a socket beside it: fork a worker for that; by itself:
end that worker."""


class WorkerDied(Exception):
    """It ended, or broke, before it had a verdict; `args` say what is known of it, which is no text of the message."""


def rule_texts(folder: Path) -> dict[str, str]:
    """The rule files of a folder by their names in it: what the workers load, whatever becomes of the files."""
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in (".yaml", ".json") and path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


class Workers:
    """Inspects large messages in up to `limits.workers` processes. Nothing is started before the first one."""

    def __init__(self, files: dict[str, str], policy: str | None, limits: Limits) -> None:
        self._setup = pickle.dumps({"files": files, "policy": policy})
        self._limits = limits
        self._anew()

    def _anew(self) -> None:
        self._owner = os.getpid()
        self._nursery: _Nursery | None = None
        self._idle: list[_Worker] = []
        self._inside = 0
        self._starting = anyio.Lock()
        self._places = anyio.CapacityLimiter(self._limits.workers)
        self._threads = anyio.CapacityLimiter(2 * self._limits.workers)

    async def inspect(self, message: Message, respond: Respond) -> Verdict | Failed:
        """The verdict on a message, or why there is none. Raises WorkerDied."""
        if self._owner != os.getpid():
            self._anew()  # the server forked itself: the workers are another's
        if self._inside >= self._limits.workers + self._limits.queue:
            return Failed("unavailable", "too many large messages are waiting")
        self._inside += 1
        try:
            await self._start()
            with anyio.move_on_after(self._limits.time) as waiting:
                await self._places.acquire()
            if waiting.cancelled_caught:
                return Failed("timeout", f"no worker was free within {self._limits.time:g} s")
            try:
                return await self._inspect(message, respond)
            finally:
                self._places.release()
        except TimeoutError:
            return Failed("timeout", f"the message took longer than {self._limits.time:g} s")
        except (EOFError, OSError):
            raise WorkerDied("ended") from None
        finally:
            self._inside -= 1

    async def _start(self) -> None:
        """Has a nursery, and a first worker of it: all wait for that, whatever the time for a message is."""
        async with self._starting:
            if self._nursery is None or not self._nursery.alive:
                self._nursery = await anyio.to_thread.run_sync(_Nursery, self._setup)
                self._idle.append(await self._fork(self._nursery))

    async def _inspect(self, message: Message, respond: Respond) -> Verdict:
        assert self._nursery is not None
        worker = self._waiting() or await self._fork(self._nursery)
        try:
            verdict = await self._converse(worker, message, respond)
        except BaseException:
            worker.end()
            raise
        self._idle.append(worker)
        return verdict

    async def _converse(self, worker: _Worker, message: Message, respond: Respond) -> Verdict:
        deadline = anyio.current_time() + self._limits.time
        said = await self._by(deadline, worker.inspect, message)
        while not isinstance(said, Verdict):
            if isinstance(said, str):
                raise WorkerDied(said)
            said = await self._by(deadline, worker.answer, await respond(said, deadline))
        return said

    def _waiting(self) -> _Worker | None:
        """The worker that was busy last: it knows the texts of a chat that is sent again with every turn."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            worker.end()
        return None

    async def _fork(self, nursery: _Nursery) -> _Worker:
        worker = await anyio.to_thread.run_sync(nursery.fork)
        try:
            await self._by(anyio.current_time() + _START, worker.ready)
        except BaseException as error:
            worker.end()
            if isinstance(error, TimeoutError):
                raise WorkerDied("did not start") from None
            raise
        return worker

    async def _by(self, deadline: float, call: Callable[..., Any], *args: Any) -> Any:
        # A thread that is left behind ends with its worker.
        with anyio.fail_after(max(0, deadline - anyio.current_time())):
            return await anyio.to_thread.run_sync(call, *args, abandon_on_cancel=True, limiter=self._threads)


class _Nursery:
    """The process that forks the workers; it ends with this object, or with this process."""

    def __init__(self, setup: bytes) -> None:
        self._control, theirs = socket.socketpair()
        path = [each or str(Path.cwd()) for each in sys.path]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter
                [sys.executable, "-P", "-m", "proxy_guard.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a traceback could show what a message holds
                start_new_session=True,  # Ctrl-C is the guard's to act on
                # One core for one worker: libraries start no threads, which a fork would lose.
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path),
                    "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1",
                },
            )
        self._numbers = itertools.count(1)
        weakref.finalize(self, _stop, self._process, self._control, os.getpid())
        self._control.sendall(len(setup).to_bytes(NUMBER) + setup)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def fork(self) -> _Worker:
        ours, theirs = socket.socketpair()
        number = next(self._numbers)
        with theirs:
            socket.send_fds(self._control, [number.to_bytes(NUMBER)], [theirs.fileno()])
        return _Worker(self, number, ours)

    def end(self, number: int) -> None:
        with contextlib.suppress(OSError):  # the nursery has ended, and its workers with it
            self._control.sendall(number.to_bytes(NUMBER))


class _Worker:
    """One worker, as its guard sees it. Its methods block; EOFError and OSError say that it has ended."""

    def __init__(self, nursery: _Nursery, number: int, ours: socket.socket) -> None:
        self._nursery = nursery
        self._number = number
        self._connection = Connection(ours.detach())

    @property
    def alive(self) -> bool:
        """Of one that is idle: it has nothing to say, save that it has ended."""
        return not self._connection.poll()

    def ready(self) -> None:
        self._connection.recv()

    def inspect(self, message: Message) -> Any:
        """A verdict, what the engine wishes to know, or the name of what was raised there."""
        # Bodies go as they are, beside the rest: they need not be copied into it.
        self._connection.send(replace(message, body=b""))
        self._connection.send_bytes(message.body)
        return self._said()

    def answer(self, answer: Answer) -> Any:
        self._connection.send(answer)
        return self._said()

    def _said(self) -> Any:
        said = self._connection.recv()
        return replace(said, body=self._connection.recv_bytes()) if isinstance(said, Verdict) else said

    def end(self) -> None:
        """Ends the process at once; a thread that waits for it learns of it."""
        self._nursery.end(self._number)
        # Not closed: a thread may be waiting on it.
        with socket.socket(fileno=os.dup(self._connection.fileno())) as same, contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)


def _stop(process: subprocess.Popen[bytes], control: socket.socket, owner: int) -> None:
    control.close()
    if owner != os.getpid():
        return  # in a fork of the guard's process
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
