"""`proxy-guard connection`: what it shows, what it hides, how it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests import forked
from tests.remote.rulesets import FINDS, PHONE, TEXT, found
from tests.remote.serving import serve

SECRET = "s3cr3t/+&=x"
TOKEN = "t0k3n-abcdef"
REFRESH = "r3fr3sh-abcdef"


async def token(request: Request) -> Response:
    return JSONResponse({"access_token": TOKEN, "refresh_token": REFRESH, "token_type": "Bearer", "expires_in": 60})


async def judge(request: Request) -> Response:
    echoed = {"you_sent": request.headers.get("authorization", ""), "key": request.query_params.get("key", "")}
    return JSONResponse({**found((await request.json())["items"]), **echoed})


async def contact(request: Request) -> Response:
    if request.path_params["reference"] == "r404":
        return JSONResponse({}, 404)
    if request.path_params["reference"] == "r500":
        return JSONResponse({"error": f"for {request.query_params['key']}"}, 500)
    return JSONResponse({"contact": {"email": "maria@example.com"}} if request.path_params["reference"] == "r1" else {})


APP = Starlette(
    routes=[
        Route("/token", token, methods=["POST"]),
        Route("/judge", judge, methods=["POST"]),
        Route("/contacts/{reference}", contact),
    ]
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "connections").mkdir()
    (folder / "policies").mkdir()
    (folder / "policies" / "mask.yaml").write_text("version: 1\nname: mask\nentities: {PHONE_NUMBER: {action: mask}}\n")
    (folder / "guard.yaml").write_text("version: 1\nroutes: [{policy: mask}]\n")
    key = {"type": "api_key", "in": "query", "name": "key", "value": "${env:CLI_SECRET}"}
    with serve(APP) as origin:
        oauth = {
            "type": "oauth",
            "token_url": f"{origin}/token",
            "form": {"client_secret": "${env:CLI_SECRET}", "id": "me"},
        }
        lookup = {"version": 1, "kind": "lookup", "method": "GET", "reply": {"value": "$.contact.email"}}
        made: list[dict[str, Any]] = [
            {**FINDS, "name": "by-oauth", "url": f"{origin}/judge", "auth": oauth},
            {
                **FINDS,
                "name": "by-key",
                "url": f"{origin}/judge",
                "auth": key,
                "headers": {"X-Org": "${env:CLI_SECRET}"},
            },
            {
                **lookup,
                "name": "email",
                "url": f"{origin}/contacts/{{reference}}",
                "auth": key,
                "retries": {"times": 0},
            },
            {**FINDS, "name": "down", "url": "http://127.0.0.1:9/judge", "retries": {"times": 0}},
            {**FINDS, "name": "unset", "url": "${env:CLI_NOT_SET}/judge"},
        ]
        for each in made:
            (folder / "connections" / f"{each['name']}.yaml").write_text(json.dumps(each))
        yield folder


def run(rules: Path, *arguments: str, code: int = 0) -> str:
    command = ["-m", "proxy_guard", "connection", *arguments, "--rules", str(rules)]
    env = {**os.environ, "CLI_SECRET": SECRET, "NO_COLOR": "1", "COLUMNS": "200"}
    done = forked.run(command, env=env)
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode == code, printed
    for secret in (SECRET, "s3cr3t%2F%2B%26%3Dx", "s3cr3t/", TOKEN, REFRESH):
        assert secret not in printed
    assert "Traceback" not in printed
    return printed


def test_list(rules: Path) -> None:
    listed = json.loads(run(rules, "list", "--json"))
    assert [(each["name"], each["kind"], each["in_use"]) for each in listed][:2] == [
        ("by-key", "scrubber", False),
        ("by-oauth", "scrubber", False),
    ]
    assert "by-key" in run(rules, "list")


def test_a_text_is_judged_and_the_token_fetch_is_shown(rules: Path) -> None:
    report = json.loads(run(rules, "test", "by-oauth", "--text", TEXT, "--json"))
    fetch, call = report["exchanges"]
    assert (fetch["what"], fetch["method"], fetch["status"]) == ("token", "POST", 200)
    assert fetch["body"] == {"client_secret": "***", "id": "me"}
    assert fetch["reply"] == {"access_token": "***", "refresh_token": "***", "token_type": "Bearer", "expires_in": 60}
    assert (call["what"], call["status"], call["headers"]["authorization"]) == ("call", 200, "Bearer ***")
    assert call["body"] == {"items": [{"id": "0", "text": TEXT}]}
    assert call["reply"]["you_sent"] == "Bearer ***"
    assert call["ms"] > 0
    assert report["ok"] is True
    assert report["value"] == {
        "action": "findings",
        "findings": [{"entity": "PHONE_NUMBER", "start": 19, "end": 29, "score": 1.0}],
    }
    shown = run(rules, "test", "by-oauth", "--text", TEXT)
    assert "authorization: Bearer ***" in shown
    assert "taken: " in shown


def test_a_key_in_the_url_and_in_headers_is_hidden(rules: Path) -> None:
    report = json.loads(run(rules, "test", "by-key", "--text", "nothing", "--json"))
    (call,) = report["exchanges"]
    assert call["url"].endswith("/judge?key=***")
    assert call["headers"]["x-org"] == "***"
    assert call["reply"]["key"] == "***"
    assert report["value"] == {"action": "allow"}


def test_a_file_is_judged(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(f"call {PHONE}")
    report = json.loads(run(rules, "test", "by-key", "--file", str(tmp_path / "note.txt"), "--json"))
    assert report["value"]["findings"][0]["start"] == 5
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    assert "takes no media" in run(rules, "test", "by-key", "--file", str(tmp_path / "a.png"), code=2)


def test_a_reference_is_looked_up(rules: Path) -> None:
    report = json.loads(run(rules, "test", "email", "--reference", "r1", "--json"))
    assert report["value"] == "maria@example.com"
    assert "taken: maria@example.com" in run(rules, "test", "email", "--reference", "r1")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["email", "--reference", "r404"], 1, "it knows no such reference"),
        (["email", "--reference", "none"], 1, "no value at $.contact.email"),
        (["email", "--reference", "r500"], 1, "it answered 500"),
        (["down", "--text", "a"], 1, "no connection: Connection refused"),
        (["email", "--text", "a"], 2, "a lookup is tested with --reference"),
        (["by-key", "--reference", "a"], 2, "a scrubber is tested with --text, or --file"),
        (["emial", "--reference", "a"], 2, "did you mean email?"),
        (["unset", "--text", "a"], 2, "CLI_NOT_SET is not set"),
    ],
)
def test_how_it_ends_and_why(rules: Path, arguments: list[str], code: int, said: str) -> None:
    assert said in " ".join(run(rules, "test", *arguments, code=code).split())
    if code == 1:
        report = json.loads(run(rules, "test", *arguments, "--json", code=code))
        assert report["ok"] is False
        assert said in report["reason"]
