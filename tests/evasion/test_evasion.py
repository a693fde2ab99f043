"""No way round: what is hidden, split or put in odd places arrives scrubbed or not at all, and harmless twins unchanged.

Each case goes through a real mitmdump and a real uvicorn with the middleware, by policy `strict`. Behind them an upstream
tries hard to recover the values (`recover`). `make test` takes a fixed sample, `make test-all` every case.
"""

from __future__ import annotations

import pytest

from tests.evasion import cases
from tests.evasion.cases import Case
from tests.evasion.recover import gives_away
from tests.evasion.sending import Outcome, through_both_doors

Outcomes = dict[str, dict[str, Outcome]]


def _judged(outcomes: Outcomes, sent: list[Case]) -> list[str]:
    """What went wrong, case by case."""
    wrong: list[str] = []
    for case in sent:
        by_mitm, by_asgi = outcomes["mitmproxy"][case.name], outcomes["asgi"][case.name]
        if by_mitm != by_asgi:
            wrong.append(f"{case.name}: not the same through both doors")
        elif case.shards and (how := by_mitm.arrived and gives_away(by_mitm.arrived.pieces(), case.shards)):
            wrong.append(f"{case.name}: recovered {how}")
        elif case.shards and not by_mitm.arrived and not (by_mitm.blocked or 400 <= by_mitm.status < 500):
            wrong.append(f"{case.name}: answered with {by_mitm.status}")
        elif not case.shards and not _came_as_sent(case, by_mitm):
            wrong.append(f"{case.name}: changed")
    return wrong


def _came_as_sent(case: Case, outcome: Outcome) -> bool:
    arrived = outcome.arrived
    if arrived is None:
        return False
    path, _, query = case.request.path.partition("?")
    own = dict(arrived.headers)
    return (
        arrived.body == case.request.body
        and arrived.target == f"{case.request.method} {path}?{query}"
        and all(own.get(name) == value for name, value in case.request.headers)
    )


def test_the_sample_is_wide() -> None:
    sample = cases.sample()
    assert len({case.name for case in sample}) == len(sample)
    assert sum(1 for case in sample if case.shards) >= 400
    assert sum(1 for case in sample if not case.shards) >= 200


def test_every_attack_of_the_sample_would_succeed_without_a_guard() -> None:
    """Whoever can't recover a value from what was sent proves nothing about what arrives."""
    lost = [
        case.name
        for case in cases.sample()
        if case.shards
        and not gives_away(
            [case.request.body, case.request.path, *(value for _, value in case.request.headers)], case.shards
        )
    ]
    assert lost == []


def test_the_sample_through_both_doors(tmp_path_factory: pytest.TempPathFactory) -> None:
    sample = cases.sample()
    assert _judged(through_both_doors(tmp_path_factory.mktemp("evasion"), sample), sample) == []


@pytest.mark.slow
def test_every_case_through_both_doors(tmp_path_factory: pytest.TempPathFactory) -> None:
    every = cases.every()
    assert _judged(through_both_doors(tmp_path_factory.mktemp("evasion"), every), every) == []
