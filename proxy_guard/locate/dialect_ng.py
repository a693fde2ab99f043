"""The `jsonpath-ng` dialect, for files whose expressions were written for that library.

It is lenient where RFC 9535 is strict and may select other nodes; a file has to ask for it by name.
"""

from __future__ import annotations

from typing import Any

from jsonpath_ng.ext import parse
from jsonpath_ng.jsonpath import Child, DatumInContext, Fields, Index, JSONPath, Root, This

from proxy_guard.locate.jsonpath import Node, PathFault, Query
from proxy_guard.model import Path

_SELECTING = frozenset(
    {
        "Child",
        "Descendants",
        "Fields",
        "Filter",
        "Index",
        "Parent",
        "Root",
        "Slice",
        "This",
        "Union",
        "Where",
        "Wildcard",
    }
)


def compile_path(text: str) -> Query:
    """A closure for a jsonpath-ng expression. Raises PathFault where that library can't read it."""
    try:
        expression = parse(text)
    except Exception as error:  # noqa: BLE001 - the library raises bare exceptions
        raise PathFault(str(error).splitlines()[0]) from None

    _check(expression)

    def find(_: list[Node], document: Any) -> list[Node]:
        return [_node(found, document) for found in expression.find(document)]

    return Query([(f"jsonpath-ng {text}", find)])


def _check(expression: Any) -> None:
    """Raises PathFault for what computes a value rather than selects one, which could not be edited in its place."""
    if type(expression).__name__ not in _SELECTING:
        raise PathFault(f"{type(expression).__name__} computes a value rather than selects one")
    for part in ("left", "right", "child"):
        inner = getattr(expression, part, None)
        if isinstance(inner, JSONPath):
            _check(inner)


def _node(found: DatumInContext, document: Any) -> Node:
    path = _parts(found.full_path)
    holder: Any = [document]
    key: str | int = 0
    for part in path:
        holder, key = holder[key], part
    return found.value, path, holder, key


def _parts(path: Any) -> Path:
    match path:
        case Child():
            return _parts(path.left) + _parts(path.right)
        case Fields():
            return tuple(path.fields)
        case Index():
            return tuple(path.indices)
        case Root() | This():
            return ()
        case _:
            raise PathFault("the expression selects something that has no place in the document")
