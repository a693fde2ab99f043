"""Where media stand in a document, in what form, and how another one takes their place."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from proxy_guard.codecs import ContentType, Limits, Media
from proxy_guard.codecs.file import FileCodec
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.codecs.multipart import MultipartCodec
from proxy_guard.errors import Unreadable
from proxy_guard.locate.fields import Field, FieldTree, Located, locate
from proxy_guard.locate.jsonpath import compile_path
from proxy_guard.locate.unreached import Remainder

PNG = b"\x89PNG\r\n\x1a\n77"
B64 = base64.b64encode(PNG).decode()
URL = f"data:image/png;base64,{B64}"


def located(value: Any, *paths: str, inline: Any = None) -> tuple[Any, Located]:
    document = JsonCodec().decode(json.dumps(value).encode(), Limits())
    fields = [Field(path, compile_path(path), "media", inline=inline) for path in paths]
    return document.value, locate(FieldTree(fields, Remainder("scan")), document, Limits())


SHAPES = [
    ({"image_url": {"url": URL, "detail": "high"}}, "$.image_url", "data_url", "image/png"),
    ({"image_url": URL}, "$.image_url", "data_url", "image/png"),
    ({"source": {"type": "base64", "media_type": "image/png", "data": B64}}, "$.source", "base64", "image/png"),
    ({"inlineData": {"mimeType": "image/png", "data": B64}}, "$.inlineData", "base64", "image/png"),
    ({"image": {"format": "png", "source": {"bytes": B64}}}, "$.image.source", "base64", "image/png"),
    ({"document": {"format": "pdf", "source": {"bytes": B64}}}, "$.document.source", "base64", "application/pdf"),
    ({"input_audio": {"format": "wav", "data": B64}}, "$.input_audio", "base64", "audio/wav"),
    ({"file": {"filename": "a.pdf", "file_data": B64}}, "$.file", "base64", "application/pdf"),
    ({"images": [B64]}, "$.images", "base64", ""),
    ({"images": [B64]}, "$.images[*]", "base64", ""),
    ({"file": {"filename": "a.docx", "file_data": f"data:;base64,{B64}"}}, "$.file", "data_url", ""),
]


@pytest.mark.parametrize(("value", "path", "form", "declared"), SHAPES)
def test_every_shape_is_read_and_written(value: Any, path: str, form: str, declared: str) -> None:
    document, found = located(value, path)
    (slot,) = found.media
    assert slot.form == form
    assert slot.read() == (PNG, declared)
    before = json.dumps(document)
    assert not slot.write(PNG, declared)
    assert json.dumps(document) == before
    assert slot.write(b"other", declared or "image/png")
    assert slot.read()[0] == b"other"
    assert json.dumps(document).count(base64.b64encode(b"other").decode()) == 1
    assert B64 not in json.dumps(document)


@pytest.mark.parametrize(
    ("value", "path", "form"),
    [
        ({"image_url": {"url": "https://example.com/a.png"}}, "$.image_url", "link"),
        ({"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/a"}}, "$.fileData", "reference"),
        ({"file": {"file_id": "file-abc123"}}, "$.file", "reference"),
        ({"source": {"s3Location": {"uri": "s3://bucket/a.png"}}}, "$.source", "reference"),
        ({"source": {"type": "what", "new": True}}, "$.source", "unknown"),
        ({"source": {}}, "$.source", "unknown"),
        ({"source": 7}, "$.source", "unknown"),
    ],
)
def test_what_holds_no_bytes_is_told(value: Any, path: str, form: str) -> None:
    _, found = located(value, path)
    assert [slot.form for slot in found.media] == [form]
    if form == "unknown":
        with pytest.raises(Unreadable):
            found.media[0].read()


def test_one_place_is_one_medium_whatever_number_of_fields_reach_it() -> None:
    _, found = located({"a": {"type": "base64", "data": B64}}, "$.a", "$.a.data", "$[*].data")
    assert len(found.media) == 1


def test_what_stands_beside_a_medium_is_a_text_like_others() -> None:
    _, found = located({"file": {"filename": "Ravi 9876543210.pdf", "file_data": URL}}, "$.file")
    assert [slot.text for slot in found.slots] == ["Ravi 9876543210.pdf"]


@pytest.mark.parametrize(
    "text", [B64.rstrip("="), B64[:4] + "\n" + B64[4:], base64.urlsafe_b64encode(b"\xff\xfe" + PNG).decode()]
)
def test_base64_of_every_spelling_is_read_and_is_canonical_when_written(text: str) -> None:
    document, found = located({"data": text}, "$.data")
    data, _ = found.media[0].read()
    assert data in (PNG, b"\xff\xfe" + PNG)
    assert found.media[0].write(data, "")
    assert document["data"] == base64.b64encode(data).decode()


@pytest.mark.parametrize("text", ["no base64!", "data:image/png;base64,!!!", "A"])
def test_what_is_no_base64_is_unreadable(text: str) -> None:
    _, found = located({"data": text}, "$.data")
    with pytest.raises(Unreadable):
        found.media[0].read()


def test_a_type_that_changes_is_written_beside_the_medium() -> None:
    document, found = located({"image": {"format": "png", "source": {"bytes": B64}}}, "$.image.source")
    found.media[0].write(b"x", "image/jpeg")
    assert document["image"]["format"] in ("jpeg", "jpg")
    document, found = located({"url": URL}, "$.url")
    found.media[0].write(b"x", "image/jpeg")
    assert document["url"].startswith("data:image/jpeg;base64,")


LINK = "https://example.com/a.png"


@pytest.mark.parametrize(
    ("inline", "value", "path", "after"),
    [
        ("data_url", {"image_url": {"url": LINK}}, "$.image_url", {"image_url": {"url": URL}}),
        (
            "source",
            {"source": {"type": "url", "url": LINK}},
            "$.source",
            {"source": {"type": "base64", "media_type": "image/png", "data": B64}},
        ),
        (
            "inline_data",
            {"parts": [{"fileData": {"mimeType": "image/png", "fileUri": LINK}}]},
            "$.parts[*]['inlineData','fileData']",
            {"parts": [{"inlineData": {"mimeType": "image/png", "data": B64}}]},
        ),
        (
            "file_data",
            {"content": [{"type": "input_file", "file_url": LINK}]},
            "$.content[*]['file_url','file_id']",
            {"content": [{"type": "input_file", "filename": "file.png", "file_data": URL}]},
        ),
    ],
)
def test_a_medium_takes_the_place_of_its_link(inline: Any, value: Any, path: str, after: Any) -> None:
    document, found = located(value, path, inline=inline)
    assert found.media[0].write(PNG, "image/png")
    assert document == after


def test_a_link_stays_a_refusal_where_the_api_takes_no_medium() -> None:
    _, found = located({"url": LINK}, "$.url")
    with pytest.raises(Unreadable):
        found.media[0].write(PNG, "image/png")


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nvision\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + PNG
    + b"\r\n--b--\r\n"
)


@pytest.mark.parametrize("paths", [("$.file[*].content",), ("$.purpose[*]",), ("$.file",), ("$",)])
def test_a_file_of_a_form_is_found_by_any_field_or_none_and_replaced(paths: tuple[str, ...]) -> None:
    codec = MultipartCodec()
    document = codec.decode(FORM, Limits(), ContentType("multipart/form-data", boundary="b"))
    kind: Any = {"$.purpose[*]": "text", "$.file[*].content": "media"}.get(paths[0], "json")
    found = locate(FieldTree([Field(path, compile_path(path), kind) for path in paths]), document, Limits())
    (slot,) = found.media
    assert slot.read() == (PNG, "image/png")
    assert not slot.write(PNG, "image/png")
    assert codec.encode(document).body == FORM
    assert slot.write(b"other", "image/png")
    assert codec.encode(document).body == FORM.replace(PNG, b"other")
    assert isinstance(slot.holder["content"], Media)
    with pytest.raises(Unreadable):
        slot.write(b"other", "image/gif")


@pytest.mark.parametrize("kind", ["media", "json", "text", "echo"])
@pytest.mark.parametrize("path", ["$.content", "$", "$.other"])
def test_a_body_that_is_one_file_is_found_whatever_fields_say(path: str, kind: Any) -> None:
    codec = FileCodec()
    document = codec.decode(PNG, Limits(), ContentType("image/png"))
    found = locate(FieldTree([Field(path, compile_path(path), kind)]), document, Limits())
    (slot,) = found.media
    assert slot.read() == (PNG, "image/png")
    assert slot.write(b"other", "image/png")
    assert codec.encode(document).body == b"other"
