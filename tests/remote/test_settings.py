"""Connection files: mistakes at their place, secrets late and never shown."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from proxy_guard import Guard
from proxy_guard.errors import ProxyGuardError, RulesError, Unavailable
from proxy_guard.remote.client import Client
from proxy_guard.remote.scrubber import RemoteScrubber
from proxy_guard.rules.load import load_rules
from tests.remote.faulty import Faulty
from tests.remote.rulesets import FINDS, connection, guard, message
from tests.remote.serving import raw

SECRET = "v3ry-s3cr3t"
BASE = """\
version: 1
name: api
kind: scrubber
url: https://api.example/judge
request: {items: "{items}"}
item: "{text}"
reply:
  items: $[*]
  item: {text: $}
"""


def faults(tmp_path: Path, text: str, *, in_use: bool = False) -> list[str]:
    from proxy_guard.rules.connections import load_connection
    from proxy_guard.rules.reading import SourceFile

    path = tmp_path / "api.yaml"
    path.write_text(text)
    try:
        load_connection(SourceFile(path, "api.yaml"), in_use=in_use)
    except RulesError as error:
        return [str(fault) for fault in error.faults]
    return []


def test_the_base_of_these_is_without_a_mistake(tmp_path: Path) -> None:
    assert faults(tmp_path, BASE, in_use=True) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("items: $[*]", "items: $[", "api.yaml:8:3: reply.items:"),
        ("{text: $}", "{text: '$.['}", "api.yaml:9:10: reply.item.text:"),
        ("https://api.example/judge", "ftp://api.example", "api.yaml:4:1: url: is a URL of the form"),
        ("https://api.example/judge", "https://me:pw@api.example/", "credentials don't stand in a URL"),
        ("https://api.example/judge", "https://api.example/?key=1", "use `query`"),
        ("https://api.example/judge", "https://{text}.example/", "placeholder"),
        ("https://api.example/judge", "https://api.example/{reference}", "only a lookup has {reference}"),
        ('"{items}"', '"{itms}"', "neither {items} nor {text}"),
        ('"{items}"', '"{items} {nothing}"', "unknown placeholder {nothing} (known: "),
        ('item: "{text}"\n', "", "{items} needs `item`"),
        ("kind: scrubber", "kind: scruber", "did you mean scrubber?"),
        ("kind: scrubber", "kind: lookup", "a lookup needs `reply.value`"),
        ("name: api", "name: api\nretrys: 3", "did you mean retries?"),
        ("name: api", "name: api\nauth: {type: bearer, token: abc}", "api.yaml:3:22: auth.token: a secret never stands in a file"),
        ("name: api", "name: api\nauth: {type: bearr}", "auth"),
        ("name: api", "name: api\nauth: {type: bearer}", "'token' is missing"),
        ("name: api", "name: api\nheaders: {X-Api-Key: abc}", "'X-Api-Key' looks like a secret"),
        ("name: api", "name: api\nquery: {access_token: abc}", "'access_token' looks like a secret"),
        ("name: api", 'name: api\nheaders: {X-A: "a\\nb"}', "a character that no header may have"),
        ("name: api", 'name: api\nheaders: {X-A: "${ENV:A}"}', "a reference is ${env:NAME}"),
        ("name: api", "name: api\ntimeout: 0", "greater than 0"),
        ("name: api", "name: api\nmethod: GET", "a GET has no body"),
        ('{items: "{items}"}', '{text: "{text}"}\nbatch: 2', "one item in a call"),
        ("{text: $}", "{findings: {path: $, entity: $.e, start: $.s}}", "exactly one of `end` and `length`"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in BASE
    (fault,) = faults(tmp_path, BASE.replace(old, new))
    assert told in fault
    assert fault.startswith("api.yaml:")


def test_what_is_not_in_use_needs_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = BASE.replace("name: api", "name: api\nauth: {type: bearer, token: '${env:NOT_SET}'}")
    assert faults(tmp_path, text) == []
    (fault,) = faults(tmp_path, text, in_use=True)
    assert "api.yaml:3:22: auth.token: the environment variable NOT_SET is not set or empty" in fault
    monkeypatch.setenv("NOT_SET", "now it is")
    assert faults(tmp_path, text, in_use=True) == []
    with pytest.raises(ProxyGuardError, match="not in use"):
        Client(connection(tmp_path, "https://api.example/", in_use=False))


def test_a_policy_in_use_resolves_its_connection_and_names_it_right(tmp_path: Path) -> None:
    auth = {"type": "bearer", "token": "${file:" + str(tmp_path / "token") + "}"}
    with pytest.raises(RulesError, match=r"connections/api.yaml.*can't be read"):
        guard(tmp_path, "https://api.example/", auth=auth)
    (tmp_path / "token").write_text(f"{SECRET}\n")
    guard(tmp_path, "https://api.example/", auth=auth)
    policy = tmp_path / "policies" / "asks.yaml"
    policy.write_text(policy.read_text().replace("scrubber: api", "scrubber: apii"))
    with pytest.raises(RulesError, match="did you mean api"):
        Guard.from_rules(tmp_path)
    lookup = {"version": 1, "name": "apy", "kind": "lookup", "url": "https://a.example/{reference}", "method": "GET"}
    (tmp_path / "connections" / "apy.yaml").write_text(json.dumps({**lookup, "reply": {"value": "$.x"}}))
    with pytest.raises(RulesError, match="unknown scrubber"):
        Guard.from_rules(tmp_path)
    (tmp_path / "connections" / "apy.yaml").write_text(
        json.dumps({**FINDS, "url": "https://a.example", "name": "local"})
    )
    with pytest.raises(RulesError, match="there is a scrubber 'local' already"):
        Guard.from_rules(tmp_path)


def test_the_shipped_rules_load_without_any_of_their_variables() -> None:
    from proxy_guard import resources

    connections = load_rules(resources.rules_dir()).connections
    assert len(connections) > 8
    assert not any(each.secrets for each in connections.values())


AUTHS: list[dict[str, Any]] = [
    {"type": "bearer", "token": "${env:API_SECRET}"},
    {"type": "basic", "username": "me", "password": "${env:API_SECRET}"},
    {"type": "api_key", "name": "X-Key", "value": "${env:API_SECRET}"},
    {"type": "api_key", "in": "query", "name": "key", "value": "${env:API_SECRET}"},
]


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("fault", ["error_500", "reset_at_once", "garbage", "redirect", "refused", "fine"])
def test_no_secret_in_logs_errors_and_reprs(
    tmp_path: Path, auth: dict[str, Any], fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("API_SECRET", SECRET)
    caplog.set_level(logging.DEBUG)
    shapes = (SECRET, "bWU6djNyeS1zM2NyM3Q")

    async def run(origin: str) -> list[str]:
        target = "http://127.0.0.1:9" if fault == "refused" else origin
        settings: dict[str, Any] = {"auth": auth, "query": {"q": "${env:API_SECRET}"}, "retries": {"times": 0}}
        made = connection(tmp_path, f"{target}/{fault}", headers={"X-Other": "${env:API_SECRET}"}, **settings)
        scrubber = RemoteScrubber(made)
        shown = [repr(made), str(made), repr(made.settings), repr(scrubber), repr(made.secrets), repr(vars(scrubber))]
        client = Client(made)
        shown += [repr(client), repr(client._auth)]
        try:
            await client.call(made.main, {"items": []}, lambda reply: reply)
        except Unavailable as error:
            shown += ["".join(traceback.format_exception(error)), repr(error), str(error.__cause__)]
        await client.aclose()
        made_guard = guard(tmp_path, f"{target}/{fault}", **settings)
        verdict = await made_guard.inspect(message())
        await made_guard.aclose()
        return [*shown, verdict.reason, verdict.body.decode()]

    with raw(Faulty()) as origin:
        shown = anyio.run(run, origin)
    everything = "\n".join(shown) + caplog.text
    assert "proxy_guard" in everything
    for shape in shapes:
        assert shape not in everything


def test_an_httpx_client_would_have_told() -> None:
    """The reason for using the transport: if this ceases to be so, it may go."""
    assert "HTTP Request: %s %s" in Path(httpx._client.__file__).read_text()
