"""Where text sits in the events of an API's streamed replies: what people write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field as Setting
from pydantic import model_validator

from proxy_guard.rules.reading import FileModel

KeyPath = Annotated[str, Setting(pattern=r"^\$((\.\w+)|(\[\*\]))*\.\w+$")]
_TYPES = "Only in events of these types."


class StreamField(FileModel):
    """One place where text sits in an event."""

    path: str = Setting(description="A JSONPath (RFC 9535).")
    types: list[str] = Setting(default=[], description=_TYPES)
    kind: Literal["text", "json", "media", "echo", "tool"] = Setting(
        default="text",
        description="text: goes as it is decided on. json: pieces of a JSON document, decided on when it is whole. "
        "media: as in messages. echo: what spells the event's texts again, null where one is edited; with `whole`, "
        "those of all events before, too. tool: the name of the tool that the json with the same key is given to.",
    )
    key: KeyPath | list[KeyPath] = Setting(
        default=[],
        description="What tells texts of this path apart: members of what is on the way to it, outermost first. "
        "Texts with the same values are pieces of one text.",
    )
    continues: str | None = Setting(default=None, description="Another `path` whose text goes on here.")
    whole: bool = Setting(default=False, description="The text of each event stands by itself.")
    skip: list[str] = Setting(default=[], description="Names of members that `kind: json` leaves alone.")
    signed: bool = Setting(default=False, description="Signed by the API: a finding ends the stream.")
    policy: str | None = Setting(default=None, description="A policy for this field, in place of the route's.")
    entity: str | None = Setting(default=None, description="What the whole text of this field is known to be.")

    @property
    def keys(self) -> list[str]:
        """The paths of its key."""
        return [self.key] if isinstance(self.key, str) else self.key

    @property
    def runs(self) -> bool:
        """Whether its texts are pieces of texts that go on from event to event, or tell of such."""
        return not self.whole and self.kind != "echo"

    @model_validator(mode="after")
    def _possible(self) -> StreamField:
        if self.whole and (self.keys or self.kind == "tool"):
            raise ValueError("a text that stands by itself has no key, and is no name of a tool")
        if self.kind == "media" and not self.whole:
            raise ValueError("media stand by themselves: say `whole: true`")
        return self


class StreamEnd(FileModel):
    """What in an event tells that texts have ended."""

    path: str = Setting(default="$", description="A JSONPath; it ends them where it selects more than null and false.")
    types: list[str] = Setting(default=[], description=_TYPES)
    key: KeyPath | list[KeyPath] = Setting(
        default=[], description="Whose texts end: those whose own keys begin with these; all without it."
    )

    @property
    def keys(self) -> list[str]:
        """The paths of its key."""
        return [self.key] if isinstance(self.key, str) else self.key

    @model_validator(mode="after")
    def _possible(self) -> StreamEnd:
        if self.path == "$" and not self.types:
            raise ValueError("say `path`, or `types` of events, or both")
        return self


class StreamSection(FileModel):
    """How an API's replies stream."""

    format: Literal["sse", "ndjson", "json", "aws", "aws-bytes"] = Setting(
        description="sse: text/event-stream. ndjson: application/x-ndjson. json: one array of application/json, whose "
        "items are the events. aws: application/vnd.amazon.eventstream. aws-bytes: the same, each event's document "
        "in base64 in its member `bytes`."
    )
    paths: list[str] = Setting(
        default=[], description="Only in replies to requests of these paths; globs as in `match`."
    )
    type: KeyPath | Literal["event"] = Setting(
        default="$.type",
        description="What tells the type of an event: a member of it, or `event`: its name in the format.",
    )
    fields: list[StreamField] = Setting(min_length=1)
    replies: list[str] = Setting(
        default=[], description="JSONPaths of whole replies in events, with the fields of `response` in them."
    )
    repeats: bool = Setting(
        default=False,
        description="Whole texts may be those that went by in pieces: they become what those became.",
    )
    end: list[StreamEnd] = Setting(default=[])
    marks: list[str] = Setting(
        default=["[DONE]"], description="Data of an event that are no JSON. All texts end there."
    )
    plain: list[str] = Setting(
        default=[], description="Names of events whose data are no JSON and go on as they are, such as an address."
    )
    error: str = Setting(
        default="error", description="The name of the event that tells of a block; its data are the `block_body`."
    )
    block_body: dict[str, Any] | None = Setting(
        default=None, description="The data of that event, where they are other than the body of a block."
    )

    @model_validator(mode="after")
    def _possible(self) -> StreamSection:
        if self.format == "json" and not self.paths:
            raise ValueError("`format: json` needs `paths`, which tell such replies from others in application/json")
        paths = [each.path for each in self.fields]
        for each in self.fields:
            if each.continues and paths.count(each.continues) != 1:
                raise ValueError(f"'{each.continues}' is not the `path` of one field of the stream")
        return self
