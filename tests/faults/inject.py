"""Faults inside a guarded process, switched on and off from outside while it serves.

The process imports this module first. A file POINT in the folder that FAULTS names, with KIND in it, has every other
call of that point fail so; without the file the point is as it was. What is raised holds personal data in its text, as
an exception of real code may.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.soak.values import ASKED, sentence

POINTS = {
    # where a message comes in
    "open": "proxy_guard.guard:Guard.open",
    "concerns": "proxy_guard.guard:Exchange.concerns",
    "asking": "proxy_guard.guard:Exchange.asking",
    "request": "proxy_guard.guard:Exchange.request",
    "inspect": "proxy_guard.guard:Exchange.inspect",
    "seal": "proxy_guard.guard:Exchange.seal",
    "stream": "proxy_guard.guard:Exchange.stream",
    "match": "proxy_guard.rules.compiled:Ruleset.match",
    # the engine
    "engine": "proxy_guard.engine:inspect",
    "advance": "proxy_guard.engine:advance",
    "decode": "proxy_guard.codecs.json:JsonCodec.decode",
    "encode": "proxy_guard.codecs.json:JsonCodec.encode",
    "locate": "proxy_guard.engine:locate",
    "operate": "proxy_guard.operators.mask:Mask.operate",
    "at_once": "proxy_guard.scrubbers.local:LocalScrubber.at_once",
    "scrub": "proxy_guard.scrubbers.local:LocalScrubber.scrub",
    "detect": "proxy_guard.detect.detector:Detector.detect_many",
    # streams
    "feed": "proxy_guard.stream:StreamInspection.feed",
    "close": "proxy_guard.stream:StreamInspection.close",
    "error": "proxy_guard.stream:StreamInspection.error",
    # workers, and what is written down
    "workers": "proxy_guard.workers:Workers.inspect",
    "fork": "proxy_guard.workers:Workers._fork",
    "audit": "proxy_guard.audit:record",
    # the doors
    "headers": "proxy_guard.mitm:_headers",
    "fields": "proxy_guard.mitm:_fields",
    "rewrite": "proxy_guard.mitm:_rewrite",
    "pass": "proxy_guard.passage:Passage.feed_at_once",
    "from_wire": "proxy_guard.asgi:from_wire",
    "url_of": "proxy_guard.asgi:url_of",
    "read": "proxy_guard.asgi:_read",
    "response": "proxy_guard.asgi:_ResponseGuard.__call__",
    "take": "proxy_guard.asgi_stream:StreamedReply.take",
}
KINDS: dict[str, Callable[[], BaseException]] = {
    "error": lambda: RuntimeError(sentence(ASKED, 1)),
    "memory": lambda: MemoryError(sentence(ASKED, 2)),
    "cancelled": asyncio.CancelledError,
}
_active: dict[str, str] = {}
_CLOCK = "clock"
"""A point of its own: its file holds the seconds by which the clock is set forward."""


def _watch(folder: Path) -> None:
    while True:
        try:
            found = {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}
        except OSError:  # switched off just now
            continue
        if found != _active:
            _active.clear()
            _active.update(found)
            (folder / ".seen").write_text("\n".join(sorted(found)))
        time.sleep(0.02)


def _faulty(name: str, original: Any) -> Any:
    turns = itertools.count()

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        kind = _active.get(name)
        if kind is not None and next(turns) % 2 == 0:
            raise KINDS[kind]()
        return original(*args, **kwargs)

    return call


def _install(name: str, place: str) -> None:
    module_name, _, path = place.partition(":")
    if module_name == "proxy_guard.mitm" and os.environ["FAULTS_DOOR"] != "mitmproxy":
        return
    owner: Any = importlib.import_module(module_name)
    *parents, last = path.split(".")
    for each in parents:
        owner = getattr(owner, each)
    setattr(owner, last, _faulty(name, getattr(owner, last)))


def _jumping(original: Callable[[], float]) -> Callable[[], float]:
    return lambda: original() + float(_active.get(_CLOCK, 0))


folder = Path(os.environ["FAULTS"])
for _name, _place in POINTS.items():
    _install(_name, _place)
time.time = _jumping(time.time)
threading.Thread(target=_watch, args=(folder,), daemon=True).start()
