"""The compliance test suite of RFC 9535, whole."""

from __future__ import annotations

from typing import Any

import pytest

from proxy_guard.locate.jsonpath import PathFault, compile_path, normalized
from tests.conformance import data

SUITE = data.load("jsonpath-compliance.json")
CASES: list[dict[str, Any]] = SUITE["tests"] if SUITE else []
INVALID = [case for case in CASES if case.get("invalid_selector")]
VALID = [case for case in CASES if not case.get("invalid_selector")]


def name_of(case: Any) -> str:
    return str(case["name"])


@data.needed
def test_the_suite_is_whole() -> None:
    assert len(CASES) >= 703
    assert len(INVALID) > 200
    assert len(VALID) > 400


@pytest.mark.skipif(not INVALID, reason=data.REASON)
@pytest.mark.parametrize("case", INVALID, ids=name_of)
def test_an_invalid_selector_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(PathFault):
        compile_path(case["selector"])


@pytest.mark.skipif(not VALID, reason=data.REASON)
@pytest.mark.parametrize("case", VALID, ids=name_of)
def test_a_valid_selector_gives_the_values_and_the_normalized_paths(case: dict[str, Any]) -> None:
    nodes = compile_path(case["selector"])(case["document"])
    # Members of an object have no order in the standard: some cases have several right answers.
    results = case["results"] if "results" in case else [case["result"]]
    paths = case["results_paths"] if "results_paths" in case else [case["result_paths"]]
    got = ([value for value, *_ in nodes], [normalized(path) for _, path, *_ in nodes])
    assert got in list(zip(results, paths, strict=True))
