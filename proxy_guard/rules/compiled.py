"""What rule files become: immutable, fast to ask, swapped whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy_guard.codecs import Limits
from proxy_guard.locate.fields import FieldTree
from proxy_guard.locate.head import NO_HEAD, HeadFields
from proxy_guard.model import WEBSOCKET, Direction, Headers
from proxy_guard.policy import Policy
from proxy_guard.policy.decide import BlockBody
from proxy_guard.remote.connection import Connection
from proxy_guard.rules.formats import Formats
from proxy_guard.rules.matching import last_steps, split_url
from proxy_guard.rules.signatures import Webhooks
from proxy_guard.rules.streams import StreamRule
from proxy_guard.rules.websockets import WebSocketRule
from proxy_guard.signing import Scheme, Signing
from proxy_guard.vault import VaultRule


@dataclass(frozen=True, slots=True)
class Api:
    """An API description, compiled."""

    name: str
    methods: frozenset[str]
    hosts: re.Pattern[str] = field(repr=False)
    paths: re.Pattern[str] = field(repr=False)
    formats: Formats = field(repr=False)
    request: FieldTree = field(repr=False)
    response: FieldTree = field(repr=False)
    block_body: tuple[str, BlockBody] = field(repr=False)
    speaker: str = "role"
    head: HeadFields = NO_HEAD
    streams: tuple[StreamRule, ...] = ()
    websocket: WebSocketRule | None = None
    last_steps: frozenset[str] = frozenset({""})
    """Of its paths, see `matching.last_step`."""
    named_only: bool = False
    webhooks: Webhooks | None = None
    signatures: tuple[Scheme, ...] = ()
    """Of its webhooks, where it has some; else of all its requests."""

    def matches(self, method: str, host: str, path: str) -> bool:
        """Whether a request is one of this API's."""
        return (
            method in self.methods and self.paths.fullmatch(path) is not None and self.hosts.fullmatch(host) is not None
        )

    def fields(self, direction: Direction) -> FieldTree:
        """The fields of its requests or of its responses."""
        return self.request if direction == "request" else self.response

    def concerns(self, direction: Direction) -> bool:
        """Whether anything of such a message is inspected."""
        return bool(self.fields(direction)) or (direction == "request" and bool(self.head))


class Apis:
    """The API descriptions of a route, in its order. Finding one takes no longer where there are more."""

    def __init__(self, apis: Iterable[Api]) -> None:
        self._apis = tuple(apis)
        self._by_step: dict[str, list[tuple[int, Api]]] = {}
        for place, api in enumerate(self._apis):
            for step in api.last_steps:
                self._by_step.setdefault(step, []).append((place, api))

    def __iter__(self) -> Iterator[Api]:
        return iter(self._apis)

    def find(self, method: str, host: str, path: str) -> Api | None:
        """The first that a request is one of; `path` is normal."""
        found: tuple[int, Api] | None = None
        for step in last_steps(path):
            for place, api in self._by_step.get(step, ()):
                if found is not None and place >= found[0]:
                    break
                if api.matches(method, host, path):
                    found = place, api
                    break
        return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Owner:
    """How it is told whose a request is: fixed names, or the names of headers in lower case."""

    account: str = ""
    account_header: str = ""
    conversation: str = ""
    conversation_header: str = ""

    def of(self, headers: Headers) -> tuple[str, str]:
        """Account and conversation of a request; empty where there is none."""
        if not (self.account_header or self.conversation_header):
            return self.account, self.conversation
        # Of a header that comes twice, which one is the front proxy's is not known: both together are nobody else's.
        found: dict[str, str] = {}
        for name, value in headers:
            lower = name.lower()
            found[lower] = f"{found[lower]}, {value}" if lower in found else value
        return (
            found.get(self.account_header, "") if self.account_header else self.account,
            found.get(self.conversation_header, "") if self.conversation_header else self.conversation,
        )


NOBODY = Owner()


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A route of the guard file, compiled."""

    hosts: re.Pattern[str] = field(repr=False)
    paths: re.Pattern[str] = field(repr=False)
    apis: Apis
    policy: Policy
    unmatched: str
    owner: Owner
    signing: Mapping[str, Signing] = field(default_factory=dict)
    """By the names of API descriptions."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a request met: its policy, its API (None: no description matches), and what then.

    `policies` are those that fields name as their own. `webhooks` is set where it is one.
    """

    policy: Policy
    api: Api | None
    blocks: bool
    policies: Mapping[str, Policy] = field(default_factory=dict)
    owner: Owner = NOBODY
    signing: Signing | None = None
    webhooks: Webhooks | None = None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All rules of a folder. The mappings hold what is not in use, too; such connections lack their secrets.

    `of_fields` are the policies that fields name as their own.
    """

    routes: tuple[CompiledRoute, ...]
    apis: Mapping[str, Api]
    policies: Mapping[str, Policy]
    limits: Limits
    recognizers: Mapping[str, Any] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    vaults: Mapping[str, VaultRule] = field(default_factory=dict)
    of_fields: Mapping[str, Policy] = field(default_factory=dict)

    @property
    def in_use(self) -> list[Policy]:
        """The policies that some traffic meets, each once."""
        every = [*(route.policy for route in self.routes), *self.of_fields.values()]
        return list({policy.name: policy for policy in every}.values())

    def match(self, method: str, url: str) -> Match | None:
        """What a request meets; None where no route is about it."""
        host, path = split_url(url)
        for route in self.routes:
            if route.hosts.fullmatch(host) and route.paths.fullmatch(path):
                api = route.apis.find(method if method == WEBSOCKET else method.upper(), host, path)
                if api is None:
                    return Match(route.policy, None, route.unmatched == "block", self.of_fields, route.owner)
                hooks = api.webhooks if api.webhooks and api.webhooks.paths.fullmatch(path) else None
                signing = route.signing.get(api.name) if hooks or api.webhooks is None else None
                return Match(route.policy, api, False, self.of_fields, route.owner, signing, hooks)
        return None
