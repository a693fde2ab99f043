"""Where text sits in the events of an API's streamed replies: what people write, and what it is compiled to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field as Setting
from pydantic import model_validator

from proxy_guard.locate.fields import Field, FieldTree, Kind
from proxy_guard.locate.jsonpath import Query
from proxy_guard.model import Path
from proxy_guard.rules.reading import FileModel, Loc

KeyPath = Annotated[str, Setting(pattern=r"^\$((\.\w+)|(\[\*\]))*\.\w+$")]


class StreamField(FileModel):
    """One place where text sits in an event."""

    path: str = Setting(description="A JSONPath (RFC 9535).")
    kind: Literal["text", "json", "media", "tool"] = Setting(
        default="text",
        description="text: goes as it is decided on. json: pieces of a JSON document, decided on when it is whole. "
        "media: as in messages. tool: the name of the tool that the json with the same key is given to.",
    )
    key: KeyPath | list[KeyPath] = Setting(
        default=[],
        description="What tells texts of this path apart: members of what is on the way to it, outermost first. "
        "Texts with the same values are pieces of one text.",
    )
    continues: str | None = Setting(default=None, description="Another `path` whose text goes on here.")
    whole: bool = Setting(default=False, description="The text of each event stands by itself.")
    signed: bool = Setting(default=False, description="Signed by the API: a finding ends the stream.")
    policy: str | None = Setting(default=None, description="A policy for this field, in place of the route's.")
    entity: str | None = Setting(default=None, description="What the whole text of this field is known to be.")

    @property
    def keys(self) -> list[str]:
        """The paths of its key."""
        return [self.key] if isinstance(self.key, str) else self.key

    @model_validator(mode="after")
    def _possible(self) -> StreamField:
        if self.whole and (self.keys or self.kind == "tool"):
            raise ValueError("a text that stands by itself has no key, and is no name of a tool")
        if self.kind == "media" and not self.whole:
            raise ValueError("media stand by themselves: say `whole: true`")
        return self


class StreamEnd(FileModel):
    """What in an event tells that texts have ended."""

    path: str = Setting(description="A JSONPath; it ends them where it selects something other than null.")
    equals: str | None = Setting(default=None, description="Only where it selects this.")
    key: KeyPath | list[KeyPath] = Setting(
        default=[], description="Whose texts end: those whose own keys begin with these; all without it."
    )

    @property
    def keys(self) -> list[str]:
        """The paths of its key."""
        return [self.key] if isinstance(self.key, str) else self.key


class StreamSection(FileModel):
    """How an API's replies stream."""

    format: Literal["sse", "ndjson", "aws"] = Setting(
        description="sse: text/event-stream. ndjson: application/x-ndjson. aws: application/vnd.amazon.eventstream."
    )
    fields: list[StreamField] = Setting(min_length=1)
    end: list[StreamEnd] = Setting(default=[])
    echoes: list[str] = Setting(
        default=[], description="JSONPaths of what repeats a text (`logprobs`): null where an event's text is edited."
    )
    marks: list[str] = Setting(
        default=["[DONE]"], description="Data of an event that are no JSON. All texts end there."
    )
    error: str = Setting(
        default="error", description="The name of the event that tells of a block; its data are the `block_body`."
    )

    @model_validator(mode="after")
    def _continued(self) -> StreamSection:
        paths = {each.path for each in self.fields}
        for each in self.fields:
            if each.continues and each.continues not in paths:
                raise ValueError(f"'{each.continues}' is the `path` of no field of the stream")
        return self


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
    """What ends texts: a node at `query` that is not null, and where it is given `equals`.

    Those whose keys begin with the keys of that place; without keys, all.
    """

    query: Query = field(repr=False)
    equals: str | None
    keys: tuple[Key, ...]

    def lanes(self, document: Any) -> list[tuple[Any, ...]]:
        """The keys of what it ends here."""
        return [
            tuple(key.of(document, path) for key in self.keys)
            for value, path, _, _ in self.query(document)
            if value is not None and self.equals in (None, value)
        ]


@dataclass(frozen=True, slots=True)
class StreamRule:
    """The stream section of an API description, compiled.

    `running` are fields whose texts go on from event to event, by their rules with the `keys` of each and with the
    rule whose text it goes on with, if that is another one (`continued`). `whole` are those of texts that an event
    holds whole. `echoes` repeat a text: they become null where it is edited. `marks` are data that are no JSON and
    known to hold no text. `error` is the name of the event that tells of an error.
    """

    format: str
    running: FieldTree = field(repr=False)
    kinds: dict[str, str]
    keys: dict[str, tuple[Key, ...]]
    continued: dict[str, str]
    whole: FieldTree = field(repr=False)
    ends: Sequence[End] = field(repr=False)
    echoes: Sequence[Query] = field(repr=False)
    marks: frozenset[bytes]
    error: str


def compile_stream(section: StreamSection, query_of: Callable[[Loc, str], Query | None]) -> StreamRule:
    """The section, compiled. `query_of` compiles the path at a place of it; None where it can't be read."""
    running: list[Field] = []
    whole: list[Field] = []
    for index, each in enumerate(section.fields):
        query = query_of(("fields", index, "path"), each.path)
        if query:
            kind: Kind = each.kind if each.whole and each.kind != "tool" else "text"
            made = Field(each.path, query, kind, each.signed, each.policy, each.entity, 0, "response")
            (whole if each.whole else running).append(made)
    ends = [(each, query_of(("end", index, "path"), each.path)) for index, each in enumerate(section.end)]
    echoes = [query_of(("echoes", index), path) for index, path in enumerate(section.echoes)]
    return StreamRule(
        format=section.format,
        running=FieldTree(running),
        kinds={each.path: each.kind for each in section.fields},
        keys={each.path: tuple(map(key_of, each.keys)) for each in section.fields},
        continued={each.path: each.continues for each in section.fields if each.continues},
        whole=FieldTree(whole),
        ends=[End(query, each.equals, tuple(map(key_of, each.keys))) for each, query in ends if query],
        echoes=[echo for echo in echoes if echo],
        marks=frozenset(mark.encode() for mark in section.marks),
        error=section.error,
    )
