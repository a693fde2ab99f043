"""Media that a Security API judges: through both doors, by one that does what the test says and by the reference server."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.servers import Server, sidecar
from tests.media import samples
from tests.media.conftest import write_rules
from tests.media.security_api import SecurityApi
from tests.media.upstream import Upstream
from tests.remote.serving import serve
from tests.remote.test_security_api import TOKEN, conforms, serving

QUIET = b"ID3\3\0\0\0\0\0\0" + bytes(9)
CONTENT = "/asked/v1/files/file-1/content"
CHAT = "/asked/v1/chat/completions"


def audio() -> bytes:
    """A recording that no guard has seen before."""
    return b"ID3\3\0\0\0\0\0\0" + os.urandom(99)


def chat(door: Server, data: bytes, media_type: str, path: str = CHAT) -> httpx.Response:
    url = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    content = [{"type": "text", "text": "look"}, {"type": "file", "file": {"filename": "a", "file_data": url}}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    return httpx.post(door.url + path, json=body, timeout=60, trust_env=False)


def arrived(upstream: Upstream) -> bytes:
    url = json.loads(upstream.take().body)["messages"][0]["content"][1]["file"]["file_data"]
    return base64.b64decode(url.partition(",")[2])


def test_a_medium_that_is_allowed_goes_on(door: Server, upstream: Upstream, security_api: SecurityApi) -> None:
    security_api.says = {"action": "allow"}
    sent = audio()
    assert chat(door, sent, "audio/mpeg").status_code == 200
    assert arrived(upstream) == sent
    (asked,) = security_api.asked
    assert base64.b64decode(asked["base64"]) == sent
    assert (asked["kind"], asked["media_type"], asked["direction"]) == ("media", "audio/mpeg", "request")
    assert asked["path"] == "$['messages'][0]['content'][1]['file']['file_data']"


def test_one_that_is_replaced(door: Server, upstream: Upstream, security_api: SecurityApi) -> None:
    security_api.says = {"action": "mask", "base64": base64.b64encode(QUIET).decode()}
    assert chat(door, audio(), "audio/mpeg").status_code == 200
    assert arrived(upstream) == QUIET


def test_one_in_a_reply(door: Server, upstream: Upstream, security_api: SecurityApi) -> None:
    security_api.says = {"action": "mask", "base64": base64.b64encode(QUIET).decode()}
    upstream.files[CONTENT] = "audio/mpeg", audio()
    reply = httpx.get(door.url + CONTENT, timeout=60, trust_env=False)
    assert (reply.status_code, reply.content) == (200, QUIET)
    assert security_api.asked[0]["direction"] == "response"


@pytest.mark.parametrize(
    ("says", "status", "code"),
    [
        ({"action": "reject", "code": "voice"}, 422, "voice"),
        ({"action": "mask"}, 503, ""),
        ({"action": "mask", "base64": "!!"}, 503, ""),
        ({"action": "mask", "text": "no medium"}, 503, ""),
        ({"action": "what"}, 503, ""),
        (None, 503, ""),
    ],
)
def test_one_that_is_rejected_or_not_judged(
    says: Any, status: int, code: str, door: Server, upstream: Upstream, security_api: SecurityApi
) -> None:
    security_api.says, security_api.status = says or {"action": "allow"}, 200 if says else 500
    reply = chat(door, audio(), "audio/mpeg")
    assert reply.status_code == status
    assert code in reply.json()["error"]["message"]
    assert upstream.none()


def test_only_what_no_redactor_knows_is_sent_where_the_policy_says_so(
    door: Server, upstream: Upstream, security_api: SecurityApi
) -> None:
    security_api.says = {"action": "mask", "base64": base64.b64encode(QUIET).decode()}
    path = "/otherwise/v1/chat/completions"
    chat(door, f"Call {samples.PHONE}".encode(), "text/plain", path)
    assert arrived(upstream) == b"Call XXXXXXXXXXX"
    assert security_api.asked == []
    chat(door, audio(), "audio/mpeg", path)
    assert arrived(upstream) == QUIET
    assert len(security_api.asked) == 1


# --- the reference server -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("reference")
    rules = write_rules(folder, {"mask": "{}"}, "{media_workers: 1}")
    with serving(folder, "--rules", str(rules), "--token", "${env:API_TOKEN}") as server:
        yield server


def judged(server: Server, *media: tuple[str, bytes]) -> list[Any]:
    items = [
        {"id": str(n), "kind": "media", "media_type": of, "path": "$", "direction": "request",
         "base64": base64.b64encode(data).decode()}
        for n, (of, data) in enumerate(media)
    ]  # fmt: skip
    conforms({"items": items}, "Inspection")
    headers = {"authorization": f"Bearer {TOKEN}"}
    reply = httpx.post(f"{server.url}/v1/inspect", json={"items": items}, headers=headers, timeout=90, trust_env=False)
    assert reply.status_code == 200
    conforms(reply.json(), "Judgements")
    return [each for _, each in sorted((int(item["id"]), item) for item in reply.json()["items"])]


def test_the_reference_server_scrubs_media(reference: Server) -> None:
    picture, plain, unknown, lie, text = judged(
        reference,
        ("image/png", samples.picture()),
        ("text/csv", b"a,b\n1,2\n"),
        ("audio/mpeg", audio()),
        ("image/png", samples.pdf()),
        ("application/octet-stream", f"Call {samples.PHONE}".encode()),
    )
    assert picture["action"] == "mask"
    samples.is_clean_picture(samples.picture(), base64.b64decode(picture["base64"]))
    assert plain == {"id": "1", "action": "allow"}
    assert unknown == {"id": "2", "action": "reject", "code": "unsupported_media"}
    assert lie == {"id": "3", "action": "reject", "code": "lying_type"}
    assert base64.b64decode(text["base64"]) == b"Call XXXXXXXXXXX"


@pytest.mark.slow
def test_a_guard_that_asks_the_reference_server(reference: Server, upstream: Upstream, tmp_path: Path) -> None:
    rules = write_rules(tmp_path, {"mask": "{scrubber: security-api}"}, "{media_workers: 1}")
    env: dict[str, Any] = {"SECURITY_API_URL": reference.url, "SECURITY_API_TOKEN": TOKEN}
    with (
        serve(upstream.app) as url,
        sidecar(url, tmp_path / "log", "--rules", str(rules), "--door", "asgi", **env) as server,
    ):
        upstream.arrived.clear()
        assert chat(server, samples.word(), samples.WORD, "/v1/chat/completions").status_code == 200
        samples.is_clean_word(arrived(upstream))
        assert chat(server, audio(), "audio/mpeg", "/v1/chat/completions").status_code == 422
        assert upstream.none()


def test_the_reference_server_scrubs_images_for_litellm(reference: Server) -> None:
    def ask(*images: str) -> Any:
        body = {"input_type": "request", "texts": ["hi"], "images": list(images), "request_data": {}}
        url = f"{reference.url}/beta/litellm_basic_guardrail_api"
        return httpx.post(url, json=body, headers={"x-api-key": TOKEN}, timeout=90, trust_env=False).json()

    url = f"data:image/png;base64,{base64.b64encode(samples.picture()).decode()}"
    said = ask(url)
    assert (said["action"], said["texts"]) == ("GUARDRAIL_INTERVENED", ["hi"])
    label, _, data = said["images"][0].partition(",")
    assert label == "data:image/png;base64"
    samples.is_clean_picture(samples.picture(), base64.b64decode(data))
    clean = f"data:text/csv;base64,{base64.b64encode(b'a,b').decode()}"
    assert ask(clean) == {"action": "NONE"}
    for refused in ("https://example.com/a.png", "data:image/png;base64,!", "file-1"):
        assert ask(clean, refused)["action"] == "BLOCKED"
