"""The plain types that all parts share. They hold no behaviour beyond showing themselves safely.

Whatever may carry personal data (bodies, URLs, header values, slot texts, paths with names taken from a
message) is left out of every `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Direction = Literal["request", "response"]
Action = Literal["allow", "rewrite", "block"]
Headers = tuple[tuple[str, str], ...]
"""Names and values in wire order, repeated ones kept; text is ISO-8859-1, as HTTP has it (RFC 9110 5.5)."""


def unshown[T](kind: type[T]) -> type[T]:
    """A class decorator: objects show their type only, since all that they hold may be personal data."""
    kind.__repr__ = lambda self: f"{kind.__name__}(…)"  # type: ignore[method-assign]
    return kind


WEBSOCKET = "websocket"
"""Stands for the method of what opens a WebSocket, and of its messages; no method of HTTP is in lower case."""

Path = tuple[str | int, ...]
"""A place in a JSON document: member names and array indices from the root."""


@dataclass(frozen=True, slots=True)
class Message:
    """One HTTP request or response, whole.

    A response carries the method and URL of its request, which decide what rules apply, and its own status.
    `url` is absolute; `body` is what is on the wire, with any Content-Encoding still on. `account` and `conversation`
    tell whose it is, by a source that the operator trusts. `at` is when it came, in seconds since 1970: the guard says
    so itself where nobody does.
    """

    direction: Direction
    method: str
    url: str = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    status: int | None = None
    account: str = field(default="", repr=False)
    conversation: str = field(default="", repr=False)
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One entity in one text: a half-open span in code points, and a score from 0 to 1."""

    entity: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class PartFinding(Finding):
    """What one slot holds of a value that is split over several: `whole`, from code point `offset` of it on."""

    whole: str = field(repr=False, default="")
    offset: int = 0


def _but(of: Any, **changes: Any) -> tuple[Any, ...]:
    """How to make the like of a record in another process (see `__reduce__`), but for some of its fields."""
    return type(of), tuple(changes.get(each.name, getattr(of, each.name)) for each in fields(of))


@dataclass(slots=True, eq=False)
class Slot:
    """One located place in one message.

    `text` is what is scanned. `holder` and `key` say where it stands: the value `holder[key]`, or, with
    `is_name`, the member name `key` itself. `rule` is the JSONPath of the field that reached it: safe to show,
    where `path` may hold names that came with the message. `policy` is the field's own, by name; `entity` is what
    the whole text is known to be; `join` is how many steps of the path lead to the message that it is a part of;
    `direction` is that of the HTTP message.
    """

    text: str = field(repr=False)
    rule: str
    path: Path = field(repr=False)
    holder: Any = field(repr=False)
    key: Any = field(repr=False)
    is_name: bool = False
    signed: bool = False
    nested: Any = field(default=None, repr=False)
    policy: str | None = None
    entity: str | None = None
    join: int = 0
    direction: Direction = "request"
    call: tuple[str, str] | None = field(default=None, repr=False)
    """For a text in the arguments of a tool call: the tool, and which of its arguments."""
    unreached: Literal["", "scan", "observe", "block"] = ""
    """For a text that no field reached: what becomes of findings in it. In `observe` they are only told."""

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process it can be read, not written back: its document stays here.
        return _but(self, holder=None, key=None, nested=None)


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A finding, where it stands in the message, and the operator that its policy names for it."""

    entity: str
    start: int
    end: int
    score: float
    operator: str
    rule: str
    path: str = field(repr=False)

    @property
    def kind(self) -> str:
        """What findings are counted by."""
        return f"{self.entity} {self.operator} {self.rule}"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A scrubber's own rewrite of one slot: what is put in its place, as it is.

    `text` for a slot that holds text, `data` for one that holds a medium. `findings` tell what was found, spans in
    the slot's text as given; there may be none.
    """

    text: str = field(default="", repr=False)
    data: bytes = field(default=b"", repr=False)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A scrubber's word that the message of a slot may not pass. `code` says why, is safe to show, and short."""

    code: str


Judgement = list[Finding] | Rewritten | Rejected
"""What a scrubber says of one slot: findings for the policy to act on, or what it decided itself."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a policy looks for: entities, the language, and the least score of use.

    `entities` None means all that the scrubber finds by default, and those in `also`, which the policy names.
    `recognizers` are the custom ones for these entities (`detect.custom.CustomRecognizer`), which only the local
    scrubber can run. `phone_regions` are ISO 3166-1 codes of where numbers without a country code may be from (None:
    the scrubber's own choice).
    `model` is the language model that it is to use.
    """

    entities: frozenset[str] | None
    language: str
    min_score: float
    recognizers: tuple[Any, ...] = field(default=(), repr=False)
    also: frozenset[str] = frozenset()
    phone_regions: tuple[str, ...] | None = None
    model: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Recognizers stay in their process: who is asked from another one can't run them.
        return _but(self, recognizers=())


@dataclass(frozen=True, slots=True)
class Scrub:
    """What the engine asks of its driver: what there is in each of these slots.

    `joints` are texts around the places where slots meet, for values that are split over them.
    """

    scrubber: str
    wanted: Wanted
    slots: list[Slot] = field(repr=False)
    joints: list[Slot] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """The answer to `Scrub`: a judgement of each slot, and the findings in each joint, in the same order."""

    judgements: Sequence[Judgement]
    joints: Sequence[Sequence[Finding]] = ()


@dataclass(frozen=True, slots=True)
class Screening:
    """What the engine asks first, where it spares the rest: whether there is nothing to be found in any of these.

    `texts` are those of all slots, and those that their joints are made of.
    """

    scrubber: str
    wanted: Wanted
    texts: list[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Screened:
    """The answer to `Screening`: `clean` only where that is sure."""

    clean: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """A text that an operator needs from outside the engine.

    pseudonym: the reference that stands for `value`; restore: the value behind the reference `value` of a vault;
    value: the same of a lookup connection. `source` is the vault or the connection that knows. `style` is the look
    of a reference, `scope` tells whose it is, and `store` is a connection that is given it to keep, too.
    """

    kind: Literal["pseudonym", "restore", "value"]
    source: str
    entity: str
    value: str = field(repr=False)
    style: Literal["token", "uuid", "email", "phone"] = "token"
    scope: Literal["account", "conversation", "global"] = "account"
    store: str | None = None

    @property
    def needs(self) -> list[tuple[Literal["vault", "lookup", "store"], str]]:
        """What has to be there for an answer."""
        stores: list[tuple[Literal["vault", "lookup", "store"], str]] = [("store", self.store)] if self.store else []
        return [("lookup" if self.kind == "value" else "vault", self.source), *stores]


@dataclass(frozen=True, slots=True)
class Consult:
    """The other thing that the engine asks of its driver: the answers to these."""

    asks: list[Ask] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Consulted:
    """The answer to `Consult`: one text each, in the same order; None where there is none."""

    texts: Sequence[str | None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The other answer to either: it could not be done. `why` holds no text of the message."""

    cause: Literal["timeout", "unavailable"]
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message.

    allow: forward it as it came. rewrite: forward `headers` and `body` instead, and to `url` if there is one, which
    differs from the message's in path and query only. block: answer the client with `status`, `headers` and `body`.
    `reason` is for people and holds no personal data. `incident` names a block in the reply's header, the log and the
    audit alike.
    """

    action: Action
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    status: int | None = None
    findings: tuple[LocatedFinding, ...] = ()
    reason: str = ""
    api: str | None = None
    policy: str | None = None
    incident: str | None = None
    url: str | None = field(default=None, repr=False)
    more: Mapping[str, int] = field(default_factory=dict)
    """Of a stream that had more findings than are kept: how many of each `LocatedFinding.kind` besides."""
