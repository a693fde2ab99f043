"""The engine by hand, without a loop: what it asks for, and the verdict it comes to."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from proxy_guard import engine, resources
from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Cause
from proxy_guard.model import (
    Failed,
    Finding,
    Headers,
    LocatedFinding,
    Message,
    Screened,
    Screening,
    Scrub,
    Scrubbed,
    Verdict,
)
from proxy_guard.rules.compiled import Match, Ruleset
from proxy_guard.rules.load import load_rules

OPENAI = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
WHATSAPP = "https://graph.facebook.com/v21.0/1122/messages"
OTHER = "https://hooks.example.com/other"
JSON: Headers = (("content-type", "application/json"),)
CANARY = "canary4111"

OTHER_API = """\
version: 1
name: other
match: {paths: ["/other"]}
request:
  - {path: "$.text"}
  - {path: "$.signed", signed: true}
  - {path: "$.media", kind: media}
  - {path: "$.json", kind: json}
"""
LENIENT = """\
version: 1
name: lenient
entities: {PHONE_NUMBER: {action: redact}, EMAIL_ADDRESS: {action: block}, CREDIT_CARD: {action: keep}}
block: {status: 451, message: "Not that."}
on_error: {undecodable: keep, timeout: keep, too_large: block}
"""
SAME = "version: 1\nname: same\nentities: {PHONE_NUMBER: {action: replace, with: hidden}}\n"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    folder: Path = tmp_path_factory.mktemp("rules")
    for kind in ("apis", "policies"):
        (folder / kind).mkdir()
        for file in (resources.rules_dir() / kind).glob("*.yaml"):
            (folder / kind / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "apis" / "other.yaml").write_text(OTHER_API)
    (folder / "policies" / "lenient.yaml").write_text(LENIENT)
    (folder / "policies" / "same.yaml").write_text(SAME)
    (folder / "guard.yaml").write_text("version: 1\nroutes: [{policy: mask, unmatched: block}]\n")
    return load_rules(folder)


def met(rules: Ruleset, url: str = OPENAI, policy: str = "mask") -> Match:
    match = rules.match("POST", url)
    assert match is not None
    return replace(match, policy=rules.policies[policy])


def request(body: Any, url: str = OPENAI, headers: Headers = JSON) -> Message:
    packed = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message("request", "POST", url, headers, packed)


def chat(*texts: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text} for text in texts]}


def finding(slot_text: str, value: str, entity: str = "PHONE_NUMBER", score: float = 0.9) -> Finding:
    start = slot_text.index(value)
    return Finding(entity, start, start + len(value), score)


def run(
    message: Message, match: Match, found: dict[str, str] | Failed | None = None, limits: Limits | None = None
) -> tuple[list[Scrub], Verdict]:
    """The engine's wishes and its verdict; `found` says what values are which entities, or that it failed."""
    inspection = engine.inspect(message, match, limits or Limits())
    wishes: list[Scrub] = []
    try:
        wish = next(inspection)
        while True:
            if isinstance(wish, Screening):
                wish = inspection.send(Screened(clean=False))
            assert isinstance(wish, Scrub)
            wishes.append(wish)
            answer: Scrubbed | Failed
            if isinstance(found, Failed):
                answer = found
            else:
                pairs = (found or {}).items()
                answer = Scrubbed(
                    [[finding(s.text, value, e) for value, e in pairs if value in s.text] for s in wish.slots]
                )
            wish = inspection.send(answer)
    except StopIteration as end:
        verdict: Verdict = end.value
        return wishes, verdict


def read(verdict: Verdict) -> Any:
    return JsonCodec().decode(verdict.body, Limits()).value


# --- what it asks for ----------------------------------------------------------------------------------


def test_it_asks_once_per_body_for_all_slots_with_what_the_policy_wants(rules: Ruleset) -> None:
    match = met(rules)
    (wish,), _ = run(request(chat("one", "two", "three")), match)
    assert [slot.text for slot in wish.slots] == ["one", "two", "three"]
    assert wish.wanted == match.policy.wanted
    assert (wish.scrubber,) == match.policy.scrubbers


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"messages":[]}', b'{"messages":[{"content":null}]}', b'{"messages":[{"content":""}]}'],
)
def test_it_asks_for_nothing_where_there_is_no_text(rules: Ruleset, body: bytes) -> None:
    wishes, verdict = run(request(body), met(rules))
    assert wishes == []
    assert (verdict.action, verdict.body) == ("allow", body)


@pytest.mark.parametrize("direction", ["request", "response"])
def test_a_direction_without_fields_passes_unread(rules: Ruleset, direction: Any) -> None:
    match = met(rules, OTHER)
    assert match.api is not None
    message = replace(request(b"\xff not JSON", OTHER, (("content-type", "x/y"),)), direction=direction, status=200)
    wishes, verdict = run(message, match)
    assert wishes == []
    assert verdict.action == ("block" if direction == "request" else "allow")
    assert (engine.refuse(message, match, Limits()) is None) is (direction == "response")


# --- allow ---------------------------------------------------------------------------------------------

UNTOUCHED = [
    b'{"messages":[{"content":"hi"}]}',
    b' { "messages" : [ { "content" : "hi" } ] , "n" : 1.10 , "e" : 1E5 , "z" : -0 }\n',
    b'{"messages":[{"content":"\\u0068\\u0069"}]}',
    b'{"messages":[{"tool_calls":[{"function":{"arguments":"{ \\"a\\" : 1.0 }"}}]}]}',
]


@pytest.mark.parametrize("body", UNTOUCHED)
def test_a_message_without_findings_is_forwarded_byte_for_byte(rules: Ruleset, body: bytes) -> None:
    headers = (*JSON, ("Content-Length", "7"), ("ETag", "x"), ("X-A", "1"), ("x-a", "2"))
    _, verdict = run(request(body, headers=headers), met(rules))
    assert (verdict.action, verdict.body, verdict.headers) == ("allow", body, headers)
    assert (verdict.findings, verdict.reason, verdict.status, verdict.incident) == ((), "", None, None)
    assert (verdict.api, verdict.policy) == ("openai-chat", "mask")


@pytest.mark.parametrize("score", [0.0, 0.39])
def test_findings_below_the_threshold_change_nothing(rules: Ruleset, score: float) -> None:
    message = request(chat("call 9876543210"))
    inspection = engine.inspect(message, met(rules), Limits())
    assert isinstance(next(inspection), Screening)
    assert isinstance(inspection.send(Screened(clean=False)), Scrub)
    with pytest.raises(StopIteration) as end:
        inspection.send(Scrubbed([[Finding("PHONE_NUMBER", 5, 15, score)]]))
    assert (end.value.value.action, end.value.value.body) == ("allow", message.body)


def test_an_edit_that_gives_back_the_value_is_no_change(rules: Ruleset) -> None:
    message = request(b' {"messages": [{"content": "hidden"}]}')
    _, verdict = run(message, met(rules, policy="same"), {"hidden": "PHONE_NUMBER"})
    assert (verdict.action, verdict.body) == ("allow", message.body)
    assert [each.entity for each in verdict.findings] == ["PHONE_NUMBER"]


# --- rewrite -------------------------------------------------------------------------------------------


def test_a_finding_is_edited_and_all_else_of_the_body_is_kept(rules: Ruleset) -> None:
    body = b'{"n":1.10,"messages":[{"role":"user","content":"call 9876543210"},{"content":"9876543210 \\ud83d\\ude00"}],"z":[]}'
    _, verdict = run(request(body), met(rules), {"9876543210": "PHONE_NUMBER"})
    assert verdict.action == "rewrite"
    expected = '{"n":1.10,"messages":[{"role":"user","content":"call XXXXXXXX10"},{"content":"XXXXXXXX10 😀"}],"z":[]}'
    assert verdict.body.decode() == expected
    assert [(each.path, each.rule, each.operator, each.start, each.end) for each in verdict.findings] == [
        ("$['messages'][0]['content']", "$.messages[*].content", "mask", 5, 15),
        ("$['messages'][1]['content']", "$.messages[*].content", "mask", 0, 10),
    ]


HEADERS: dict[str, tuple[Headers, Headers]] = {
    "none": ((), ()),
    "the length is set anew": ((("Content-Length", "99"),), ()),
    "what speaks of other bytes is dropped": (
        (
            ("Content-Encoding", "identity"), ("ETAG", '"x"'), ("Digest", "unixsum=x"), ("Content-Digest", "x"),
            ("Repr-Digest", "crc32c=:x:"), ("Accept-Ranges", "bytes"), ("Transfer-Encoding", "chunked"),
        ),
        (),
    ),
    "others keep their order, spelling and number": (
        (("X-B", "1"), ("ETag", "x"), ("x-a", "2"), ("X-B", "3"), ("Cookie", "a=b"), ("Authorization", "Bearer t")),
        (("X-B", "1"), ("x-a", "2"), ("X-B", "3"), ("Cookie", "a=b"), ("Authorization", "Bearer t")),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "kept"), HEADERS.values(), ids=HEADERS)
def test_the_headers_of_a_rewritten_message_are_true_of_it(rules: Ruleset, headers: Headers, kept: Headers) -> None:
    message = request(chat("call 9876543210"), headers=(*headers, *JSON))
    _, verdict = run(message, met(rules), {"9876543210": "PHONE_NUMBER"})
    assert verdict.action == "rewrite"
    assert verdict.headers == (*kept, *JSON, ("content-length", str(len(verdict.body))))


def test_digests_of_a_rewritten_message_are_made_anew(rules: Ruleset) -> None:
    headers = (
        ("Content-MD5", "x"),
        ("Digest", "SHA-256=x, unixsum=1,sha=x"),
        ("repr-digest", "sha-512=:x:, sha-256=:x:"),
    )
    _, verdict = run(
        request(chat("call 9876543210"), headers=(*headers, *JSON)), met(rules), {"9876543210": "PHONE_NUMBER"}
    )

    def hashed(name: str) -> str:
        return b64encode(hashlib.new(name, verdict.body).digest()).decode()

    made = dict(verdict.headers)
    assert made["Content-MD5"] == hashed("md5")
    assert made["Digest"] == f"SHA-256={hashed('sha256')},sha={hashed('sha1')}"
    assert made["repr-digest"] == f"sha-512=:{hashed('sha512')}:, sha-256=:{hashed('sha256')}:"


AMBIGUOUS = {
    "twins": (b'{"messages":[{"content":"9876543210"}],"messages":[{"content":"hi"}]}', b'{"messages":[{"content":"hi"}]}'),
    "a byte order mark": (b'\xef\xbb\xbf{"messages":[]}', b'{"messages":[]}'),
    "twins in arguments": (
        b'{"messages":[{"tool_calls":[{"function":{"arguments":"{\\"a\\":\\"9876543210\\",\\"a\\":1}"}}]}]}',
        b'{"messages":[{"tool_calls":[{"function":{"arguments":"{\\"a\\":1}"}}]}]}',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "forwarded"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_body_of_more_than_one_reading_is_forwarded_as_it_was_read(
    rules: Ruleset, body: bytes, forwarded: bytes
) -> None:
    _, verdict = run(request(body), met(rules), {"9876543210": "PHONE_NUMBER"})
    assert (verdict.action, verdict.body, verdict.findings) == ("rewrite", forwarded, ())


# --- block ---------------------------------------------------------------------------------------------

SAID = "This message holds data that may not be sent. (found EMAIL_ADDRESS in {rule})"
BLOCKS: dict[str, tuple[str, Any, str, str, Any]] = {
    "OpenAI": (
        OPENAI, chat(CANARY), "$.messages[*].content", "application/json",
        {"error": {"message": SAID, "type": "invalid_request_error", "param": None, "code": "content_blocked"}},
    ),
    "Anthropic": (
        ANTHROPIC, {"system": CANARY, "messages": []}, "$.system", "application/json",
        {"type": "error", "error": {"type": "invalid_request_error", "message": SAID}},
    ),
    "WhatsApp": (
        WHATSAPP, {"to": "1", "text": {"body": CANARY}}, "$.text.body", "application/json",
        {"error": {"message": SAID, "type": "OAuthException", "code": 100,
                   "error_data": {"messaging_product": "whatsapp", "details": "found EMAIL_ADDRESS in {rule}"}}},
    ),
    "an API without a body of its own": (
        OTHER, {"text": CANARY}, "$.text", "application/problem+json",
        {"type": "about:blank", "title": SAID, "detail": "found EMAIL_ADDRESS in {rule}", "status": 422,
         "code": "content_blocked"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("url", "body", "rule", "media_type", "reply"), BLOCKS.values(), ids=BLOCKS)
def test_a_block_answers_in_the_shape_of_the_api(
    rules: Ruleset, url: str, body: Any, rule: str, media_type: str, reply: Any
) -> None:
    message = request(body, url, (*JSON, ("x-secret", CANARY)))
    _, verdict = run(message, met(rules, url, "block"), {CANARY: "EMAIL_ADDRESS"})
    assert (verdict.action, verdict.status) == ("block", 422)
    assert verdict.body.decode() == json.dumps(reply, separators=(",", ":")).replace("{rule}", rule)
    assert verdict.headers == (
        ("content-type", media_type),
        ("content-length", str(len(verdict.body))),
        ("cache-control", "no-store"),
    )
    assert verdict.reason == f"found EMAIL_ADDRESS in {rule}"
    assert CANARY not in repr(verdict) + verdict.reason + verdict.body.decode()


def test_a_block_has_the_status_and_message_of_its_policy(rules: Ruleset) -> None:
    _, verdict = run(request({"text": "x@y.example"}, OTHER), met(rules, OTHER, "lenient"), {"x@y": "EMAIL_ADDRESS"})
    assert (verdict.status, read(verdict)["title"].partition(" (")[0]) == (451, "Not that.")


def test_a_block_names_each_entity_once_and_no_name_out_of_the_message(rules: Ruleset) -> None:
    body = {"json": {CANARY: ["x@y.example", "z@y.example"]}, "text": "x@y.example"}
    found = {"x@y": "EMAIL_ADDRESS", "z@y": "EMAIL_ADDRESS"}
    _, verdict = run(request(body, OTHER), met(rules, OTHER, "block"), found)
    assert verdict.reason == "found EMAIL_ADDRESS in $.json, EMAIL_ADDRESS in $.text"
    assert CANARY not in verdict.body.decode() + verdict.reason + repr(verdict.findings)
    assert len(verdict.findings) == 3


def test_one_finding_that_blocks_blocks_what_others_would_rewrite(rules: Ruleset) -> None:
    found = {"9876543210": "PHONE_NUMBER", "x@y.example": "EMAIL_ADDRESS"}
    _, verdict = run(request({"text": "9876543210 x@y.example"}, OTHER), met(rules, OTHER, "lenient"), found)
    assert verdict.action == "block"
    assert [each.entity for each in verdict.findings] == ["PHONE_NUMBER", "EMAIL_ADDRESS"]
    assert "PHONE_NUMBER" not in verdict.reason


def test_a_finding_in_signed_text_blocks_and_one_beside_it_does_not(rules: Ruleset) -> None:
    match = met(rules, OTHER)
    _, verdict = run(request({"signed": "call 9876543210", "text": "hi"}, OTHER), match, {"9876543210": "PHONE_NUMBER"})
    assert (verdict.action, verdict.status, verdict.reason) == ("block", 422, "found PHONE_NUMBER in $.signed")
    _, verdict = run(request({"signed": "hi", "text": "call 9876543210"}, OTHER), match, {"9876543210": "PHONE_NUMBER"})
    assert (verdict.action, read(verdict)) == ("rewrite", {"signed": "hi", "text": "call XXXXXXXX10"})


def test_what_the_policy_keeps_does_not_block_in_signed_text(rules: Ruleset) -> None:
    body = {"signed": "4111 1111 1111 1111"}
    _, verdict = run(request(body, OTHER), met(rules, OTHER, "lenient"), {"4111 1111 1111 1111": "CREDIT_CARD"})
    assert (verdict.action, verdict.findings) == ("allow", ())


def test_names_that_would_become_one_block_with_422(rules: Ruleset) -> None:
    body = {"json": {"x@y.example": 1, "z@y.example": 2}}
    found = {"x@y.example": "EMAIL_ADDRESS", "z@y.example": "EMAIL_ADDRESS"}
    _, verdict = run(request(body, OTHER), met(rules, OTHER), found)
    assert (verdict.action, verdict.status) == ("block", 422)
    assert "example" not in verdict.body.decode()


# --- unmatched -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "action"), [("mask", "block"), ("observe", "allow")])
def test_an_unmatched_request_is_blocked_with_403_or_observed(rules: Ruleset, policy: str, action: str) -> None:
    match = met(rules, "https://api.openai.com/v1/unknown", policy)
    assert (match.api, match.blocks) == (None, True)
    message = request(chat("call 9876543210"))
    refused = engine.refuse(message, match, Limits())
    wishes, verdict = run(message, match)
    assert wishes == []
    assert verdict.action == action
    assert (refused is None) is (action == "allow")
    if refused is not None:
        assert (refused.status, read(refused)["code"]) == (403, "request_blocked")
        assert refused == verdict


# --- failures ------------------------------------------------------------------------------------------

FAILURES: dict[str, tuple[Any, int, str, str]] = {
    "a scrubber that is late": (Failed("timeout", "late"), 503, "timeout", "guard_timeout"),
    "a scrubber that is down": (Failed("unavailable", "down"), 503, "unavailable", "guard_unavailable"),
    "no JSON": (b"nope", 400, "undecodable", "content_unreadable"),
    "a text and no object": (b'"call 9876543210"', 400, "undecodable", "content_unreadable"),
    "a number and no object": (b"9876543210", 400, "undecodable", "content_unreadable"),
    "half a body": (b'{"text":"x"', 400, "undecodable", "content_unreadable"),
    "too deep": (b'{"text":' + b"[" * 100 + b"]" * 100 + b"}", 400, "undecodable", "content_unreadable"),
    "too large": (b'{"text":"' + b"x" * 2000 + b'"}', 413, "too_large", "content_too_large"),
    "media": (b'{"media":"data:image/png;base64,AAAA"}', 415, "unsupported_media", "content_unsupported"),
}
LIMITS = Limits(body=1000)


@pytest.mark.parametrize(("body", "status", "cause", "code"), FAILURES.values(), ids=FAILURES)
def test_what_can_not_be_inspected_is_blocked(rules: Ruleset, body: Any, status: int, cause: Any, code: str) -> None:
    failed = body if isinstance(body, Failed) else None
    message = request({"text": CANARY} if failed else body, OTHER)
    _, verdict = run(message, met(rules, OTHER), failed, LIMITS)
    assert (verdict.action, verdict.status) == ("block", status)
    assert (read(verdict)["code"], read(verdict)["status"]) == (code, status)
    assert verdict.reason
    assert CANARY not in verdict.body.decode()

    match = met(rules, OTHER)
    for policy in (replace(match.policy, keeps=frozenset({cause})), replace(match.policy, observe=True)):
        _, verdict = run(message, replace(match, policy=policy), failed, LIMITS)
        assert (verdict.action, verdict.body, verdict.headers) == ("allow", message.body, message.headers)
        assert verdict.reason
    others = frozenset(get_args(Cause)) - {cause}
    _, verdict = run(message, replace(match, policy=replace(match.policy, keeps=others)), failed, LIMITS)
    assert (verdict.action, verdict.status) == ("block", status)


def test_a_policy_says_for_each_cause_what_becomes_of_a_message(rules: Ruleset) -> None:
    assert rules.policies["lenient"].keeps == {"undecodable", "timeout"}
    assert rules.policies["mask"].keeps == set()


def test_texts_beside_media_that_may_pass_are_still_rewritten(rules: Ruleset) -> None:
    match = met(rules, OTHER)
    policy = replace(match.policy, keeps=frozenset({"unsupported_media"}))
    message = request({"media": "data:x", "text": "call 9876543210"}, OTHER)
    _, verdict = run(message, replace(match, policy=policy), {"9876543210": "PHONE_NUMBER"})
    assert (verdict.action, read(verdict)["text"]) == ("rewrite", "call XXXXXXXX10")


@pytest.mark.parametrize(("upstream", "status"), [(200, 415), (201, 415), (404, 415), (499, 415), (500, 500), (503, 503), (599, 599)])  # fmt: skip
def test_an_unreadable_reply_keeps_the_status_of_a_servers_error(rules: Ruleset, upstream: int, status: int) -> None:
    reply = Message("response", "POST", OPENAI, (("content-type", "text/html"),), b"<h1>down</h1>", upstream)
    _, verdict = run(reply, met(rules))
    assert (verdict.action, verdict.status) == ("block", status)


def test_a_finding_in_the_report_of_a_servers_error_blocks_with_the_policys_status(rules: Ruleset) -> None:
    body = json.dumps({"error": {"message": f"no {CANARY}"}}).encode()
    reply = Message("response", "POST", OPENAI, JSON, body, 500)
    _, verdict = run(reply, met(rules, policy="block"), {CANARY: "EMAIL_ADDRESS"})
    assert (verdict.action, verdict.status) == ("block", 422)


# --- observe -------------------------------------------------------------------------------------------


def test_observed_messages_pass_unchanged_with_what_would_have_been_done(rules: Ruleset) -> None:
    message = request({"text": "call 9876543210", "signed": "x@y.example"}, OTHER)
    match = met(rules, OTHER, "observe")
    _, verdict = run(message, match, {"9876543210": "PHONE_NUMBER"})
    assert (verdict.action, verdict.body, verdict.reason) == ("allow", message.body, "would rewrite")
    assert [(each.entity, each.operator) for each in verdict.findings] == [("PHONE_NUMBER", "mask")]
    _, verdict = run(message, match, {"x@y.example": "EMAIL_ADDRESS"})
    assert (verdict.action, verdict.body) == ("allow", message.body)
    assert verdict.reason == "would block: found EMAIL_ADDRESS in $.signed"


def test_an_observed_body_of_more_than_one_reading_passes_as_it_came(rules: Ruleset) -> None:
    message = request(b'{"text":"a","text":"b"}', OTHER)
    _, verdict = run(message, met(rules, OTHER, "observe"))
    assert (verdict.action, verdict.body) == ("allow", message.body)


# --- heads ---------------------------------------------------------------------------------------------

TYPE = "content-type"
HEADS: dict[str, tuple[Headers, int | None]] = {
    "none": ((), None),
    "JSON": (((TYPE, "application/json"),), None),
    "JSON in upper case": ((("CONTENT-TYPE", "Application/JSON"),), None),
    "JSON in UTF-8": (((TYPE, "application/json; charset=utf-8"),), None),
    "JSON in UTF-8, quoted": (((TYPE, 'application/json;charset="UTF-8"'),), None),
    "JSON in ASCII": (((TYPE, "application/json; charset=us-ascii"),), None),
    "another kind of JSON": (((TYPE, "application/merge-patch+json"),), None),
    "other parameters": (((TYPE, "application/json; odata=verbose; charset=utf-8"),), None),
    "blanks": (((TYPE, " application/json ; charset=utf-8 "),), None),
    "JSON in Windows'": (((TYPE, "application/json; charset=windows-1252"),), None),
    "JSON in Latin-1": (((TYPE, "application/json; charset=ISO-8859-1"),), None),
    "JSON in UTF-7, after another parameter": (((TYPE, "application/json; a=b; charset=utf-7"),), 415),
    "plain text": (((TYPE, "text/plain"),), 415),
    "a form": (((TYPE, "multipart/form-data; boundary=x"),), 415),
    "an event stream": (((TYPE, "text/event-stream"),), 415),
    "what only begins as JSON": (((TYPE, "application/jsonp"),), 415),
    "nothing in it": (((TYPE, ""),), 415),
    "two types": (((TYPE, "application/json"), (TYPE, "text/plain")), 400),
    "two types, in two spellings": (((TYPE, "application/json"), ("Content-Type", "application/json")), 400),
    "a length at the limit": ((*JSON, ("content-length", "1000")), None),
    "a length beyond it": ((*JSON, ("Content-Length", "1001")), 413),
    "one of two lengths beyond it": ((*JSON, ("content-length", "10"), ("content-length", "1001")), 413),
    "a length that is no number": ((*JSON, ("content-length", "x")), None),
    "two lengths": ((*JSON, ("content-length", "2"), ("content-length", "3")), 400),
    "a length and a coding": ((*JSON, ("content-length", "2"), ("transfer-encoding", "chunked")), 400),
    "another coding": ((*JSON, ("transfer-encoding", "gzip, chunked")), 400),
    "chunks": ((*JSON, ("transfer-encoding", "chunked")), None),
    # Python refuses to make a number of so many digits.
    "a length of 5,000 digits": ((*JSON, ("content-length", "9" * 5000)), 413),
}


@pytest.mark.parametrize(("headers", "status"), HEADS.values(), ids=HEADS)
def test_a_head_is_refused_before_the_body_is_read(rules: Ruleset, headers: Headers, status: int | None) -> None:
    match = met(rules, OTHER)
    message = request(b"", OTHER, headers)
    verdict = engine.refuse(message, match, LIMITS)
    if status is None:
        assert verdict is None
        assert run(replace(message, body=b"{}"), match, limits=LIMITS)[1].action == "allow"
    else:
        assert verdict is not None
        assert (verdict.action, verdict.status, verdict.api, verdict.policy) == ("block", status, "other", "mask")
        assert run(replace(message, body=b"{}"), match, limits=LIMITS)[1] == verdict
        assert engine.refuse(message, met(rules, OTHER, "observe"), LIMITS) is None


def test_a_media_type_of_the_clients_is_not_repeated_to_it(rules: Ruleset) -> None:
    verdict = engine.refuse(request(b"", OTHER, ((TYPE, f"text/{CANARY}"),)), met(rules, OTHER), LIMITS)
    assert verdict is not None
    assert CANARY not in verdict.body.decode() + verdict.reason


@pytest.mark.parametrize(("encodings", "status"), [("x-unknown", 415), ("gzip", 400), ("gzip, gzip, gzip, gzip, gzip", 415)])  # fmt: skip
def test_an_encoding_that_can_not_be_taken_off_blocks(rules: Ruleset, encodings: str, status: int) -> None:
    headers = (*JSON, ("Content-Encoding", encodings))
    _, verdict = run(request(chat("hi"), headers=headers), met(rules))
    assert (verdict.action, verdict.status) == ("block", status)


# --- what is shown -------------------------------------------------------------------------------------


def test_nothing_that_is_shown_holds_text_of_the_message(rules: Ruleset) -> None:
    body = {"json": {CANARY: f"mail {CANARY}"}, "text": f"x {CANARY}"}
    message = request(body, f"{OTHER}?q={CANARY}", (*JSON, ("x", CANARY)))
    (wish,), verdict = run(message, met(rules, OTHER), {CANARY: "EMAIL_ADDRESS"})
    assert verdict.action == "rewrite"
    findings: tuple[LocatedFinding, ...] = verdict.findings
    for shown in (message, wish, *wish.slots, verdict, *findings):
        assert CANARY not in repr(shown)
        assert CANARY not in str(shown)


def test_the_verdict_of_a_broken_guard_blocks_with_503() -> None:
    verdict = engine.BROKEN
    assert (verdict.action, verdict.status) == ("block", 503)
    assert (read(verdict)["status"], read(verdict)["code"]) == (503, "guard_unavailable")
    assert ("content-length", str(len(verdict.body))) in verdict.headers
