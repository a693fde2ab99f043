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
from proxy_guard.policy.decide import Answering, BlockBody
from proxy_guard.remote.connection import Connection
from proxy_guard.rules.formats import Formats
from proxy_guard.rules.matching import last_steps, split_url
from proxy_guard.rules.signatures import Webhooks
from proxy_guard.rules.streams import StreamRule
from proxy_guard.rules.targets import Target, read_target, said_otherwise
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
    answering: tuple[re.Pattern[str], Answering] | None = field(default=None, repr=False)
    """At which paths a block answers by the identifier of what is blocked, and how."""
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
    replies: re.Pattern[str] | None = field(default=None, repr=False)
    """The media types of replies that are inspected; all without it."""

    def answering_at(self, url: str) -> Answering | None:
        """How a block answers at this URL by the identifier of what is blocked, if it does."""
        if self.answering is None:
            return None
        paths, answering = self.answering
        return answering if paths.fullmatch(split_url(url)[1]) else None

    def untouched(self, reply: Headers) -> bool:
        """Whether a reply with these headers is of a media type that is not inspected."""
        if self.replies is None:
            return False
        types = [value for name, value in reply if name.lower() == "content-type"]
        return bool(types) and not any(
            self.replies.fullmatch(part.partition(";")[0].strip().lower()) for each in types for part in each.split(",")
        )

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

    def find(self, method: str, host: str, path: str) -> Api | None:
        """The API description that a request meets."""
        return self.apis.find(method if method == WEBSOCKET else method.upper(), host, path)


@dataclass(frozen=True, slots=True)
class Match:
    """What a request met: its policy, its API (None: no description matches), and what then.

    `policies` are those that fields name as their own. `webhooks` is set where it is one. `url` is the request's, as it
    goes on. `unclear` says why it can't be told what it meets. `key` finds the match anew in the same rules.
    """

    policy: Policy
    api: Api | None
    blocks: bool
    policies: Mapping[str, Policy] = field(default_factory=dict)
    owner: Owner = NOBODY
    signing: Signing | None = None
    webhooks: Webhooks | None = None
    url: str = field(default="", repr=False)
    unclear: str = ""
    key: Key = (0, "", False)


Key = tuple[int, str, bool]
"""The number of the route, the name of the API description, and whether it is one of its webhooks."""
_SEVERAL = "the request can be read as one of several API descriptions or routes"


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
    unmatched: Api | None = None
    """For routes that have what no API description matches scanned."""

    @property
    def in_use(self) -> list[Policy]:
        """The policies that some traffic meets, each once."""
        every = [*(route.policy for route in self.routes), *self.of_fields.values()]
        return list({policy.name: policy for policy in every}.values())

    def match(self, method: str, url: str, headers: Headers = ()) -> Match | None:
        """What a request meets; None where no route is about it."""
        target = read_target(url)
        methods, others, why = said_otherwise(method, headers) if headers else ([], [], "")
        if methods or others or len(target.paths) > 1 or why or target.why:
            return self._careful(target, [method, *methods], others, why or target.why)
        number = self._route(target.host, target.paths[0])
        if number < 0:
            return None
        api = self.routes[number].find(method, target.host, target.paths[0])
        return self._matched(number, api, target.paths[0], target.url)

    def _careful(self, target: Target, methods: list[str], others: list[Target], why: str) -> Match | None:
        """The same for one that can be read in several ways; it can't be told where these meet different rules."""
        routes = [self._route(target.host, path) for path in target.paths]
        if why or len(set(routes)) > 1:
            known = [number for number in routes if number >= 0]
            return self._unclear(known[0], target, why or _SEVERAL) if known else None
        read = [(number, path) for number, path in zip(routes, target.paths, strict=True) if number >= 0]
        read += [(n, path) for each in others for path in each.paths if (n := self._route(target.host, path)) >= 0]
        met: dict[tuple[int, str], tuple[int, Api, str]] = {}
        for number, path in read:
            for method in methods:
                api = self.routes[number].find(method, target.host, path)
                if api is not None:
                    met.setdefault((number, api.name), (number, api, path))
        if len(met) > 1:
            return self._unclear(next(iter(met))[0], target, _SEVERAL)
        if met:
            [(number, api, path)] = met.values()
            return self._matched(number, api, path, target.url)
        return self._matched(routes[0], None, target.paths[0], target.url) if routes[0] >= 0 else None

    def _route(self, host: str, path: str) -> int:
        """The number of the first route about a host and path; -1 where there is none."""
        for number, route in enumerate(self.routes):
            if route.hosts.fullmatch(host) and route.paths.fullmatch(path):
                return number
        return -1

    def _unclear(self, number: int, target: Target, why: str) -> Match:
        route = self.routes[number]
        return Match(route.policy, None, True, self.of_fields, route.owner, url=target.url, unclear=why)

    def _matched(self, number: int, api: Api | None, path: str, url: str) -> Match:
        hooks = api.webhooks if api and api.webhooks and api.webhooks.paths.fullmatch(path) else None
        return self.matched((number, api.name if api else "", hooks is not None), url)

    def matched(self, key: Key, url: str) -> Match:
        """The match of that key, for a request to `url`."""
        number, name, hooked = key
        route = self.routes[number]
        if not name:
            scanning = self.unmatched if route.unmatched == "scan" else None
            blocks = route.unmatched == "block"
            return Match(route.policy, scanning, blocks, self.of_fields, route.owner, url=url, key=key)
        api = self.apis[name]
        hooks = api.webhooks if hooked else None
        signing = route.signing.get(name) if hooks or api.webhooks is None else None
        return Match(route.policy, api, False, self.of_fields, route.owner, signing, hooks, url, key=key)
