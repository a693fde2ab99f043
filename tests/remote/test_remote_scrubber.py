"""What a Security API says becomes of a message; with chains and a fallback, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from proxy_guard import Message, Verdict
from tests.remote.rulesets import FINDS, PHONE, TEXT, guard, message
from tests.remote.serving import serve

WHOLE = {
    **FINDS,
    "item": {"id": "{id}", "text": "{text}", "direction": "{direction}", "path": "{path}"},
    "reply": {
        "items": "$.items[*]",
        "item": {
            "id": "$.id",
            "action": {
                "path": "$.action",
                "allow": ["allow"],
                "mask": ["mask"],
                "reject": ["reject"],
                "code": "$.code",
            },
            "text": "$.text",
        },
    },
}
SEEN: list[dict[str, Any]] = []


async def judge(request: Request) -> JSONResponse:
    items = (await request.json())["items"]
    SEEN.extend(items)
    return JSONResponse({"items": [{"id": item["id"], **said(item["text"])} for item in items]})


def said(text: str) -> dict[str, str]:
    if "forbidden" in text:
        return {"action": "reject", "code": "forbidden_word"}
    return {"action": "mask", "text": text.replace(PHONE, "XXXXXXXX10")} if PHONE in text else {"action": "allow"}


APP = Starlette(routes=[Route("/judge", judge, methods=["POST"])])


def inspect(tmp_path: Path, url: str, sent: Message, policy: str = "") -> Verdict:
    async def run() -> Verdict:
        made = guard(tmp_path, url, policy=policy, **{k: v for k, v in WHOLE.items() if k in ("item", "reply")})
        try:
            return await made.inspect(sent)
        finally:
            await made.aclose()

    return anyio.run(run)


def contents(verdict: Verdict) -> list[str]:
    return [each["content"] for each in json.loads(verdict.body)["messages"]]


def test_a_text_that_the_api_rewrote_is_sent_as_it_is(tmp_path: Path) -> None:
    SEEN.clear()
    with serve(APP) as origin:
        verdict = inspect(tmp_path, f"{origin}/judge", message("hello", TEXT))
    assert verdict.action == "rewrite"
    assert contents(verdict) == ["hello", "My phone number is XXXXXXXX10"]
    assert [(each["direction"], each["path"]) for each in SEEN] == [
        ("request", "$['messages'][0]['content']"),
        ("request", "$['messages'][1]['content']"),
    ]


def test_a_reply_of_the_upstream_goes_to_the_api_too(tmp_path: Path) -> None:
    SEEN.clear()
    body = json.dumps({"answer": TEXT}).encode()
    sent = Message("response", "POST", "http://chat.example/chat", (("content-type", "application/json"),), body, 200)
    with serve(APP) as origin:
        verdict = inspect(tmp_path, f"{origin}/judge", sent)
    assert json.loads(verdict.body) == {"answer": "My phone number is XXXXXXXX10"}
    assert [each["direction"] for each in SEEN] == ["response"]


def test_a_rejection_blocks_with_its_code(tmp_path: Path) -> None:
    with serve(APP) as origin:
        verdict = inspect(tmp_path, f"{origin}/judge", message("hello", f"forbidden {PHONE}"))
    assert (verdict.action, verdict.status) == ("block", 422)
    assert b"forbidden_word" in verdict.body
    assert PHONE.encode() not in verdict.body


def test_what_is_allowed_passes_byte_for_byte(tmp_path: Path) -> None:
    sent = message("hello")
    with serve(APP) as origin:
        verdict = inspect(tmp_path, f"{origin}/judge", sent)
    assert (verdict.action, verdict.body) == ("allow", sent.body)


def test_local_first_then_the_api_on_what_is_left(tmp_path: Path) -> None:
    SEEN.clear()
    mail = "maria@example.com"
    with serve(APP) as origin:
        made = guard(tmp_path, f"{origin}/judge", **{k: v for k, v in WHOLE.items() if k in ("item", "reply")})
        policy = tmp_path / "policies" / "asks.yaml"
        text = policy.read_text().replace("scrubber: api", "scrubber: [local, api]")
        policy.write_text(text.replace("entities: {", "entities: {EMAIL_ADDRESS: {action: redact}, "))
        made = type(made).from_rules(tmp_path)

        async def run() -> Verdict:
            verdict = await made.inspect(message(f"{mail} and forbiddn {PHONE}"))
            await made.aclose()
            return verdict

        verdict = anyio.run(run)
    assert contents(verdict) == [" and forbiddn XXXXXXXX10"]
    assert all(mail not in each["text"] for each in SEEN)


def test_the_local_engine_steps_in_where_the_api_is_down(tmp_path: Path) -> None:
    verdict = inspect(tmp_path, "http://127.0.0.1:9/judge", message(TEXT), policy="fallback: local\n")
    assert verdict.action == "rewrite"
    assert contents(verdict) == ["My phone number is XXXXXXXX10"]
