"""Counts the tasks and threads of a guarded process, which imports this first: each second into the file PROBE names."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from pathlib import Path


def _tasks() -> int:
    while True:
        try:
            every = [*asyncio.tasks._scheduled_tasks, *asyncio.tasks._eager_tasks]  # type: ignore[attr-defined]
        except RuntimeError:  # one began or ended meanwhile
            continue
        return sum(not task.done() for task in every)


def _watch(file: Path) -> None:
    while True:
        told = json.dumps({"tasks": _tasks(), "threads": threading.active_count()})
        file.with_suffix(".new").write_text(told)
        file.with_suffix(".new").rename(file)
        time.sleep(1)


threading.Thread(target=_watch, args=(Path(os.environ["PROBE"]),), daemon=True).start()
