"""Bodies that are one file: scrubbed both ways by what they hold, and the same bytes through both doors."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.servers import Server
from tests.media import samples
from tests.media.test_faces import has_face, opened, page_with, written
from tests.media.upstream import Upstream

CONTENT = "/v1/files/file-1/content"
BODIES: list[tuple[str, bytes, Callable[[bytes], None] | None]] = [
    ("image/png", samples.picture(), lambda arrived: samples.is_clean_picture(samples.picture(), arrived)),
    ("application/pdf", samples.pdf(), samples.is_clean_pdf),
    (samples.WORD, samples.word(), samples.is_clean_word),
    (samples.SHEET, samples.sheet(), None),
    ("message/rfc822", samples.mail(), None),
    ("text/csv", f"name,phone\nA,{samples.PHONE}\n".encode(), None),
    ("application/octet-stream", samples.picture(), None),
    ("application/octet-stream", f'{{"phone": "{samples.PHONE}"}}'.encode(), None),
    ("text/plain; charset=utf-16le", f"Call {samples.PHONE}".encode("utf-16-le"), None),
    ("text/html", f"<html><body>Call {samples.PHONE}</body></html>".encode(), None),
    ("application/jsonl", f'{{"{samples.PHONE}": 1}}\n'.encode(), None),
]
NAMES = [each[0].partition(".")[0] for each in BODIES]


def ask(door: Server, method: str, path: str, **options: object) -> httpx.Response:
    return httpx.request(method, door.url + path, timeout=90, trust_env=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("media_type", "data", "is_clean"), BODIES, ids=NAMES)
def test_what_is_downloaded_is_scrubbed_alike_by_both_doors(
    media_type: str, data: bytes, is_clean: Callable[[bytes], None] | None, doors: dict[str, Server], upstream: Upstream
) -> None:
    upstream.files[CONTENT] = media_type, data
    replies = [ask(door, "GET", CONTENT, headers={"range": "bytes=0-99"}) for door in doors.values()]
    for reply in replies:
        assert reply.status_code == 200
        assert reply.headers["content-type"] == media_type
        assert int(reply.headers["content-length"]) == len(reply.content)
        assert "etag" not in reply.headers
        assert "range" not in upstream.arrived[-1].headers
        assert reply.content != data
        for codec in ("utf-8", "utf-16-le"):
            assert samples.PHONE.encode(codec) not in reply.content
        if is_clean:
            is_clean(reply.content)
    assert replies[0].content == replies[1].content


@pytest.mark.parametrize(
    ("media_type", "data", "status"),
    [
        ("audio/mpeg", b"ID3\3\0\0\0\0\0\0" + bytes(99), 415),
        ("video/mp4", b"\0\0\0\x18ftypmp42" + bytes(99), 415),
        ("image/png", samples.pdf(), 422),
        ("application/pdf", samples.picture(), 422),
        ("image/png", samples.picture()[:-900], 422),
        ("application/zip", b"PK\5\6" + bytes(18), 415),
        ("application/octet-stream", bytes(99), 415),
        ("text/csv", samples.picture(), 422),
        ("text/plain", samples.picture(), 400),
        ("font/woff2", b"wOF2" + bytes(99), 415),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_made_clean_is_not_given_out(
    media_type: str, data: bytes, status: int, door: Server, upstream: Upstream
) -> None:
    upstream.files[CONTENT] = media_type, data
    reply = ask(door, "GET", CONTENT)
    assert reply.status_code == status
    assert data not in reply.content
    assert reply.json()["error"]["code"] in ("content_unsupported", "content_blocked", "content_unreadable")


def test_a_clean_file_comes_as_it_is(door: Server, upstream: Upstream) -> None:
    upstream.files[CONTENT] = "text/csv", b"name,age\nA,7\n"
    reply = ask(door, "GET", CONTENT)
    assert (reply.content, reply.headers["etag"]) == (b"name,age\nA,7\n", '"1"')


SENT = [*BODIES[:4], ("application/x-www-form-urlencoded", samples.picture(), BODIES[0][2])]


@pytest.mark.parametrize(("media_type", "data", "is_clean"), SENT, ids=[*NAMES[:4], "form"])
def test_what_is_sent_as_a_whole_body_is_scrubbed(
    media_type: str, data: bytes, is_clean: Callable[[bytes], None] | None, doors: dict[str, Server], upstream: Upstream
) -> None:
    """Slack's upload takes the bytes of a file and nothing else, whatever their type is said to be."""
    upstream.arrived.clear()
    arrived = []
    for door, packed in zip(doors.values(), (False, True), strict=True):
        headers = {"content-type": media_type} | ({"content-encoding": "gzip"} if packed else {})
        content = gzip.compress(data) if packed else data
        assert ask(door, "POST", "/upload/v1/ABC", content=content, headers=headers).status_code == 200
        arrived.append(upstream.take())
        assert arrived[-1].headers["content-type"] == media_type
        assert "content-encoding" not in arrived[-1].headers
        if is_clean:
            is_clean(arrived[-1].body)
    assert arrived[0].body == arrived[1].body != data


def test_a_policy_that_blocks_what_has_a_finding(door: Server, upstream: Upstream) -> None:
    reply = ask(door, "POST", "/block/upload/v1/A", content=samples.picture(), headers={"content-type": "image/png"})
    assert upstream.none() == (reply.status_code == 422)


def test_a_face_goes_where_the_rules_ask_for_that(door: Server, upstream: Upstream) -> None:
    page, _ = page_with(80, (0, 0), (300, 320))
    for path, kept in (("/faces", False), ("", True)):
        body = {"messages": [{"role": "user", "content": [image_part(written(page))]}]}
        assert ask(door, "POST", f"{path}/v1/chat/completions", json=body).status_code == 200
        (part,) = json.loads(upstream.take().body)["messages"][0]["content"]
        arrived = base64.b64decode(part["image_url"]["url"].partition(",")[2])
        assert has_face(opened(arrived)) is kept


def image_part(data: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}}
