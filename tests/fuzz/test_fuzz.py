"""The targets on what once broke them, on inputs to begin with, and on some that are made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
_FEW, _MANY = {"rules": 15}, 60


@pytest.mark.parametrize("name", TARGETS)
def test_known_inputs(name: str) -> None:
    paths = sorted((CORPUS / name).iterdir())
    assert paths
    for path in paths:
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_made_up_inputs(name: str) -> None:
    @settings(
        max_examples=_FEW.get(name, _MANY), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.binary(max_size=300))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_more_made_up_inputs(name: str) -> None:
    @settings(
        max_examples=_FEW.get(name, _MANY) * 100,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=1000))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()
