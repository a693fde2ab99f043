"""One pass over a text that tells which patterns could match it, so that only those are run.

All patterns are one Hyperscan database in prefilter mode, which may say yes too often and never says no
wrongly. It drops what a pattern looks ahead for; so what a match needs ahead is a condition of its own here.

It reads bytes. A text beyond ASCII is read as its shadow, in which each such character is one of ASCII that is as
much of a word, a digit or a space; patterns that could tell the two apart count as possible there.
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
from typing import Any

import hyperscan
import platformdirs
import regex

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
        self._beyond_ascii = frozenset(n for n, each in enumerate(expressions) if not blind_to_scripts(each))
        self._database = _cached(numbered) if expressions else None
        self._local = threading.local()

    def possible(self, text: str) -> set[int] | frozenset[int]:
        """The numbers of the patterns that could match in `text`."""
        if self._database is None:
            return frozenset()
        ascii_only = text.isascii()
        hits: set[int] = set()
        shadow = text if ascii_only else text.translate(_SHADOWS)
        self._database.scan(shadow.encode(), match_event_handler=_note, context=hits, scratch=self._scratch())
        if not ascii_only:
            hits |= self._beyond_ascii
        if not hits or not self._conditions:
            return hits
        unmet = {n for n in hits & self._conditions.keys() if not hits.issuperset(self._conditions[n])}
        if not ascii_only:
            unmet -= self._beyond_ascii
        return (hits & self._every) - unmet

    def _scratch(self) -> hyperscan.Scratch:
        # Scratch space serves one scan at a time: one for each thread.
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch


def _note(number: int, start: int, end: int, flags: int, hits: Any) -> None:
    hits.add(number)


class _Shadows(dict[int, str]):
    """Code points beyond ASCII to what is read in their place; filled as they come."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if code < 0x80:
            shadow = char
        elif char in _MATES:
            shadow = _MATES[char]
        elif not regex.match(r"\w", char):
            shadow = " " if regex.match(r"\s", char) else "?"
        else:
            shadow = "0" if regex.match(r"\d", char) else "a"
        if len(self) < _MOST_SHADOWS:
            self[code] = shadow
        return shadow


_MATES = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}
"""What equals a letter of ASCII where case is left out."""
_MOST_SHADOWS = 20_000
_SHADOWS = _Shadows()


def blind_to_scripts(expression: str) -> bool:
    """Whether `expression` matches the shadow of every text that it matches.

    Not so where it names a character beyond ASCII or a property, or where a class leaves out what shadows are
    made of.
    """
    if not expression.isascii() or regex.search(r"\\[pPNXx0-7uU]", expression):
        return False
    return not any(_NAMES_SHADOW.search(each) for each in _negated_classes(expression))


_NAMES_SHADOW = re.compile(r"(?<!\\)[A-Za-z0-9?\[]|-")


def _negated_classes(expression: str) -> list[str]:
    """What stands in the classes of `expression` that leave out what they name."""
    classes: list[str] = []
    index = 0
    while index < len(expression):
        size = 2 if expression[index] == "\\" else 1
        if expression[index] == "[":
            end = index + (2 if expression.startswith("^", index + 1) else 1) + 1
            while end < len(expression) and expression[end] != "]":
                end += 2 if expression[end] == "\\" else 1
            inside = expression[index + 1 : end]
            if inside.startswith("^"):
                classes.append(inside[1:])
            size = end + 1 - index
        index += size
    return classes


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
        temporary = tempfile.NamedTemporaryFile(dir=file.parent, delete=False)  # noqa: SIM115 - closed below
        try:
            with temporary:
                temporary.write(data)
            Path(temporary.name).replace(file)
        finally:
            Path(temporary.name).unlink(missing_ok=True)
    except OSError:
        pass
