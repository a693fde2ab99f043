"""A connection to SQLite in a thread, and the queue before it.

What waits while one transaction is written goes into the next one together, so that many messages share one fsync.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread

from proxy_guard.errors import VaultError, VaultFull

type Work[T] = Callable[[sqlite3.Connection], T]

_inherited: list[sqlite3.Connection] = []
"""Connections of a parent process, kept so that they are never closed here: they are its own."""


class _Job:
    __slots__ = ("done", "failure", "result", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.done = False
        self.result: Any = None
        self.failure: tuple[type[VaultError], str] = (VaultError, "the vault was interrupted")


class Lane:
    """Runs work on one connection, off the event loop, in the order in which it came.

    `connect` opens the connection when there is work, and after a failure. A lane that `writes` takes all that waits as
    one transaction: it is all committed or none of it.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, writes: bool) -> None:
        self._connect = connect
        self._writes = writes
        self._jobs: deque[_Job] = deque()
        self._turn = anyio.Lock()
        self._held = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0

    async def run[T](self, work: Work[T]) -> T:
        """What `work` gives; for a lane that writes, once it is on the disk. Raises VaultError."""
        job = _Job(work)
        self._jobs.append(job)
        async with self._turn:
            if not job.done:  # the one before may have taken it along
                await anyio.to_thread.run_sync(self._drain, abandon_on_cancel=True)
        if not job.done:
            kind, why = job.failure
            raise kind(why)
        result: T = job.result
        return result

    async def aclose(self) -> None:
        """Closes the connection; the next work opens another."""
        await anyio.to_thread.run_sync(self._close_when_free)

    def _close_when_free(self) -> None:
        with self._held:
            self._close()

    def _drain(self) -> None:
        with self._held:
            jobs = [self._jobs.popleft() for _ in range(len(self._jobs))]
            if not jobs:
                return
            try:
                connection = self._open()
                if self._writes:
                    _together(connection, jobs)
                else:
                    _each(connection, jobs)
            except VaultError as error:
                _fail(jobs, type(error), str(error))
            except sqlite3.Error as error:
                self._close()
                _fail(jobs, *_why(error))
            except BaseException as error:
                self._close()
                _fail(jobs, VaultError, f"the vault failed: {type(error).__name__}")
                if not isinstance(error, Exception):
                    raise

    def _open(self) -> sqlite3.Connection:
        # A connection does not survive a fork: a server may load the guard before it forks its workers.
        if self._connection is not None and self._owner != os.getpid():
            _inherited.append(self._connection)
            self._connection = None
        if self._connection is None:
            self._connection = self._connect()
            self._owner = os.getpid()
        return self._connection

    def _close(self) -> None:
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection = None


def _together(connection: sqlite3.Connection, jobs: list[_Job]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [job.work(connection) for job in jobs]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    for job, result in zip(jobs, results, strict=True):
        job.result, job.done = result, True


def _each(connection: sqlite3.Connection, jobs: list[_Job]) -> None:
    for job in jobs:
        try:
            job.result = job.work(connection)
            job.done = True
        except VaultError as error:
            _fail([job], type(error), str(error))


def _fail(jobs: list[_Job], kind: type[VaultError], why: str) -> None:
    for job in jobs:
        job.failure = kind, why


def _why(error: sqlite3.Error) -> tuple[type[VaultError], str]:
    """The failure by SQLite's name for it: an error's own text is not ours to show."""
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    match name.split("_")[1] if name.startswith("SQLITE_") else "":
        case "FULL":
            return VaultFull, "the vault is full: its limit or its disk (SQLITE_FULL)"
        case "BUSY" | "LOCKED":
            return VaultError, f"the vault is busy with other processes ({name})"
        case "NOTADB" | "CORRUPT":
            return VaultError, f"the vault's file is no vault, or is damaged ({name})"
    return VaultError, f"the vault's file could not be read or written ({name})"
