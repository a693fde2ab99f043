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
        # A value longer than a stream holds is told by what has come of it, which depends on how much comes at once.
        streams = case.shards and (case.talk or (case.reply and len(case.reply.pieces) > 1))
        if by_mitm != by_asgi and not streams:
            wrong.append(f"{case.name}: not the same through both doors")
        wrong += [f"{case.name}: {what}" for each in dict.fromkeys((by_mitm, by_asgi)) if (what := _wrong(case, each))]
    return wrong


def _wrong(case: Case, outcome: Outcome) -> str:
    """What went wrong with a case at one door."""
    arrived = outcome.arrived
    if not case.shards:
        return "" if _came_as_sent(case, outcome) else "changed"
    if arrived is None:
        return "" if outcome.blocked or 400 <= outcome.status < 500 else f"answered with {outcome.status}"
    how = gives_away(arrived.pieces(), case.shards)
    return f"recovered {how}" if how else ""


def _came_as_sent(case: Case, outcome: Outcome) -> bool:
    arrived = outcome.arrived
    if arrived is None:
        return False
    if case.answered or case.talk:
        return arrived.body == case.body
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
        and not gives_away([case.body, case.request.path, *(value for _, value in case.request.headers)], case.shards)
    ]
    assert lost == []


def test_the_sample_through_both_doors(tmp_path_factory: pytest.TempPathFactory) -> None:
    sample = cases.sample()
    assert _judged(through_both_doors(tmp_path_factory.mktemp("evasion"), sample), sample) == []


@pytest.mark.slow
def test_every_case_through_both_doors(tmp_path_factory: pytest.TempPathFactory) -> None:
    every = cases.every()
    assert _judged(through_both_doors(tmp_path_factory.mktemp("evasion"), every), every) == []
