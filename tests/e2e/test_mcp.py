"""A server and a client of the Model Context Protocol, by its own library, with each door between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import ClientSession, McpError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CreateMessageResult, LoggingMessageNotificationParams, TextContent
from pydantic import AnyUrl

from proxy_guard import resources
from tests.e2e.mcp_server import SAID
from tests.e2e.servers import Server, mitmdump, sidecar, uvicorn

DOORS = ("mitmproxy", "asgi", "sidecar")
TRANSPORTS = ("http", "sse")
CALL = "call 9876543210"
MASKED = "call XXXXXXXX10"
SAID_MASKED = SAID.replace("jane.doe@example.com", "<EMAIL_ADDRESS>").replace("9876543210", "XXXXXXXX10")
GUARD = """\
version: 1
routes:
  - {paths: ["/block/**"], policy: block}
  - {policy: mask}
"""


@dataclass
class Talk:
    """A session, and what the client was told beside its answers."""

    session: ClientSession
    told: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def doors(folder: Path) -> Iterator[dict[str, Server]]:
    rules = folder / "mcp-rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.yaml").write_text(GUARD)
    (rules / "guard.test.yaml").unlink(missing_ok=True)
    served, flags = "tests.e2e.mcp_server:app", ("--factory", "--log-level", "error")
    with ExitStack() as stack:
        vendor = stack.enter_context(uvicorn(served, folder / "mcp.log", *flags))
        yield {
            "vendor": vendor,
            "mitmproxy": stack.enter_context(mitmdump(vendor.url, rules, folder / "mcp.mitm.log")),
            "sidecar": stack.enter_context(
                sidecar(vendor.url, folder / "mcp.sidecar.log", "--door", "asgi", "--rules", str(rules))
            ),
            "asgi": stack.enter_context(uvicorn(served, folder / "mcp.asgi.log", *flags, GUARD_RULES=str(rules))),
        }


@asynccontextmanager
async def connected(door: Server, transport: str, policy: str = "mask") -> AsyncIterator[Talk]:
    """A session that is ready."""
    told: list[str] = []

    async def sampled(context: Any, params: Any) -> CreateMessageResult:
        told.append(params.messages[0].content.text)
        return CreateMessageResult(role="assistant", content=TextContent(type="text", text=CALL), model="m")

    async def logged(params: LoggingMessageNotificationParams) -> None:
        told.append(str(params.data))

    url = f"{door.url}/{policy}"
    opened = streamable_http_client(f"{url}/mcp") if transport == "http" else sse_client(f"{url}/sse")
    async with (
        opened as (reading, writing, *_),
        ClientSession(reading, writing, sampling_callback=sampled, logging_callback=logged) as session,
    ):
        await session.initialize()
        yield Talk(session, told)


def heard(doors: dict[str, Server], door: str) -> list[str]:
    """What the server's tools had since it was last asked."""
    server = doors["asgi" if door == "asgi" else "vendor"]
    found: list[str] = httpx.get(f"{server.url}/_heard").json()
    return found


def text_of(result: Any) -> str:
    return str(result.content[0].text)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("door", DOORS)
def test_a_session_goes_on_with_what_is_masked(door: str, transport: str, doors: dict[str, Server]) -> None:
    heard(doors, door)
    progresses: list[str | None] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        progresses.append(message)

    async def run() -> None:
        async with connected(doors[door], transport) as talk:
            session = talk.session
            assert {each.name for each in (await session.list_tools()).tools} == {"note", "look_up", "ask", "fail"}
            noted = await session.call_tool("note", {"text": CALL, "tags": {"jane.doe@example.com": "x"}})
            assert text_of(noted) == f"noted: {MASKED}"
            found = await session.call_tool("look_up", {"name": "j"}, progress_callback=progressed)
            assert text_of(found) == SAID_MASKED
            assert found.structuredContent == {"result": SAID_MASKED}
            assert text_of(await session.call_tool("ask", {})) == "asked"
            failed = await session.call_tool("fail", {})
            assert failed.isError
            assert SAID_MASKED in text_of(failed)
            read: Any = (await session.read_resource(AnyUrl("note://phone-9876543210"))).contents[0]
            assert read.text == SAID_MASKED
            prompt: Any = (await session.get_prompt("greet", {"name": CALL})).messages[0].content
            assert prompt.text == f"Greet {MASKED}. {SAID_MASKED}"
            assert talk.told == [SAID_MASKED, SAID_MASKED]
            assert progresses == [SAID_MASKED]

    anyio.run(run)
    got = heard(doors, door)
    assert "9876543210" not in str(got)
    assert "jane.doe" not in str(got)
    assert json.loads(got[0]) == [MASKED, {"<EMAIL_ADDRESS>": "x"}]
    assert json.loads(got[1])["text"] == MASKED
    assert got[2:] == ["phone-XXXXXXXX10", MASKED]


@pytest.mark.parametrize("door", DOORS)
def test_a_call_that_is_blocked_fails_and_the_session_goes_on(door: str, doors: dict[str, Server]) -> None:
    heard(doors, door)

    async def run() -> None:
        async with connected(doors[door], "http", "block") as talk:
            with anyio.fail_after(10):
                with pytest.raises(McpError) as raised:
                    await talk.session.call_tool("note", {"text": CALL, "tags": {}})
                assert raised.value.error.code == -32600
                assert "PHONE_NUMBER" in raised.value.error.message
                assert "9876543210" not in raised.value.error.message
                noted = await talk.session.call_tool("note", {"text": "hello", "tags": {}})
                assert text_of(noted) == "noted: hello"
                with pytest.raises(McpError, match="found EMAIL_ADDRESS"):  # its answer streams
                    await talk.session.get_prompt("greet", {"name": "Ann"})
                assert text_of(await talk.session.call_tool("note", {"text": "bye", "tags": {}})) == "noted: bye"

    anyio.run(run)
    assert heard(doors, door) == [json.dumps(["hello", {}]), "Ann", json.dumps(["bye", {}])]


@pytest.mark.parametrize("door", DOORS)
def test_a_block_ends_a_session_of_the_older_transport(
    door: str, doors: dict[str, Server], caplog: pytest.LogCaptureFixture
) -> None:
    """Its answers come in another stream than the one that is blocked, and its client sends no more after 4xx."""
    heard(doors, door)

    async def run() -> None:
        async with connected(doors[door], "sse", "block") as talk:
            noted = await talk.session.call_tool("note", {"text": "hello", "tags": {}})
            assert text_of(noted) == "noted: hello"
            with anyio.fail_after(5):
                await talk.session.call_tool("note", {"text": CALL, "tags": {}})

    with pytest.raises(ExceptionGroup) as raised:
        anyio.run(run)
    told = str(raised.value.exceptions) + caplog.text
    assert "422 Unprocessable" in told
    assert "9876543210" not in told
    assert heard(doors, door) == [json.dumps(["hello", {}])]
