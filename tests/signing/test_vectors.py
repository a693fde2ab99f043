"""Signatures that vendors publish are taken, and nothing near them; what a rewrite breaks is made anew."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import anyio
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from slack_sdk.signature import Clock, SignatureVerifier
from twilio.request_validator import RequestValidator

from proxy_guard import Guard, Message, Verdict
from proxy_guard.model import Headers
from tests.signing.rulesets import PUBLIC, SECRETS, make_rules

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
COMMAND = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
    b".803a0bc887a14d10d2c447fce8b6703c"
)
COMMAND_AT = 1531420618
CALL = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signing")


@pytest.fixture(scope="module")
def guard(folder: Path) -> Iterator[Guard]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield Guard.from_rules(make_rules(folder))


def inspect(guard: Guard, url: str, headers: Headers, body: bytes, at: float | None = None) -> Verdict:
    return anyio.run(guard.inspect, Message("request", "POST", url, headers, body, at=at))


def value(verdict: Verdict, name: str) -> str:
    (found,) = (value for each, value in verdict.headers if each.lower() == name)
    return found


def mac(secret: str, content: bytes, digest: str = "sha256") -> bytes:
    return hmac.digest(secret.encode(), content, digest)


# --- published examples ----------------------------------------------------------------------------------


def slack_headers(signature: str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503") -> Headers:
    return (FORM, ("X-Slack-Request-Timestamp", str(COMMAND_AT)), ("X-Slack-Signature", signature))


@pytest.mark.parametrize("late", [0, 300, -300])
def test_slack_published(guard: Guard, late: float) -> None:
    verdict = inspect(guard, "https://bot.example.com/slack/commands", slack_headers(), COMMAND, COMMAND_AT + late)
    assert (verdict.action, verdict.body, verdict.headers) == ("allow", COMMAND, slack_headers())


@pytest.mark.parametrize("late", [300.5, 3600, -301])
def test_slack_stale(guard: Guard, late: float) -> None:
    verdict = inspect(guard, "https://bot.example.com/slack/commands", slack_headers(), COMMAND, COMMAND_AT + late)
    assert (verdict.action, verdict.status) == ("block", 401)
    assert "300 s" in verdict.reason


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (slack_headers(), COMMAND + b"&text=more"),
        (slack_headers("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b504"), COMMAND),
        (slack_headers("a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"), COMMAND),
        (slack_headers("v0="), COMMAND),
        (slack_headers("v0=é"), COMMAND),
        (slack_headers(""), COMMAND),
        (slack_headers()[:2], COMMAND),
        (slack_headers()[::2], COMMAND),
        ((*slack_headers(), slack_headers()[2]), COMMAND),
        ((*slack_headers(), slack_headers()[1]), COMMAND),
        (slack_headers(), b""),
    ],
)
def test_nothing_near_it_is_taken(guard: Guard, headers: Headers, body: bytes) -> None:
    verdict = inspect(guard, "https://bot.example.com/slack/commands", headers, body, COMMAND_AT)
    assert (verdict.action, verdict.status) == ("block", 401), verdict
    assert b"signature" in verdict.body.lower()
    assert SECRETS["SLACK_SECRET"] not in repr(verdict) + verdict.body.decode()


def test_github_published_is_what_whatsapp_has(guard: Guard) -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = (("Content-Type", "text/plain"), ("X-Hub-Signature-256", signature))
    # Verified, and so turned away for its media type only.
    assert inspect(guard, "https://bot.example.com/webhook", headers, b"Hello, World!").status == 415
    assert inspect(guard, "https://bot.example.com/webhook", headers, b"Hello, World?").status == 401


def test_line_published(guard: Guard) -> None:
    headers = (("Content-Type", "text/plain"), ("x-line-signature", "/gg9a+LvFevTH1sd7XCQycD7tsWclCsInj7MhBHxN7k="))
    assert inspect(guard, "https://bot.example.com/line/callback", headers, b"bodybodybodybody").status == 415
    assert inspect(guard, "https://bot.example.com/line/callback", headers, b"bodybodybodybodz").status == 401


@pytest.mark.parametrize("seen", ["http://127.0.0.1:8080", "https://mycompany.com", "http://guard.internal"])
def test_twilio_published(guard: Guard, seen: str) -> None:
    headers = (FORM, ("X-Twilio-Signature", RequestValidator("12345").compute_signature(f"{PUBLIC}/twilio?foo=1&bar=2", _params(CALL))))  # fmt: skip
    verdict = inspect(guard, f"{seen}/twilio?foo=1&bar=2", headers, CALL)
    assert verdict.action == "rewrite"  # its `Caller` is a number; signed anew, see below
    assert inspect(guard, f"{seen}/twilio?foo=1&bar=3", headers, CALL).status == 401
    assert inspect(guard, f"{seen}/twilio?foo=1&bar=2", headers, CALL + b"&x=1").status == 401


def test_twilio_published_signatures() -> None:
    from proxy_guard.signing import Secrets, Unverified
    from proxy_guard.signing.twilio import Twilio

    signer = Twilio().bind(Secrets("c", ("12345",)))

    def verify(url: str, signature: str, body: bytes, *more: tuple[str, str]) -> None:
        signer.verify(Message("request", "POST", url, (("X-Twilio-Signature", signature), *more), body))

    verify("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", CALL, FORM)
    # An array with a value twice, and a name that begins as another one ends.
    verify("https://mycompany.com/myapp.php?foo=1&bar=2", "IK+Dwps556ElfBT0I3Rgjkr1wJU=", b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234", FORM)  # fmt: skip
    verify("https://MyCompany.com:1234/myapp.php?foo=1&bar=2", "PCqOZm8cnu/L6+u5i5fuEd+Iac4=", CALL, FORM)
    body = b'{"property": "value", "boolean": true}'
    digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    url = f"https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={digest}"
    verify(url, RequestValidator("12345").compute_signature(url, {}), body, JSON)
    with pytest.raises(Unverified, match="bodySHA256"):
        verify(url, RequestValidator("12345").compute_signature(url, {}), body + b" ", JSON)
    bare = "https://mycompany.com/myapp.php"
    with pytest.raises(Unverified, match="does not speak for it"):
        verify(bare, RequestValidator("12345").compute_signature(bare, {}), body, JSON)
    for port in ("", ":443"):
        named = f"https://mycompany.com{port}/x"
        verify("https://mycompany.com/x", RequestValidator("12345").compute_signature(named, _params(CALL)), CALL, FORM)
        verify("https://mycompany.com:443/x", RequestValidator("12345").compute_signature(named, _params(CALL)), CALL, FORM)  # fmt: skip
    newer = RequestValidator("12345").compute_signature(bare, _params(CALL), "HMAC_SHA256")
    verify(bare, newer, CALL, FORM, ("X-Twilio-Webhooks-Signature-Settings", "key=k,algorithm=HMAC_SHA256"))
    with pytest.raises(Unverified, match="unknown algorithm"):
        verify(bare, newer, CALL, FORM, ("X-Twilio-Webhooks-Signature-Settings", "key=k,algorithm=NONE"))


class _Params(dict[str, list[str]]):
    def getall(self, name: str) -> list[str]:
        return self[name]


def _params(body: bytes) -> _Params:
    return _Params(parse_qs(body.decode(), keep_blank_values=True))


# --- rewritten, and signed anew --------------------------------------------------------------------------


class At(Clock):
    def now(self) -> float:
        return COMMAND_AT


@pytest.mark.parametrize("secret", ["SLACK_OLD", "SLACK_SECRET"])
def test_slack_anew_with_the_secret_that_it_came_with(guard: Guard, secret: str) -> None:
    body = b"command=%2Ftel&text=call+9876543210&user_id=U2"
    verifier = SignatureVerifier(SECRETS[secret], At())
    signature = verifier.generate_signature(timestamp=str(COMMAND_AT), body=body)
    assert signature
    verdict = inspect(guard, "https://bot.example.com/slack/commands", slack_headers(signature), body, COMMAND_AT)
    assert (verdict.action, verdict.body) == ("rewrite", b"command=%2Ftel&text=call+XXXXXXXX10&user_id=U2")
    assert verifier.is_valid_request(verdict.body, dict(verdict.headers))
    assert [name for name, _ in verdict.headers] == [name for name, _ in slack_headers()] + ["content-length"]


MESSAGE = b'{"entry": [{"changes": [{"value": {"messages": [{"text": {"body": "call 9876543210"}}]}}]}]}'


def test_both_hub_signatures_are_anew(guard: Guard) -> None:
    secret = SECRETS["META_SECRET"]
    new = ("X-Hub-Signature-256", "sha256=" + mac(secret, MESSAGE).hex())
    old = ("X-Hub-Signature", "sha1=" + mac(secret, MESSAGE, "sha1").hex())
    verdict = inspect(guard, "https://bot.example.com/webhook", (JSON, old, new), MESSAGE)
    assert verdict.action == "rewrite"
    assert value(verdict, "x-hub-signature-256") == "sha256=" + mac(secret, verdict.body).hex()
    assert value(verdict, "x-hub-signature") == "sha1=" + mac(secret, verdict.body, "sha1").hex()
    # The weaker one alone is not enough, nor a good one beside a bad one.
    assert inspect(guard, "https://bot.example.com/webhook", (JSON, old), MESSAGE).status == 401
    bad = ("X-Hub-Signature", "sha1=" + "0" * 40)
    assert inspect(guard, "https://bot.example.com/webhook", (JSON, bad, new), MESSAGE).status == 401


def test_what_the_application_knows_is_another_secret(guard: Guard) -> None:
    for body in (MESSAGE, MESSAGE.replace(b"9876543210", b"me")):
        given = ("X-Hub-Signature-256", "sha256=" + mac(SECRETS["META_SECRET"], body).hex())
        verdict = inspect(guard, "https://bot.example.com/app/webhook", (JSON, given), body)
        assert verdict.action == "rewrite"
        assert value(verdict, "x-hub-signature-256") == "sha256=" + mac(SECRETS["APP_SECRET"], verdict.body).hex()
        assert b"9876543210" not in verdict.body


def test_line_and_intercom_anew(guard: Guard) -> None:
    body = b'{"events": [{"type": "message", "message": {"type": "text", "text": "call 9876543210"}}]}'
    headers = (JSON, ("X-Line-Signature", base64.b64encode(mac(SECRETS["LINE_SECRET"], body)).decode()))
    verdict = inspect(guard, "https://bot.example.com/line/callback", headers, body)
    assert b"XXXXXXXX10" in verdict.body
    assert base64.b64decode(value(verdict, "x-line-signature")) == mac(SECRETS["LINE_SECRET"], verdict.body)
    body = b'{"data": {"item": {"body": "call 9876543210"}}}'
    headers = (JSON, ("X-Hub-Signature", "sha1=" + mac(SECRETS["INTERCOM_SECRET"], body, "sha1").hex()))
    verdict = inspect(guard, "https://bot.example.com/webhooks/intercom", headers, body)
    assert b"XXXXXXXX10" in verdict.body
    assert value(verdict, "x-hub-signature") == "sha1=" + mac(SECRETS["INTERCOM_SECRET"], verdict.body, "sha1").hex()


@pytest.mark.parametrize("route", ["", "/app"])
def test_twilio_anew_for_forms_and_json(guard: Guard, route: str) -> None:
    validator, anew = RequestValidator("12345"), RequestValidator(SECRETS["APP_SECRET"] if route else "12345")
    body = b"From=%2B14158675309&Body=call+9876543210&Empty=&Media=b&Media=a&Media=b"
    headers = (FORM, ("X-Twilio-Signature", validator.compute_signature(f"{PUBLIC}{route}/twilio/sms", _params(body))))
    verdict = inspect(guard, f"http://127.0.0.1:8080{route}/twilio/sms", headers, body)
    assert b"XXXXXXXX10" in verdict.body
    assert anew.validate(f"{PUBLIC}{route}/twilio/sms", _params(verdict.body), value(verdict, "x-twilio-signature"))

    json_body = b'{"Body": ["call 9876543210"]}'
    path = f"{route}/twilio/sms?a=1&bodySHA256={hashlib.sha256(json_body).hexdigest()}&z=2"
    headers = (JSON, ("X-Twilio-Signature", validator.compute_signature(PUBLIC + path, {})))
    verdict = inspect(guard, f"http://127.0.0.1:8080{path}", headers, json_body)
    assert b"XXXXXXXX10" in verdict.body
    assert verdict.url is not None
    asked = PUBLIC + verdict.url.removeprefix("http://127.0.0.1:8080")
    assert anew.validate(asked, verdict.body.decode(), value(verdict, "x-twilio-signature"))


def test_freshchat_by_public_key_and_a_key_for_the_application(guard: Guard, folder: Path) -> None:
    key = serialization.load_pem_private_key((folder / "provider.key").read_bytes(), None)
    known = serialization.load_pem_public_key((folder / "app.pub").read_bytes())
    body = b'{"data": {"message": {"message_parts": [{"text": {"content": "call 9876543210"}}]}}}'
    signature = base64.b64encode(key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()  # type: ignore[union-attr,call-arg,arg-type]
    verdict = inspect(guard, "https://bot.example.com/webhooks/freshchat", (JSON, ("X-Freshchat-Signature", signature)), body)  # fmt: skip
    assert b"XXXXXXXX10" in verdict.body
    made = base64.b64decode(value(verdict, "x-freshchat-signature"))
    known.verify(made, verdict.body, padding.PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr,call-arg,arg-type]
    bad = inspect(guard, "https://bot.example.com/webhooks/freshchat", (JSON, ("X-Freshchat-Signature", signature)), body + b" ")  # fmt: skip
    assert bad.status == 401


@pytest.mark.parametrize(
    "moment", ["1700000000", "1700000000000", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20.000+01:00"]
)
def test_one_of_our_own_making(guard: Guard, moment: str) -> None:
    body = b'{"text": "call 9876543210"}'
    key = base64.b64decode(SECRETS["HOMEMADE_KEY"])

    def signature(content: bytes) -> str:
        signed = f"POST https://bot.example.com/hooks/homemade 17 {moment} ".encode() + content
        return "HMAC " + base64.b64encode(hmac.digest(key, signed, "sha512")).decode()

    headers = (JSON, ("X-Id", "17"), ("X-Time", moment), ("Authorization", signature(body)))
    verdict = inspect(guard, "http://127.0.0.1/homemade", headers, body, 1700000059)
    assert b"XXXXXXXX10" in verdict.body
    assert value(verdict, "authorization") == signature(verdict.body)
    assert inspect(guard, "http://127.0.0.1/homemade", headers, body, 1700000061).status == 401
    wrong = tuple((name, "18" if name == "X-Id" else given) for name, given in headers)
    assert inspect(guard, "http://127.0.0.1/homemade", wrong, body, 1700000059).status == 401


# --- policies --------------------------------------------------------------------------------------------


def signed_event(text: str) -> tuple[Headers, bytes]:
    body = b'{"type": "event_callback", "event": {"type": "message", "text": "%s"}}' % text.encode()
    signature = SignatureVerifier(SECRETS["SLACK_SECRET"]).generate_signature(timestamp=str(COMMAND_AT), body=body)
    assert signature
    return (JSON, ("X-Slack-Request-Timestamp", str(COMMAND_AT)), ("X-Slack-Signature", signature)), body


def test_a_blocked_webhook_is_acknowledged_and_dropped(guard: Guard) -> None:
    verdict = inspect(guard, "https://bot.example.com/drop/slack/events", *signed_event("call 9876543210"), COMMAND_AT)
    assert (verdict.action, verdict.status, verdict.body) == ("block", 200, b"")
    assert verdict.incident
    assert value(verdict, "x-proxy-guard-incident") == verdict.incident
    assert "found PHONE_NUMBER" in verdict.reason
    assert [each.entity for each in verdict.findings] == ["PHONE_NUMBER"]
    assert (
        inspect(guard, "https://bot.example.com/drop/slack/events", *signed_event("good"), COMMAND_AT).action == "allow"
    )


def test_what_is_not_from_the_provider_is_not_acknowledged(guard: Guard) -> None:
    headers, body = signed_event("call 9876543210")
    verdict = inspect(guard, "https://bot.example.com/drop/slack/events", headers, body + b" ", COMMAND_AT)
    assert (verdict.action, verdict.status) == ("block", 401)


def test_nobody_learns_more_before_it_is_verified(guard: Guard) -> None:
    url = "https://bot.example.com/drop/slack/events"
    headers, body = signed_event("call 9876543210")
    odd = (("Content-Type", "image/png"), *headers[1:])
    head = Message("request", "POST", url, odd, at=COMMAND_AT)
    assert guard.open("POST", url).refuse(head) is None
    assert (
        inspect(guard, url, odd, body, COMMAND_AT).status == 200
    )  # it is Slack's: acknowledged, though it can't be read
    assert inspect(guard, url, odd, body + b" ", COMMAND_AT).status == 401
    large = (*headers, ("Content-Length", "99999999"))
    refused = guard.open("POST", url).refuse(Message("request", "POST", url, large, at=COMMAND_AT))
    assert refused
    assert refused.status == 413
    cut = inspect(guard, url, headers, body + b" " * 10 * 1024 * 1024, COMMAND_AT)
    assert (cut.action, cut.status) == ("block", 413)


def test_large_ones_are_verified_and_signed_in_workers(guard: Guard) -> None:
    headers, body = signed_event("call 9876543210 " + "lorem ipsum " * 20_000)
    verdict = inspect(guard, "https://bot.example.com/slack/events", headers, body, COMMAND_AT)
    assert verdict.body.count(b"XXXXXXXX10") == 1
    assert SignatureVerifier(SECRETS["SLACK_SECRET"], At()).is_valid_request(verdict.body, dict(verdict.headers))
    assert inspect(guard, "https://bot.example.com/slack/events", headers, body + b" ", COMMAND_AT).status == 401
    assert guard._workers
    assert guard._workers._nursery


@pytest.mark.parametrize(("of", "status"), [("the provider", None), ("somebody", 401)])
def test_what_a_failure_lets_pass_is_verified_all_the_same(tmp_path: Path, of: str, status: int | None) -> None:
    """Where the worker is out of time, and the policy says keep."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(name, secret)
        rules = make_rules(tmp_path)
        (rules / "policies" / "mask.yaml").write_text(
            "version: 1\nname: mask\nentities: {PHONE_NUMBER: {action: mask}}\non_error: keep\n"
        )
        (rules / "guard.yaml").write_text((rules / "guard.yaml").read_text() + "limits: {queue: 0, workers: 1}\n")
        guard = Guard.from_rules(rules)
    assert guard._workers
    guard._workers._inside = 1  # as if another one were there
    headers, body = signed_event("lorem ipsum " * 20_000)
    body += b" " if of == "somebody" else b""
    verdict = inspect(guard, "https://bot.example.com/slack/events", headers, body, COMMAND_AT)
    assert verdict.status == status
    assert verdict.action == ("allow" if status is None else "block")


def test_what_is_no_webhook_is_not_acknowledged(guard: Guard) -> None:
    body = b'{"messages": [{"role": "user", "content": "call 9876543210"}]}'
    verdict = inspect(guard, "https://api.openai.com/drop/v1/chat/completions", (JSON,), body)
    assert (verdict.action, verdict.status) == ("block", 422)


def test_what_cannot_be_read_is_acknowledged_too(guard: Guard) -> None:
    body = b'{"type": '
    signature = SignatureVerifier(SECRETS["SLACK_SECRET"]).generate_signature(timestamp=str(COMMAND_AT), body=body)
    headers = (JSON, ("X-Slack-Request-Timestamp", str(COMMAND_AT)), ("X-Slack-Signature", signature or ""))
    verdict = inspect(guard, "https://bot.example.com/drop/slack/events", headers, body, COMMAND_AT)
    assert (verdict.action, verdict.status) == ("block", 200)


def test_observe_lets_all_pass_and_says_so(guard: Guard) -> None:
    headers, body = signed_event("call 9876543210")
    verdict = inspect(guard, "https://bot.example.com/observe/slack/events", headers, body, COMMAND_AT)
    assert (verdict.action, verdict.body, verdict.reason) == ("allow", body, "would rewrite")
    verdict = inspect(guard, "https://bot.example.com/observe/slack/events", headers, body, COMMAND_AT + 600)
    assert (verdict.action, verdict.body) == ("allow", body)
    assert verdict.reason.startswith("would block: its signature is not verified")


def test_without_a_secret_a_rewrite_is_blocked_and_says_what_is_missing(guard: Guard) -> None:
    headers, body = signed_event("call 9876543210")
    verdict = inspect(guard, "https://bot.example.com/plain/slack/events", headers, body)
    assert (verdict.action, verdict.status) == ("block", 422)
    assert "x-slack-signature" in verdict.reason
    assert "'slack'" in verdict.reason
    assert "signatures" in verdict.reason
    headers, body = signed_event("good")
    assert inspect(guard, "https://bot.example.com/plain/slack/events", headers, body).action == "allow"
    unsigned = inspect(guard, "https://bot.example.com/plain/slack/events", (JSON,), signed_event("call 9876543210")[1])
    assert unsigned.action == "rewrite"  # there is nothing to break
