"""The Security API in 20 lines, as the docs show it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from proxy_guard import resources
from proxy_guard.model import Rejected, Rewritten, Wanted
from proxy_guard.remote.mapping import Item
from proxy_guard.remote.scrubber import RemoteScrubber
from proxy_guard.rules.load import load_rules
from tests.remote.serving import serve

PAGE = Path(__file__).parents[2] / "docs" / "security-api.md"


def test_it_works_with_the_shipped_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n# my_security_api.py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    names: dict[str, Any] = {}
    exec(code, names)

    async def run() -> list[Any]:
        scrubber = RemoteScrubber(load_rules(resources.rules_dir(), using=["security-api"]).connections["security-api"])
        items = [Item("0", "hi"), Item("1", "It is ACME-123456"), Item("2", "Top secret"), Item("3", data=b"x")]
        try:
            return list(await scrubber.judge(items, Wanted(None, "en", 0.4)))
        finally:
            await scrubber.aclose()

    with serve(names["app"]) as origin:
        monkeypatch.setenv("SECURITY_API_URL", origin)
        monkeypatch.setenv("SECURITY_API_TOKEN", "any")
        assert anyio.run(run) == [[], Rewritten("It is ACME-XXXXXX"), Rejected("secret_project"), Rejected("no_media")]
