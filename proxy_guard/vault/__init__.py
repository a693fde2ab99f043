"""Where pseudonyms are kept, and the values that they stand for.

A pseudonym that was given out resolves until it expires or is forgotten: a vault that can't promise that gives none,
and raises VaultError. Each kind of vault is found by its entry point in `proxy_guard.vaults`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from proxy_guard import plugins

Style = Literal["token", "uuid", "email", "phone"]
"""The look of a pseudonym; see `tokens.py`."""

_DAY = 24 * 60 * 60


class VaultSettings(BaseModel):
    """The base of the settings of every kind of vault, as `guard.yaml` has them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    ttl: PositiveInt = Field(
        default=30 * _DAY, description="Seconds for which a pseudonym resolves after it was last given, at least."
    )
    email_domain: str = Field(
        default="pseudonym.invalid",
        pattern=r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$",
        max_length=200,
        description="The domain of pseudonyms of style `email`; one of your own that takes no mail.",
    )


@dataclass(frozen=True, slots=True)
class VaultRule:
    """A vault of `guard.yaml`, compiled: its kind and that kind's settings."""

    kind: str
    settings: VaultSettings


@dataclass(frozen=True, slots=True)
class Wish:
    """A value for which a pseudonym is wanted, in a scope: an account, a conversation, or "" for everywhere."""

    scope: str = field(repr=False)
    entity: str
    value: str = field(repr=False)
    style: Style = "token"

    def __post_init__(self) -> None:
        if self.style not in get_args(Style):
            raise ValueError("unknown style of pseudonym")
        if not self.entity.isascii():
            raise ValueError("the name of an entity is ASCII")


@dataclass(frozen=True, slots=True)
class Stats:
    """What a vault holds, in numbers. `expired` ones are still there but resolve no more."""

    entries: int
    expired: int
    bytes: int
    entities: Mapping[str, int]
    keys: Mapping[str, int] = field(default_factory=dict)


class Vault(ABC):
    """Keeps values under pseudonyms. Safe to share between the tasks of one event loop.

    Every method raises VaultError where the vault can't do its work, with nothing changed, and VaultFull where that is
    for want of room. No error holds a value.
    """

    Settings: ClassVar[type[VaultSettings]] = VaultSettings
    persistent: ClassVar[bool] = True
    """Whether it outlives its process, so that the command line can work on it."""

    @abstractmethod
    def __init__(self, name: str, settings: VaultSettings) -> None:
        """Raises VaultError where it could not serve. Makes nothing yet."""

    @abstractmethod
    async def pseudonyms(self, wishes: Sequence[Wish]) -> list[str]:
        """A pseudonym for each, in their order; kept as durably as this kind can before it returns.

        One for each scope, entity and value (in its normal form, `forms.py`), whatever the style; never one that
        stands, or ever stood, for another value. A value that is itself a pseudonym of that scope is given back.
        """

    @abstractmethod
    async def values(self, tokens: Sequence[str], scope: str) -> list[str | None]:
        """The value behind each, as it was first written; None for what is no pseudonym of that scope, or expired."""

    @abstractmethod
    async def forget(self, value: str, entity: str | None = None, scope: str | None = None) -> int:
        """Erases a value and its pseudonyms, of every entity and scope unless named. How many there were."""

    @abstractmethod
    async def expire(self) -> int:
        """Erases what has expired. How many there were."""

    async def rotate(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Puts everything under the current key; `progress` is told how many of how many. How many were moved."""
        return 0

    @abstractmethod
    async def stats(self) -> Stats:
        """What it holds."""

    @abstractmethod
    async def aclose(self) -> None:
        """Lets go of what it holds open."""


def build(rules: Mapping[str, VaultRule], names: Iterable[str] | None = None) -> dict[str, Vault]:
    """The vaults of these names, else all, by their names. Raises VaultError where one could not serve."""
    return {
        name: plugins.load("vaults", rules[name].kind)(name, rules[name].settings)
        for name in (rules if names is None else dict.fromkeys(names))
    }
