"""What people write: one model per kind of rule file. `load.py` compiles them; nothing here runs per message."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from proxy_guard.errors import Cause
from proxy_guard.rules.reading import FileModel

Version = Literal[1]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Lower case, digits and hyphens.")]
Then = Literal["block", "keep"]
Score = Annotated[float, Field(ge=0, le=1)]

# --- API descriptions: WHERE ---------------------------------------------------------------------------


class Match(FileModel):
    """Which requests an API description is about."""

    methods: list[str] = Field(default=["POST"], min_length=1, description="HTTP methods, upper case.")
    hosts: list[str] = Field(default=["*"], description="Host names; `*` stands for any characters.")
    paths: list[str] = Field(
        min_length=1, description="URL paths; `*` stands for any characters of one segment, `**` for any segments."
    )
    content_types: list[str] = Field(
        default=["application/json", "application/*+json"],
        description="Media types of the request; another one is refused with 415.",
    )

    @field_validator("paths")
    @classmethod
    def _absolute(cls, paths: list[str]) -> list[str]:
        for path in paths:
            if not path.startswith("/"):
                raise ValueError(f"the path '{path}' does not start with '/'")
        return paths


class FieldRule(FileModel):
    """One place where text or media sits."""

    path: str = Field(description="A JSONPath (RFC 9535).")
    kind: Literal["text", "json", "media"] = Field(
        default="text",
        description="text: a string or number. json: every string, number and name in a value, also in a string "
        "that holds JSON. media: an image, file or recording.",
    )
    signed: bool = Field(default=False, description="Signed by the API: scanned but never rewritten; a finding blocks.")


class ApiFile(FileModel):
    """An API description: where text and media sit in one API's messages."""

    version: Version
    name: Name
    title: str = ""
    match: Match
    dialect: Literal["rfc9535", "jsonpath-ng"] = "rfc9535"
    request: list[FieldRule] = []
    response: list[FieldRule] = []
    block_body: dict[str, Any] | None = Field(
        default=None,
        description="The body of a block, as this API's clients understand it. `{message}`, `{reason}` and "
        "`{code}` in its strings, `{status}` alone, are filled in. Without it: RFC 9457 problem+json.",
    )


# --- Policies: WHAT ------------------------------------------------------------------------------------


class BlockReply(FileModel):
    """How a message that may not pass is answered."""

    status: Annotated[int, Field(ge=400, le=499)] = 422
    message: str = "This message holds data that may not be sent."


class PolicyFile(FileModel):
    """A policy: what is done to each kind of sensitive data."""

    version: Version
    name: Name
    title: str = ""
    entities: dict[str, dict[str, Any]] = Field(
        description="Entity to action and its settings, and `min_score`.", min_length=1
    )
    otherwise: dict[str, Any] | Literal["keep"] = Field(
        default="keep", description="The action for entities not named above; `keep` does not look for them."
    )
    min_score: Score = Field(default=0.4, description="Findings below it are left alone.")
    scrubber: str = Field(default="local", description="Who finds: an entry point of proxy_guard.scrubbers.")
    language: str = "en"
    block: BlockReply = BlockReply()
    on_error: Then | dict[Cause, Then] = Field(
        default="block", description="What becomes of a message that can't be read or decided, per cause or for all."
    )
    mode: Literal["enforce", "observe"] = Field(
        default="enforce", description="observe: everything passes unchanged; what would have been done is logged."
    )


# --- The operator's own file ---------------------------------------------------------------------------


class LimitsRule(FileModel):
    """What a message may be, at most."""

    body: PositiveInt | None = Field(default=None, description="Bytes on the wire.")
    decoded: PositiveInt | None = Field(default=None, description="Bytes after Content-Encoding is taken off.")
    ratio: PositiveInt | None = Field(default=None, description="Decoded bytes per byte on the wire.")
    depth: PositiveInt | None = Field(default=None, description="Levels of nesting of JSON.")
    time: PositiveFloat | None = Field(default=None, description="Seconds for the scrubbing of one message.")


class Route(FileModel):
    """Traffic, told by host and path, and what applies to it."""

    hosts: list[str] = Field(default=["*"], min_length=1)
    paths: list[str] = Field(default=["/**"], min_length=1)
    apis: list[Name] = Field(default=[], description="API descriptions, tried in this order; none: all there are.")
    policy: Name = "mask"
    unmatched: Literal["allow", "block"] = Field(
        default="allow", description="Requests of this route that no API description matches."
    )


class GuardFile(FileModel):
    """The operator's file: which traffic meets which API description and policy, and the limits."""

    version: Version
    routes: list[Route] = Field(min_length=1, description="The first route that matches a request counts.")
    limits: LimitsRule = LimitsRule()


# --- Sibling proofs ------------------------------------------------------------------------------------


class Blocked(FileModel):
    """What a blocked case has to show."""

    status: int | None = None
    entities: list[str] = []


class Case(FileModel):
    """One message and what has to become of it: exactly one of `becomes`, `blocked` and `unchanged`."""

    name: str
    url: str = "https://api.openai.com/v1/chat/completions"
    method: str = "POST"
    text: str | None = Field(default=None, description="Short for a chat request whose one message is this text.")
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    policy: Name | None = Field(default=None, description="The policy to prove this with; else the file's own.")
    becomes: dict[str, Any] | str | None = None
    blocked: Blocked | Literal[True] | None = None
    unchanged: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.text, self.request, self.response)) != 1:
            raise ValueError("a case has exactly one of text, request and response")
        if sum(each is not None for each in (self.becomes, self.blocked, self.unchanged)) != 1:
            raise ValueError("a case has exactly one of becomes, blocked and unchanged")
        if isinstance(self.becomes, str) and self.text is None:
            raise ValueError("`becomes` is a text only where the case has a text")
        return self


class ProofFile(FileModel):
    """The proof of the rule file beside it."""

    version: Version
    cases: list[Case] = Field(min_length=1)


KINDS: dict[str, type[FileModel]] = {
    "guard": GuardFile,
    "api": ApiFile,
    "policy": PolicyFile,
    "proof": ProofFile,
}
"""The kinds of rule files by the name of their JSON Schema."""
