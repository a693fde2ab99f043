"""Strings that no field reached: which are seen, and what becomes of findings in them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest

from proxy_guard import Guard, Message, Verdict, resources

API = """\
version: 1
name: a
match: {paths: [/x]}
unreached: MODE
skip: [opaque, "$.kept[0]"]
request:
  - {path: "$.text"}
  - {path: "$.inner", kind: json, skip: [id]}
  - {path: "$.picture.url", kind: media}
  - {path: "$.echo", kind: echo}
"""
PHONE = "call 9876543210"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    shutil.copytree(resources.rules_dir() / "policies", folder / "policies")
    (folder / "apis").mkdir()
    return folder


def guard(folder: Path, mode: str, policy: str = "mask") -> Guard:
    (folder / "guard.yaml").write_text("version: 1\nroutes: [{policy: mask}]\n")
    (folder / "apis" / "a.yaml").write_text(API.replace("MODE", mode))
    return Guard.from_rules(folder, policy=policy)


def inspect(guard: Guard, document: Any) -> Verdict:
    headers = (("content-type", "application/json"),)
    body = json.dumps(document).encode()
    return anyio.run(guard.inspect, Message("request", "POST", "https://h.example/x", headers, body))


SCANNED: dict[str, tuple[Any, Any]] = {
    "a text": ({"new": PHONE}, {"new": "call XXXXXXXX10"}),
    "a text in lists": ({"new": [[{"a": PHONE}]]}, {"new": [[{"a": "call XXXXXXXX10"}]]}),
    "a list at the top": ([PHONE], ["call XXXXXXXX10"]),
    "JSON in a string": ({"new": '{"tel": 9876543210}'}, {"new": '{"tel":"XXXXXXXX10"}'}),
    "a name": ({PHONE: "x"}, {"call XXXXXXXX10": "x"}),
    "a long number": ({"new": [919876543210]}, {"new": ["XXXXXXXXXX10"]}),
    "an identifier that is none": ({"id": PHONE}, {"id": "call XXXXXXXX10"}),
    "beside what is reached": ({"text": PHONE, "new": PHONE}, {"text": "call XXXXXXXX10", "new": "call XXXXXXXX10"}),
    "beside what is skipped": ({"kept": [PHONE, PHONE]}, {"kept": [PHONE, "call XXXXXXXX10"]}),
    "beside a reached member": ({"picture": {"note": PHONE}}, {"picture": {"note": "call XXXXXXXX10"}}),
    "what spells a text again": ({"new": PHONE, "echo": {"a": [1]}}, {"new": "call XXXXXXXX10", "echo": None}),
}


@pytest.mark.parametrize(("sent", "becomes"), SCANNED.values(), ids=SCANNED)
def test_a_string_that_no_field_reached_is_scrubbed(folder: Path, sent: Any, becomes: Any) -> None:
    verdict = inspect(guard(folder, "scan"), sent)
    assert verdict.action == "rewrite"
    assert json.loads(verdict.body) == becomes


LEFT: dict[str, Any] = {
    "an identifier": {"id": "call_9876543210", "tool_call_id": "9876543210", "model": "m-9876543210"},
    "a member that is skipped": {"opaque": PHONE},
    "all that is in it": {"opaque": {"a": [PHONE]}},
    "a place that is skipped": {"kept": [PHONE]},
    "what a field skips": {"inner": {"id": PHONE, "more": [{"id": {"a": PHONE}}]}},
    "a name as an API has them": {"call_987654": "x"},
    "a number": {"new": 9876543210},
    "what spells texts again, none of them edited": {"text": "hello", "echo": {"a": [PHONE]}},
}


@pytest.mark.parametrize("sent", LEFT.values(), ids=LEFT)
def test_these_are_left_alone(folder: Path, sent: Any) -> None:
    verdict = inspect(guard(folder, "scan"), sent)
    assert (verdict.action, verdict.findings) == ("allow", ())


def test_where_findings_are_only_told_nothing_changes(folder: Path) -> None:
    verdict = inspect(guard(folder, "observe"), {"new": PHONE})
    assert verdict.action == "allow"
    assert [(each.entity, each.operator, each.rule) for each in verdict.findings] == [
        ("PHONE_NUMBER", "observe", "unreached")
    ]


def test_what_is_reached_is_still_edited_then(folder: Path) -> None:
    verdict = inspect(guard(folder, "observe"), {"new": PHONE, "text": PHONE})
    assert json.loads(verdict.body) == {"new": PHONE, "text": "call XXXXXXXX10"}
    assert len(verdict.findings) == 2


def test_a_policy_that_blocks_does_not_block_for_what_is_only_told(folder: Path) -> None:
    assert inspect(guard(folder, "observe", "block"), {"new": PHONE}).action == "allow"
    assert inspect(guard(folder, "scan", "block"), {"new": PHONE}).action == "block"


def test_a_finding_blocks_where_the_description_says_so(folder: Path) -> None:
    verdict = inspect(guard(folder, "block"), {"new": PHONE})
    assert (verdict.action, verdict.status, verdict.reason) == ("block", 422, "found PHONE_NUMBER in unreached")
    assert inspect(guard(folder, "block"), {"new": "hello", "text": PHONE}).action == "rewrite"
