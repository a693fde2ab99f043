"""Replies that stream under policies that ask others, restore or observe, and texts that outgrow the bound."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from proxy_guard import resources
from proxy_guard.guard import Guard
from proxy_guard.model import Message, Verdict
from proxy_guard.proof_streams import assembled
from tests.remote.rulesets import PHONE
from tests.remote.serving import serve
from tests.remote.test_remote_scrubber import APP, SEEN, WHOLE
from tests.stream.replies import cut
from tests.stream.test_law import read

MAIL = "jane.doe@example.com"
_MASK = "entities: { EMAIL_ADDRESS: { action: mask } }\n"
URL = "http://test/v1/chat/completions"
SSE = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)


def guard_with(folder: Path, policy: str, more: str = "") -> Guard:
    """A guard whose one policy is named `own`."""
    for kind in ("apis", "policies", "connections"):
        (folder / kind).mkdir(exist_ok=True)
    for name in ("openai-chat", "ollama"):
        shutil.copy(resources.rules_dir() / "apis" / f"{name}.yaml", folder / "apis")
    (folder / "policies" / "own.yaml").write_text(f"version: 1\nname: own\n{policy}")
    (folder / "guard.yaml").write_text(f"version: 1\nroutes: [{{ policy: own }}]\nlimits: {{ workers: 0 }}\n{more}")
    return Guard.from_rules(folder)


def delta(index: int = 0, **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": members}]}


def calls(*pieces: tuple[int, str, str]) -> list[dict[str, Any]]:
    """Pieces of tool calls: the number of a call, the tool's name in its first piece, what comes of its arguments."""
    return [
        delta(tool_calls=[{"index": n, "function": {**({"name": name} if name else {}), "arguments": arguments}}])
        for n, name, arguments in pieces
    ]


async def passed(guard: Guard, events: Sequence[Any]) -> tuple[list[bytes], Verdict]:
    """What goes on after each event, and at the end; and the verdict."""
    exchange = guard.open("POST", URL)
    passage = exchange.stream(exchange.response(200, SSE))
    assert passage is not None
    out = [await passage.feed(f"data: {json.dumps(event)}\n\n".encode()) for event in events]
    out += [await passage.feed(b"data: [DONE]\n\n", last=True)]
    assert passage.verdict is not None
    return out, passage.verdict


def content(out: Sequence[bytes], index: int = 0) -> str:
    return assembled(f"$.choices[?@.index == {index}].delta.content", read("sse", b"".join(out)))


def arguments(out: Sequence[bytes], call: int) -> Any:
    path = f"$.choices[*].delta.tool_calls[?@.index == {call}].function.arguments"
    return json.loads(assembled(path, read("sse", b"".join(out))))


RESTORE = """\
entities: { EMAIL_ADDRESS: { action: pseudonymize } }
restore: { arguments: { book: [email] } }
"""


def test_references_become_values_where_the_policy_says(tmp_path: Path) -> None:
    async def run() -> None:
        guard = guard_with(tmp_path, RESTORE, "vaults: { default: { kind: memory } }\n")
        sent = json.dumps({"messages": [{"role": "user", "content": MAIL}]}).encode()
        verdict = await guard.inspect(Message("request", "POST", URL, JSON, sent))
        reference = json.loads(verdict.body)["messages"][0]["content"]
        assert MAIL not in reference
        split = [delta(content=piece) for piece in cut(f"I wrote to {reference} today.", [5, 3, 11])]
        call = json.dumps({"email": reference, "note": reference})
        events = [*split, *calls((0, "book", call[:30]), (0, "", call[30:]), (1, "other", call))]
        out, _ = await passed(guard, events)
        assert content(out) == f"I wrote to {MAIL} today."
        assert arguments(out, 0) == {"email": MAIL, "note": reference}
        assert arguments(out, 1) == {"email": reference, "note": reference}

    anyio.run(run)


def test_names_are_held_to_the_end_of_a_sentence(tmp_path: Path) -> None:
    text = "My name is John Smith and I live here. Then Mary Jones came by and left again. Bye"

    async def run() -> None:
        guard = guard_with(tmp_path, "entities: { PERSON: { action: replace, with: NAME } }\n")
        exchange = guard.open("POST", URL)
        body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        whole = await exchange.inspect(exchange.response(200, JSON, body))
        pieces = list(cut(text, [4]))
        out, _ = await passed(guard, [delta(content=piece) for piece in pieces])
        expected = json.loads(whole.body)["choices"][0]["message"]["content"]
        assert "NAME" in expected
        assert "Smith" not in expected
        assert content(out) == expected
        first = next(n for n, each in enumerate(out) if each)
        assert "".join(pieces[: first + 1]).startswith(text[: text.index("Then") + 1])
        assert content(out[: first + 1]) in expected

    anyio.run(run)


def test_a_remote_scrubber_judges_texts_at_their_end(tmp_path: Path) -> None:
    connection = {"version": 1, "name": "api", "kind": "scrubber", "batch": 100, "request": {"items": "{items}"}}
    settings = {**WHOLE, **connection}
    first = {"note": "one that no field reaches", **delta(content="call 98765")}

    async def run(origin: str) -> None:
        (tmp_path / "connections").mkdir()
        (tmp_path / "connections" / "api.yaml").write_text(json.dumps({**settings, "url": f"{origin}/judge"}))
        guard = guard_with(tmp_path, "scrubber: api\nentities: { PHONE_NUMBER: { action: mask } }\n")
        SEEN.clear()
        out, verdict = await passed(guard, [first, delta(content="43210 or not"), delta(content=" now")])
        await guard.aclose()
        assert content(out) == "call XXXXXXXX10 or not now"
        assert verdict.action == "rewrite"
        assert not any(out[:-1])
        assert f"call {PHONE} or not now" in [each["text"] for each in SEEN]
        assert {each["direction"] for each in SEEN} == {"response"}
        assert len(SEEN) == 2

    with serve(APP) as origin:
        anyio.run(run, origin)


def test_what_is_observed_passes_as_it_comes_and_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        guard = guard_with(tmp_path, "mode: observe\nentities: { PHONE_NUMBER: { action: mask } }\n")
        events = [delta(content="call 98765"), delta(content="43210"), delta(content=" now")]
        out, verdict = await passed(guard, events)
        for event, went in zip(events, out, strict=False):
            assert went == f"data: {json.dumps(event)}\n\n".encode()
        assert (verdict.action, verdict.reason) == ("allow", "would rewrite")
        assert [(each.entity, each.start, each.end) for each in verdict.findings] == [("PHONE_NUMBER", 5, 15)]

    anyio.run(run)


KEY = "entities: { PRIVATE_KEY: { action: replace, with: '<KEY>' } }\n"


def test_of_the_findings_of_a_long_stream_some_are_kept_and_all_counted(tmp_path: Path) -> None:
    async def run() -> None:
        events = [delta(content=f"write to {MAIL}, then. ") for _ in range(2500)]
        out, verdict = await passed(guard_with(tmp_path, _MASK), events)
        assert MAIL not in content(out)
        assert len(verdict.findings) == 1000
        assert verdict.more == {verdict.findings[0].kind: 1500}

    anyio.run(run)


def private_key(size: int) -> str:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    body = (line * (size // len(line) + 1))[:size]
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"


def test_what_outgrows_the_bound_is_edited_from_its_start(tmp_path: Path) -> None:
    async def run() -> None:
        guard = guard_with(tmp_path, KEY)
        text = f"Here it is: {private_key(4000)} and that was it."
        out, verdict = await passed(guard, [delta(content=piece) for piece in cut(text, [31])])
        assert content(out) == "Here it is: <KEY> and that was it."
        assert verdict.action == "rewrite"

    anyio.run(run)


def test_what_outgrows_the_limit_ends_the_stream(tmp_path: Path) -> None:
    async def run() -> None:
        guard = guard_with(tmp_path, KEY)
        text = f"Here it is: {private_key(64 * 256 + 2000)} and that was it."
        out, verdict = await passed(guard, [delta(content=piece) for piece in cut(text, [101])])
        assert verdict.action == "block"
        assert b"MIIEvQ" not in b"".join(out)
        assert b"that was it" not in b"".join(out)
        assert b'"error"' in b"".join(out)

    anyio.run(run)


def test_calls_of_tools_take_turns_and_so_do_choices(tmp_path: Path) -> None:
    async def run() -> None:
        guard = guard_with(tmp_path, "entities: { PHONE_NUMBER: { action: replace, with: '<TEL>' } }\n")
        events = [
            delta(0, content="call 98765"),
            delta(1, content="mind 12345 "),
            delta(0, content="43210 now"),
            delta(1, content="and 98765"),
            delta(0, content=", please"),
            delta(1, content="43210."),
        ]
        out, _ = await passed(guard, events)
        assert (content(out, 0), content(out, 1)) == ("call <TEL> now, please", "mind 12345 and <TEL>.")
        turns = calls((0, "f", '{"to":"98765'), (1, "g", '{"of":"98765'), (0, "", '43210"}'), (1, "", '43210","a":1}'))
        out, _ = await passed(guard, turns)
        assert (arguments(out, 0), arguments(out, 1)) == ({"to": "<TEL>"}, {"of": "<TEL>", "a": 1})

    anyio.run(run)
