"""Templates of requests: JSON whose strings hold `{placeholders}`, compiled once to a closure.

A string that is one placeholder becomes its value as it is, a list or number, too; where it has none, the member
that holds it is left out. Within a longer string a placeholder becomes text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote

Values = Mapping[str, Any]
Fill = Callable[[Values], Any]
_PLACEHOLDER = re.compile(r"\{([a-z][a-z_0-9]*)\}")
_ABSENT = object()

MESSAGE = frozenset({"items", "count", "language", "entities", "min_score", "direction", "before"})
"""What a request of a scrubber may hold; `ITEM` too, where it is about one item."""
ITEM = frozenset({"id", "kind", "media_type", "path", "direction", "text", "base64", "language"})
REFERENCE = frozenset({"reference"})
PAIR = frozenset({"reference", "entity", "value"})


class UnknownPlaceholder(ValueError):
    """A placeholder that has no meaning where it stands."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(f"unknown placeholder {{{name}}}")


def placeholders(part: Any) -> set[str]:
    """The names of all placeholders in a template."""
    if isinstance(part, dict):
        return set().union(*map(placeholders, part.values()))
    if isinstance(part, list):
        return set().union(*map(placeholders, part))
    return set(_PLACEHOLDER.findall(part)) if isinstance(part, str) else set()


def compile_template(part: Any, known: Collection[str]) -> Fill:
    """The closure that fills `part`. Raises UnknownPlaceholder."""
    for name in sorted(placeholders(part)):
        if name not in known:
            raise UnknownPlaceholder(name, known)
    fill = _compile(part)
    return lambda values: None if (made := fill(values)) is _ABSENT else made


def _compile(part: Any) -> Fill:
    if isinstance(part, dict):
        members = [(name, _compile(member)) for name, member in part.items()]
        return lambda values: {name: got for name, fill in members if (got := fill(values)) is not _ABSENT}
    if isinstance(part, list):
        items = [_compile(item) for item in part]
        return lambda values: [got for fill in items if (got := fill(values)) is not _ABSENT]
    if not isinstance(part, str):
        return lambda values: part
    whole = _PLACEHOLDER.fullmatch(part)
    if whole:
        name = whole[1]
        return lambda values: _ABSENT if (got := values.get(name)) is None else got
    return compile_text(part)


def compile_text(text: str, *, in_url: bool = False) -> Callable[[Values], str]:
    """The closure that fills a text; what is put into a URL is percent-encoded, slashes too."""
    pieces = _PLACEHOLDER.split(text)
    if len(pieces) == 1:
        return lambda values: text

    def fill(values: Values) -> str:
        shown = [str(values.get(piece, "")) if odd % 2 else piece for odd, piece in enumerate(pieces)]
        if in_url:
            shown = [quote(piece, safe="") if odd % 2 else piece for odd, piece in enumerate(shown)]
        return "".join(shown)

    return fill
