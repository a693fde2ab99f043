"""How the files of tests are shared out among processes: the longest first, and those that share servers together."""

from __future__ import annotations

from typing import Any

import pytest

# Each starts its servers anew in every process that runs one of its files.
TOGETHER = {
    "tests/e2e/test_canaries.py": "tests/e2e/test_doors.py",
    "tests/e2e/test_sidecar.py": "tests/e2e/test_http.py",
    "tests/media/test_bodies.py": "tests/media/test_linked.py",
    "tests/media/test_remote_media.py": "tests/media/test_linked.py",
    "tests/media/test_sdks.py": "tests/media/test_linked.py",
    "tests/media/test_streams.py": "tests/media/test_linked.py",
    "tests/wire/test_limits.py": "tests/wire/test_requests.py",
}
# By the time that they take. The rest goes last, so that all processes end at the same time.
LONGEST = [
    "tests/e2e/test_workers.py",
    "tests/e2e/clients/test_calls.py",
    "tests/test_docs.py",
    "tests/stream/test_law.py",
    "tests/e2e/test_streaming.py",
    "tests/e2e/test_mcp.py",
    "tests/e2e/test_remote_doors.py",
    "tests/e2e/test_websocket.py",
    "tests/media/test_guard.py",
    "tests/e2e/test_doors.py",
    "tests/media/test_linked.py",
    "tests/e2e/test_http.py",
    "tests/e2e/test_cli.py",
    "tests/remote/test_faults.py",
    "tests/wire/test_requests.py",
    "tests/unit/test_imports.py",
    "tests/media/test_cli_scrub.py",
    "tests/unit/test_chunks.py",
    "tests/unit/test_rules.py",
    "tests/unit/test_house.py",
]


def _unit(file: str) -> str:
    return TOGETHER.get(file, file)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {file: place for place, file in enumerate(LONGEST)}

    def place(item: pytest.Item) -> tuple[int, bool]:
        file = item.nodeid.partition("::")[0]
        unit = _unit(file)
        return places.get(unit, len(places)), file != unit

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """For `--dist loadfile`: in the order above, where xdist would take the files with most tests first."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByServers(LoadFileScheduling):  # type: ignore[misc] # has no types
        def _split_scope(self, nodeid: str) -> str:
            return _unit(nodeid.partition("::")[0])

    config.option.loadscopereorder = False
    return ByServers(config, log)
