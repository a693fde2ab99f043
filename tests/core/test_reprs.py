"""No object of the guard shows a message's text when it is shown itself, as a traceback or a debugger does."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from proxy_guard.guard import Guard
from tests.small_rules import small_rules

MAIL = "canary.person@example.com"
CHAT = {"model": "m", "messages": [{"role": "user", "content": f"write to {MAIL} at once"}]}


def shown() -> dict[str, str]:
    """What there is of the guard's objects, by type, where it shows the canary."""
    found: dict[str, str] = {}
    for each in gc.get_objects():
        kind = type(each)
        if str(kind.__module__).startswith("proxy_guard") and "canary.person" in (text := repr(each)):
            found[f"{kind.__module__}.{kind.__qualname__}"] = text
    return found


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    rules = small_rules(tmp_path / "rules")
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{ policy: mask }]\nlimits: { workers: 0 }\n")
    return Guard.from_rules(rules)


def test_the_search_finds_what_shows_it() -> None:
    from proxy_guard.errors import Unreadable

    kept: Any = Unreadable(MAIL)
    assert "proxy_guard.errors.Unreadable" in shown()
    del kept


def test_nothing_shows_a_message(guard: Guard) -> None:
    kept: list[Any] = []

    async def run() -> None:
        exchange = guard.open("POST", f"http://test/v1/chat/completions?user={MAIL}", (("x-user", MAIL),))
        message = exchange.request((("content-type", "application/json"), ("x-user", MAIL)), json.dumps(CHAT).encode())
        verdict = await exchange.inspect(message)
        assert verdict.action == "rewrite"
        head = exchange.response(200, (("content-type", "text/event-stream"), ("x-user", MAIL)))
        passage = exchange.stream(head)
        assert passage is not None
        event = {"choices": [{"index": 0, "delta": {"content": f"write to {MAIL}"}}]}
        await passage.feed(f"data: {json.dumps(event)}\n\n".encode())  # the address may go on: it is held
        kept.extend([exchange, message, verdict, head, passage])
        assert shown() == {}

    anyio.run(run)
