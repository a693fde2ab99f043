"""The engine driven by hand: no loop, no thread, no scrubber; and what becomes of each answer."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from proxy_guard import engine, resources
from proxy_guard.codecs import Limits
from proxy_guard.model import Failed, Finding, Headers, Message, Screened, Screening, Scrub, Scrubbed, Verdict
from proxy_guard.rules.compiled import Match, Ruleset
from proxy_guard.rules.load import load_rules

OPENAI = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
JSON: Headers = (("Content-Type", "application/json"),)
FOUND = [Finding("PHONE_NUMBER", 5, 15, 0.8)]


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    return load_rules(resources.rules_dir())


def message(*texts: str, url: str = OPENAI, headers: Headers = JSON, **more: Any) -> Message:
    body = {"messages": [{"role": "user", "content": text} for text in texts], **more}
    return Message("request", "POST", url, headers, json.dumps(body).encode())


def match(rules: Ruleset, policy: str = "mask", url: str = OPENAI) -> Match:
    found = rules.match("POST", url)
    assert found is not None
    return replace(found, policy=rules.policies[policy])


def drive(
    asked: Message, met: Match, answer: Scrubbed | Failed | None = None, limits: Limits | None = None
) -> tuple[list[Scrub], Verdict]:
    """The engine's wishes, each met with `answer`, and its verdict."""
    wishes: list[Scrub] = []
    inspection = engine.inspect(asked, met, limits or Limits())
    try:
        wish = next(inspection)
        while True:
            if isinstance(wish, Screening):
                wish = inspection.send(Screened(clean=False))
            assert isinstance(wish, Scrub)
            wishes.append(wish)
            wish = inspection.send(answer or Scrubbed([[] for _ in wish.slots]))
    except StopIteration as end:
        verdict: Verdict = end.value
        return wishes, verdict


def test_it_asks_once_for_all_texts_of_a_body(rules: Ruleset) -> None:
    [wish], verdict = drive(message("one", "two"), match(rules))
    assert [slot.text for slot in wish.slots] == ["one", "two"]
    assert wish.scrubber == "local"
    assert wish.wanted.entities is not None and "PHONE_NUMBER" in wish.wanted.entities
    assert verdict.action == "allow"


def test_allowed_is_what_came(rules: Ruleset) -> None:
    asked = replace(message("one"), body=b' { "messages" : [ ] , "n" : 1.10 } ')
    _, verdict = drive(asked, match(rules))
    assert (verdict.action, verdict.body, verdict.headers) == ("allow", asked.body, asked.headers)


def test_rewritten_headers_are_true_of_the_new_body(rules: Ruleset) -> None:
    headers = (*JSON, ("ETag", "x"), ("X-A", "1"), ("Content-Length", "9"), ("Digest", "d"), ("X-A", "2"))
    _, verdict = drive(message("call 9876543210", headers=headers), match(rules), Scrubbed([FOUND]))
    assert verdict.action == "rewrite"
    kept = [("Content-Type", "application/json"), ("X-A", "1"), ("X-A", "2")]
    assert verdict.headers == (*kept, ("content-length", str(len(verdict.body))))
    assert json.loads(verdict.body)["messages"][0]["content"] == "call XXXXXXXX10"
    [finding] = verdict.findings
    assert (finding.path, finding.rule) == ("$['messages'][0]['content']", "$.messages[*].content")


def test_an_encoded_body_is_read_and_forwarded_plain(rules: Ruleset) -> None:
    asked = message("call 9876543210", headers=(*JSON, ("content-encoding", "gzip")))
    asked = replace(asked, body=gzip.compress(asked.body))
    _, verdict = drive(asked, match(rules), Scrubbed([FOUND]))
    assert b"XXXXXXXX10" in verdict.body
    assert "content-encoding" not in dict(verdict.headers)


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        (
            OPENAI,
            {"error": {"message": "{}", "type": "invalid_request_error", "param": None, "code": "content_blocked"}},
        ),
        (ANTHROPIC, {"type": "error", "error": {"type": "invalid_request_error", "message": "{}"}}),
    ],
)
def test_a_block_speaks_as_the_api_does(rules: Ruleset, url: str, shape: dict[str, Any]) -> None:
    _, verdict = drive(message("call 9876543210", url=url), match(rules, "block", url), Scrubbed([FOUND]))
    assert (verdict.action, verdict.status) == ("block", 422)
    said = "This message holds data that may not be sent. (found PHONE_NUMBER in $.messages[*].content)"
    assert json.loads(verdict.body) == json.loads(json.dumps(shape).replace("{}", said))
    assert dict(verdict.headers)["content-type"] == "application/json"


def test_without_a_body_of_its_own_a_block_is_problem_json(rules: Ruleset) -> None:
    met = Match(rules.policies["mask"], None, blocks=True)
    verdict = engine.refuse(message("hi"), met, Limits())
    assert verdict is not None
    assert verdict.status == 403
    assert dict(verdict.headers)["content-type"] == "application/problem+json"
    assert json.loads(verdict.body)["status"] == 403


@pytest.mark.parametrize("cause", ["timeout", "unavailable"])
def test_a_failed_scrubber_is_503_unless_the_policy_keeps(rules: Ruleset, cause: Any) -> None:
    failed = Failed(cause, "why")
    _, verdict = drive(message("call 9876543210"), match(rules), failed)
    assert (verdict.action, verdict.status) == ("block", 503)
    keeping = replace(rules.policies["mask"], keeps=frozenset({cause}))
    _, verdict = drive(message("call 9876543210"), replace(match(rules), policy=keeping), failed)
    assert verdict.action == "allow"
    assert cause in verdict.reason


def test_observed_messages_pass_with_their_findings(rules: Ruleset) -> None:
    asked = message("call 9876543210")
    _, verdict = drive(asked, match(rules, "observe"), Scrubbed([FOUND]))
    assert (verdict.action, verdict.body, verdict.reason) == ("allow", asked.body, "would rewrite")
    assert [each.operator for each in verdict.findings] == ["mask"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((("content-type", "text/plain"),), 415),
        ((("content-type", "text/event-stream"),), 415),
        ((("content-type", "application/json; charset=utf-7"),), 415),
        ((("content-type", "application/json"), ("content-type", "application/json")), 400),
        ((("content-type", "application/json"), ("content-length", "99999999999")), 413),
    ],
)
def test_a_head_alone_can_be_refused(rules: Ruleset, headers: Headers, status: int) -> None:
    verdict = engine.refuse(message("hi", headers=headers), match(rules), Limits())
    assert verdict is not None
    assert (verdict.action, verdict.status) == ("block", status)
    assert engine.refuse(message("hi", headers=headers), match(rules, "observe"), Limits()) is None


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/vnd.amazon.eventstream"])
def test_a_stream_that_no_section_reads_is_refused_saying_so(rules: Ruleset, media_type: str) -> None:
    url = "https://api.openai.com/v1/embeddings"
    head = Message("response", "POST", url, (("content-type", f"{media_type}; charset=utf-8"),), b"", 200)
    verdict = engine.refuse(head, match(rules, url=url), Limits())
    assert verdict is not None
    assert (verdict.action, verdict.status) == ("block", 415)
    assert verdict.reason.endswith(f"API description 'openai-embeddings' has no `stream` section for {media_type}")
    _, whole = drive(replace(head, body=b"data: {}\n\n"), match(rules, url=url))
    assert (whole.status, whole.reason) == (415, verdict.reason)


@pytest.mark.parametrize(("status", "seen"), [(200, 415), (404, 415), (500, 500), (502, 502)])
def test_an_unreadable_report_of_a_servers_error_stays_one(rules: Ruleset, status: int, seen: int) -> None:
    reply = Message("response", "POST", OPENAI, (("content-type", "text/html"),), b"<h1>", status)
    _, verdict = drive(reply, match(rules))
    assert (verdict.action, verdict.status) == ("block", seen)


def test_signed_text_is_never_rewritten(rules: Ruleset) -> None:
    thought = [{"type": "thinking", "thinking": "call 9876543210", "signature": "c2ln"}]
    asked = Message("request", "POST", ANTHROPIC, JSON, json.dumps({"messages": [{"content": thought}]}).encode())
    _, verdict = drive(asked, match(rules, url=ANTHROPIC), Scrubbed([FOUND]))
    assert (verdict.action, verdict.status) == ("block", 422)


def test_limits_are_kept(rules: Ruleset) -> None:
    for limits in (Limits(body=10), Limits(depth=2)):
        _, verdict = drive(message("hi"), match(rules), limits=limits)
        assert verdict.action == "block"


def test_nothing_shown_holds_the_message(rules: Ruleset) -> None:
    asked = message("call 9876543210", headers=(*JSON, ("x", "9876543210")))
    [wish], verdict = drive(asked, match(rules), Scrubbed([FOUND]))
    shown = " ".join(map(repr, (asked, wish, wish.slots, verdict, verdict.findings)))
    assert "9876543210" not in shown
    assert "XXXXXXXX10" not in shown
