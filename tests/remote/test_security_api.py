"""The reference server: what the contract says, by the contract's own schemas; and a guard that asks it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from ruamel.yaml import YAML

from proxy_guard import resources
from proxy_guard.rules.load import load_rules
from proxy_guard.security_api import application
from tests.e2e.servers import Server, free_port, running
from tests.remote.rulesets import PHONE

TEXT = f"My phone number is {PHONE}"
TOKEN = "s3cr3t-token"
CONTRACT = YAML(typ="safe").load(resources.security_api_contract())


def conforms(value: Any, schema: str) -> None:
    registry = Registry().with_resource("contract", Resource.opaque(CONTRACT))
    where = {"$ref": f"contract#/components/schemas/{schema}"}
    Draft202012Validator(where, registry=registry).validate(value)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api"), "--token", "${env:API_TOKEN}") as made:
        yield made


def serving(folder: Path, *flags: str) -> Any:
    port = free_port()
    arguments = ["-m", "proxy_guard", "security-api", "--listen", f"127.0.0.1:{port}", *flags]
    return running(arguments, port, folder / "api.log", API_TOKEN=TOKEN)


def post(server: Server, body: Any, path: str = "/v1/inspect", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = headers or {"authorization": f"Bearer {TOKEN}"}
    return httpx.post(server.url + path, content=content, headers=headers, trust_env=False, timeout=30)


def item(text: str | None = None, ident: str = "0", **more: Any) -> dict[str, Any]:
    made = {"id": ident, "kind": "text", "media_type": "text/plain", "path": "$", "direction": "request", **more}
    return made if text is None else {**made, "text": text}


def test_a_text_is_masked_and_another_allowed(server: Server) -> None:
    asked = {"items": [item("hello", "a"), item(TEXT, "b")]}
    conforms(asked, "Inspection")
    reply = post(server, asked)
    assert reply.status_code == 200
    conforms(reply.json(), "Judgements")
    first, second = reply.json()["items"]
    assert first == {"id": "a", "action": "allow"}
    assert (second["id"], second["action"], second["text"]) == ("b", "mask", "My phone number is XXXXXXXX10")
    assert [(f["entity"], f["start"], f["end"]) for f in second["findings"]] == [("PHONE_NUMBER", 19, 29)]


def test_a_server_without_the_extra_rejects_media() -> None:
    policy = load_rules(resources.rules_dir(), "mask").routes[0].policy
    asked = {"items": [item(kind="media", media_type="image/png", base64=base64.b64encode(b"\x89PNG").decode())]}
    conforms(asked, "Inspection")

    async def ask() -> Any:
        transport = httpx.ASGITransport(app=application(policy))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return (await client.post("/v1/inspect", json=asked)).json()

    said = anyio.run(ask)
    conforms(said, "Judgements")
    assert said["items"] == [{"id": "0", "action": "reject", "code": "media_not_inspected"}]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not valid JSON"),
        (b"\xff", 400, "UTF-8"),
        ({}, 422, "items: Field required"),
        ({"items": [{"id": "1"}]}, 422, "exactly one of `text` and `base64`"),
        ({"items": [item("a"), item("b")]}, 422, "two items have one id"),
        ({"items": [{"id": "1", "text": 5}]}, 422, "items.0.text"),
        (b" " * 11_000_000, 413, "larger"),
    ],
)
def test_what_can_not_be_read_is_a_problem_without_the_text(server: Server, body: Any, status: int, said: str) -> None:
    reply = post(server, body)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    conforms(reply.json(), "Problem")
    assert said in reply.json()["detail"]


@pytest.mark.parametrize("headers", [{"x": "y"}, {"authorization": "Bearer no"}, {"authorization": f"Basic {TOKEN}"}, {"x-api-key": "é"}])  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/inspect", "/beta/litellm_basic_guardrail_api"])
def test_credentials_are_asked_for(server: Server, headers: dict[str, str], path: str) -> None:
    reply = httpx.post(
        server.url + path,
        json={"items": []},
        headers={k.encode(): v.encode() for k, v in headers.items()},
        trust_env=False,
    )
    assert reply.status_code == 401


def test_litellm_can_ask_it(server: Server) -> None:
    def ask(**body: Any) -> Any:
        asked = {
            "input_type": "request", "litellm_call_id": "1", "litellm_trace_id": None, "structured_messages": [],
            "request_data": {"user_api_key_user_id": "u"}, "additional_provider_specific_params": {}, "images": None,
            "tools": None, "tool_calls": None, "texts": [], **body,
        }  # fmt: skip
        return post(server, asked, "/beta/litellm_basic_guardrail_api", **{"x-api-key": TOKEN}).json()

    assert ask(texts=["hello"]) == {"action": "NONE"}
    masked = {"action": "GUARDRAIL_INTERVENED", "texts": ["hello", "My phone number is XXXXXXXX10"]}
    assert ask(texts=["hello", TEXT]) == masked
    assert ask(texts=["x"], images=["data:image/png;base64,AA=="])["action"] == "BLOCKED"
    call = {"function": {"name": "f", "arguments": json.dumps({"to": PHONE})}}
    assert ask(texts=["x"], tool_calls=[call]) == {"action": "BLOCKED", "blocked_reason": "tool_call"}


def test_it_shows_its_contract_and_health_and_logs_no_text(server: Server) -> None:
    assert YAML(typ="safe").load(httpx.get(server.url + "/openapi.yaml", trust_env=False).text) == CONTRACT
    assert httpx.get(server.url + "/health", trust_env=False).json() == {"status": "ok"}
    assert PHONE not in server.printed()
    assert TOKEN not in server.printed()


def test_a_blocking_policy_rejects(tmp_path: Path) -> None:
    with serving(tmp_path, "--policy", "block") as server:
        assert post(server, {"items": [item(TEXT)]}).json()["items"][0] == {
            "id": "0", "action": "reject", "code": "phone_number",
        }  # fmt: skip


def test_the_shipped_connection_and_this_server_fit(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from proxy_guard.model import Rejected, Rewritten, Wanted
    from proxy_guard.remote.mapping import Item
    from proxy_guard.remote.scrubber import RemoteScrubber
    from proxy_guard.rules.load import load_rules

    monkeypatch.setenv("SECURITY_API_URL", server.url)
    monkeypatch.setenv("SECURITY_API_TOKEN", TOKEN)
    made = load_rules(resources.rules_dir(), using=["security-api"]).connections["security-api"]

    async def run() -> list[Any]:
        scrubber = RemoteScrubber(made)
        items = [Item("0", "hi"), Item("1", TEXT), Item("2", data=b"\x89PNG", media_type="image/png")]
        try:
            return list(await scrubber.judge(items, Wanted(None, "en", 0.4)))
        finally:
            await scrubber.aclose()

    allowed, masked, rejected = anyio.run(run)
    assert allowed == []
    assert isinstance(masked, Rewritten)
    assert masked.text == "My phone number is XXXXXXXX10"
    assert rejected == Rejected("unreadable")  # see tests/media for media that are some
