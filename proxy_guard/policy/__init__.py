"""A compiled policy: which entities, what is done to each, and what becomes of failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy_guard.errors import Cause
from proxy_guard.model import Wanted
from proxy_guard.operators import Operator


@dataclass(frozen=True, slots=True)
class EntityRule:
    """What is done to one entity. `order` is its place in the policy file, which settles ties."""

    action: str
    operator: Operator = field(repr=False)
    min_score: float
    order: int


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

    @property
    def asked(self) -> tuple[str, ...]:
        """All scrubbers that may be asked."""
        return (*self.scrubbers, self.fallback) if self.fallback else self.scrubbers

    @property
    def every_rule(self) -> list[EntityRule]:
        """The rules of all entities, and the one for the others."""
        return [*self.rules.values(), *([self.otherwise] if self.otherwise else [])]

    def rule_for(self, entity: str) -> EntityRule | None:
        """What is done to `entity`; None where it is left alone."""
        return self.rules.get(entity, self.otherwise)

    def passes(self, cause: Cause) -> bool:
        """Whether a failure of that cause lets a message pass."""
        return self.observe or cause in self.keeps
