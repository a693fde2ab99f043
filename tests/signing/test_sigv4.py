"""AWS Signature Version 4: AWS's own examples, and requests that botocore signs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from proxy_guard import Guard, Message, Verdict
from proxy_guard.model import Headers
from proxy_guard.signing import Unsignable
from proxy_guard.signing.sigv4 import Credentials, SigV4
from tests.signing.aws import is_valid
from tests.signing.rulesets import SECRETS, make_rules

KEY, SECRET = SECRETS["AWS_KEY"], SECRETS["AWS_SECRET"]
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
MODEL = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
BODY = b'{"messages": [{"role": "user", "content": [{"text": "call 9876543210"}]}]}'
CLEAN = BODY.replace(b"9876543210", b"me")
SIGNER = SigV4().bind(Credentials("aws", (), access_key_id=KEY, secret_access_key=SECRET))


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield Guard.from_rules(make_rules(tmp_path_factory.mktemp("sigv4")))


def signed(body: bytes, path: str = MODEL, keys: Keys | None = None, host: str = HOST, **headers: str) -> Headers:
    """Headers as botocore signs them."""
    request = AWSRequest("POST", host + path, headers={"Content-Type": "application/json"}, data=body)
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    request.headers["Host"] = host.partition("://")[2]
    SigV4Auth(keys or Keys(KEY, SECRET), "bedrock", "us-east-1").add_auth(request)
    return tuple(request.headers.items())


def inspect(guard: Guard, headers: Headers, body: bytes, path: str = MODEL, host: str = HOST) -> Verdict:
    return anyio.run(guard.inspect, Message("request", "POST", host + path, headers, body))


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "signature"),
    [
        ("GET", "/", (), b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", (), b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            (),
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST",
            "/",
            (("Content-Type", "application/x-www-form-urlencoded"),),
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_aws_published(method: str, path: str, headers: Headers, body: bytes, signature: str) -> None:
    names = ";".join(sorted(["host", "x-amz-date", *(name.lower() for name, _ in headers)]))
    scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    given = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"
    whole = (*headers, ("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z"), ("Authorization", given))
    message = Message("request", method, f"https://example.amazonaws.com{path}", whole, body)
    assert SIGNER.sign(message, message, None) == message  # it is right, and so made the same
    wrong = Message("request", method, f"https://example.amazonaws.com{path}", whole, body + b"x")
    with pytest.raises(Unsignable, match="is wrong"):
        SIGNER.sign(wrong, wrong, None)


@pytest.mark.parametrize("more", [{}, {"X-Amz-Meta": "  a   b "}, {"Content-Length": str(len(BODY))}])
@pytest.mark.parametrize(
    "path", [MODEL, MODEL + "?b=2&a=1&a=%20", "/model/x/./../m/converse", "/model/a~b_c/converse/"]
)
def test_what_is_rewritten_is_signed_anew(guard: Guard, more: dict[str, str], path: str) -> None:
    headers = signed(BODY, path, **more)
    assert is_valid("POST", HOST + path, list(headers), BODY, KEY, SECRET)
    verdict = inspect(guard, headers, BODY, path)
    assert verdict.action == "rewrite", verdict
    assert b"XXXXXXXX10" in verdict.body
    assert is_valid("POST", HOST + path, list(verdict.headers), verdict.body, KEY, SECRET)
    assert not is_valid("POST", HOST + path, list(headers), verdict.body, KEY, SECRET)


def test_what_is_untouched_passes_as_it_came(guard: Guard) -> None:
    for headers in (signed(CLEAN), signed(CLEAN, keys=Keys("OTHER", "other"))):
        verdict = inspect(guard, headers, CLEAN)
        assert (verdict.action, verdict.headers, verdict.body) == ("allow", headers, CLEAN)


def test_the_hash_of_the_body_in_a_header_is_anew(guard: Guard) -> None:
    verdict = inspect(guard, signed(BODY, X_Amz_Content_SHA256=hashlib.sha256(BODY).hexdigest()), BODY)
    named = {name.lower(): value for name, value in verdict.headers}
    assert named["x-amz-content-sha256"] == hashlib.sha256(verdict.body).hexdigest()
    assert is_valid("POST", HOST + MODEL, list(verdict.headers), verdict.body, KEY, SECRET)


def test_a_body_that_is_not_signed_is_rewritten_and_the_signature_stays(guard: Guard) -> None:
    headers = signed(BODY, keys=Keys("OTHER", "other"), X_Amz_Content_SHA256="UNSIGNED-PAYLOAD")
    verdict = inspect(guard, headers, BODY)
    assert verdict.action == "rewrite"
    assert is_valid("POST", HOST + MODEL, list(verdict.headers), verdict.body, "OTHER", "other")


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (signed(BODY, keys=Keys("OTHER", SECRET)), "has other credentials"),
        (signed(BODY, keys=Keys(KEY, "other")), "is wrong"),
        (signed(BODY, keys=Keys(KEY, SECRET, "token"))[:-1], "one that can be made anew"),
        (signed(CLEAN), "is wrong"),
        (signed(BODY, X_Amz_Content_SHA256=hashlib.sha256(CLEAN).hexdigest()), "for another body"),
        (signed(BODY, X_Amz_Content_SHA256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "each chunk"),
        ((("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=x"),), "one that can be made anew"),
        ((("Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host"),), "one that can be made anew"),
    ],
)
def test_what_cannot_be_signed_anew_is_blocked_and_says_why(guard: Guard, headers: Headers, why: str) -> None:
    named = {name.lower() for name, _ in headers}
    headers = headers if "content-type" in named else (*headers, ("Content-Type", "application/json"))
    if "authorization" not in named:
        headers = (*headers, ("Authorization", "AWS4-HMAC-SHA256 nothing"))
    verdict = inspect(guard, headers, BODY)
    assert (verdict.action, verdict.status) == ("block", 422)
    assert why in verdict.reason
    assert SECRET not in verdict.body.decode() + verdict.reason


def test_a_presigned_url_is_blocked(guard: Guard) -> None:
    verdict = inspect(guard, (("Content-Type", "application/json"),), BODY, MODEL + "?X-Amz-Signature=00")
    assert (verdict.action, verdict.status) == ("block", 422)
    verdict = inspect(guard, (("Content-Type", "application/json"),), CLEAN, MODEL + "?X-Amz-Signature=00")
    assert verdict.action == "allow"


def test_a_sidecar_signs_all_for_the_host_that_it_asks(guard: Guard) -> None:
    path = "/model/sidecar/converse"
    for body in (BODY, CLEAN):
        headers = signed(body, path, host=SECRETS["SIDECAR_URL"])
        # The door has put the upstream's host in place of the one that the client signed.
        there = tuple((name, "bedrock.example.com" if name == "Host" else value) for name, value in headers)
        verdict = inspect(guard, there, body, path, "https://bedrock.example.com")
        assert verdict.action == "rewrite", verdict
        assert is_valid("POST", f"https://bedrock.example.com{path}", list(verdict.headers), verdict.body, KEY, SECRET)


def test_who_may_be_anyone_is_signed_for_with_a_session(guard: Guard) -> None:
    path = "/model/anyone/converse"
    verdict = inspect(guard, signed(BODY, path, keys=Keys("dummy", "dummy", "dummy-token")), BODY, path)
    named = {name.lower(): value for name, value in verdict.headers}
    assert named["x-amz-security-token"] == SECRETS["APP_SECRET"]
    assert "x-amz-security-token" in named["authorization"]
    assert "dummy" not in repr(verdict.headers)
    assert is_valid("POST", HOST + path, list(verdict.headers), verdict.body, KEY, SECRET)


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key"])
def test_credentials_do_not_show(name: str) -> None:
    assert KEY not in repr(SIGNER)
    assert SECRET not in repr(SIGNER)
    assert name not in repr(SIGNER)


def test_folders_are_not_asked_for_secrets_that_no_route_names(tmp_path: Path) -> None:
    rules = make_rules(tmp_path)
    (rules / "guard.yaml").write_text("version: 1\nroutes:\n  - {policy: mask}\n")
    Guard.from_rules(rules)
