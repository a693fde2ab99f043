"""The vendors' own clients, sync and async, through the running sidecar."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.e2e.servers import Server, sidecar, uvicorn

PHONE = "9876543210"


@pytest.fixture(scope="module")
def vendor(folder: Path) -> Iterator[Server]:
    with uvicorn("tests.e2e.vendors:app", folder / "vendor.log", "--log-level", "warning") as server:
        yield server


@pytest.fixture(scope="module")
def masking(folder: Path, vendor: Server) -> Iterator[Server]:
    with sidecar(vendor.url, folder / "masking.log") as server:
        yield server


@pytest.fixture(scope="module")
def blocking(folder: Path, vendor: Server) -> Iterator[Server]:
    with sidecar(vendor.url, folder / "blocking.log", "--policy", "block") as server:
        yield server


def seen(vendor: Server) -> list[Any]:
    with urllib.request.urlopen(f"{vendor.url}/seen", timeout=10) as reply:
        found: list[Any] = json.load(reply)
    return found


def openai_sync(url: str, text: Any) -> str:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client:
        reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
    return str(reply.choices[0].message.content)


def openai_async(url: str, text: Any) -> str:
    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client:
            reply = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
        return str(reply.choices[0].message.content)

    return asyncio.run(ask())


def anthropic_sync(url: str, text: Any) -> str:
    with anthropic.Anthropic(base_url=url, api_key="k") as client:
        reply = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])
    return str(reply.content[0].text)  # type: ignore[union-attr]


def anthropic_async(url: str, text: Any) -> str:
    async def ask() -> str:
        async with anthropic.AsyncAnthropic(base_url=url, api_key="k") as client:
            reply = await client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])
        return str(reply.content[0].text)  # type: ignore[union-attr]

    return asyncio.run(ask())


Ask = Callable[[str, Any], str]
CLIENTS = [openai_sync, openai_async, anthropic_sync, anthropic_async]


@pytest.mark.parametrize("ask", CLIENTS)
def test_both_ways_are_masked(ask: Ask, vendor: Server, masking: Server) -> None:
    answer = ask(masking.url, f"my number is {PHONE}")
    [body] = seen(vendor)
    assert body["messages"][0]["content"] == "my number is XXXXXXXX10"
    assert "Call XXXXXXXX10." in answer
    assert PHONE not in answer


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_block_is_the_clients_own_error_and_is_not_retried(ask: Ask, vendor: Server, blocking: Server) -> None:
    with pytest.raises((openai.UnprocessableEntityError, anthropic.UnprocessableEntityError)) as raised:
        ask(blocking.url, f"my number is {PHONE}")
    error: Any = raised.value
    assert error.status_code == 422
    assert "This message holds data that may not be sent." in str(error)
    assert "PHONE_NUMBER in $.messages[*].content" in str(error)
    assert PHONE not in str(error)
    assert error.response.headers["x-proxy-guard-incident"]
    assert seen(vendor) == []
    # One request alone was blocked: the client did not try again.
    assert blocking.printed().count(error.response.headers["x-proxy-guard-incident"]) == 1


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_blocked_reply_is_the_clients_own_error(ask: Ask, vendor: Server, blocking: Server) -> None:
    with pytest.raises((openai.UnprocessableEntityError, anthropic.UnprocessableEntityError)):
        ask(blocking.url, "hello")
    assert len(seen(vendor)) == 1, "a blocked reply is not asked for again"


@pytest.mark.parametrize("ask", CLIENTS)
def test_unreadable_media_is_refused_with_415(ask: Ask, vendor: Server, masking: Server) -> None:
    picture: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    if "anthropic" in ask.__name__:
        picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as raised:
        ask(masking.url, [picture])
    error: Any = raised.value
    assert error.status_code == 415
    assert seen(vendor) == []


def test_the_clients_read_the_error_body(vendor: Server, blocking: Server) -> None:
    with pytest.raises(openai.APIStatusError) as from_openai:
        openai_sync(blocking.url, PHONE)
    assert from_openai.value.code == "content_blocked"
    assert from_openai.value.type == "invalid_request_error"
    with pytest.raises(anthropic.APIStatusError) as from_anthropic:
        anthropic_sync(blocking.url, PHONE)
    assert from_anthropic.value.body["error"]["type"] == "invalid_request_error"  # type: ignore[index]
