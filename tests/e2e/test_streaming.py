"""Streamed replies through both doors, as the vendors' own clients read them."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import openai
import pytest

from tests.e2e.servers import Server, sidecar, uvicorn
from tests.e2e.streaming import SECRETS, TEXT

MASKED = TEXT.replace("9876543210", "XXXXXXXX10").replace("jane.doe@example.com", "<EMAIL_ADDRESS>")
ARGUMENTS = {"to": "<EMAIL_ADDRESS>", "urgent": True, "n": 1.1}
DOORS = ("mitmproxy", "asgi", "sidecar")


class Reply(NamedTuple):
    """What a client put together."""

    text: str
    thought: str
    arguments: str
    finish: str | None


@pytest.fixture(scope="module")
def doors(folder: Path) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        vendor = stack.enter_context(uvicorn("tests.e2e.streaming:app", folder / "streams.log", "--log-level", "error"))
        started = {"vendor": vendor}
        for policy in ("mask", "block"):
            log = folder / f"streams-{policy}"
            started[f"mitmproxy-{policy}"] = stack.enter_context(
                sidecar(vendor.url, log.with_suffix(".mitm.log"), "--policy", policy)
            )
            started[f"sidecar-{policy}"] = stack.enter_context(
                sidecar(vendor.url, log.with_suffix(".sidecar.log"), "--policy", policy, "--door", "asgi")
            )
            started[f"asgi-{policy}"] = stack.enter_context(
                uvicorn("tests.e2e.streaming:guarded", log.with_suffix(".asgi.log"), "--factory", GUARD_POLICY=policy)
            )
        yield started


MESSAGES: Any = [{"role": "user", "content": "hello"}]


def openai_sync(url: str, seed: int) -> Reply:
    text = thought = arguments = ""
    finish = None
    with openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        for chunk in client.chat.completions.create(model=f"seed-{seed}", messages=MESSAGES, stream=True):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                thought += getattr(choice.delta, "reasoning_content", None) or ""
                for call in choice.delta.tool_calls or []:
                    arguments += (call.function and call.function.arguments) or ""
                finish = choice.finish_reason or finish
    return Reply(text, thought, arguments, finish)


def openai_async(url: str, seed: int) -> Reply:
    async def ask() -> Reply:
        async with (
            openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client,
            client.chat.completions.stream(model=f"seed-{seed}", messages=MESSAGES) as stream,
        ):
            message = (await stream.get_final_completion()).choices[0]
        assert message.message.tool_calls
        [call] = message.message.tool_calls
        thought = getattr(message.message, "reasoning_content", "")
        return Reply(message.message.content or "", thought, call.function.arguments, message.finish_reason)

    return asyncio.run(ask())


def anthropic_reply(message: Any) -> Reply:
    thinking, text, tool = message.content
    assert thinking.signature == "EqQBCkYIARgC9876543210=="
    return Reply(text.text, thinking.thinking, json.dumps(tool.input), message.stop_reason)


def anthropic_sync(url: str, seed: int) -> Reply:
    with (
        anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client,
        client.messages.stream(model=f"seed-{seed}", max_tokens=9, messages=MESSAGES) as stream,
    ):
        return anthropic_reply(stream.get_final_message())


def anthropic_async(url: str, seed: int) -> Reply:
    async def ask() -> Reply:
        async with (
            anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as client,
            client.messages.stream(model=f"seed-{seed}", max_tokens=9, messages=MESSAGES) as stream,
        ):
            return anthropic_reply(await stream.get_final_message())

    return asyncio.run(ask())


Ask = Callable[[str, int], Reply]
CLIENTS = [openai_sync, openai_async, anthropic_sync, anthropic_async]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("ask", CLIENTS)
def test_what_clients_put_together_is_masked(ask: Ask, door: str, doors: dict[str, Server]) -> None:
    for seed in range(5):
        plain, got = ask(doors["vendor"].url, seed), ask(doors[f"{door}-mask"].url, seed)
        assert plain.text == TEXT
        assert got.text == MASKED
        assert got.thought == plain.thought.replace("9876543210", "XXXXXXXX10")
        assert json.loads(got.arguments) == ARGUMENTS
        assert got.finish == plain.finish
        assert not any(secret in "".join(map(str, got)) for secret in SECRETS)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("ask", CLIENTS)
def test_a_block_is_the_clients_own_error(ask: Ask, door: str, doors: dict[str, Server]) -> None:
    with pytest.raises((openai.APIError, anthropic.APIError)) as raised:
        ask(doors[f"{door}-block"].url, 1)
    assert "may not be sent" in str(raised.value)
    assert not any(secret in str(raised.value) for secret in SECRETS)


@pytest.mark.parametrize("door", DOORS)
def test_what_is_clean_passes_byte_for_byte_but_for_what_is_edited(door: str, doors: dict[str, Server]) -> None:
    def bytes_of(server: Server) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request("POST", "/v1/messages", json.dumps({"model": "seed-3", "messages": MESSAGES}), {"content-type": "application/json"})  # fmt: skip
            return connection.getresponse().read()
        finally:
            connection.close()

    came, went = bytes_of(doors["vendor"]).split(b"\r\n\r\n"), bytes_of(doors[f"{door}-mask"]).split(b"\r\n\r\n")
    assert len(came) == len(went)
    changed = [n for n, (before, after) in enumerate(zip(came, went, strict=True)) if before != after]
    assert 0 < len(changed) < len(came) / 2
    assert [line.partition(b"\r\n")[0] for line in came] == [line.partition(b"\r\n")[0] for line in went]
