"""A conversation that sends its history again with each turn, tool calls and results in it, under pseudonyms."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from proxy_guard import resources
from tests.e2e.servers import Server, mitmdump, uvicorn

DOORS = ("mitmproxy", "asgi")
GUARD = """\
version: 1
routes: [{policy: pseudonyms, conversation: {header: x-conversation}}]
vaults: {default: {kind: memory}}
"""
POLICY = """\
version: 1
name: pseudonyms
entities:
  EMAIL_ADDRESS: {action: pseudonymize, scope: conversation}
  PHONE_NUMBER: {action: pseudonymize, scope: conversation}
restore: {scope: conversation, arguments: {send_mail: [to]}}
"""
MAIL, CALL = "jane.doe@example.com", "9876543210"


@pytest.fixture(scope="module")
def doors(folder: Path, upstream: Server) -> Iterator[dict[str, Server]]:
    rules = folder / "conversation-rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.yaml").write_text(GUARD)
    (rules / "policies" / "pseudonyms.yaml").write_text(POLICY)
    with ExitStack() as stack:
        log = folder / "conversations"
        yield {
            "mitmproxy": stack.enter_context(mitmdump(upstream.url, rules, log.with_suffix(".mitm.log"))),
            "asgi": stack.enter_context(
                uvicorn("tests.e2e.recorder:guarded", log.with_suffix(".asgi.log"), "--factory", GUARD_RULES=str(rules))
            ),
        }


def turn(
    door: Server, behind: Server, messages: list[Any], reply: Any, conversation: str = "c1"
) -> tuple[list[Any], Any]:
    """The messages that the API had, and the one that the client gets for `reply`."""
    ident = uuid.uuid4().hex
    answer = {"body": base64.b64encode(json.dumps({"choices": [{"index": 0, "message": reply}]}).encode()).decode(), "headers": [["content-type", "application/json"]]}  # fmt: skip
    headers = {"content-type": "application/json", "x-case": ident, "x-conversation": conversation, "x-answer": base64.b64encode(json.dumps(answer).encode()).decode()}  # fmt: skip
    got = _ask(door, "POST", "/v1/chat/completions", json.dumps({"model": "m", "messages": messages}), headers)
    had = base64.b64decode(_ask(behind, "GET", f"/_received?{ident}", "", {})["body"])
    assert MAIL.encode() not in had
    assert CALL.encode() not in had
    return json.loads(had)["messages"], got["choices"][0]["message"]


def _ask(server: Server, method: str, path: str, body: str, headers: dict[str, str]) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def called(**arguments: str) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "send_mail", "arguments": json.dumps(arguments)}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@pytest.mark.parametrize("door", DOORS)
def test_a_value_is_one_pseudonym_in_all_turns_and_a_value_again_in_replies(
    door: str, doors: dict[str, Server], upstream: Server
) -> None:
    behind = doors["asgi"] if door == "asgi" else upstream
    history: list[Any] = [{"role": "user", "content": f"Write to {MAIL}, or call {CALL}."}]
    first, _ = turn(doors[door], behind, history, {"role": "assistant", "content": "Fine."})
    mail, call = (word.rstrip(",.") for word in first[0]["content"].split() if "_" in word)
    assert (mail[:13], call[:12]) == ("EMAIL_ADDRESS", "PHONE_NUMBER")

    # The model calls a tool: where the policy names the argument the value comes back, elsewhere it does not.
    _, message = turn(doors[door], behind, history, called(to=mail, cc=mail))
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"to": MAIL, "cc": mail}

    history += [message, {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"sent": MAIL, "tel": CALL})}]
    second, said = turn(doors[door], behind, history, {"role": "assistant", "content": f"Sent to {mail}."})
    assert said["content"] == f"Sent to {MAIL}."
    assert second[0] == first[0]
    assert json.loads(second[1]["tool_calls"][0]["function"]["arguments"]) == {"to": mail, "cc": mail}
    assert json.loads(second[2]["content"]) == {"sent": mail, "tel": call}

    history += [said, {"role": "user", "content": f"And again to {MAIL}"}]
    third, _ = turn(doors[door], behind, history, {"role": "assistant", "content": "Fine."})
    assert third[:3] == second
    assert third[3:] == [
        {"role": "assistant", "content": f"Sent to {mail}."},
        {"role": "user", "content": f"And again to {mail}"},
    ]
    again, _ = turn(doors[door], behind, history, {"role": "assistant", "content": "Fine."})
    assert again == third

    other, _ = turn(doors[door], behind, history[:1], {"role": "assistant", "content": "Fine."}, conversation="c2")
    assert mail not in other[0]["content"], "another conversation has pseudonyms of its own"
