"""From a document to its slots, and from edited slots back into the document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal

from proxy_guard.codecs import Document, Limits, Media
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Unreadable
from proxy_guard.locate.jsonpath import Node, Query, Step, root_nodes
from proxy_guard.locate.media import Inline, MediaSlot, media_at
from proxy_guard.locate.unreached import IDENTIFIER, RULE, MemberName, Remainder
from proxy_guard.model import Direction, Path, Slot

Kind = Literal["text", "json", "media", "echo"]
_JSON = JsonCodec()
_OPENINGS = ("{", "[", '"')
_MOST_LEVELS = 8
"""Of JSON in a string in JSON in a string; a message with more is refused."""


@dataclass(frozen=True, slots=True)
class Field:
    """One JSONPath rule of an API description, compiled. `signed`: read, but never rewritten.

    `policy`, `entity`, `join` and `direction` are those of its slots. `skip` names members that kind `json` leaves
    alone, `identifiers` those of which it leaves alone numbers and identifiers. Kind `echo` spells texts again, in
    tokens say: null once a text is edited. `repeats`: its texts may be those that `locate` is told of as known.
    `inline`: how a linked medium is written in place of its link.
    """

    rule: str
    query: Query = field(repr=False)
    kind: Kind
    signed: bool = False
    policy: str | None = None
    entity: str | None = None
    join: int = 0
    direction: Direction = "request"
    skip: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()
    repeats: bool = False
    inline: Inline | None = None


Known = Mapping[tuple[str | None, str], str]
"""Texts of policies of fields (None: the route's) that are decided on already, and what becomes of them."""


@dataclass(slots=True)
class _Branch:
    """One segment, the fields that end with it, and what goes on from it."""

    step: Step
    ends: list[int] = field(default_factory=list)
    onward: dict[str, _Branch] = field(default_factory=dict)


class FieldTree:
    """Fields that go through a document together: what their paths have in common is walked once."""

    def __init__(self, fields: Sequence[Field], remainder: Remainder | None = None) -> None:
        self.remainder = remainder
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

    @property
    def reads_all(self) -> bool:
        """Whether one of them takes a whole document, be it a single string."""
        return any(self._fields[index].kind == "json" for index in self._roots)

    def after(self, first: FieldTree) -> FieldTree:
        """The fields of `first` and then these; what neither reaches is as these have it."""
        return FieldTree([*first._fields, *self._fields], self.remainder)

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
_ROOT = Query([])
_UNREACHED = {
    "scan": Field(RULE, _ROOT, "json"),
    "observe": Field(RULE, _ROOT, "json"),
    "block": Field(RULE, _ROOT, "json", signed=True),
}
_CONTAINERS = (dict, list)


@dataclass(slots=True)
class Nested:
    """A document held in the string `holder[key]`, itself in `parent` if that is one; `root[0]` is its value.

    `changed` says that the string has to be written anew.
    """

    root: list[Any]
    exact: bool
    holder: Any
    key: Any
    changed: bool
    parent: Nested | None


@dataclass(slots=True)
class Located:
    """The slots of one document, the media in it, and the documents held in its strings."""

    slots: list[Slot]
    media: list[MediaSlot]
    nested: list[Nested]
    """Each after the one that it is part of."""
    echoes: list[tuple[Any, Any]] = field(default_factory=list)
    """Holders and keys of what spells texts again."""
    known: list[tuple[Slot, str]] = field(default_factory=list)
    """Slots of texts that are decided on already, and what becomes of them."""

    def apply(self, edits: Sequence[tuple[Slot, str]]) -> bool:
        """Writes the new texts of slots into the document; whether anything in it is other than before.

        Raises Unreadable where two member names would become one.
        """
        names: dict[int, list[tuple[Slot, str]]] = {}
        for slot, text in edits:
            if slot.nested is not None:
                slot.nested.changed = True
            if slot.is_name:
                names.setdefault(id(slot.nested), []).append((slot, text))
            else:
                slot.holder[slot.key] = text
        for holder, key in self.echoes if edits else ():
            holder[key] = None
        # From the inside out: a string is written before the member that holds it may get another name.
        for nested in reversed(self.nested):
            _rename(names.get(id(nested), []))
            if nested.changed:
                document = Document(nested.root[0], exact=nested.exact)
                nested.holder[nested.key] = _JSON.encode_text(document)
                if nested.parent is not None:
                    nested.parent.changed = True
        _rename(names.get(id(None), []))
        return bool(edits) or any(nested.changed for nested in self.nested)


_NOTHING: Known = {}


def locate(
    fields: FieldTree, document: Document, limits: Limits, known: Known = _NOTHING, reached: Iterable[Node] = ()
) -> Located:
    """The slots of `document` that `fields` reach, each place once, in the order of the fields.

    Those of texts that are `known` are apart. What is `reached` has been seen already.
    """
    walk = _Walk(limits, known, reached)
    for each, nodes in fields.nodes(document.value):
        for node in nodes:
            walk.visit(each, node)
    if fields.remainder and fields:
        walk.rest(fields.remainder, document.value)
    if document.files:
        walk.files(document.value)
    return walk.found


class _Walk:
    """One pass of all fields through one document."""

    __slots__ = ("_known", "_limits", "_seen", "found")

    def __init__(self, limits: Limits, known: Known, reached: Iterable[Node]) -> None:
        self.found = Located([], [], [])
        self._limits = limits
        self._known = known
        # Paths, and for names of members (path, name). Identities are dear wherever an audit hook is told of them.
        self._seen: set[tuple[Any, ...]] = {path for _, path, _, _ in reached}

    def visit(self, each: Field, node: Node) -> None:
        """What one field reached at one place."""
        value, path, holder, key = node
        if path in self._seen or value is None or value is True or value is False or value == "":
            return
        if each.repeats and self._is_known(each, node):
            return
        if each.kind == "media" or isinstance(value, Media):
            self._media(each, node)
            return
        if each.kind == "json":
            self._inside(each, node)
            return
        if each.kind == "echo":
            if value:  # one that is empty spells nothing
                self.found.echoes.append((holder, key))
        elif isinstance(value, dict | list):
            return  # a list of parts, say: other fields reach into it
        else:
            slot = Slot(_text(value), each.rule, path, holder, key, False, each.signed)
            slot.join = each.join
            self._add(each, slot)
        self._seen.add(path)

    def _media(self, each: Field, node: Node) -> None:
        media = list(media_at(node))
        if not media and node[0] != []:
            media = [MediaSlot("", node[1], node[2], node[3], "unknown")]
        for slot in media:
            if slot.path not in self._seen:
                self._seen.add(slot.path)
                slot.rule, slot.policy, slot.inline = each.rule, each.policy, each.inline
                self.found.media.append(slot)

    def files(self, document: Any) -> None:
        """The files of a body that no field reached: those of a form, or the one that it is."""
        places: list[tuple[Path, Any]] = [(("content",), document)]
        places += [
            ((name, index, "content"), item)
            for name, items in document.items()
            for index, item in enumerate(items if isinstance(items, list) else ())
        ]
        for path, holder in places:
            is_file = isinstance(holder, dict) and isinstance(holder.get("content"), Media)
            if is_file and path not in self._seen:
                self.found.media.append(MediaSlot("a file", path, holder, "content", "file"))

    def _is_known(self, each: Field, node: Node) -> bool:
        """Whether a text is decided on already; then so is this place."""
        value, path, holder, key = node
        if not isinstance(value, str) or each.signed or each.entity or each.kind not in ("text", "json"):
            return False
        became = self._known.get((each.policy, value))
        if became is None:
            return False
        self.found.known.append((Slot(value, each.rule, path, holder, key), became))
        self._seen.add(path)
        return True

    def rest(self, remainder: Remainder, document: Any) -> None:
        """Slots of what no field reached."""
        each = _UNREACHED[remainder.mode]
        for node in remainder.nodes(document, self._seen):
            first = len(self.found.slots)
            if isinstance(node[3], MemberName):
                name, path, holder, _ = node
                self._add(each, Slot(name, each.rule, path, holder, name, True, each.signed))
            else:
                self._strings(each, node)
            for slot in self.found.slots[first:]:
                slot.unreached = remainder.mode

    def _add(self, each: Field, slot: Slot) -> None:
        slot.policy, slot.entity, slot.direction = each.policy, each.entity, each.direction
        self.found.slots.append(slot)

    def _inside(self, each: Field, node: Node) -> None:
        """Slots of every text, number and name in a value; strings that hold JSON are gone into."""
        first = len(self.found.slots)
        self._strings(each, node)
        tool = node[2].get("name") if isinstance(node[2], dict) else None
        if isinstance(tool, str):
            # The value is what a tool is called with: every API has the tool's name beside it.
            depth = len(node[1])
            for slot in self.found.slots[first:]:
                slot.call = (tool, str(slot.path[depth]) if len(slot.path) > depth else "")

    def _strings(self, each: Field, node: Node) -> None:
        pending: list[tuple[Node, Nested | None, int]] = [(node, None, 0)]
        while pending:
            (value, path, holder, key), nested, level = pending.pop()
            if path in self._seen or value is None or value is True or value is False:
                continue
            self._seen.add(path)
            if isinstance(value, str) and value.lstrip()[:1] in _OPENINGS:
                inner = self._held(value, holder, key, nested)
                if inner is not None:
                    if level == _MOST_LEVELS:
                        raise Unreadable(f"JSON is held in strings deeper than {_MOST_LEVELS} levels")
                    nested, value, level = inner, inner.root[0], level + 1
                    holder, key = inner.root, 0
            match value:
                case dict():
                    members: list[tuple[Node, Nested | None, int]] = []
                    for name, member in value.items():
                        at = (*path, name)
                        if name in each.skip or (name in each.identifiers and _identifies(member)):
                            self._seen.add(at)
                            continue
                        if (path, name) not in self._seen:
                            self._seen.add((path, name))
                            self._add(each, Slot(name, each.rule, at, value, name, True, each.signed, nested))
                        members.append(((member, at, value, name), nested, level))
                    pending += reversed(members)  # the last is taken next: texts come in their order
                case list():
                    items = [((item, (*path, n), value, n), nested, level) for n, item in enumerate(value)]
                    pending += reversed(items)
                case Media():  # no text, and yet nothing to be passed over
                    medium = MediaSlot(each.rule, path, holder, key, "file", policy=each.policy)
                    self.found.media.append(medium)
                case _:
                    self._add(each, Slot(_text(value), each.rule, path, holder, key, False, each.signed, nested))

    def _held(self, text: str, holder: Any, key: Any, parent: Nested | None) -> Nested | None:
        """The document that a string holds; None where it is no JSON, or cut short: plain text then."""
        try:
            document = _JSON.decode_text(text, self._limits)
        except Unreadable:
            return None
        if not isinstance(document.value, dict | list | str):
            return None
        nested = Nested([document.value], document.exact, holder, key, document.ambiguous, parent)
        self.found.nested.append(nested)
        return nested


def _text(value: Any) -> str:
    """What a string or a number says; of a number that is whole, its digits, however it is written."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return str(int(value))
    return str(value)


_WHOLE = 1e21
"""From here on other readers write an exponent, too (ECMA-262 6.1.6.1.20)."""


def _identifies(member: Any) -> bool:
    return isinstance(member, int | float) or (isinstance(member, str) and IDENTIFIER.fullmatch(member) is not None)


def _rename(slots: Sequence[tuple[Slot, str]]) -> None:
    """Gives member names their new text, keeping their order."""
    by_holder: dict[int, tuple[Any, dict[Any, str]]] = {}
    for slot, text in slots:
        by_holder.setdefault(id(slot.holder), (slot.holder, {}))[1][slot.key] = text
    for holder, names in by_holder.values():
        members = [(names.get(name, name), member) for name, member in holder.items()]
        if len(dict(members)) != len(members):
            raise Unreadable("two member names would become the same", status=422)
        holder.clear()
        holder.update(members)
