"""What rule files become: immutable, fast to ask, swapped whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy_guard.codecs import Limits
from proxy_guard.locate.fields import FieldTree
from proxy_guard.model import Direction
from proxy_guard.policy import Policy
from proxy_guard.policy.decide import BlockBody
from proxy_guard.remote.connection import Connection
from proxy_guard.rules.matching import split_url
from proxy_guard.vault import VaultRule


@dataclass(frozen=True, slots=True)
class Api:
    """An API description, compiled."""

    name: str
    methods: frozenset[str]
    hosts: re.Pattern[str] = field(repr=False)
    paths: re.Pattern[str] = field(repr=False)
    content_types: re.Pattern[str] = field(repr=False)
    request: FieldTree = field(repr=False)
    response: FieldTree = field(repr=False)
    block_body: tuple[str, BlockBody] = field(repr=False)

    def matches(self, method: str, host: str, path: str) -> bool:
        """Whether a request is one of this API's."""
        return (
            method in self.methods and self.paths.fullmatch(path) is not None and self.hosts.fullmatch(host) is not None
        )

    def fields(self, direction: Direction) -> FieldTree:
        """The fields of its requests or of its responses."""
        return self.request if direction == "request" else self.response


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A route of the guard file, compiled."""

    hosts: re.Pattern[str] = field(repr=False)
    paths: re.Pattern[str] = field(repr=False)
    apis: tuple[Api, ...]
    policy: Policy
    unmatched: str


@dataclass(frozen=True, slots=True)
class Match:
    """What a request met: its policy, its API (None: no description matches), and what then."""

    policy: Policy
    api: Api | None
    blocks: bool


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All rules of a folder. The mappings hold what is not in use, too; such connections lack their secrets."""

    routes: tuple[CompiledRoute, ...]
    apis: Mapping[str, Api]
    policies: Mapping[str, Policy]
    limits: Limits
    recognizers: Mapping[str, Any] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    vaults: Mapping[str, VaultRule] = field(default_factory=dict)

    def match(self, method: str, url: str) -> Match | None:
        """What a request meets; None where no route is about it."""
        host, path = split_url(url)
        for route in self.routes:
            if route.hosts.fullmatch(host) and route.paths.fullmatch(path):
                api = next((api for api in route.apis if api.matches(method.upper(), host, path)), None)
                return Match(route.policy, api, blocks=api is None and route.unmatched == "block")
        return None
