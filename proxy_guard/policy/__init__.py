"""A compiled policy: which entities, what is done to each, and what becomes of failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from proxy_guard.errors import Cause
from proxy_guard.media import MediaSettings
from proxy_guard.model import Slot, Wanted
from proxy_guard.operators import Operator
from proxy_guard.operators.block import Block


@dataclass(frozen=True, slots=True)
class EntityRule:
    """What is done to one entity. `order` is its place in the policy file, which settles ties."""

    action: str
    operator: Operator = field(repr=False)
    min_score: float
    order: int


@dataclass(frozen=True, slots=True)
class Restore:
    """Which references become values again in replies: those of `vault`, of that scope.

    `arguments` are the tools and the arguments in which that is so, too; nothing stands for all arguments of a tool.
    """

    vault: str
    scope: Literal["account", "conversation", "global"]
    arguments: frozenset[tuple[str, str]]

    def covers(self, slot: Slot) -> bool:
        """Whether references in `slot` become values again."""
        if slot.direction == "request" or slot.signed or slot.unreached:
            return False
        return slot.call is None or slot.call in self.arguments


@dataclass(frozen=True, slots=True)
class MediaRule:
    """What is done to media.

    `scrubber` makes them clean, `local` or a connection; `otherwise` is the connection that is given what `local` knows
    no redactor for. `links` says what becomes of media by link, which are fetched from `hosts` only; `references` what
    becomes of those that the API has already.
    """

    settings: MediaSettings
    scrubber: str = "local"
    otherwise: str | None = None
    links: Literal["fetch", "block", "ignore"] = "block"
    hosts: tuple[str, ...] = ()
    references: Literal["block", "ignore"] = "block"

    @property
    def connections(self) -> set[str]:
        """The connections that may be asked."""
        return {name for name in (self.scrubber, self.otherwise) if name and name != "local"}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file, compiled. `keeps` are the causes of failure that let a message pass.

    `scrubbers` come one after the other; `fallback` is asked where the last of them fails.
    """

    name: str
    rules: Mapping[str, EntityRule]
    otherwise: EntityRule | None
    scrubbers: tuple[str, ...]
    wanted: Wanted
    status: int
    message: str
    keeps: frozenset[Cause]
    observe: bool
    fallback: str | None = None
    restore: Restore | None = None
    acknowledges: bool = False
    """Whether a webhook that it blocks is answered with success."""
    drops: bool = False
    """Whether a message of a WebSocket that may not pass goes missing alone."""
    media: MediaRule | None = None
    """None: media can't be inspected, which is a failure with the cause `unsupported_media`."""

    @property
    def asked(self) -> tuple[str, ...]:
        """All scrubbers that may be asked."""
        return (*self.scrubbers, self.fallback) if self.fallback else self.scrubbers

    @property
    def needs(self) -> set[tuple[str, str]]:
        """The vaults and connections that its operators ask: the kind and the name of each."""
        asks = [ask for rule in self.every_rule if (ask := rule.operator.ask("", ""))]
        restore = {("vault", self.restore.vault)} if self.restore else set()
        return restore | {need for ask in asks for need in ask.needs}

    @property
    def every_rule(self) -> list[EntityRule]:
        """The rules of all entities, and the one for the others."""
        return [*self.rules.values(), *([self.otherwise] if self.otherwise else [])]

    def rule_for(self, entity: str) -> EntityRule | None:
        """What is done to `entity`; None where it is left alone."""
        return self.rules.get(entity, self.otherwise)

    def blocks(self, entity: str) -> bool:
        """Whether a finding of `entity` refuses what it is in."""
        rule = self.rule_for(entity)
        return rule is not None and isinstance(rule.operator, Block)

    def passes(self, cause: Cause) -> bool:
        """Whether a failure of that cause lets a message pass."""
        return self.observe or cause in self.keeps
