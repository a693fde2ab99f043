"""From a document to its slots, and from edited slots back into the document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal

from proxy_guard.codecs import Document, Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Unreadable
from proxy_guard.locate.jsonpath import Node, Query, Step, root_nodes
from proxy_guard.model import Path, Slot

Kind = Literal["text", "json", "media"]
_JSON = JsonCodec()


@dataclass(frozen=True, slots=True)
class Field:
    """One JSONPath rule of an API description, compiled. `signed`: read, but never rewritten."""

    rule: str
    query: Query = field(repr=False)
    kind: Kind
    signed: bool = False


@dataclass(slots=True)
class _Branch:
    """One segment, the fields that end with it, and what goes on from it."""

    step: Step
    ends: list[int] = field(default_factory=list)
    onward: dict[str, _Branch] = field(default_factory=dict)


class FieldTree:
    """Fields that go through a document together: what their paths have in common is walked once."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self._roots: list[int] = []
        self._branches: dict[str, _Branch] = {}
        for index, each in enumerate(fields):
            ends, branches = self._roots, self._branches
            for text, step in each.query.segments:
                branch = branches.setdefault(text, _Branch(step))
                ends, branches = branch.ends, branch.onward
            ends.append(index)

    def __len__(self) -> int:
        return len(self._fields)

    def nodes(self, document: Any) -> list[tuple[Field, list[Node]]]:
        """Every field that selects something, in the order of the file, with its nodes."""
        start = root_nodes(document)
        hits = [(index, start) for index in self._roots]
        pending = [(self._branches, start)]
        while pending:
            branches, nodes = pending.pop()
            for branch in branches.values():
                reached = branch.step(nodes, document)
                if reached:
                    hits += [(index, reached) for index in branch.ends]
                    # A segment selects from containers only; most nodes here are texts.
                    if branch.onward and (inner := [n for n in reached if isinstance(n[0], _CONTAINERS)]):
                        pending.append((branch.onward, inner))
        hits.sort(key=_index)
        return [(self._fields[index], nodes) for index, nodes in hits]


_index = itemgetter(0)
_CONTAINERS = (dict, list)


@dataclass(slots=True)
class Nested:
    """A document held in the string `holder[key]`; `changed` when the string has to be written anew."""

    document: Document
    holder: Any
    key: Any
    changed: bool


@dataclass(slots=True)
class Located:
    """The slots of one document, what holds media in it, and the documents held in its strings."""

    slots: list[Slot]
    media: list[str]
    """The rules of fields that hold media."""
    nested: list[Nested]

    def apply(self, edits: Sequence[tuple[Slot, str]]) -> bool:
        """Writes the new texts of slots into the document; whether anything in it is other than before.

        Raises Unreadable where two member names would become one.
        """
        for slot, text in edits:
            if not slot.is_name:
                slot.holder[slot.key] = text
        _rename([(slot, text) for slot, text in edits if slot.is_name])
        for slot, _ in edits:
            if slot.nested is not None:
                slot.nested.changed = True
        for nested in self.nested:
            if nested.changed:
                nested.holder[nested.key] = _JSON.encode_text(nested.document)
        return bool(edits) or any(nested.changed for nested in self.nested)


def locate(fields: FieldTree, document: Document, limits: Limits) -> Located:
    """The slots of `document` that `fields` reach, each place once, in the order of the fields."""
    found = Located([], [], [])
    seen: set[tuple[int, str | int]] = set()
    for each, nodes in fields.nodes(document.value):
        for value, path, holder, key in nodes:
            place = (id(holder), key)
            if place in seen or value is None or value is True or value is False or value == "":
                continue
            if each.kind == "media":
                found.media.append(each.rule)
            elif each.kind == "json":
                _walk(found, each, value, path, holder, key, limits)
            elif isinstance(value, dict | list):
                continue  # a list of parts, say: other fields reach into it
            else:
                found.slots.append(Slot(str(value), each.rule, path, holder, key, signed=each.signed))
            seen.add(place)
    return found


def _walk(found: Located, each: Field, value: Any, path: Path, holder: Any, key: Any, limits: Limits) -> None:
    """Slots of every text, number and name in `value`; a string that holds JSON is gone into first."""
    nested: Nested | None = None
    if isinstance(value, str):
        try:
            document = _JSON.decode_text(value, limits)
        except Unreadable:
            document = Document(None)  # not JSON, or cut short: plain text then
        if isinstance(document.value, dict | list):
            nested = Nested(document, holder, key, changed=document.ambiguous)
            found.nested.append(nested)
            value = document.value
    pending = [(value, path, holder, key)]
    while pending:
        value, path, holder, key = pending.pop()
        match value:
            case dict():
                for name, member in value.items():
                    inner = (*path, name)
                    found.slots.append(Slot(name, each.rule, inner, value, name, True, each.signed, nested))
                    pending.append((member, inner, value, name))
            case list():
                pending += [(item, (*path, index), value, index) for index, item in enumerate(value)]
            case None | True | False:
                pass
            case _:
                found.slots.append(Slot(str(value), each.rule, path, holder, key, False, each.signed, nested))


def _rename(slots: Sequence[tuple[Slot, str]]) -> None:
    """Gives member names their new text, keeping their order."""
    by_holder: dict[int, tuple[Any, dict[str | int, str]]] = {}
    for slot, text in slots:
        by_holder.setdefault(id(slot.holder), (slot.holder, {}))[1][slot.key] = text
    for holder, names in by_holder.values():
        members = [(names.get(name, name), member) for name, member in holder.items()]
        if len(dict(members)) != len(members):
            raise Unreadable("two member names would become the same", status=422)
        holder.clear()
        holder.update(members)
