"""Worker processes for large messages and for media, so that the event loop never waits for one.

A large message goes to a worker as bytes and comes back as a verdict, a medium comes back scrubbed; what either asks
for meanwhile and the worker has no answer to (a remote scrubber, a vault) is answered here. The first one starts the
nursery (worker.py): who never sees one pays nothing. A worker that dies, takes too long, or runs out of memory costs
its one message; the next one gets a new worker.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import anyio.to_thread

from proxy_guard.codecs import Limits
from proxy_guard.media import MediaSettings, Redacted
from proxy_guard.media.asked import Refused, ScrubMedia
from proxy_guard.model import Failed, Message, Verdict
from proxy_guard.rules.compiled import Key
from proxy_guard.stages import Answer, Wish

Respond = Callable[[Wish, float], Awaitable[Answer]]
"""What answers a wish by a time of the loop's clock."""
_START = 60.0
"""Seconds for the nursery to load the rules and for its first worker to be there."""
NUMBER = 4
"""Bytes of a worker's number, as the nursery is told it. With a socket beside it: fork a worker for that; by itself:
end that worker."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How many workers there are, how much may wait for them, and what one may take; `what` they work on."""

    workers: int
    queue: int
    time: float
    memory: int
    what: str

    @classmethod
    def for_messages(cls, limits: Limits) -> Pool:
        """The workers that inspect large messages."""
        return cls(limits.workers, limits.queue, limits.time, limits.worker_memory, "large messages")

    @classmethod
    def for_media(cls, limits: Limits) -> Pool:
        """The workers that scrub media."""
        return cls(limits.media_workers, limits.media_queue, limits.media_time, limits.media_memory, "media")


@dataclass(frozen=True, slots=True)
class MediaTask:
    """A medium to be scrubbed by the policy of that name; its bytes go beside it."""

    policy: str
    declared: str
    settings: MediaSettings


@dataclass(frozen=True, slots=True)
class MessageTask:
    """A message to be inspected by the rules that it met; its body goes beside it."""

    head: Message
    key: Key


Job = MessageTask | MediaTask
Done = Verdict | Redacted | Refused


class WorkerDied(Exception):
    """It ended, or broke, before it had a verdict; `args` say what is known of it, which is no text of the message."""


def rule_texts(folder: Path) -> dict[str, str]:
    """The rule files of a folder by their names in it: what the workers load, whatever becomes of the files."""
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in (".yaml", ".json") and path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def worker_pools(files: dict[str, str], policy: str | None, limits: Limits) -> tuple[Workers | None, Workers | None]:
    """The workers for large messages and those for media; None where threads are to do it."""
    for_messages, for_media = Pool.for_messages(limits), Pool.for_media(limits)
    return (
        Workers(files, policy, for_messages) if for_messages.workers else None,
        Workers(files, policy, for_media) if for_media.workers else None,
    )


class Workers:
    """Does its jobs in up to `pool.workers` processes. Nothing is started before the first one."""

    def __init__(self, files: dict[str, str], policy: str | None, pool: Pool) -> None:
        self._setup = {"files": files, "policy": policy, "memory": pool.memory, "warm": False}
        self._pool = pool
        self._anew()

    def _anew(self) -> None:
        self._owner = os.getpid()
        self._nursery: _Nursery | None = None
        self._coming: Future[tuple[_Nursery, _Worker]] | None = None
        self._idle: list[_Worker] = []
        self._inside = 0
        self._starting = anyio.Lock()
        self._places = anyio.CapacityLimiter(self._pool.workers)
        self._threads = anyio.CapacityLimiter(2 * self._pool.workers)

    def start(self) -> None:
        """Has the nursery started at once, with the models of OCR loaded: else the first picture waits for that."""
        if self._owner != os.getpid():
            self._anew()
        if self._nursery is None and self._coming is None:
            self._setup["warm"] = True
            self._start_aside()

    def _start_aside(self) -> None:
        self._coming = Future()
        # Not of a pool: a program that ends does not wait for it.
        Thread(target=_start_nursery, args=(self._setup, self._coming), daemon=True).start()

    async def aclose(self) -> None:
        """Ends the workers, save those that are busy: they end with what they do. Later ones are started anew."""
        if (self._nursery or self._coming) and self._owner == os.getpid():
            await anyio.to_thread.run_sync(self._let_go)

    def _let_go(self) -> None:
        # The nursery ends when nothing refers to it any more.
        self._nursery = self._coming = None
        self._idle.clear()

    @property
    def full(self) -> bool:
        """Whether what comes now is refused."""
        return self._inside >= self._pool.workers + self._pool.queue

    def ready(self) -> bool:
        """Whether a job need not wait for the rules to be loaded, nor is refused; has them loaded, if they are not."""
        if self._owner != os.getpid():
            self._anew()
        if self._nursery is not None and self._nursery.alive:
            return not self.full
        if self._coming is None and not self._inside:
            self._start_aside()
        return self._coming is not None and self._coming.done() and not self.full

    async def inspect(self, message: Message, key: Key, respond: Respond) -> Verdict | Failed:
        """The verdict on a message that met the rules of that key, or why there is none. Raises WorkerDied."""
        done = await self._do(MessageTask(replace(message, body=b""), key), respond, message.body)
        assert isinstance(done, Verdict | Failed)
        return done

    async def scrub(self, task: MediaTask, data: bytes, respond: Respond) -> Redacted | Refused | Failed:
        """A medium, scrubbed, or why not. Raises WorkerDied."""
        done = await self._do(task, respond, data)
        assert not isinstance(done, Verdict)
        return done

    async def _do(self, job: Job, respond: Respond, data: bytes = b"") -> Done | Failed:
        if self._owner != os.getpid():
            self._anew()  # the server forked itself: the workers are another's
        if self.full:
            return Failed("unavailable", f"too many {self._pool.what} are waiting")
        self._inside += 1
        try:
            nursery = await self._start()
            with anyio.move_on_after(self._pool.time) as waiting:
                await self._places.acquire()
            if waiting.cancelled_caught:
                return Failed("timeout", f"no worker was free within {self._pool.time:g} s")
            try:
                return await self._work(nursery, job, data, respond)
            finally:
                self._places.release()
        except TimeoutError:
            return Failed("timeout", f"it took longer than {self._pool.time:g} s")
        except (EOFError, OSError):
            raise WorkerDied("ended") from None
        finally:
            self._inside -= 1

    async def _start(self) -> _Nursery:
        """Has a nursery, and a first worker of it: all wait for that, whatever the time for a message is."""
        async with self._starting:
            if self._nursery is None or not self._nursery.alive:
                if self._coming is None:
                    self._start_aside()
                assert self._coming is not None
                try:
                    with anyio.fail_after(_START):
                        come = await anyio.to_thread.run_sync(self._coming.result, abandon_on_cancel=True)
                except TimeoutError:
                    self._coming = None
                    raise WorkerDied("did not start") from None
                except Exception:
                    self._coming = None
                    raise
                self._nursery, worker = come
                self._coming = None
                self._idle.append(worker)
            assert self._nursery is not None
            return self._nursery

    async def _work(self, nursery: _Nursery, job: Job, data: bytes, respond: Respond) -> Done | Failed:
        worker = self._waiting() or await self._fork(nursery)
        try:
            done = await self._converse(worker, job, data, respond)
        except BaseException:
            worker.end()
            raise
        if self._nursery is nursery:
            self._idle.append(worker)
        else:  # closed meanwhile, or replaced
            worker.end()
        return done

    async def _converse(self, worker: _Worker, job: Job, data: bytes, respond: Respond) -> Done | Failed:
        deadline = time.monotonic() + self._pool.time
        said = await self._by(deadline, worker.do, job, data)
        while not isinstance(said, Done | Failed):
            if isinstance(said, str):
                raise WorkerDied(said)
            asked = time.monotonic()
            answer = await respond(said, deadline)
            if isinstance(said, ScrubMedia):  # each medium has a time of its own
                deadline += time.monotonic() - asked
            said = await self._by(deadline, worker.answer, answer)
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
            await self._by(time.monotonic() + _START, worker.ready)
        except BaseException as error:
            worker.end()
            if isinstance(error, TimeoutError):
                raise WorkerDied("did not start") from None
            raise
        return worker

    async def _by(self, deadline: float, call: Callable[..., Any], *args: Any) -> Any:
        # A thread that is left behind ends with its worker.
        with anyio.fail_after(max(0, deadline - time.monotonic())):
            return await anyio.to_thread.run_sync(call, *args, abandon_on_cancel=True, limiter=self._threads)


def _start_nursery(setup: dict[str, Any], coming: Future[tuple[_Nursery, _Worker]]) -> None:
    """A nursery, once its first worker is there."""
    try:
        nursery = _Nursery(setup)
        worker = nursery.fork()
        worker.ready()
        coming.set_result((nursery, worker))
    except BaseException as error:  # noqa: BLE001 - it is for who waits for it
        coming.set_exception(error)


class _Nursery:
    """What forks the workers; it ends with this object, or with this process."""

    def __init__(self, setup: dict[str, Any]) -> None:
        packed = pickle.dumps(setup)
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
        self._control.sendall(len(packed).to_bytes(NUMBER) + packed)

    @property
    def alive(self) -> bool:
        """Whether someone is at the other end: the process that was started, or the nursery that it forked."""
        self._process.poll()  # one that has ended is not to stay a zombie
        try:
            return bool(self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

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

    def do(self, job: Job, data: bytes) -> Any:
        """What is done, what is to be known for that, or the name of what was raised there."""
        self._connection.send(job)
        self._connection.send_bytes(data)  # as they are: they need not be copied into the rest
        return self._said()

    def answer(self, answer: Answer) -> Any:
        self._connection.send(answer)
        return self._said()

    def _said(self) -> Any:
        said = self._connection.recv()
        if isinstance(said, Verdict):
            return replace(said, body=self._connection.recv_bytes())
        return replace(said, data=self._connection.recv_bytes()) if isinstance(said, Redacted) else said

    def end(self) -> None:
        """Ends the process at once; a thread that waits for it learns of it."""
        self._nursery.end(self._number)
        # Not closed: a thread may be waiting on it.
        with socket.socket(fileno=os.dup(self._connection.fileno())) as same, contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)


def _stop(process: subprocess.Popen[bytes], control: socket.socket, owner: int) -> None:
    if owner != os.getpid():
        control.close()
        return  # in a fork of the guard's process
    with contextlib.suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)  # which a fork of it may hold, too
    control.close()
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
