"""One pass over a text that tells which patterns could match it, so that only those are run.

All patterns are one Hyperscan database in prefilter mode, which may say yes too often and never says no
wrongly. It drops what a pattern looks ahead for; so what a match needs ahead is a condition of its own here. It
speaks for ASCII texts; for others every pattern counts as possible.
"""

from __future__ import annotations

import hashlib
import os
import re
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
_FORMAT = 2
_QUANTIFIER = re.compile(r"[*+?{]")


class Prefilter:
    """Patterns as Presidio writes them (case-insensitive, dot matches all, multi-line), by number."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._every = frozenset(range(len(expressions)))
        # The conditions of patterns come after the patterns, numbered on.
        self._conditions: dict[int, list[int]] = {}
        numbered = list(expressions)
        for number, expression in enumerate(expressions):
            for condition in looked_ahead(expression):
                if condition not in numbered[len(expressions) :]:
                    numbered.append(condition)
                place = numbered.index(condition, len(expressions))
                self._conditions.setdefault(number, []).append(place)
        self._database = _cached(numbered) if expressions else None
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
        if not hits or not self._conditions:
            return hits
        unmet = {n for n in hits & self._conditions.keys() if not hits.issuperset(self._conditions[n])}
        return (hits & self._every) - unmet

    def _scratch(self) -> hyperscan.Scratch:
        # Scratch space serves one scan at a time: one for each thread.
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch


def looked_ahead(expression: str) -> list[str]:
    """What any text that `expression` matches must hold, by its positive lookaheads.

    Only lookaheads that every match has to pass count: those in no alternative and in no repeated or optional
    group. Without their leading `.*`, since they may be met anywhere.
    """
    found: list[str] = []
    opened: list[int] = []
    spans: list[tuple[int, int]] = []
    bars: list[int] = []
    for place, char in _structure(expression):
        if char == "(":
            opened.append(place)
        elif char == ")":
            spans.append((opened.pop(), place))
        else:
            bars.append(place)
    for start, end in spans:
        if not expression.startswith("(?=", start):
            continue
        around = [span for span in spans if span[0] < start and end < span[1]]
        optional = any(_QUANTIFIER.match(expression, last + 1) for _, last in [*around, (start, end)])
        # A bar inside a group that does not hold the lookahead is none of its business.
        loose = [
            bar for bar in bars if not start < bar < end and all(not (s < bar < e) or s <= start <= e for s, e in spans)
        ]
        negated = any(expression.startswith(("(?!", "(?<!"), first) for first, _ in around)
        if not (optional or loose or negated):
            found.append(re.sub(r"^(\.\*\??)+", "", expression[start + 3 : end]))
    return [each for each in found if each and not each.startswith("$")]


def _structure(expression: str) -> list[tuple[int, str]]:
    """The places of parentheses and bars that have their special meaning."""
    places: list[tuple[int, str]] = []
    index, in_class = 0, False
    while index < len(expression):
        char = expression[index]
        if char == "\\":
            index += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            if expression.startswith(("]", "^]"), index + 1):  # a bracket that comes first is itself
                index += 2 if expression[index + 1] == "^" else 1
        elif char in "()|":
            places.append((index, char))
        index += 1
    return places


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
        try:
            Path(temporary.name).replace(file)
        finally:
            Path(temporary.name).unlink(missing_ok=True)
    except OSError:
        pass
