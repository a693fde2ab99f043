"""RFC 9535 JSONPath, read by python-jsonpath in its strict mode and compiled to closures.

The library parses, checks types and evaluates whatever is unusual; the closures do names, wildcards, indices,
slices, descendants and plain comparisons in filters without making an object per node. Both give the same
nodes in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jsonpath
from jsonpath import filter as jp_filter
from jsonpath import segments as jp_segments
from jsonpath import selectors as jp_selectors
from jsonpath.path import JSONPath

from proxy_guard.model import Path

Node = tuple[Any, Path, Any, Any]
"""A value, its path from the root, and the container that holds it under a key: value, path, holder, key.

A plain tuple, since dozens are made for each message.
"""
Step = Callable[[list[Node], Any], list[Node]]
"""Nodes and the document's root to the nodes of the next segment."""
Test = Callable[[Any, Any], bool]
"""A filter: the current value and the root to whether it is selected."""

_ENV = jsonpath.JSONPathEnvironment(strict=True)
_MISSING = object()
_CONTAINERS = (dict, list)


class PathFault(ValueError):
    """A path that can't be read; the message says where."""


class Query:
    """A compiled path: its segments' texts, which tell what paths have in common, and their closures."""

    __slots__ = ("segments",)

    def __init__(self, segments: list[tuple[str, Step]]) -> None:
        self.segments = segments

    def __call__(self, document: Any) -> list[Node]:
        """The nodes that the path selects in a document."""
        nodes = root_nodes(document)
        for _, step in self.segments:
            nodes = step(nodes, document)
            if not nodes:
                break
        return nodes


Compile = Callable[[str], Query]
"""A path to its closure."""


def root_nodes(document: Any) -> list[Node]:
    """The document itself as a list of nodes, for the first segment."""
    return [(document, (), [document], 0)]


@lru_cache(maxsize=4096)  # descriptions have most of their paths in common, and so have rules that are loaded anew
def compile_path(text: str) -> Query:
    """A closure for an RFC 9535 path. Raises PathFault where the path breaks the standard."""
    try:
        path = _ENV.compile(text)
    except Exception as error:  # noqa: BLE001 - the parser lets a few plain errors through
        raise PathFault(_reason(error)) from None
    if not isinstance(path, JSONPath):
        raise PathFault("not one JSONPath")
    return Query([(str(segment), _segment(segment)) for segment in path.segments])


def _reason(error: Exception) -> str:
    """What the library says of a bad path, in one line; it fails to say it where the path is cut short."""
    try:
        return str(error).splitlines()[0] if isinstance(error, jsonpath.JSONPathError) else "not a JSONPath"
    except Exception:  # noqa: BLE001
        return "not a JSONPath: it ends too early"


def normalized(path: Path) -> str:
    """The normalised path of RFC 9535 2.7, such as `$['messages'][0]['content']`."""
    return "$" + "".join(f"[{_quoted(part)}]" if isinstance(part, str) else f"[{part}]" for part in path)


_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "'": "\\'", "\\": "\\\\"}


def _quoted(name: str) -> str:
    return "'" + "".join(_ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in name) + "'"


def _segment(segment: Any) -> Step:
    selectors = [_selector(selector) for selector in segment.selectors]
    if isinstance(segment, jp_segments.JSONPathRecursiveDescentSegment):
        return _descending(selectors)
    if len(selectors) == 1:
        return selectors[0]

    def several(nodes: list[Node], root: Any) -> list[Node]:
        return [found for node in nodes for select in selectors for found in select([node], root)]

    return several


def _descending(selectors: list[Step]) -> Step:
    def descend(nodes: list[Node], root: Any) -> list[Node]:
        found: list[Node] = []
        for start in nodes:
            stack = [start]
            while stack:  # pre-order, children in document order
                node = stack.pop()
                for select in selectors:
                    found += select([node], root)
                stack += [child for child in reversed(_children(node)) if isinstance(child[0], _CONTAINERS)]
        return found

    return descend


def _children(node: Node) -> list[Node]:
    value, path, _, _ = node
    if isinstance(value, dict):
        return [(member, (*path, name), value, name) for name, member in value.items()]
    if isinstance(value, list):
        return [(item, (*path, index), value, index) for index, item in enumerate(value)]
    return []


def _selector(selector: Any) -> Step:
    match selector:
        case jp_selectors.NameSelector():
            return _by_name(selector.name)
        case jp_selectors.WildcardSelector():
            return _every_child
        case jp_selectors.IndexSelector():
            return _by_index(selector.index)
        case jp_selectors.SliceSelector():
            cut = selector.slice
            return _by_slice(lambda size: [] if cut.step == 0 else range(*cut.indices(size)))
        case jp_selectors.Filter():
            return _by_filter(_filter(selector.expression.expression))
        case _:
            raise PathFault(f"the selector {selector} is no part of RFC 9535")


def _every_child(nodes: list[Node], root: Any) -> list[Node]:
    return [child for node in nodes for child in _children(node)]


def _by_name(name: str) -> Step:
    def select(nodes: list[Node], root: Any) -> list[Node]:
        return [
            (value[name], (*path, name), value, name)
            for value, path, _, _ in nodes
            if isinstance(value, dict) and name in value
        ]

    return select


def _by_index(index: int) -> Step:
    def indices(size: int) -> list[int]:
        place = index + size if index < 0 else index
        return [place] if 0 <= place < size else []

    return _by_slice(indices)


def _by_slice(indices: Callable[[int], Any]) -> Step:
    def select(nodes: list[Node], root: Any) -> list[Node]:
        return [
            (value[index], (*path, index), value, index)
            for value, path, _, _ in nodes
            if isinstance(value, list)
            for index in indices(len(value))
        ]

    return select


def _by_filter(test: Test) -> Step:
    def select(nodes: list[Node], root: Any) -> list[Node]:
        return [child for node in nodes for child in _children(node) if test(child[0], root)]

    return select


def _filter(expression: Any) -> Test:
    """A closure for a filter of `@.name.name == 'text'`, `@.name`, `&&`, `||` and `!`; for others the library's own."""
    if isinstance(expression, jp_filter.ListLiteral) or any(
        isinstance(each, jp_filter.ListLiteral) for each in expression.children()
    ):
        raise PathFault("a list in a filter is no part of RFC 9535")
    if isinstance(expression, jp_filter.InfixExpression):
        if expression.operator in {"&&", "||"}:
            left, right = _filter(expression.left), _filter(expression.right)
            if expression.operator == "&&":
                return lambda value, root: left(value, root) and right(value, root)
            return lambda value, root: left(value, root) or right(value, root)
        names, literal = _member(expression.left), expression.right
        # Only text: JSON numbers and booleans compare by rules of their own, which the library knows.
        if names and isinstance(literal, jp_filter.StringLiteral) and expression.operator in {"==", "!="}:
            wanted, equal = literal.value, expression.operator == "=="
            return lambda value, root: (_get(value, names) == wanted) is equal
    if isinstance(expression, jp_filter.PrefixExpression) and expression.operator == "!":
        negated = _filter(expression.right)
        return lambda value, root: not negated(value, root)
    present = _member(expression)
    if present:
        return lambda value, root: _get(value, present) is not _MISSING
    whole = jp_filter.FilterExpression(expression)
    return lambda value, root: whole.evaluate(jp_selectors.FilterContext(env=_ENV, current=value, root=root))


def _get(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value


def _member(expression: Any) -> tuple[str, ...]:
    """The names of `@.name.name`; none for any other expression."""
    if not isinstance(expression, jp_filter.RelativeFilterQuery) or not expression.path.singular_query():
        return ()
    selectors = [segment.selectors[0] for segment in expression.path.segments]
    names = tuple(each.name for each in selectors if isinstance(each, jp_selectors.NameSelector))
    return names if len(names) == len(selectors) else ()
