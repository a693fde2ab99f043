"""What the stream section of an API description is compiled to: where text sits in each type of event."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from proxy_guard.locate.fields import Field, FieldTree, Kind
from proxy_guard.locate.jsonpath import Query
from proxy_guard.locate.unreached import Remainder
from proxy_guard.model import Path
from proxy_guard.policy.decide import BlockBody, compile_block_body
from proxy_guard.rules.matching import path_pattern
from proxy_guard.rules.reading import Loc
from proxy_guard.rules.stream_file import StreamField, StreamSection


def key_of(path: str) -> Key:
    """A key's path, compiled."""
    steps = path.removeprefix("$").replace("[*]", ".*").split(".")[1:]
    return Key(len(steps) - 1, steps[-1])


@dataclass(frozen=True, slots=True)
class Key:
    """Part of what tells the positions of a stream apart: the member `name` of what is `depth` steps down."""

    depth: int
    name: str

    def of(self, document: Any, path: Path) -> Any:
        """Its value for what stands at `path`; the index in its array where there is no such member."""
        holder = document
        for step in path[: self.depth]:
            holder = holder[step]
        found = holder.get(self.name) if isinstance(holder, dict) else None
        if isinstance(found, int | str):
            return found
        return path[self.depth - 1] if self.depth else 0


@dataclass(frozen=True, slots=True)
class End:
    """What ends texts: a node at `query` that is neither null nor false.

    Those whose keys begin with the keys of that place; without keys, all.
    """

    query: Query = field(repr=False)
    keys: tuple[Key, ...]

    def lanes(self, document: Any) -> list[tuple[Any, ...]]:
        """The keys of what it ends here."""
        return [
            tuple(key.of(document, path) for key in self.keys)
            for value, path, _, _ in self.query(document)
            if value is not None and value is not False
        ]


@dataclass(frozen=True, slots=True)
class Lane:
    """A field whose texts go on from event to event. `number` is its own, or that of the field that it continues."""

    number: int
    kind: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EventRule:
    """Where text sits in events of one type.

    Of the `fields`, `lanes` has those whose texts go on, by their paths; the others' stand by themselves.
    `spelled` selects what spells the texts of all events so far.
    """

    fields: FieldTree = field(repr=False)
    lanes: Mapping[str, Lane]
    ends: Sequence[End] = field(repr=False)
    spelled: Sequence[Query] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamRule:
    """The stream section of an API description, compiled.

    `events` are the types of events that are told apart, `others` is for all others. `replies` select whole
    replies, `reply` are the fields in them. `marks` are data that are no JSON and known to hold no text; `plain`
    are the names of events whose data pass as they are. `error` is the name of the event that tells of an error,
    `block_body` makes its data where they are not those of a block.
    """

    format: str
    paths: re.Pattern[str] | None
    type: Key | None
    events: Mapping[str, EventRule] = field(repr=False)
    others: EventRule = field(repr=False)
    replies: Sequence[Query] = field(repr=False)
    reply: FieldTree = field(repr=False)
    repeats: bool
    marks: frozenset[bytes]
    plain: frozenset[str]
    error: str
    block_body: BlockBody | None = field(repr=False)
    compared: frozenset[str]
    """Names that filters in its paths look at."""

    def event(self, document: Any, name: str) -> EventRule:
        """The rule for an event; `name` is what the format says of its type."""
        if not self.events:
            return self.others
        kind = self.type.of(document, ()) if self.type else name
        return self.events.get(kind, self.others)


def compile_stream(
    section: StreamSection,
    query_of: Callable[[Loc, str], Query | None],
    response: Sequence[Field],
    remainder: Remainder,
) -> StreamRule:
    """The section, compiled. `query_of` compiles the path at a place of it; None where it can't be read.

    `response` are the fields of whole replies, `remainder` is for what no field reaches.
    """
    queries = [query_of(("fields", n, "path"), each.path) for n, each in enumerate(section.fields)]
    fields = [_field(each, query, section) for each, query in zip(section.fields, queries, strict=True) if query]
    ends = [query_of(("end", n, "path"), each.path) for n, each in enumerate(section.end)]
    replies = [query_of(("replies", n), path) for n, path in enumerate(section.replies)]

    def rule(kind: str | None) -> EventRule:
        def counts(types: Sequence[str]) -> bool:
            return not types or kind in types

        own = [n for n, each in enumerate(section.fields) if counts(each.types)]
        return EventRule(
            fields=FieldTree([fields[n] for n in own], remainder),
            lanes={section.fields[n].path: _lane(section.fields, n) for n in own if section.fields[n].runs},
            ends=[
                End(query, tuple(map(key_of, each.keys)))
                for each, query in zip(section.end, ends, strict=True)
                if query and counts(each.types)
            ],
            spelled=[fields[n].query for n in own if section.fields[n].kind == "echo" and section.fields[n].whole],
        )

    types = {name for each in section.fields for name in each.types}
    types |= {name for end in section.end for name in end.types}
    complete = len(fields) == len(section.fields)  # else there is a fault, and no stream with this rule
    return StreamRule(
        format=section.format,
        paths=path_pattern(section.paths) if section.paths else None,
        type=None if section.type == "event" else key_of(section.type),
        events={name: rule(name) for name in sorted(types)} if complete else {},
        others=rule(None) if complete else EventRule(FieldTree([]), {}, [], []),
        replies=[query for query in replies if query],
        reply=FieldTree([replace(each, repeats=section.repeats) for each in response], remainder),
        repeats=section.repeats,
        marks=frozenset(mark.encode() for mark in section.marks),
        plain=frozenset(section.plain),
        error=section.error,
        block_body=compile_block_body(section.block_body)[1] if section.block_body else None,
        compared=frozenset(name for path in _paths(section) for name in _NAME.findall(path.partition("?")[2])),
    )


_NAME = re.compile(r"\w+")


def _paths(section: StreamSection) -> list[str]:
    return [*(each.path for each in section.fields), *(each.path for each in section.end), *section.replies]


def _field(each: StreamField, query: Query, section: StreamSection) -> Field:
    kind: Kind = each.kind if not each.runs and each.kind != "tool" else "text"
    return Field(
        each.path,
        query,
        kind,
        each.signed,
        each.policy,
        each.entity,
        direction="response",
        skip=frozenset(each.skip),
        repeats=section.repeats and each.whole,
    )


def _lane(fields: Sequence[StreamField], number: int) -> Lane:
    each = fields[number]
    first = next((n for n, other in enumerate(fields) if other.path == each.continues), number)
    return Lane(first, each.kind, tuple(map(key_of, each.keys)))
