"""What two readers may read as two arrives as none of them, through every door."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.wire.cases import Case, every_case
from tests.wire.conftest import Door
from tests.wire.recover import holding
from tests.wire.tap import say, status

CASES = every_case()
_EVERY = 9
"""Of how many one is sent in the short run."""


def test_there_are_many_and_all_are_different() -> None:
    assert len(CASES) > 250
    assert len({case.name for case in CASES}) == len(CASES)


def test_some_do_not_arrive_by_any_reading(doors: list[Door]) -> None:
    assert wrong_of(CASES[::_EVERY], doors) == []


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted({case.name.partition(":")[0] for case in CASES}))
def test_none_arrives_by_any_reading(group: str, doors: list[Door]) -> None:
    assert wrong_of([case for case in CASES if case.name.startswith(f"{group}:")], doors) == []


def wrong_of(cases: Sequence[Case], doors: Sequence[Door]) -> list[str]:
    """What is wrong with what became of `cases`, sent through all doors."""

    def send(door: Door, case: Case) -> int:
        return status(say(door.port, case.request, 30))

    with ThreadPoolExecutor(12) as pool:
        sent = [(door, case, pool.submit(send, door, case)) for case in cases for door in doors]
    wrong = [
        f"{case.name}: {door.name} answered {answer.result()}"
        for door, case, answer in sent
        if answer.result() not in case.statuses
    ]
    phones = {case.phone: case.name for case in cases}
    for door in doors:
        wrong += [f"{phones[phone]}: it arrived behind {door.name}" for phone in holding(door.arrived(), phones)]
        if door.name != "asgi":  # uvicorn's own log has paths
            wrong += [f"{phones[phone]}: {door.name} told it" for phone in phones if phone in door.server.printed()]
    return wrong
