"""Signed webhooks and AWS requests through both doors, checked behind them by the vendors' own libraries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from tests.e2e.servers import Server, free_port, mitmdump, uvicorn
from tests.signing.rulesets import PUBLIC, SECRETS, make_rules
from tests.signing.test_vectors import _params

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Door:
    """`upstream` is the application's own address; `proxy` is set where the door can be used as a proxy, too."""

    server: Server
    upstream: str
    proxy: str | None


@pytest.fixture(scope="module", params=["mitm", "asgi"])
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("signatures")
    rules = make_rules(folder)
    if request.param == "asgi":
        env: dict[str, Any] = {**SECRETS, "SIDECAR_URL": "http://unused.example.com", "GUARD_RULES": str(rules)}
        with uvicorn("tests.e2e.hooks:guarded", folder / "asgi.log", "--factory", **env) as server:
            yield Door(server, server.url, None)
        return
    with uvicorn("tests.e2e.hooks:app", folder / "upstream.log") as upstream:
        proxy, port = free_port(), free_port()
        env = {**SECRETS, "SIDECAR_URL": f"http://127.0.0.1:{port}"}
        flags = ("--mode", f"regular@{proxy}")
        with mitmdump(upstream.url, rules, folder / "mitm.log", *flags, port=port, env=env) as server:
            yield Door(server, upstream.url, f"http://127.0.0.1:{proxy}")


def post(door: Door, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(door.server.url + path, content=body, headers=headers, timeout=30, trust_env=False)


def received(response: httpx.Response) -> bytes:
    assert response.status_code == 200, response.text
    return base64.b64decode(response.json()["received"])


def slack_headers(body: bytes, late: float = 0) -> dict[str, str]:
    now = str(int(time.time() - late))
    signature = SignatureVerifier(SECRETS["SLACK_SECRET"]).generate_signature(timestamp=now, body=body)
    assert signature
    return {"x-slack-request-timestamp": now, "x-slack-signature": signature}


def event(text: str) -> bytes:
    return json.dumps({"type": "event_callback", "event": {"type": "message", "text": text}}).encode()


def test_slack_takes_what_was_signed_anew(door: Door) -> None:
    body = event("call 9876543210")
    assert b"XXXXXXXX10" in received(post(door, "/slack/events", body, JSON | slack_headers(body)))
    command = b"command=%2Ftel&text=call+9876543210&user_id=U2"
    assert b"text=call+XXXXXXXX10" in received(post(door, "/slack/commands", command, FORM | slack_headers(command)))


def test_what_is_untouched_arrives_byte_for_byte(door: Door) -> None:
    body = event("good morning") + b" "
    assert received(post(door, "/slack/events", body, JSON | slack_headers(body))) == body


def test_what_is_not_slacks_never_arrives(door: Door) -> None:
    body = event("good morning")
    before = len(httpx.get(door.upstream + "/_seen", trust_env=False).json())
    for headers in (slack_headers(body + b"x"), slack_headers(body, late=400), {}):
        response = post(door, "/slack/events", body, JSON | headers)
        assert response.status_code == 401
        assert response.headers["x-proxy-guard-incident"]
        assert "signature" in response.text
    assert len(httpx.get(door.upstream + "/_seen", trust_env=False).json()) == before


def test_a_blocked_webhook_is_acknowledged_and_never_arrives(door: Door) -> None:
    body = event("call 9876543210")
    before = len(httpx.get(door.upstream + "/_seen", trust_env=False).json())
    response = post(door, "/drop/slack/events", body, JSON | slack_headers(body))
    assert (response.status_code, response.content) == (200, b"")
    incident = response.headers["x-proxy-guard-incident"]
    assert len(httpx.get(door.upstream + "/_seen", trust_env=False).json()) == before
    deadline = time.monotonic() + 10
    while incident not in (logged := door.server.printed()) and door.proxy and time.monotonic() < deadline:
        time.sleep(0.05)
    if door.proxy:  # uvicorn has no handler for the guard's logger
        (line,) = (line for line in logged.splitlines() if incident in line)
        assert "acknowledged and dropped: found PHONE_NUMBER" in line


def test_meta_and_line_take_what_was_signed_anew(door: Door) -> None:
    body = b'{"entry": [{"changes": [{"value": {"messages": [{"text": {"body": "call 9876543210"}}]}}]}]}'
    mac = hmac.digest(SECRETS["META_SECRET"].encode(), body, hashlib.sha256)
    response = post(door, "/webhook", body, {**JSON, "X-Hub-Signature-256": "sha256=" + mac.hex()})
    assert b"XXXXXXXX10" in received(response)
    body = b'{"events": [{"type": "message", "message": {"type": "text", "text": "call 9876543210"}}]}'
    mac = hmac.digest(SECRETS["LINE_SECRET"].encode(), body, hashlib.sha256)
    response = post(door, "/line/callback", body, {**JSON, "x-line-signature": base64.b64encode(mac).decode()})
    assert b"XXXXXXXX10" in received(response)


def test_twilio_takes_forms_and_json_that_were_signed_anew(door: Door) -> None:
    validator = RequestValidator(SECRETS["TWILIO_TOKEN"])
    body = b"From=%2B14158675309&Body=call+9876543210&NumMedia=0"
    signature = validator.compute_signature(f"{PUBLIC}/twilio/sms", _params(body))
    assert b"Body=call+XXXXXXXX10" in received(
        post(door, "/twilio/sms", body, {**FORM, "X-Twilio-Signature": signature})
    )
    body = b'{"Body": ["call 9876543210"]}'
    path = f"/twilio/sms?a=1&bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = validator.compute_signature(PUBLIC + path, {})
    assert b"XXXXXXXX10" in received(post(door, path, body, {**JSON, "X-Twilio-Signature": signature}))


def client(endpoint: str, proxy: str | None = None, secret: str = SECRETS["AWS_SECRET"]) -> Any:
    config = Config(retries={"total_max_attempts": 1}, proxies={"http": proxy} if proxy else {})
    return boto3.client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id=SECRETS["AWS_KEY"],
        aws_secret_access_key=secret, config=config,
    )  # fmt: skip


def converse(client: Any, model: str, text: str) -> str:
    reply = client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": text}]}])
    return str(reply["output"]["message"]["content"][0]["text"])


def test_bedrock_takes_what_was_signed_anew_and_what_passed(door: Door) -> None:
    bedrock = client(door.upstream, door.proxy)
    model = "anthropic.claude-3-haiku-20240307-v1:0"
    assert converse(bedrock, model, "call 9876543210") == "you said call XXXXXXXX10"
    assert converse(bedrock, model, "good morning") == "you said good morning"


def test_what_others_signed_passes_untouched_or_not_at_all(door: Door) -> None:
    bedrock = client(door.upstream, door.proxy, secret="other")
    with pytest.raises(ClientError) as refused:
        converse(bedrock, "m", "good morning")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401  # Bedrock's own word
    with pytest.raises(ClientError) as blocked:
        converse(bedrock, "m", "call 9876543210")
    assert blocked.value.response["ResponseMetadata"]["HTTPStatusCode"] == 422
    assert "AWS signature is wrong" in str(blocked.value)


def test_a_sidecar_that_asks_another_host_signs_everything(door: Door) -> None:
    if door.proxy is None:
        pytest.skip("a middleware asks no other host")
    bedrock = client(door.server.url)
    assert converse(bedrock, "sidecar", "call 9876543210") == "you said call XXXXXXXX10"
    assert converse(bedrock, "sidecar", "good morning") == "you said good morning"
