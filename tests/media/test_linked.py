"""Media by link through both doors: fetched, scrubbed and sent in place of the link, or the message is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.e2e.servers import Server
from tests.media import samples
from tests.media.upstream import Upstream
from tests.media.web import Web

PICTURE, DOCUMENT = "http://cdn.example/a.png", "http://cdn.example/a.pdf"
Read = Callable[[Any], str]
"""The data of the medium in what arrived, in base64."""


def openai_chat(url: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}


def openai_image(url: str) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]}


def openai_file(url: str) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": url}]}]}


def anthropic_image(url: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": url}}]}]}


def anthropic_document(url: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": url}}]}]}


def anthropic_result(url: str) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": "t", "content": anthropic_image(url)["messages"][0]["content"]}
    return {"messages": [{"role": "user", "content": [result]}]}


def gemini(url: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": url}}]}]}


def gemini_snake(url: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"file_data": {"mime_type": "image/png", "file_uri": url}}]}]}


def of_data_url(url: str, media_type: str) -> str:
    assert url.startswith(f"data:{media_type};base64,")
    return url.partition(",")[2]


def of_source(part: Any, media_type: str) -> str:
    assert part["source"].keys() == {"type", "media_type", "data"}
    assert (part["source"]["type"], part["source"]["media_type"]) == ("base64", media_type)
    return str(part["source"]["data"])


CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GEMINI = "/v1beta/models/m:generateContent"
PNG, PDF = "image/png", "application/pdf"
SHAPES: list[tuple[str, Callable[[str], Any], str, Read]] = [
    (CHAT, openai_chat, PICTURE, lambda got: of_data_url(got["messages"][0]["content"][0]["image_url"]["url"], PNG)),
    (RESPONSES, openai_image, PICTURE, lambda got: of_data_url(got["input"][0]["content"][0]["image_url"], PNG)),
    (RESPONSES, openai_file, DOCUMENT, lambda got: of_data_url(got["input"][0]["content"][0]["file_data"], PDF)),
    (MESSAGES, anthropic_image, PICTURE, lambda got: of_source(got["messages"][0]["content"][0], PNG)),
    (MESSAGES, anthropic_document, DOCUMENT, lambda got: of_source(got["messages"][0]["content"][0], PDF)),
    (MESSAGES, anthropic_result, PICTURE, lambda got: of_source(got["messages"][0]["content"][0]["content"][0], PNG)),
    (GEMINI, gemini, PICTURE, lambda got: str(got["contents"][0]["parts"][0]["inlineData"]["data"])),
    (GEMINI, gemini_snake, PICTURE, lambda got: str(got["contents"][0]["parts"][0]["inline_data"]["data"])),
]
IDS = [each[1].__name__ for each in SHAPES]


def send(door: Server, path: str, body: Any) -> httpx.Response:
    return httpx.post(door.url + path, json={"model": "m", **body}, timeout=90, trust_env=False)


@pytest.mark.parametrize(("path", "shape", "link", "read"), SHAPES, ids=IDS)
def test_a_linked_medium_arrives_scrubbed_in_place_of_its_link(
    path: str, shape: Callable[[str], Any], link: str, read: Read, door: Server, upstream: Upstream, internet: Web
) -> None:
    assert send(door, f"/fetch{path}", shape(link)).status_code == 200
    got = upstream.take().body
    assert b"cdn.example" not in got
    data = base64.b64decode(read(httpx.Response(200, content=got).json()), validate=True)
    if link == PICTURE:
        samples.is_clean_picture(samples.picture(), data)
    else:
        samples.is_clean_pdf(data)
    assert internet.public == [link.removeprefix("http://cdn.example")]


@pytest.mark.parametrize(("path", "shape", "link"), [each[:3] for each in SHAPES], ids=IDS)
def test_links_are_refused_or_ignored_where_the_policy_says_so(
    path: str, shape: Callable[[str], Any], link: str, door: Server, upstream: Upstream, internet: Web
) -> None:
    reply = send(door, path, shape(link))
    assert reply.status_code == 415
    assert "by link" in reply.text
    assert upstream.none()
    assert send(door, f"/ignore{path}", shape(link)).status_code == 200
    assert link.encode() in upstream.take().body
    assert internet.public == internet.private == []


def to(url: str) -> str:
    return f"http://cdn.example/to/{quote(url, safe='')}"


@pytest.mark.parametrize("link", ["https://cdn.example/clean.png", "http://img.files.example/clean.png",
                                  to("https://cdn.example/clean.png"), to("/clean.png")])  # fmt: skip
def test_what_is_fetched_goes_on_inline_though_nothing_was_found(
    link: str, door: Server, upstream: Upstream, internet: Web
) -> None:
    assert send(door, f"/fetch{CHAT}", openai_chat(link)).status_code == 200
    assert samples.blank() == base64.b64decode(SHAPES[0][3](httpx.Response(200, content=upstream.take().body).json()))
    assert internet.public[-1] == "/clean.png"


@pytest.mark.parametrize(
    ("link", "status", "why"),
    [
        ("http://unnamed.example/a.png", 415, "not named"),
        ("http://cdn.example.evil.example/a.png", 415, "not named"),
        ("http://files.example/a.png", 415, "not named"),
        ("http://user:word@cdn.example/a.png", 415, "credentials"),
        ("http://cdn.example:8080/a.png", 415, "port"),
        ("https://img.files.example/a.png", 503, "could not be fetched"),  # its certificate is another host's
        ("http://private.example/a.png", 415, "not public"),
        ("http://metadata.example/a.png", 415, "not public"),
        ("http://mixed.example/a.png", 415, "not public"),
        ("http://127.0.0.1/a.png", 415, "not public"),
        (to("http://private.example/a.png"), 415, "not public"),
        (to("http://127.0.0.1/a.png"), 415, "not public"),
        (to("http://169.254.169.254/latest/meta-data"), 415, "not named"),
        (to("http://unnamed.example/a.png"), 415, "not named"),
        (to("file:///etc/passwd"), 415, "none of http"),
        (to(to(to(to("http://cdn.example/a.png")))), 415, "redirects more"),
        ("http://cdn.example/gone/a.png", 415, "404"),
        ("http://cdn.example/large/a.png", 413, "larger"),
        ("http://cdn.example/lie.png", 422, "not what it is declared"),
        ("http://cdn.example/a.mp3", 415, "no redactor knows"),
    ],
)
def test_what_may_not_be_fetched_or_made_clean_is_refused(
    link: str, status: int, why: str, door: Server, upstream: Upstream, internet: Web
) -> None:
    reply = send(door, f"/fetch{CHAT}", openai_chat(link))
    assert reply.status_code == status
    assert why in reply.json()["error"]["message"]
    assert link not in reply.text
    assert upstream.none()
    assert internet.private == []


def test_a_name_that_resolves_otherwise_the_next_time(
    doors: dict[str, Server], upstream: Upstream, internet: Web
) -> None:
    """DNS rebinding: the address that was looked at is the one that is connected to; the next time it is refused."""
    for door in doors.values():
        upstream.arrived.clear()
        link = "http://rebind.example/a.png"
        assert send(door, f"/fetch{CHAT}", openai_chat(link)).status_code == 200
        samples.is_clean_picture(
            samples.picture(), base64.b64decode(SHAPES[0][3](httpx.Response(200, content=upstream.take().body).json()))
        )
        assert send(door, f"/fetch{CHAT}", openai_chat(link)).status_code == 415
        assert upstream.none()
        assert internet.private == []


def test_a_link_where_no_medium_can_stand_is_refused(door: Server, upstream: Upstream, internet: Web) -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": PICTURE}}]}]}
    assert send(door, f"/fetch{CHAT}", body).status_code == 415
    assert upstream.none()
    assert internet.public == []
