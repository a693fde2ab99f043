"""`memory`: pseudonyms for as long as the process lives. Bounded, expiring; nothing is written anywhere."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from proxy_guard.errors import VaultFull
from proxy_guard.vault import Stats, Vault, VaultSettings, Wish
from proxy_guard.vault.forms import normal
from proxy_guard.vault.tokens import SHORT, draw

_OVERHEAD = 600
"""Bytes that an entry takes beside its texts, about."""
_SPENT = 130
"""Bytes that a pseudonym takes which is never to be given again, about."""


class MemoryLimits(BaseModel):
    """What it may hold, at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entries: PositiveInt = Field(default=100_000, description="Pseudonyms.")
    bytes: PositiveInt = Field(default=128 * 1024 * 1024, description="Bytes of memory, about.")


class MemorySettings(VaultSettings):
    """Settings of the kind `memory`."""

    limits: MemoryLimits = MemoryLimits()


@dataclass(slots=True)
class _Entry:
    token: str
    scope: str = field(repr=False)
    entity: str
    value: str = field(repr=False)
    form: str = field(repr=False)
    expires: float

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.scope, self.entity, self.form

    @property
    def bytes(self) -> int:
        # Four bytes a character is the most that Python takes.
        return _OVERHEAD + 4 * (len(self.scope) + len(self.value) + len(self.form)) + len(self.token)


class MemoryVault(Vault):
    """Pseudonyms in a dictionary. Where there is no room it refuses: what it gave out has to resolve."""

    Settings = MemorySettings
    persistent = False

    def __init__(self, name: str, settings: VaultSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises nothing."""
        assert isinstance(settings, MemorySettings)
        self._name = name
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._by_token: OrderedDict[str, _Entry] = OrderedDict()  # the next to expire comes first
        self._by_identity: dict[tuple[str, str, str], _Entry] = {}
        self._spent: set[str] = set()
        self._bytes = 0

    async def pseudonyms(self, wishes: Sequence[Wish]) -> list[str]:
        """See Vault. All of them, or VaultFull and none."""
        with self._lock:
            now = self._clock()
            self._expire(now)
            made: list[_Entry] = []
            try:
                return [self._pseudonym(wish, now, made) for wish in wishes]
            except Exception:
                for entry in made:
                    self._erase(entry)
                raise

    def _pseudonym(self, wish: Wish, now: float, made: list[_Entry]) -> str:
        own = self._by_token.get(wish.value)
        form = normal(wish.entity, wish.value)
        is_own = own is not None and own.scope == wish.scope
        entry = own if is_own else self._by_identity.get((wish.scope, wish.entity, form))
        if entry is None:
            token = self._draw(wish)
            entry = _Entry(token, wish.scope, wish.entity, wish.value, form, 0)
            self._add(entry)
            made.append(entry)
        entry.expires = now + self._settings.ttl
        self._by_token.move_to_end(entry.token)
        return entry.token

    def _draw(self, wish: Wish) -> str:
        while True:
            token = draw(wish.style, wish.entity, self._settings.email_domain)
            if token not in self._by_token and token not in self._spent:
                return token

    def _add(self, entry: _Entry) -> None:
        limits = self._settings.limits
        used = self._bytes + _SPENT * len(self._spent)
        if len(self._by_token) >= limits.entries or used + entry.bytes > limits.bytes:
            raise VaultFull(f"the vault '{self._name}' is full: see its limits")
        self._by_token[entry.token] = self._by_identity[entry.identity] = entry
        self._bytes += entry.bytes

    def _erase(self, entry: _Entry) -> None:
        del self._by_token[entry.token], self._by_identity[entry.identity]
        self._bytes -= entry.bytes
        if len(entry.token) <= SHORT:
            self._spent.add(entry.token)

    def _expire(self, now: float) -> int:
        count = 0
        while self._by_token and (first := next(iter(self._by_token.values()))).expires <= now:
            self._erase(first)
            count += 1
        return count

    async def values(self, tokens: Sequence[str], scope: str) -> list[str | None]:
        """See Vault."""
        with self._lock:
            self._expire(self._clock())
            found = [self._by_token.get(token) for token in tokens]
        return [entry.value if entry is not None and entry.scope == scope else None for entry in found]

    async def forget(self, value: str, entity: str | None = None, scope: str | None = None) -> int:
        """See Vault."""
        with self._lock:
            gone = [
                entry
                for entry in self._by_token.values()
                if normal(entry.entity, value) == entry.form
                and entity in (None, entry.entity)
                and scope in (None, entry.scope)
            ]
            for entry in gone:
                self._erase(entry)
        return len(gone)

    async def expire(self) -> int:
        """See Vault."""
        with self._lock:
            return self._expire(self._clock())

    async def stats(self) -> Stats:
        """See Vault."""
        with self._lock:
            self._expire(self._clock())
            entities: dict[str, int] = {}
            for entry in self._by_token.values():
                entities[entry.entity] = entities.get(entry.entity, 0) + 1
            return Stats(len(self._by_token), 0, self._bytes, entities)

    async def aclose(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._by_token.clear()
            self._by_identity.clear()
            self._bytes = 0
