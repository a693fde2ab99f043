"""Reads replies of Security APIs, by the JSONPaths of a connection's `reply`. Compiled once, without I/O.

Whatever is not as the mapping says is a failure: a guess here would let a text pass that nobody judged. Errors
name places and counts, never what stands there.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeGuard

from proxy_guard.locate.jsonpath import compile_path
from proxy_guard.model import Finding, Judgement, Rejected, Rewritten
from proxy_guard.remote.edits import edit_by_order
from proxy_guard.remote.settings import ActionRule, FindingsRule, ItemRule, OkRule, ReplyRule

_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
_ENTITY = re.compile(r"[A-Za-z0-9_ .:/-]{1,64}")
_ABSENT = object()
Read = Callable[[Any], Any]


class Garbled(ValueError):
    """A reply that is not what the mapping says."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked about: a text, or a medium's bytes."""

    id: str
    text: str = field(default="", repr=False)
    data: bytes | None = field(default=None, repr=False)
    media_type: str = "text/plain"
    path: str = field(default="", repr=False)
    direction: str = "request"


class Judge:
    """Judgements from replies."""

    def __init__(self, rule: ReplyRule) -> None:
        assert rule.items is not None and rule.item is not None
        self._ok = _ok(rule.ok) if rule.ok else None
        self._errors = compile_path(rule.errors) if rule.errors else None
        self._action = _Action(rule.action) if rule.action else None
        self._items = _several(rule.items)
        self._id = _one(rule.item.id) if rule.item.id else None
        self._item = _Item(rule.item)
        self.takes_orders = rule.item.findings is not None and rule.item.findings.operator is not None

    def __call__(self, reply: Any, items: Sequence[Item]) -> list[Judgement]:
        """One judgement for each item, in their order. Raises Garbled."""
        if self._ok and not self._ok(reply):
            raise Garbled("the reply says that the call failed")
        if self._errors and any(node[0] for node in self._errors(reply)):
            raise Garbled("the reply tells errors")
        if self._action:
            word = self._action(reply)
            if isinstance(word, Rejected):
                return [word for _ in items]
            if word == "allow":
                return [[] for _ in items]
        nodes = self._items(reply)
        if nodes is None:
            raise Garbled("the reply has no items where its mapping has them")
        if self._id:
            nodes = self._in_order(nodes, items)
        if len(nodes) != len(items):
            raise Garbled(f"the reply is about {len(nodes)} items, where {len(items)} were sent")
        return [self._item(node, item) for node, item in zip(nodes, items, strict=True)]

    def _in_order(self, nodes: list[Any], items: Sequence[Item]) -> list[Any]:
        assert self._id is not None
        by_id = {str(self._id(node)): node for node in nodes}
        if len(by_id) != len(nodes) or by_id.keys() != {item.id for item in items}:
            raise Garbled("the ids in the reply are not those that were sent")
        return [by_id[item.id] for item in items]


class _Item:
    def __init__(self, rule: ItemRule) -> None:
        self._action = _Action(rule.action) if rule.action else None
        self._text = _one(rule.text) if rule.text else None
        self._data = _one(rule.data) if rule.data else None
        self._findings = _Findings(rule.findings) if rule.findings else None

    def __call__(self, node: Any, item: Item) -> Judgement:
        word = self._action(node) if self._action else None
        if isinstance(word, Rejected):
            return word
        if word == "allow":
            return []
        return self._medium(node) if item.data is not None else self._judged(node, item, masks=word == "mask")

    def _medium(self, node: Any) -> Judgement:
        encoded = self._data(node) if self._data else None
        if not isinstance(encoded, str):
            raise Garbled("the reply has no rewritten medium where its mapping has one")
        try:
            return Rewritten(data=base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            raise Garbled("the rewritten medium is not base64") from None

    def _judged(self, node: Any, item: Item, *, masks: bool) -> Judgement:
        text = self._text(node) if self._text else _ABSENT
        said = self._findings(node, item.text) if self._findings else None
        found, orders = said or ([], [])
        if isinstance(text, str):
            return Rewritten(text, findings=tuple(found)) if text != item.text else []
        if text is not _ABSENT and text is not None:
            raise Garbled("the rewritten text is no text")
        if said is None or (masks and not found):
            raise Garbled("the reply has neither a rewritten text nor findings where its mapping has them")
        if not orders:
            return found
        try:
            return Rewritten(edit_by_order(item.text, found, orders), findings=tuple(found))
        except ValueError as error:
            raise Garbled(str(error)) from None


class _Action:
    def __init__(self, rule: ActionRule) -> None:
        self._read = _one(rule.path)
        self._words = [("allow", rule.allow), ("mask", rule.mask), ("reject", rule.reject)]
        self._code = _one(rule.code) if rule.code else None

    def __call__(self, node: Any) -> str | Rejected:
        said = self._read(node)
        word = next((word for word, theirs in self._words if _among(said, theirs)), None)
        if word is None:
            raise Garbled("the reply's action is none that the mapping knows")
        if word != "reject":
            return word
        code = self._code(node) if self._code else None
        # A reason in free words may repeat the text that it is about.
        return Rejected(code if isinstance(code, str) and _CODE.fullmatch(code) else "rejected")


class _Findings:
    def __init__(self, rule: FindingsRule) -> None:
        self._each = _several(rule.path)
        self._entity = _one(rule.entity)
        self._start = _one(rule.start)
        self._end = _one(rule.end) if rule.end else None
        self._length = _one(rule.length) if rule.length else None
        self._score = _one(rule.score) if rule.score else None
        self._order = _one(rule.operator) if rule.operator else None
        self._names = rule.names
        self._unit = rule.offsets

    def __call__(self, node: Any, text: str) -> tuple[list[Finding], list[Any]] | None:
        """Findings, and what is ordered to be done to each; None where the reply has no list of them."""
        nodes = self._each(node)
        if nodes is None:
            return None
        place = _places(text, self._unit) if nodes else None
        found = [self._finding(each, text, place) for each in nodes]
        orders = [order for each in nodes if (order := self._order(each)) is not _ABSENT] if self._order else []
        if orders and len(orders) != len(found):
            raise Garbled("some findings have an operator, and others have none")
        return found, orders

    def _finding(self, node: Any, text: str, place: dict[int, int] | None) -> Finding:
        entity, start = self._entity(node), self._start(node)
        end = self._end(node) if self._end else self._length(node) if self._length else None
        if not _whole(start) or not _whole(end):
            raise Garbled("a finding has no span")
        span = (start, end if self._end else start + end)
        if place is not None:
            span = place.get(span[0], -1), place.get(span[1], -1)
        if not 0 <= span[0] < span[1] <= len(text):
            raise Garbled("the span of a finding is none of its text")
        score = self._score(node) if self._score else 1.0
        score = 1.0 if score is _ABSENT or score is None else score
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise Garbled("the score of a finding is none from 0 to 1")
        if not isinstance(entity, str) or not _ENTITY.fullmatch(entity):
            raise Garbled("a finding has no entity")
        return Finding(self._names.get(entity, entity), *span, float(score))


def _ok(rule: OkRule) -> Callable[[Any], bool]:
    read = _one(rule.path)
    return lambda reply: _among(read(reply), rule.values)


def _among(value: Any, values: Sequence[Any]) -> bool:
    return any(type(value) is type(each) and value == each for each in values)  # True is not 1 here


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _one(path: str) -> Read:
    """What a path selects, where it selects one value; `_ABSENT` for none."""
    query = compile_path(path)

    def read(node: Any) -> Any:
        nodes = query(node)
        if len(nodes) > 1:
            raise Garbled(f"{path} selects {len(nodes)} values, where one is meant")
        return nodes[0][0] if nodes else _ABSENT

    return read


def _several(path: str) -> Callable[[Any], list[Any] | None]:
    """What a path selects; with `[*]` at its end, the items of the one list that is there, and None without it.

    A reply that lacks the list must not pass for one whose list is empty, nor an object for a list.
    """
    query = compile_path(path)
    if not path.endswith("[*]"):
        return lambda node: [each[0] for each in query(node)]
    of = compile_path(path.removesuffix("[*]"))

    def items(node: Any) -> list[Any] | None:
        lists = [each[0] for each in of(node)]
        return lists[0] if len(lists) == 1 and isinstance(lists[0], list) else None

    return items


def one_value(path: str) -> Callable[[Any], str | None]:
    """The text or number that a path selects; None where there is none, or an empty one."""
    read = _one(path)

    def value(reply: Any) -> str | None:
        got = read(reply)
        if got is _ABSENT or got is None or got == "":
            return None
        if isinstance(got, bool) or not isinstance(got, str | int | float):
            raise Garbled(f"{path} selects something that is no text")
        return str(got)

    return value


def _places(text: str, unit: str) -> dict[int, int] | None:
    """Offsets in another unit to code points; None where they are the same. A place within a character is none."""
    if unit == "code_points" or text.isascii():
        return None
    sizes = [len(c.encode()) for c in text] if unit == "utf8" else [1 + (c > "\uffff") for c in text]
    return {offset: index for index, offset in enumerate(accumulate(sizes, initial=0))}
