"""OpenAI's realtime API through both doors, with its own SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import openai
import pytest
from websockets.exceptions import ConnectionClosedError

from tests.e2e.servers import Server, sidecar, uvicorn
from tests.e2e.streaming import SECRETS, TEXT

DOORS = ("mitmproxy", "asgi", "sidecar")
MASKED = TEXT.replace("9876543210", "XXXXXXXX10").replace("jane.doe@example.com", "<EMAIL_ADDRESS>")


@pytest.fixture(scope="module")
def doors(folder: Path) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        vendor = stack.enter_context(uvicorn("tests.e2e.sockets:app", folder / "realtime.log", "--log-level", "error"))
        started = {}
        for policy in ("mask", "block"):
            log = folder / f"realtime-{policy}"
            started[f"mitmproxy-{policy}"] = stack.enter_context(
                sidecar(vendor.url, log.with_suffix(".mitm.log"), "--policy", policy)
            )
            started[f"sidecar-{policy}"] = stack.enter_context(
                sidecar(vendor.url, log.with_suffix(".sidecar.log"), "--door", "asgi", "--policy", policy)
            )
            started[f"asgi-{policy}"] = stack.enter_context(
                uvicorn("tests.e2e.sockets:by_policy", log.with_suffix(".asgi.log"), "--factory", GUARD_POLICY=policy)
            )
        yield started


async def ask(server: Server, text: str) -> dict[str, str]:
    """What a client puts together of a reply, by the types of events; and what the server had, as it says."""
    said: dict[str, str] = {}
    async with (
        openai.AsyncOpenAI(base_url=f"{server.url}/v1", websocket_base_url=f"ws://127.0.0.1:{server.port}/v1", api_key="k") as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):  # fmt: skip
        await connection.session.update(session={"type": "realtime", "instructions": text})
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        )
        await connection.response.create()
        async for event in connection:
            said[event.type] = said.get(event.type, "") + getattr(event, "delta", "")
            if event.type == "response.done":
                said["heard"] = json.dumps(event.response.metadata)
                return said
    return said


@pytest.mark.parametrize("door", DOORS)
def test_what_a_client_puts_together_is_masked(door: str, doors: dict[str, Server]) -> None:
    said = asyncio.run(ask(doors[f"{door}-mask"], "call 9876543210"))
    assert said["response.output_text.delta"] == MASKED
    assert said["response.output_audio_transcript.delta"] == MASKED
    assert json.loads(said["response.function_call_arguments.delta"])["to"] == "<EMAIL_ADDRESS>"
    assert "call XXXXXXXX10" in said["heard"]
    assert not any(secret in str(said) for secret in SECRETS)


@pytest.mark.parametrize("door", DOORS)
def test_a_block_is_the_clients_own_error(door: str, doors: dict[str, Server]) -> None:
    with pytest.raises(ConnectionClosedError) as raised:
        asyncio.run(ask(doors[f"{door}-block"], "call 9876543210"))
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1008
    assert "9876543210" not in raised.value.rcvd.reason
