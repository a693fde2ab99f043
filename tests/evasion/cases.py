"""The cases: every value in every disguise, in every place, split in every way; beside each attack its harmless twin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.evasion.carriers import CARRIERS, Carrier, Request, chat, user
from tests.evasion.splits import CUTS, SPLITS
from tests.evasion.values import VALUES, Value
from tests.evasion.ways import WAYS, Way


@dataclass(frozen=True)
class Case:
    """`shards` are what may not be read from what arrives; a twin, which has none, has to arrive as it was sent."""

    name: str
    request: Request
    shards: tuple[str, ...] = ()


def _plain(text: str) -> str:
    return text


def _pair(name: str, value: Value, way: Way, carrier: Carrier) -> Iterator[Case]:
    if way is _plain or way(value.plain) != value.plain:
        yield Case(name, carrier(value.said.format(way(value.plain))), value.shards)
    if way is _plain or way(value.harmless) != value.harmless:
        yield Case(f"{name} (twin)", carrier(value.harmless_said.format(way(value.harmless))))


def _in_a_message(text: str) -> Request:
    return chat(user(text))


def disguised() -> list[Case]:
    """Every way, for every value it changes."""
    return [
        case
        for way in WAYS
        for value in VALUES.values()
        for case in _pair(f"{value.kind}, {way}", value, WAYS[way], _in_a_message)
    ]


def placed() -> list[Case]:
    """Every place, with every value as it is written plainly."""
    return [
        case
        for carrier in CARRIERS
        for value in VALUES.values()
        for case in _pair(f"{value.kind} in {carrier}", value, _plain, CARRIERS[carrier])
        if carrier not in REFUSED or case.shards
    ]


REFUSED = {"unknown path", "unknown method", "multipart file name"}
"""Places where nothing passes by these rules, whatever it is."""


def split() -> list[Case]:
    """Every way to take a text apart, cut in several ways."""
    return [
        case
        for name, spread in SPLITS.items()
        for cut_name, cut in CUTS.items()
        for value in VALUES.values()
        for case in (
            Case(
                f"{value.kind} in {cut_name}, {name}",
                spread(cut(value.said.format(value.plain), value.plain)),
                value.shards,
            ),
            Case(
                f"{value.kind} in {cut_name}, {name} (twin)",
                spread(cut(value.harmless_said.format(value.harmless), value.harmless)),
            ),
        )
    ]


def every() -> list[Case]:
    return [*disguised(), *placed(), *split()]


def sample() -> list[Case]:
    """Of every way, place and split some values, in turn, so that each value meets many of them; of twins fewer."""
    kinds = ((disguised(), 3), (placed(), 5), (split(), 11))
    return [
        case
        for some, step in kinds
        for attack, every_nth in ((True, step), (False, 2 * step - 1))
        for case in [each for each in some if bool(each.shards) is attack][::every_nth]
    ]
