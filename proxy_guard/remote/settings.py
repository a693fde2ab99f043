"""What people write in `connections/*.yaml`. `connection.py` compiles it; nothing here runs per message."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from proxy_guard.secrets import Filled, LateSecret, fill, refers

_TELLING = ("authorization", "cookie", "api-key", "apikey", "token", "secret", "password", "assertion")
_NOT_SECRET = ("content-type", "token_type", "requested_token_type", "subject_token_type")


def _filled_json(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, dict):
        return {name: _filled_json(member, info) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled_json(item, info) for item in value]
    return fill(value, info) if isinstance(value, str) else value


def _no_secret_in_sight(values: Any) -> Any:
    """Refuses a secret that stands in the file itself, as far as its name tells."""
    for name, text in values.items() if isinstance(values, dict) else ():
        folded = str(name).lower()
        telling = any(word in folded for word in _TELLING) and folded not in _NOT_SECRET
        if telling and isinstance(text, str) and not refers(text):
            raise ValueError(f"'{name}' looks like a secret, which never stands in a file: write ${{env:NAME}}")
    return values


FilledJson = Annotated[Any, BeforeValidator(_filled_json)]
Named = Annotated[dict[str, Filled], BeforeValidator(_no_secret_in_sight)]


class Settings(BaseModel):
    """The base of all settings: unknown keys are mistakes, values don't show in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, hide_input_in_errors=True)


# --- auth ----------------------------------------------------------------------------------------------


class NoAuth(Settings):
    """No credentials."""

    type: Literal["none"] = "none"


class BasicAuth(Settings):
    """HTTP Basic (RFC 7617)."""

    type: Literal["basic"]
    username: Filled
    password: LateSecret


class BearerAuth(Settings):
    """A fixed bearer token (RFC 6750)."""

    type: Literal["bearer"]
    token: LateSecret


class ApiKeyAuth(Settings):
    """A key in a header or in the URL's query."""

    type: Literal["api_key"]
    name: str = Field(min_length=1, description="The name of the header, or of the query parameter.")
    place: Literal["header", "query"] = Field(default="header", alias="in")
    value: LateSecret


class OAuth(Settings):
    """A token fetched from a token endpoint, kept until it expires."""

    type: Literal["oauth"]
    token_url: Filled
    method: Literal["POST", "GET"] = "POST"
    headers: Named = {}
    basic: BasicAuth | None = Field(default=None, description="Client id and secret as HTTP Basic.")
    form: Named | None = Field(default=None, description="The body, as application/x-www-form-urlencoded.")
    body: FilledJson = Field(default=None, alias="json", repr=False, description="The body, as JSON.")
    token: str = Field(default="$.access_token", description="JSONPath of the token in the reply.")
    expires_in: str = Field(default="$.expires_in", description="JSONPath of its lifetime in seconds, if there is one.")
    lifetime: PositiveFloat = Field(default=300.0, description="Seconds, where the reply tells none.")
    early: NonNegativeFloat = Field(default=30.0, description="Seconds before its end at which a new one is fetched.")
    timeout: PositiveFloat = Field(default=3.0, description="Seconds for fetching it.")
    header: str = Field(default="Authorization", description="The header that carries it.")
    scheme: str = Field(default="Bearer", description="The word before it; empty for none.")

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.form is not None and self.body is not None:
            raise ValueError("the body is either `form` or `json`")
        return self


Auth = Annotated[NoAuth | BasicAuth | BearerAuth | ApiKeyAuth | OAuth, Field(discriminator="type")]


# --- the reply -----------------------------------------------------------------------------------------


class OkRule(Settings):
    """A place in the reply that tells whether the call went well."""

    path: str
    values: list[str | int | bool] = Field(alias="in", min_length=1, description="What stands there then.")


class ActionRule(Settings):
    """A place that tells what is to be done, and the API's own words for it."""

    path: str
    allow: list[str | bool] = []
    mask: list[str | bool] = []
    reject: list[str | bool] = []
    code: str | None = Field(default=None, description="JSONPath of the reason of a rejection, a short word.")


class FindingsRule(Settings):
    """Where findings are, and what they look like. Paths but the first are within one finding."""

    path: str
    entity: str
    start: str
    end: str | None = None
    length: str | None = None
    score: str | None = Field(default=None, description="Without it, 1.")
    operator: str | None = Field(default=None, description="What to do to it: an action and its settings.")
    names: dict[str, str] = Field(default={}, description="The API's names of entities to those of policies.")
    offsets: Literal["code_points", "utf16", "utf8"] = Field(default="code_points", description="The unit of spans.")

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.end is None) == (self.length is None):
            raise ValueError("a finding has exactly one of `end` and `length`")
        return self


class ItemRule(Settings):
    """What is said of one item. Paths are within the item; `$` is the item itself."""

    id: str | None = Field(default=None, description="Its id, as sent. Without it, items are in the order sent.")
    action: ActionRule | None = None
    text: str | None = Field(default=None, description="The rewritten text.")
    data: str | None = Field(default=None, description="The rewritten medium, in base64.")
    findings: FindingsRule | None = None


class ReplyRule(Settings):
    """How a reply is read: JSONPaths (RFC 9535)."""

    ok: OkRule | None = None
    errors: str | None = Field(default=None, description="Anything here is a failure.")
    action: ActionRule | None = Field(default=None, description="What is said of the whole message.")
    items: str | None = Field(default=None, description="One node for each item that was sent.")
    item: ItemRule | None = None
    value: str | None = Field(default=None, description="Lookups: the value.")


# --- the connection ------------------------------------------------------------------------------------


class Before(Settings):
    """A call that is made first; its reply is `{before}` in the request."""

    url: Filled
    method: Literal["GET", "POST"] = "POST"
    request: FilledJson = Field(default=None, repr=False)


class Retries(Settings):
    """How often a request is sent again."""

    times: NonNegativeInt = Field(default=2, le=10)
    idempotent: bool | None = Field(
        default=None,
        description="Whether a request that may have arrived can be sent again. Without it: yes, but for stores "
        "by POST or PATCH.",
    )


class Breaker(Settings):
    """When the API is left alone for a while."""

    failures: PositiveInt = Field(default=5, description="So many failures in a row open the circuit.")
    recovery: PositiveFloat = Field(default=3.0, description="Seconds until one call is let through to try.")


class Tls(Settings):
    """Files in PEM."""

    ca: str | None = Field(default=None, description="Authorities to trust in place of the usual ones.")
    cert: str | None = Field(default=None, description="The client's certificate (mTLS).")
    key: str | None = Field(default=None, description="Its key, where that is in a file of its own.")
    password: LateSecret | None = Field(default=None, description="The key's.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.key and not self.cert:
            raise ValueError("`key` needs `cert`")
        return self


class ConnectionFile(Settings):
    """A connection: how to reach a remote API."""

    version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Lower case, digits and hyphens.")
    title: str = ""
    kind: Literal["scrubber", "lookup", "store"] = Field(
        description="scrubber: judges texts and media. lookup: tells the value of a reference. store: keeps one."
    )
    url: Filled = Field(description="`{reference}` in its path is filled in by lookups.")
    method: Literal["GET", "POST", "PUT", "PATCH"] = "POST"
    query: Named = Field(default={}, description="Parameters of the URL.")
    headers: Named = {}
    auth: Auth = NoAuth()
    before: Before | None = None
    request: FilledJson = Field(default=None, repr=False, description="The JSON body, with placeholders.")
    item: FilledJson = Field(default=None, repr=False, description="What stands for one item in `{items}`.")
    batch: PositiveInt = Field(default=1, description="Items in one call, at most.")
    media: bool = Field(default=False, description="Whether media are sent, too.")
    reply: ReplyRule = ReplyRule()
    timeout: PositiveFloat = Field(default=2.0, description="Seconds for one attempt.")
    media_timeout: PositiveFloat = Field(default=30.0, description="The same for a medium.")
    connect_timeout: PositiveFloat = Field(default=1.0, description="Seconds for connecting, within it.")
    retries: Retries = Retries()
    breaker: Breaker = Breaker()
    concurrency: PositiveInt = Field(default=64, description="Calls at a time; others wait.")
    max_reply: PositiveInt = Field(default=10 * 1024 * 1024, description="Bytes of a reply, also unpacked.")
    http2: bool = Field(default=True, description="Whether HTTP/2 is spoken where it is offered.")
    tls: Tls = Tls()
    cache: NonNegativeFloat = Field(default=0.0, description="Lookups: seconds for which a value is kept in memory.")

    @field_validator("headers")
    @classmethod
    def _one_line(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if any(not " " <= c <= "~" for c in name + value.get_secret_value()):
                raise ValueError(f"the header '{name}' has a character that no header may have")
        return headers

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        reply = self.reply
        if self.kind == "scrubber" and (reply.item is None or reply.items is None):
            raise ValueError("a scrubber needs `reply.items` and `reply.item`")
        if self.kind == "lookup" and reply.value is None:
            raise ValueError("a lookup needs `reply.value`")
        if self.kind != "scrubber" and (reply.items or reply.item or reply.action or self.item or self.before):
            raise ValueError("`items`, `item`, `action` and `before` are for scrubbers")
        if self.kind != "lookup" and (reply.value or self.cache):
            raise ValueError("`reply.value` and `cache` are for lookups")
        if self.method == "GET" and self.request is not None:
            raise ValueError("a GET has no body: leave `request` out, or use POST")
        if self.method != "GET" and self.kind != "lookup" and self.request is None:
            raise ValueError("`request` is missing")
        return self


class Gives(Settings):
    """What becomes of one item: exactly one of these."""

    text: str | None = None
    findings: list[dict[str, Any]] | None = None
    rejected: str | None = None
    allowed: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.text, self.findings, self.rejected, self.allowed)) != 1:
            raise ValueError("exactly one of text, findings, rejected and allowed")
        return self


class Exchange(Settings):
    """One recorded exchange: what is asked, what goes over the wire, what it means."""

    name: str
    texts: list[str] = Field(default=[], description="Scrubbers: the texts of a message.")
    reference: str | None = Field(default=None, description="Lookups and stores.")
    value: str | None = Field(default=None, description="Lookups: what is told. Stores: what is kept.")
    entity: str = "EMAIL_ADDRESS"
    sends: Any = Field(default=None, description="The JSON body that is sent.")
    path: str | None = Field(default=None, description="The end of the URL that is asked.")
    answer: Any = Field(default=None, description="The reply, as the vendor documents it.")
    before: Any = Field(default=None, description="The reply to the call that is made first.")
    gives: list[Gives] = []
    fails: bool = Field(default=False, description="The reply is a failure.")


class ConnectionProofFile(Settings):
    """The proof of a connection: exchanges as the vendor documents them. No network, no secrets."""

    version: Literal[1]
    cases: list[Exchange] = Field(min_length=1)
