"""Who answers what operators ask for: vaults give pseudonyms and values, connections tell and keep values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

import anyio

from proxy_guard import vault
from proxy_guard.errors import NotFound
from proxy_guard.model import Ask, Message
from proxy_guard.remote.lookup import Lookup, Store
from proxy_guard.rules.compiled import Ruleset
from proxy_guard.vault import Vault, Wish

_AT_ONCE = 16
"""References of one message that are looked up side by side."""


class Consultant:
    """The vaults and connections that the operators of a set of rules need. Safe to share between tasks."""

    def __init__(self, rules: Ruleset, before: Consultant | None = None) -> None:
        """Takes over vaults of `before` whose settings are the same. Raises VaultError where one could not serve."""
        needs = {need for policy in rules.in_use for need in policy.needs}
        names = sorted(name for kind, name in needs if kind == "vault")
        self._rules = {name: rules.vaults[name] for name in names}
        kept = {n: v for n, v in before._vaults.items() if before._rules[n] == self._rules.get(n)} if before else {}
        self._vaults: Mapping[str, Vault] = vault.build(rules.vaults, [n for n in names if n not in kept]) | kept
        self._lookups = {n: Lookup(rules.connections[n]) for kind, n in needs if kind == "lookup"}
        self._stores = {n: Store(rules.connections[n]) for kind, n in needs if kind == "store"}

    async def answers(self, asks: Sequence[Ask], message: Message) -> list[str | None]:
        """One answer to each; None where nobody knows it.

        Raises VaultError and Unavailable. What is given as a pseudonym is kept when this returns.
        """
        found: dict[Ask, str | None] = {}
        for source, some in _groups(asks, "pseudonym", lambda ask: ask.source):
            wishes = [Wish(scope_of(ask, message), ask.entity, ask.value, ask.style) for ask in some]
            found |= zip(some, await self._vaults[source].pseudonyms(wishes), strict=True)
        await self._keep(asks, found)
        for (source, scope), some in _groups(asks, "restore", lambda ask: (ask.source, scope_of(ask, message))):
            found |= zip(some, await self._vaults[source].values([ask.value for ask in some], scope), strict=True)
        await self._look_up([ask for ask in asks if ask.kind == "value"], found)
        return [found[ask] for ask in asks]

    async def _keep(self, asks: Sequence[Ask], found: Mapping[Ask, str | None]) -> None:
        async def keep(ask: Ask) -> None:
            reference = found[ask]
            if ask.store is not None and reference is not None:
                await self._stores[ask.store].put(reference, ask.entity, ask.value)

        await _side_by_side(keep, [ask for ask in asks if ask.kind == "pseudonym" and ask.store])

    async def _look_up(self, asks: Sequence[Ask], found: dict[Ask, str | None]) -> None:
        async def look_up(ask: Ask) -> None:
            try:
                found[ask] = await self._lookups[ask.source].value(ask.value)
            except NotFound:
                found[ask] = None

        await _side_by_side(look_up, asks)

    async def aclose(self, heir: Consultant | None = None) -> None:
        """Lets go of what is held open in this event loop, save the vaults that `heir` has taken over."""
        for lookup in self._lookups.values():
            await lookup.aclose()
        for store in self._stores.values():
            await store.aclose()
        for name, each in self._vaults.items():
            if heir is None or heir._vaults.get(name) is not each:
                await each.aclose()


def scope_of(ask: Ask, message: Message) -> str:
    """Whose an answer is, as `proxy-guard vault` has it too. Where no conversation is known, its account's."""
    if ask.scope == "global":
        return ""
    account = quote(message.account, safe="") or "default"
    if ask.scope == "conversation" and message.conversation:
        return f"{account}/{quote(message.conversation, safe='')}"
    return account


async def _side_by_side(call: Callable[[Ask], Awaitable[None]], asks: Sequence[Ask]) -> None:
    """Calls for each; raises the first error as it is."""
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def limited(ask: Ask) -> None:
        async with limiter:
            await call(ask)

    try:
        async with anyio.create_task_group() as group:
            for ask in asks:
                group.start_soon(limited, ask)
    except ExceptionGroup as errors:
        raise _first(errors) from None


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _groups[K](asks: Iterable[Ask], kind: str, key: Callable[[Ask], K]) -> list[tuple[K, list[Ask]]]:
    groups: dict[K, list[Ask]] = {}
    for ask in asks:
        if ask.kind == kind:
            groups.setdefault(key(ask), []).append(ask)
    return list(groups.items())
