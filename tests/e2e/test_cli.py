"""The command line as a contract: inputs, outputs, exit codes."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.small_rules import small_rules

PHONE = "9876543210"
CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": f"My phone number is {PHONE}"}]}).encode()
URL = "https://api.openai.com/v1/chat/completions"


def run(*arguments: str, stdin: bytes = b"", code: int = 0, fresh: bool = False) -> subprocess.CompletedProcess[bytes]:
    """What a command prints, and how it ends: in a fresh interpreter, or in a fork of one that knows its modules."""
    command = ["-m", "proxy_guard", *arguments]
    if fresh:
        done = subprocess.run([sys.executable, *command], input=stdin, capture_output=True, timeout=120, check=False)
    else:
        done = forked.run(command, stdin=stdin)
    assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
    return done


def answer(*arguments: str, stdin: bytes = b"", code: int = 0, fresh: bool = False) -> Any:
    return json.loads(run(*arguments, stdin=stdin, code=code, fresh=fresh).stdout)


def test_apply_masks_a_phone_number() -> None:
    verdict = answer("apply", "--url", URL, stdin=CHAT, fresh=True)
    assert verdict["action"] == "rewrite"
    assert json.loads(verdict["body"])["messages"][0]["content"] == "My phone number is XXXXXXXX10"
    assert verdict["findings"] == [
        {
            "path": "$['messages'][0]['content']",
            "entity": "PHONE_NUMBER",
            "start": 19,
            "end": 29,
            "score": verdict["findings"][0]["score"],
            "operator": "mask",
        }
    ]


def test_apply_blocks_with_exit_code_3() -> None:
    verdict = answer("apply", "--url", URL, "--policy", "block", stdin=CHAT, code=3)
    assert (verdict["action"], verdict["status"]) == ("block", 422)
    assert json.loads(verdict["body"])["error"]["code"] == "content_blocked"
    assert PHONE not in json.dumps(verdict)


def test_apply_allows_what_holds_nothing_byte_for_byte() -> None:
    body = b'{ "messages" : [ {"content":"hi"} ] }'
    verdict = answer("apply", "--url", URL, stdin=body)
    assert (verdict["action"], verdict["body"]) == ("allow", body.decode())


def test_apply_takes_responses_and_headers() -> None:
    body = json.dumps({"choices": [{"message": {"content": PHONE}}]}).encode()
    verdict = answer("apply", "--url", URL, "--response", "--header", "Content-Type: application/json", stdin=body)
    assert "XXXXXXXX10" in verdict["body"]
    refused = answer("apply", "--url", URL, "--header", "Content-Type: text/plain", stdin=CHAT, code=3)
    assert refused["status"] == 415


def test_apply_shows_bytes_as_base64() -> None:
    verdict = answer(
        "apply",
        "--url",
        "https://x.example/other",
        "--response",
        "--header",
        "Content-Type: application/octet-stream",
        stdin=b"\xff\xfe",
    )
    assert verdict["encoding"] == "base64"
    assert base64.b64decode(verdict["body"]) == b"\xff\xfe"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["apply"], "--url"),
        (["apply", "--url", URL, "--policy", "maks"], "did you mean mask?"),
        (["apply", "--url", URL, "--rules", "nowhere"], "no such folder"),
        (["apply", "--url", URL, "--header", "nonsense"], "Name: value"),
        (["run", "--upstream", "ftp://x"], "--upstream"),
        (["run", "--upstream", "http://x", "--listen", "nowhere"], "--listen"),
        (["run", "--upstream", "http://x", "--door", "other"], "--door"),
        (["detect", "--entities", "PHONE"], "did you mean PHONE_NUMBER?"),
        (["detect", "--profile", "other"], "--profile"),
        (["detect", "--jsonl"], "line 1 is not a JSON string"),
        (["init", "."], "not a new or empty folder"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_one_message(arguments: list[str], said: str) -> None:
    done = run(*arguments, stdin=b"not json\n", code=2)
    printed = done.stderr.decode()
    assert said in printed
    assert "Traceback" not in printed


def test_detect_gives_code_point_offsets() -> None:
    text = f"👩‍👩‍👧 call {PHONE}"
    found = answer("detect", "--entities", "PHONE_NUMBER,CREDIT_CARD", stdin=text.encode(), fresh=True)
    assert [(each["entity"], text[each["start"] : each["end"]]) for each in found] == [("PHONE_NUMBER", PHONE)]
    assert set(found[0]) == {"entity", "start", "end", "score"}


def test_detect_reads_lines() -> None:
    lines = b'"nothing"\n"a\\n4111 1111 1111 1111"\n'
    done = run("detect", "--entities", "CREDIT_CARD", "--jsonl", stdin=lines)
    assert [len(json.loads(line)) for line in done.stdout.splitlines()] == [0, 1]


def test_detect_takes_the_custom_recognizers_of_a_folder(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    run("init", str(rules))
    file = rules / "recognizers" / "server-id.yaml"
    file.write_text("version: 1\nname: server-id\nentity: SERVER_ID\npatterns: [{regex: 'ID-\\d{8}', score: 0.7}]\n")
    text = b"restart ID-12345678"
    options = ["detect", "--rules", str(rules), "--entities"]
    [found] = answer(*options, "SERVER_ID", stdin=text)
    assert found == {"entity": "SERVER_ID", "start": 8, "end": 19, "score": 0.7}
    assert "did you mean SERVER_ID?" in run(*options, "SERVER_IDS", stdin=text, code=2).stderr.decode()
    assert "--rules" in run(*options, "SERVER_ID", "--profile", "presidio", stdin=text, code=2).stderr.decode()
    file.write_text("version: 1\n")
    assert "server-id.yaml" in run(*options, "SERVER_ID", stdin=text, code=2).stderr.decode()


def test_rules_can_be_laid_down_checked_and_proved(tmp_path: Path) -> None:
    rules = str(tmp_path / "rules")
    run("init", rules, fresh=True)
    assert answer("lint", rules, "--json")["ok"] is True
    proofs = answer("test", rules, "--json", fresh=True)
    assert proofs["ok"] is True
    assert proofs["unproven"] == []
    assert len(proofs["cases"]) > 30


def test_lint_and_test_tell_what_is_wrong(tmp_path: Path) -> None:
    rules = small_rules(tmp_path / "rules", "policies/mask.test.yaml")
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{policy: mask}]\n")
    mask = rules / "policies" / "mask.yaml"
    mask.write_text(mask.read_text().replace("keep_last: 2", "keep_last: 3"))
    failed = answer("test", str(rules), "--json", code=1)
    assert any(not case["passed"] for case in failed["cases"])
    mask.write_text(mask.read_text().replace("PHONE_NUMBER", "PHONE_NUMER"))
    [fault] = answer("lint", str(rules), "--json", code=2)["faults"]
    assert fault["file"].endswith("mask.yaml")
    assert (fault["line"], fault["column"], fault["field"]) == (6, 3, "entities.PHONE_NUMER")
    assert fault["hint"] == "did you mean PHONE_NUMBER?"


def test_addon_path_is_a_file() -> None:
    assert Path(run("addon-path", fresh=True).stdout.decode().strip()).is_file()
