"""What the websocket section of an API description is compiled to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxy_guard.locate.fields import Field, FieldTree
from proxy_guard.locate.jsonpath import Query
from proxy_guard.model import Direction
from proxy_guard.rules.reading import Loc
from proxy_guard.rules.streams import Key, Lane, key_of
from proxy_guard.rules.websocket_file import Side, TextEnd, WebSocketSection

QueryOf = Callable[[Loc, str], Query | None]


@dataclass(frozen=True, slots=True)
class MessageType:
    """Where text sits in messages of one type. `running` has those of the `fields` whose texts go on, by their paths.

    `ends` are the keys of texts that end with such a message.
    """

    fields: FieldTree = field(repr=False)
    running: Mapping[str, Lane]
    ends: Sequence[Sequence[Query]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MessageRule:
    """Where text sits in messages of one direction: of some types, and of all `others`."""

    type: Key
    types: Mapping[str, MessageType]
    others: MessageType
    binary: bool
    marks: frozenset[bytes]
    text: bool = False
    """A message that does not begin as an object or array does is one text."""

    def of(self, document: Any) -> MessageType:
        """The rule for a message."""
        return self.types.get(self.type.of(document, ()), self.others)


@dataclass(frozen=True, slots=True)
class WebSocketRule:
    """How messages of both directions are read."""

    request: MessageRule
    response: MessageRule


def compile_websocket(
    section: WebSocketSection, request: FieldTree, response: FieldTree, query_of: QueryOf
) -> WebSocketRule:
    """The section, compiled. `request` and `response` are the fields of texts that stand by themselves.

    `query_of` compiles the path at a place of the section; None where it can't be read.
    """
    return WebSocketRule(
        _side(section, "send", section.send, request, "request", query_of),
        _side(section, "receive", section.receive, response, "response", query_of),
    )


def _side(
    section: WebSocketSection, name: str, side: Side | None, whole: FieldTree, direction: Direction, query_of: QueryOf
) -> MessageRule:
    written = list(side.fields) if side else []
    queries = [query_of((name, "fields", n, "path"), each.path) for n, each in enumerate(written)]
    fields = [
        (
            each,
            Field(
                each.path,
                query,
                "media" if each.kind == "media" else "text",
                each.signed,
                each.policy,
                each.entity,
                0,
                direction,
            ),
        )
        for each, query in zip(written, queries, strict=True)
        if query
    ]
    numbers = {each.path: n for n, each in enumerate(written)}
    ends = list(side.end) if side else []
    ended = [(each, _queries(name, n, each, query_of)) for n, each in enumerate(ends)]

    def rule(of: str | None) -> MessageType:
        own = [(each, made) for each, made in fields if not each.types or of in each.types]
        return MessageType(
            fields=whole.after(FieldTree([made for _, made in own])),
            running={each.path: Lane(numbers[each.path], each.kind, tuple(map(key_of, each.key))) for each, _ in own},
            ends=[keys for each, keys in ended if of in each.types],
        )

    return MessageRule(
        type=key_of(section.type),
        types={
            of: rule(of)
            for of in {of for types in [*(f.types for f in written), *(e.types for e in ends)] for of in types}
        },
        others=rule(None),
        binary=section.binary == "json",
        marks=frozenset(mark.encode() for mark in section.marks),
    )


def _queries(name: str, number: int, end: TextEnd, query_of: QueryOf) -> list[Query]:
    queries = [query_of((name, "end", number, "key", n), path) for n, path in enumerate(end.key)]
    return [query for query in queries if query]
