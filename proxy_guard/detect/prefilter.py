"""One pass over a text that tells which patterns could match it, so that only those are run.

All patterns are one Hyperscan database in prefilter mode, which may say yes too often and never says no
wrongly. It speaks for ASCII texts; for others every pattern counts as possible.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import hyperscan
import platformdirs

_FLAGS = (
    hyperscan.HS_FLAG_PREFILTER
    | hyperscan.HS_FLAG_CASELESS
    | hyperscan.HS_FLAG_DOTALL
    | hyperscan.HS_FLAG_MULTILINE
    | hyperscan.HS_FLAG_SINGLEMATCH
)
_FORMAT = 1


class Prefilter:
    """Patterns as Presidio writes them (case-insensitive, dot matches all, multi-line), by number."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._every = frozenset(range(len(expressions)))
        self._database = _cached(expressions) if expressions else None
        self._local = threading.local()

    def possible(self, text: str) -> set[int] | frozenset[int]:
        """The numbers of the patterns that could match in `text`."""
        if not text.isascii():
            return self._every
        if self._database is None:
            return frozenset()
        hits: set[int] = set()
        self._database.scan(
            text.encode(),
            match_event_handler=lambda number, start, end, flags, context: hits.add(number),
            scratch=self._scratch(),
        )
        return hits

    def _scratch(self) -> hyperscan.Scratch:
        # Scratch space serves one scan at a time: one for each thread.
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch


def _cached(expressions: Sequence[str]) -> hyperscan.Database:
    """The database of `expressions`: from the cache folder if it is there and whole, else compiled and kept."""
    recipe = "\0".join([str(_FORMAT), version("hyperscan"), str(_FLAGS), *expressions])
    name = hashlib.sha256(recipe.encode()).hexdigest()
    folder = Path(os.environ.get("PROXY_GUARD_CACHE") or platformdirs.user_cache_dir("proxy-guard"))
    file = folder / f"patterns-{name}.hs"
    try:
        kept = file.read_bytes()
        digest, packed = kept[:32], kept[32:]
        if hashlib.sha256(packed).digest() == digest:
            return hyperscan.loadb(packed, hyperscan.HS_MODE_BLOCK)
    except (OSError, hyperscan.error):
        pass  # none, unreadable, or made on another kind of machine
    database = hyperscan.Database()
    database.compile(
        expressions=[expression.encode() for expression in expressions],
        ids=list(range(len(expressions))),
        flags=[_FLAGS] * len(expressions),
    )
    packed = hyperscan.dumpb(database)
    _keep(file, hashlib.sha256(packed).digest() + packed)
    return database


def _keep(file: Path, data: bytes) -> None:
    """Writes the cache file whole or not at all; without a writable folder it is compiled at each start."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(data)
        Path(temporary.name).replace(file)
    except OSError:
        pass
