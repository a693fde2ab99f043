"""What runs in a worker process: large messages are inspected, and media scrubbed.

`Workers` (workers.py) starts this module once for each pool: it loads the rules and forks a nursery, which forks a
worker whenever it is told to. So a worker is there in milliseconds, and shares what was loaded. A nursery that is
killed is forked again; should the process go that does so, the nursery goes on. They end when the guard's process does,
for whatever reason, and the workers with them. What only the guard's own process can answer, they ask of it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from proxy_guard import engine, plugins
from proxy_guard.media import Redacted
from proxy_guard.media_judge import scrub_by_policy
from proxy_guard.model import Failed, Message, Screened, Screening, Scrub, Verdict
from proxy_guard.rules.compiled import Key, Ruleset
from proxy_guard.rules.load import load_rules
from proxy_guard.scrubbers import scrubbed_of
from proxy_guard.scrubbers.local import LocalScrubber
from proxy_guard.secrets import keep_off_disk
from proxy_guard.stages import Answer, Wish
from proxy_guard.workers import NUMBER, Done, Job, MediaTask

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


class _Worker:
    """Inspects one message after the other."""

    def __init__(self, rules: Ruleset) -> None:
        self._rules = rules
        self._local: dict[str, LocalScrubber] = {}
        self._policies = {policy.name: policy for policy in rules.in_use}
        for policy in rules.in_use:
            for name in policy.asked:
                if name not in rules.connections and plugins.load("scrubbers", name) is LocalScrubber:
                    self._local.setdefault(name, LocalScrubber()).prepare(policy.wanted)
            for rule in policy.every_rule:
                rule.operator.prepare()

    def serve(self, guard: Connection) -> None:
        """Until the guard hangs up."""
        guard.send(None)  # ready
        while True:
            job, data = guard.recv(), guard.recv_bytes()
            try:
                done = self._do(job, data, guard)
            except (EOFError, OSError):
                return
            except Exception as error:  # noqa: BLE001 - the guard blocks the message, and ends this worker
                guard.send(type(error).__name__)  # the type only: its text may hold the message's
                return
            if isinstance(done, Verdict):
                guard.send(replace(done, body=b""))
                guard.send_bytes(done.body)
            elif isinstance(done, Redacted):
                guard.send(replace(done, data=b""))
                guard.send_bytes(done.data)
            else:
                guard.send(done)

    def _do(self, job: Job, data: bytes, guard: Connection) -> Done | Failed:
        if isinstance(job, MediaTask):
            policy = self._policies[job.policy]
            return scrub_by_policy(data, job.declared, job.settings, policy, partial(self._answer, guard=guard))
        return self._inspect(replace(job.head, body=data), job.key, guard)

    def _inspect(self, message: Message, key: Key, guard: Connection) -> Verdict:
        match = self._rules.matched(key, message.url)
        inspection = engine.inspect(message, match, self._rules.limits)
        said = engine.advance(inspection)
        while not isinstance(said, Verdict):
            said = engine.advance(inspection, self._answer(said, guard))
        return said

    def _answer(self, wish: Wish, guard: Connection) -> Answer:
        """Texts are scrubbed here; what takes a network or a store is asked of the guard."""
        scrubber = self._local.get(wish.scrubber) if isinstance(wish, Screening | Scrub) else None
        if scrubber is None and isinstance(wish, Screening):
            return Screened(clean=False)
        if scrubber is None or not isinstance(wish, Screening | Scrub):
            guard.send(wish)
            answer: Answer = guard.recv()
            return answer
        try:
            if isinstance(wish, Screening):
                return scrubber.screened(wish)
            slots = scrubber.slots_of(wish)
            return scrubbed_of(wish, slots, scrubber.find(slots, wish.wanted))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - as in the guard
            return Failed("unavailable", "the scrubber failed")


def keep_nursery(control: socket.socket) -> None:
    """Loads the rules that the guard sends, then sees to it that there is a nursery until the guard hangs up."""
    setup = pickle.loads(_exactly(control, int.from_bytes(_exactly(control, NUMBER))))  # noqa: S301 - from the guard
    with tempfile.TemporaryDirectory(prefix="proxy-guard-") as folder:
        for name, content in setup["files"].items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        rules = load_rules(Path(folder), setup["policy"])
    worker = _Worker(rules)
    if setup["warm"]:
        from proxy_guard.media import faces, ocr  # noqa: PLC0415 - extras, and slow to import

        ocr.warm()
        if any(policy.media and policy.media.settings.faces for policy in rules.in_use):
            faces.warm()
    gc.collect()
    gc.freeze()  # what is loaded stays shared with the workers
    killed = True
    while killed:
        pid = os.fork()
        if pid == 0:
            _become(partial(_nursery, control, worker, setup["memory"]))
        try:
            killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        except BaseException:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
            raise


def _nursery(control: socket.socket, worker: _Worker, memory: int) -> None:
    """Forks workers until the guard hangs up."""
    running: dict[int, int] = {}
    try:
        while True:
            data, handles, _, _ = socket.recv_fds(control, NUMBER, 1)
            if not data:
                return
            number = int.from_bytes(data)
            for pid in [pid for pid in running.values() if os.waitpid(pid, os.WNOHANG)[0]]:
                running = {each: other for each, other in running.items() if other != pid}
            if not handles:
                if number in running:
                    os.kill(running[number], signal.SIGKILL)
                continue
            pid = os.fork()
            if pid == 0:
                control.close()
                _become(partial(_work, worker, Connection(handles[0]), memory))
            running[number] = pid
            os.close(handles[0])
    finally:
        for pid in running.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _work(worker: _Worker, guard: Connection, memory: int) -> None:
    """Serves the guard with so many more bytes of memory than the nursery has."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        # Where the machine itself runs short, it is a worker that goes.
        Path("/proc/self/oom_score_adj").write_text("1000")
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    worker.serve(guard)


def _become(what: Callable[[], None]) -> NoReturn:
    """Does that in a process that was forked, and never returns into what it was forked from."""
    try:
        what()
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _exactly(control: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += control.recv(size - len(data)) or _gone()
    return bytes(data)


def _gone() -> NoReturn:
    raise EOFError


if __name__ == "__main__":
    # Texts of messages must not come to lie on a disk.
    keep_off_disk()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    keep_nursery(socket.socket(fileno=int(sys.argv[1])))
