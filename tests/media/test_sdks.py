"""Pictures and documents that the vendors' own clients send through both doors reach the chat API scrubbed."""

from __future__ import annotations

import base64
import io
import json
from email import policy
from email.parser import BytesParser
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types as genai_types

from tests.e2e.servers import Server
from tests.media import samples
from tests.media.upstream import Arrived, Upstream

PNG, PDF = samples.picture(), samples.pdf()
"""What is sent: the same for all, so that a door reads each of them once."""


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{encoded(data)}"


def clean(data: str | bytes, media_type: str, label: str = "") -> None:
    """What arrived, in base64 or as bytes, opens and is without the number."""
    if isinstance(data, str):
        assert data.startswith(label)
        data = base64.b64decode(data.removeprefix(label), validate=True)
    if media_type == "image/png":
        samples.is_clean_picture(PNG, data)
    else:
        samples.is_clean_pdf(data)


def files_of(arrived: Arrived) -> list[tuple[str, str, bytes]]:
    """Name, media type and bytes of each file of a form, as the standard library reads it."""
    assert int(arrived.headers["content-length"]) == len(arrived.body)
    head = f"Content-Type: {arrived.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=policy.HTTP).parsebytes(head + arrived.body)
    return [
        (str(part.get_filename()), part.get_content_type(), part.get_payload(decode=True))  # type: ignore[misc]
        for part in form.iter_parts()
        if part.get_filename()
    ]


@pytest.fixture
def openai_client(door: Server) -> Any:
    with openai.OpenAI(base_url=f"{door.url}/v1", api_key="k", timeout=90, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(door: Server) -> Any:
    with anthropic.Anthropic(base_url=door.url, api_key="k", timeout=90, max_retries=0) as client:
        yield client


@pytest.fixture
def gemini_client(door: Server) -> Any:
    options = genai_types.HttpOptions(base_url=door.url, timeout=90_000)
    return genai.Client(api_key="k", http_options=options)


def test_openai_chat(openai_client: openai.OpenAI, upstream: Upstream) -> None:
    content: Any = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": url(PNG, "image/png"), "detail": "high"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": url(PDF, "application/pdf")}},
    ]
    openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": content}])
    text, image, file = json.loads(upstream.take().body)["messages"][0]["content"]
    assert text == content[0]
    clean(image["image_url"]["url"], "image/png", "data:image/png;base64,")
    assert image["image_url"]["detail"] == "high"
    clean(file["file"]["file_data"], "application/pdf", "data:application/pdf;base64,")
    assert file["file"]["filename"] == "a.pdf"


def test_openai_responses(openai_client: openai.OpenAI, upstream: Upstream) -> None:
    content: Any = [
        {"type": "input_image", "image_url": url(PNG, "image/png"), "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": url(PDF, "application/pdf")},
    ]
    openai_client.responses.create(model="m", input=[{"role": "user", "content": content}])
    image, file = json.loads(upstream.take().body)["input"][0]["content"]
    clean(image["image_url"], "image/png", "data:image/png;base64,")
    clean(file["file_data"], "application/pdf", "data:application/pdf;base64,")


@pytest.mark.parametrize(
    ("name", "data", "media_type"), [("a.png", PNG, "image/png"), ("a.pdf", PDF, "application/pdf")]
)
def test_openai_uploads(
    name: str, data: bytes, media_type: str, openai_client: openai.OpenAI, upstream: Upstream
) -> None:
    openai_client.files.create(file=(name, io.BytesIO(data), media_type), purpose="user_data")
    arrived = upstream.take()
    assert b"user_data" in arrived.body
    ((filename, of, content),) = files_of(arrived)
    assert (filename, of) == (name, media_type)
    clean(content, media_type)


def test_openai_image_edits(openai_client: openai.OpenAI, upstream: Upstream) -> None:
    files = [("a.png", PNG, "image/png"), ("b.png", PNG, "image/png")]
    openai_client.images.edit(model="gpt-image-1", image=files, prompt="brighter")
    found = files_of(upstream.take())
    assert [each[0] for each in found] == ["a.png", "b.png"]
    for _, media_type, content in found:
        clean(content, media_type)


def test_openai_downloads(openai_client: openai.OpenAI, upstream: Upstream) -> None:
    upstream.files["/v1/files/file-9/content"] = "application/octet-stream", PDF
    clean(openai_client.files.content("file-9").read(), "application/pdf")


def test_openai_learns_of_what_is_refused(openai_client: openai.OpenAI, upstream: Upstream) -> None:
    audio = b"ID3\3\0\0\0\0\0\0" + bytes(99)
    with pytest.raises(openai.APIStatusError) as refused:
        openai_client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", audio, "audio/mpeg"))
    assert refused.value.status_code == 415
    assert refused.value.code == "content_unsupported"
    assert upstream.none()


def test_anthropic_messages(anthropic_client: anthropic.Anthropic, upstream: Upstream) -> None:
    def source(data: bytes, media_type: str) -> Any:
        return {"type": "base64", "media_type": media_type, "data": encoded(data)}

    result = [{"type": "image", "source": source(PNG, "image/png")}]
    content: Any = [
        {"type": "image", "source": source(PNG, "image/png")},
        {"type": "document", "source": source(PDF, "application/pdf"), "title": "a.pdf"},
        {"type": "tool_result", "tool_use_id": "t", "content": result},
    ]
    anthropic_client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": content}])
    image, document, tool = json.loads(upstream.take().body)["messages"][0]["content"]
    for part in (image, document, tool["content"][0]):
        assert part["source"]["type"] == "base64"
        clean(part["source"]["data"], part["source"]["media_type"])
    assert [part["source"]["media_type"] for part in (image, document)] == ["image/png", "application/pdf"]


@pytest.mark.parametrize(
    ("name", "data", "media_type"), [("a.png", PNG, "image/png"), ("a.pdf", PDF, "application/pdf")]
)
def test_anthropic_uploads(
    name: str, data: bytes, media_type: str, anthropic_client: anthropic.Anthropic, upstream: Upstream
) -> None:
    anthropic_client.beta.files.upload(file=(name, io.BytesIO(data), media_type))
    ((filename, of, content),) = files_of(upstream.take())
    assert (filename, of) == (name, media_type)
    clean(content, media_type)


def test_gemini(gemini_client: genai.Client, upstream: Upstream) -> None:
    contents: Any = [
        "what is this?",
        genai_types.Part.from_bytes(data=PNG, mime_type="image/png"),
        genai_types.Part.from_bytes(data=PDF, mime_type="application/pdf"),
    ]
    gemini_client.models.generate_content(model="m", contents=contents)
    text, *media = json.loads(upstream.take().body)["contents"][0]["parts"]
    assert text == {"text": "what is this?"}
    assert [part["inlineData"]["mimeType"] for part in media] == ["image/png", "application/pdf"]
    for part in media:
        # The client writes base64 in the alphabet of URLs, which the guard does not need to keep.
        clean(part["inlineData"]["data"], part["inlineData"]["mimeType"])


def test_gemini_files_are_refused_since_their_length_is_declared_before(
    gemini_client: genai.Client, door: Server, upstream: Upstream
) -> None:
    upstream.headers["/upload/v1beta/files"] = {"x-goog-upload-url": f"{door.url}/upload/v1beta/files?upload_id=1"}
    with pytest.raises(ValueError, match="not finalized"):  # so the client says, whatever the answer was
        gemini_client.files.upload(file=io.BytesIO(PNG), config={"mime_type": "image/png", "display_name": "a"})
    start = upstream.take()
    assert json.loads(start.body)["file"]["mimeType"] == "image/png"
    assert "415" in door.printed() or "can't be inspected" in door.printed()
