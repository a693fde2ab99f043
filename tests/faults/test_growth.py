"""What is kept for later is bounded, and what fails leaves nothing behind."""

from __future__ import annotations

import resource
from pathlib import Path

import anyio
import pytest

from proxy_guard.detect import prefilter
from proxy_guard.errors import VaultFull
from proxy_guard.vault import Wish
from proxy_guard.vault.memory import MemorySettings, MemoryVault


@pytest.mark.filterwarnings("ignore")  # of mitmproxy's own imports
def test_messages_of_a_websocket_are_not_kept_behind_mitmproxy() -> None:
    from mitmproxy.test import tflow
    from mitmproxy.websocket import WebSocketMessage
    from wsproto.frame_protocol import Opcode

    from proxy_guard import mitm_websocket

    async def run() -> None:
        flow = tflow.twebsocketflow()
        assert flow.websocket is not None
        for number in range(50):
            flow.websocket.messages.append(WebSocketMessage(Opcode.TEXT, number % 2 == 0, b"x" * 1000))
            await mitm_websocket.take(flow)
        assert len(flow.websocket.messages) == 1

    anyio.run(run)


def test_pseudonyms_that_may_not_come_again_count_towards_the_size_of_a_vault_in_memory() -> None:
    now = 0.0
    settings = MemorySettings.model_validate({"ttl": 1, "limits": {"bytes": 20_000}})
    vault = MemoryVault("v", settings, lambda: now)

    async def run() -> None:
        nonlocal now
        with pytest.raises(VaultFull):
            for number in range(1000):
                await vault.pseudonyms([Wish("", "PHONE_NUMBER", f"+9198100{number:05d}", "phone")])
                now += 2
        assert len(vault._spent) < 200

    anyio.run(run)


def test_a_full_disk_leaves_no_half_of_the_pattern_cache(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        prefilter._keep(tmp_path / "cache" / "patterns.hs", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "cache").iterdir()) == []
