"""What people write: one model per kind of rule file. `load.py` compiles them; nothing here runs per message."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from proxy_guard.errors import Cause
from proxy_guard.locate.head import UNEDITABLE, segment_pattern
from proxy_guard.remote.settings import ConnectionProofFile
from proxy_guard.rules.answers import BlockIdRule
from proxy_guard.rules.limits import LimitsRule
from proxy_guard.rules.media_file import MediaSection
from proxy_guard.rules.proof_file import ProofFile
from proxy_guard.rules.reading import FileModel, Name, Version
from proxy_guard.rules.signatures import AnyConnectionFile, Named, SignatureRule, WebhookRule
from proxy_guard.rules.stream_file import StreamSection
from proxy_guard.rules.template_file import TemplateFile
from proxy_guard.rules.websocket_file import WebSocketSection

Then = Literal["block", "keep"]
Score = Annotated[float, Field(ge=0, le=1)]

# --- API descriptions: WHERE ---------------------------------------------------------------------------


class Match(FileModel):
    """Which requests an API description is about."""

    methods: list[str] = Field(
        default=["POST"], description="HTTP methods, upper case; none for what is spoken over WebSockets only."
    )
    hosts: list[str] = Field(default=["*"], description="Host names; `*` stands for any characters.")
    paths: list[str] = Field(
        min_length=1, description="URL paths; `*` stands for any characters of one segment, `**` for any segments."
    )
    content_types: list[str] = Field(
        default=["application/json", "application/*+json"],
        description="Media types of requests and replies; another one is refused with 415.",
    )
    files: bool = Field(
        default=False,
        description="Every body is one file, whatever its media type says; `content_types` is not asked then.",
    )
    named_only: bool = Field(
        default=False, description="Only for routes that name it in `apis`: its paths are those of others, too."
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
    kind: Literal["text", "json", "media", "echo"] = Field(
        default="text",
        description="text: a string or number. json: every string, number and name in a value, also in a string "
        "that holds JSON. media: an image, file or recording. echo: what spells the texts again, in tokens or bytes; "
        "it becomes null when a text of the message is edited.",
    )
    signed: bool = Field(default=False, description="Signed by the API: scanned but never rewritten; a finding blocks.")
    join: str | None = Field(
        default=None,
        description="The start of `path` that leads to one message: its parts, and all messages of one speaker, are "
        "also scanned strung together. For `kind: text`.",
    )
    skip: list[str] = Field(default=[], description="Names of members that `kind: json` leaves alone.")
    identifiers: list[str] = Field(
        default=[],
        description="Names of members of which `kind: json` leaves alone numbers, and strings that look like an "
        "identifier; all else in them is read.",
    )
    policy: Name | None = Field(default=None, description="A policy for this field, in place of the route's.")
    inline: Literal["data_url", "source", "inline_data", "file_data"] | None = Field(
        default=None,
        description="How a linked medium is written in place of its link, for `kind: media`. data_url: as one. source: "
        "as Anthropic has it. inline_data: as Gemini has it. file_data: as one, in a member beside. Without it links "
        "can't be fetched here.",
    )
    entity: str | None = Field(
        default=None, description="What the whole text of this field is known to be: it is a finding as it stands."
    )


class UrlRule(FileModel):
    """What is inspected of the URL of a request."""

    query: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="Names of parameters, whose values are all inspected; `*` is every parameter."
    )
    segments: list[str] = Field(
        default=[], description="Paths that name the segments to be inspected: `/users/{name}/**`; globs as in `match`."
    )

    @field_validator("segments")
    @classmethod
    def _readable(cls, segments: list[str]) -> list[str]:
        for each in segments:
            segment_pattern(each)
        return segments


class ApiFile(FileModel):
    """An API description: where text and media sit in one API's messages."""

    version: Version
    name: Name
    title: str = ""
    match: Match
    dialect: Literal["rfc9535", "jsonpath-ng"] = "rfc9535"
    speaker: str = Field(default="role", description="The member of a joined message that says who speaks.")
    url: UrlRule = Field(default=UrlRule(), description="Fields in the URL of a request.")
    headers: list[str] = Field(default=[], description="Headers of a request whose values are inspected.")
    unreached: Literal["scan", "observe", "block"] = Field(
        default="scan",
        description="Strings that no field reached. scan: they are scrubbed like others. observe: findings in them are "
        "only told. block: a finding in them blocks.",
    )
    skip: list[str] = Field(
        default=[],
        description="What of them is left alone: names of members, and JSONPaths (`$…`). Identifiers under names such "
        "as `id`, `type` and `model` always are.",
    )
    request: list[FieldRule] = []
    response: list[FieldRule] = []
    signatures: list[Named | SignatureRule] = Field(
        default=[], description="How all its requests are signed. For those of webhooks only, see `webhooks`."
    )
    webhooks: WebhookRule | None = Field(default=None, description="Which of its requests a provider sends to you.")
    stream: StreamSection | list[StreamSection] | None = Field(
        default=None,
        description="How replies stream, in one format or several; without it, those that stream are refused.",
    )
    websocket: WebSocketSection | None = Field(
        default=None, description="How WebSockets at these paths are spoken; without it they are not this API's."
    )
    block_body: dict[str, Any] | None = Field(
        default=None,
        description="The body of a block, as this API's clients understand it. `{message}`, `{reason}` and "
        "`{code}` in its strings, `{status}` and `{id}` alone, are filled in. Without it: RFC 9457 problem+json.",
    )
    block_id: BlockIdRule | None = Field(
        default=None, description="For APIs that answer a message by its identifier, as JSON-RPC does."
    )

    @model_validator(mode="after")
    def _signed_once(self) -> Self:
        if self.signatures and self.webhooks and self.webhooks.signatures:
            raise ValueError("`signatures` are those of all requests, or those of `webhooks`")
        return self

    @property
    def streams(self) -> list[StreamSection]:
        """How replies stream."""
        return self.stream if isinstance(self.stream, list) else [self.stream] if self.stream else []

    @model_validator(mode="after")
    def _spoken(self) -> Self:
        if not self.match.methods and not self.websocket:
            raise ValueError("`methods` names none, and there is no `websocket` section: nothing could match")
        return self

    @field_validator("headers")
    @classmethod
    def _texts(cls, headers: list[str]) -> list[str]:
        for name in headers:
            if name.lower() in UNEDITABLE:
                raise ValueError(f"the header '{name}' says how a message is read: it is no field")
        return headers


# --- Policies: WHAT ------------------------------------------------------------------------------------


class BlockReply(FileModel):
    """How a message that may not pass is answered."""

    status: Annotated[int, Field(ge=400, le=499)] = 422
    message: str = "This message holds data that may not be sent."
    as_: Literal["error", "acknowledge"] = Field(
        default="error",
        alias="as",
        description="acknowledge: a webhook is answered with success and dropped, since providers send one again, or "
        "switch the hook off, where it is answered with an error.",
    )
    websocket: Literal["close", "drop"] = Field(
        default="close",
        description="close: the connection ends with 1008. drop: the message alone goes missing, unless it is a piece "
        "of a text that goes on.",
    )


class RestoreRule(FileModel):
    """Which references become the real values again in replies."""

    vault: str = Field(default="default", description="The vault of `guard.yaml` that gave them.")
    scope: Literal["account", "conversation", "global"] = Field(
        default="account", description="As `pseudonymize` has it: only references of the same scope are restored."
    )
    arguments: dict[str, list[str]] = Field(
        default={},
        description="Tool to its arguments in which references are restored, too. In others they stay: whoever can "
        "make the model call a tool could have the value sent to himself.",
    )


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
    phone_regions: list[str] | None = Field(
        default=None,
        description="Where phone numbers without a country code may be from, by ISO 3166-1 codes; "
        "without it, IN, US and GB. With [], only numbers with a plus sign and those that words say are one.",
    )
    scrubber: str | Annotated[list[str], Field(min_length=1)] = Field(
        default="local",
        description="Who finds: `local`, another entry point of proxy_guard.scrubbers, or a connection of kind "
        "scrubber. Of several, each gets the text as the one before left it.",
    )
    fallback: str | None = Field(default=None, description="Who finds where the (last) scrubber fails.")
    restore: RestoreRule | bool = Field(
        default=False, description="References in replies become the real values again; `true` is the default vault."
    )
    media: MediaSection | None = Field(
        default=None, description="How media are scrubbed; `{}` is with all defaults. Without it they are not."
    )
    language: str = "en"
    model: str | None = Field(
        default=None,
        description="The language model for names, of `local`: a spaCy package or path, `stanza:en` or the like, or "
        "`transformers:` and a name or folder; the first spaCy package installed if none.",
    )
    block: BlockReply = BlockReply()
    on_error: Then | dict[Cause, Then] = Field(
        default="block", description="What becomes of a message that can't be read or decided, per cause or for all."
    )
    mode: Literal["enforce", "observe"] = Field(
        default="enforce", description="observe: everything passes unchanged; what would have been done is logged."
    )


# --- Custom recognizers --------------------------------------------------------------------------------


class PatternRule(FileModel):
    """A pattern and how sure it is of a match."""

    regex: str = Field(min_length=1, description="A regular expression without lookaround and back references.")
    score: Annotated[float, Field(gt=0, le=1)] = 0.5


class RecognizerFile(FileModel):
    """A custom recognizer: an entity of your own, by patterns and words."""

    version: Version
    name: Name
    title: str = ""
    entity: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="Upper case, digits and underscores.")
    extends: bool = Field(default=False, description="Adds to an entity that exists already.")
    patterns: list[PatternRule] = []
    context: list[Annotated[str, Field(min_length=2)]] = Field(
        default=[], description="Words. One of them near a match, in a word of it, raises its score."
    )
    context_required: bool = Field(default=False, description="A match without a context word near it is no finding.")
    deny_list: list[Annotated[str, Field(min_length=2)]] = Field(
        default=[], description="Words that are always findings, whatever their case."
    )
    allow_list: list[str] = Field(default=[], description="Matches that are none, whatever their case.")
    checksum: str | None = Field(
        default=None, description="What a match has to pass: luhn, verhoeff, iban and others of python-stdnum."
    )
    examples: list[str] = Field(default=[], description="Texts in which something must be found.")
    counter_examples: list[str] = Field(default=[], description="Texts in which nothing may be found.")
    allow_generic: bool = Field(
        default=False,
        description="Accepts a pattern that matches much of ordinary talk. Needs `context` and `context_required`.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.patterns and not self.deny_list:
            raise ValueError("a recognizer needs `patterns` or a `deny_list`")
        if self.context_required and not self.context:
            raise ValueError("`context_required` needs words in `context`")
        if self.allow_generic and not self.context_required:
            raise ValueError("`allow_generic` needs a `context` and `context_required: true`")
        return self


# --- The operator's own file ---------------------------------------------------------------------------


class Source(FileModel):
    """Where it is told whose a message is. Nothing that the sender chooses may be named here."""

    value: str | None = Field(default=None, min_length=1, description="Always this.")
    header: str | None = Field(
        default=None,
        min_length=1,
        description="The value of a request header that your own front proxy sets, and strips where others sent it.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.value is None) == (self.header is None):
            raise ValueError("say either `value` or `header`")
        return self


class Route(FileModel):
    """Traffic, told by host and path, and what applies to it."""

    hosts: list[str] = Field(default=["*"], min_length=1)
    paths: list[str] = Field(default=["/**"], min_length=1)
    apis: list[Name] = Field(default=[], description="API descriptions, tried in this order; none: all there are.")
    policy: Name = "mask"
    account: Source | None = Field(default=None, description="Whose traffic it is; one account without it.")
    conversation: Source | None = Field(default=None, description="Which conversation of the account it is part of.")
    signatures: dict[Name, Name] = Field(
        default={},
        description="API description to the connection that holds the secrets of its signatures: those of webhooks are "
        "verified, and made anew where a message is rewritten.",
    )
    unmatched: Literal["allow", "scan", "block"] = Field(
        default="allow",
        description="Requests of this route that no API description matches. allow: they pass untouched, as do their "
        "replies. scan: all that can be read of them, and of replies with data, is scrubbed. block: they end with 403.",
    )


class GuardFile(FileModel):
    """The operator's file: which traffic meets which API description and policy, and the limits."""

    version: Version
    routes: list[Route] = Field(min_length=1, description="The first route that matches a request counts.")
    limits: LimitsRule = LimitsRule()
    vaults: dict[Name, dict[str, Any]] = Field(
        default={}, description="Where pseudonyms are kept: name to `kind` and the kind's settings."
    )


KINDS: dict[str, type[BaseModel]] = {
    "guard": GuardFile,
    "api": ApiFile,
    "policy": PolicyFile,
    "template": TemplateFile,
    "recognizer": RecognizerFile,
    "proof": ProofFile,
    "connection": AnyConnectionFile,
    "connection-proof": ConnectionProofFile,
}
"""The kinds of rule files by the name of their JSON Schema."""
