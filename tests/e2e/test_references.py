"""References in place of addresses, and addresses in place of references, through both doors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from proxy_guard import resources
from tests.e2e.servers import Server, mitmdump, uvicorn
from tests.remote.serving import serve

EMAIL, PHONE = "jane.doe@example.com", "+919876543210"
TOKEN = re.compile(r"[A-Z_]+_[a-z2-7]{26}")
GUARD = """\
version: 1
routes:
  - {{paths: ["/v1/chat/completions"], policy: chat, account: {{header: X-Tenant}}, conversation: {{header: X-Chat}}}}
  - {{paths: ["/send"], policy: send, account: {{header: X-Tenant}}}}
vaults:
  default: {{kind: sqlite, path: {path}, keys: [{{id: k1, key: "${{env:TEST_VAULT_KEY}}"}}]}}
"""
CHAT = """\
version: 1
name: chat
entities:
  EMAIL_ADDRESS: {action: pseudonymize}
  PHONE_NUMBER: {action: pseudonymize, style: phone}
  US_SSN: {action: pseudonymize, scope: conversation}
restore: {arguments: {book: [email]}}
"""
SEND = """\
version: 1
name: send
entities:
  EMAIL_REFERENCE: {action: resolve, connection: contacts}
  PHONE_REFERENCE: {action: resolve, vault: default}
"""
API = """\
version: 1
name: survey
match: {paths: ["/send"]}
request:
  - {path: "$.to", entity: EMAIL_REFERENCE}
  - {path: "$.sms"}
  - {path: "$.text"}
"""
CONTACTS = """\
version: 1
name: contacts
kind: lookup
url: ${env:TEST_CONTACTS}/contacts/{reference}
auth: {type: bearer, token: "${env:TEST_CONTACTS_TOKEN}"}
reply: {value: $.contact.email}
"""
asked: list[str] = []


async def contacts(scope: Any, receive: Any, send: Any) -> None:
    """An organisation's endpoint: it knows contact 17."""
    asked.append(scope["path"])
    authorized = dict(scope["headers"]).get(b"authorization") == b"Bearer t0ken"
    known = scope["path"] == "/contacts/17" and authorized
    body = json.dumps({"contact": {"email": EMAIL}} if known else {"error": "no"}).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200 if known else 404,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module", params=["asgi", "mitmproxy"])
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder: Path = tmp_path_factory.mktemp(f"references-{request.param}")
    rules = folder / "rules"
    for kind in ("apis", "policies", "connections"):
        (rules / kind).mkdir(parents=True)
    (rules / "guard.yaml").write_text(GUARD.format(path=folder / "vault.db"))
    (rules / "apis" / "survey.yaml").write_text(API)
    (rules / "apis" / "openai-chat.yaml").write_text((resources.rules_dir() / "apis" / "openai-chat.yaml").read_text())
    (rules / "policies" / "chat.yaml").write_text(CHAT)
    (rules / "policies" / "send.yaml").write_text(SEND)
    (rules / "connections" / "contacts.yaml").write_text(CONTACTS)
    with ExitStack() as stack:
        origin = stack.enter_context(serve(contacts))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in {
            "TEST_VAULT_KEY": "ab" * 32,
            "TEST_CONTACTS": origin,
            "TEST_CONTACTS_TOKEN": "t0ken",
            "GUARD_RULES": str(rules),
        }.items():
            patch.setenv(name, value)
        if request.param == "asgi":
            server = stack.enter_context(uvicorn("tests.e2e.recorder:guarded", folder / "asgi.log", "--factory"))
            yield server, server
        else:
            upstream = stack.enter_context(uvicorn("tests.e2e.recorder:recorder", folder / "upstream.log"))
            yield stack.enter_context(mitmdump(upstream.url, rules, folder / "mitm.log")), upstream


number = iter(range(10**6))


def exchange(
    door: tuple[Server, Server], path: str, body: Any, reply: Any = None, **headers: str
) -> tuple[httpx.Response, Any]:
    """The answer that the client gets, and the body that the server received."""
    import base64

    case = f"r{next(number)}"
    answer = {
        "headers": [["content-type", "application/json"]],
        "body": base64.b64encode(json.dumps(reply or {}).encode()).decode(),
    }
    headers |= {"x-case": case, "x-answer": base64.b64encode(json.dumps(answer).encode()).decode()}
    with httpx.Client(timeout=60) as client:
        got = client.post(door[0].url + path, json=body, headers=headers)
        seen = client.get(f"{door[1].url}/_received?{case}").json()
    return got, json.loads(base64.b64decode(seen["body"])) if seen else None


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def test_a_value_has_one_reference_in_an_account_and_another_in_another(door: tuple[Server, Server]) -> None:
    texts = [
        exchange(door, "/v1/chat/completions", said(f"write {EMAIL} or {EMAIL}"), **{"x-tenant": tenant})[1]
        for tenant in ("a", "a", "b")
    ]
    tokens = [TOKEN.findall(each["messages"][0]["content"]) for each in texts]
    assert [len(each) for each in tokens] == [2, 2, 2]
    first, again, other = ({*each} for each in tokens)
    assert first == again
    assert len(first) == 1
    assert first.isdisjoint(other)


def test_the_real_value_comes_back_in_replies_to_the_same_account_only(door: tuple[Server, Server]) -> None:
    _, seen = exchange(door, "/v1/chat/completions", said(f"write {EMAIL}"), **{"x-tenant": "a"})
    token = TOKEN.findall(seen["messages"][0]["content"])[0]
    call = {"name": "book", "arguments": json.dumps({"email": token, "note": token})}
    reply = {"choices": [{"message": {"content": f"I wrote {token}.", "tool_calls": [{"function": call}]}}]}
    got, _ = exchange(door, "/v1/chat/completions", said("and?"), reply, **{"x-tenant": "a"})
    message = got.json()["choices"][0]["message"]
    assert message["content"] == f"I wrote {EMAIL}."
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"email": EMAIL, "note": token}
    got, _ = exchange(door, "/v1/chat/completions", said("and?"), reply, **{"x-tenant": "b"})
    assert got.json()["choices"][0]["message"]["content"] == f"I wrote {token}."


def test_conversations_have_references_of_their_own(door: tuple[Server, Server]) -> None:
    tokens = [
        exchange(door, "/v1/chat/completions", said("my ssn is 856-45-6789"), **{"x-tenant": "a", "x-chat": chat})[1]
        for chat in ("1", "2")
    ]
    assert tokens[0] != tokens[1]


def test_a_reference_is_resolved_on_its_way_out_and_nowhere_else(door: tuple[Server, Server]) -> None:
    got, seen = exchange(door, "/send", {"to": "17", "text": "hello"})
    assert got.status_code == 200
    assert seen == {"to": EMAIL, "text": "hello"}
    assert asked[-1] == "/contacts/17"
    got, seen = exchange(door, "/send", {"to": "18", "text": "hello"})
    assert got.status_code == 503
    assert seen is None


def test_a_pseudonym_of_the_vault_is_resolved_too(door: tuple[Server, Server]) -> None:
    _, seen = exchange(door, "/v1/chat/completions", said(f"call {PHONE}"), **{"x-tenant": "a"})
    reference = seen["messages"][0]["content"].removeprefix("call ")
    assert re.fullmatch(r"\+999\d{12}", reference)
    assert exchange(door, "/send", {"to": "17", "sms": reference}, **{"x-tenant": "a"})[1] == {
        "to": EMAIL,
        "sms": PHONE,
    }
    got, seen = exchange(door, "/send", {"to": "17", "sms": reference}, **{"x-tenant": "b"})
    assert (got.status_code, seen) == (503, None)
