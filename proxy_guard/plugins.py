"""Finds exchangeable parts by entry point: one road for the built-in ones and for those of others."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from proxy_guard.errors import ProxyGuardError

Group = Literal["scrubbers", "operators", "codecs", "vaults"]


@cache
def available(group: Group) -> dict[str, EntryPoint]:
    """The installed parts of a group by name. Raises ProxyGuardError where two packages claim one name."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"proxy_guard.{group}"):
        if point.name in found and found[point.name].value != point.value:
            raise ProxyGuardError(f"two packages offer '{point.name}' in proxy_guard.{group}")
        found[point.name] = point
    return found


@cache
def load(group: Group, name: str) -> Any:
    """The part of that name, imported. Raises KeyError for an unknown one; import errors pass through."""
    return available(group)[name].load()
