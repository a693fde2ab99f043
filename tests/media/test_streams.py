"""Pictures in streamed replies, for which what follows waits."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
from google import genai
from google.genai import types as genai_types

from tests.e2e.servers import Server
from tests.media import samples
from tests.media.upstream import Upstream

PNG, BLANK = samples.picture(), samples.blank()


def sse(*events: dict[str, Any]) -> tuple[str, bytes]:
    """A reply of these events, each with its type for a name where it has one."""
    lines = [
        (f"event: {each['type']}\n" if "type" in each else "") + f"data: {json.dumps(each)}\n\n" for each in events
    ]
    return "text/event-stream", "".join(lines).encode()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": list(parts)}}]}


def test_gemini(door: Server, upstream: Upstream) -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": encoded(PNG)}}
    clean = {"inlineData": {"mimeType": "image/png", "data": encoded(BLANK)}}
    events = [said({"text": "so I call 98765"}), said({"text": "43210 now "}), said(picture), said(clean)]
    upstream.files["/v1beta/models/m:streamGenerateContent"] = sse(*events, said({"text": "done"}))
    client = genai.Client(api_key="k", http_options=genai_types.HttpOptions(base_url=door.url, timeout=90_000))
    stream = list(client.models.generate_content_stream(model="m", contents="draw"))
    parts = [part for each in stream if each.candidates for part in each.candidates[0].content.parts or []]
    assert "".join(part.text or "" for part in parts) == "so I call XXXXXXXXXX now done"
    first, second = (part.inline_data.data for part in parts if part.inline_data)
    assert isinstance(first, bytes)
    samples.is_clean_picture(PNG, first)
    assert second == BLANK


def test_openai_images_in_part(door: Server, upstream: Upstream) -> None:
    about = {"created_at": 1, "size": "1024x1024", "quality": "low", "background": "opaque", "output_format": "png"}
    partial = {"type": "image_generation.partial_image", "b64_json": encoded(PNG), "partial_image_index": 0} | about
    done = {"type": "image_generation.completed", "b64_json": encoded(PNG), "usage": {}} | about
    upstream.files["/v1/images/generations"] = sse(partial, done)
    with openai.OpenAI(base_url=f"{door.url}/v1", api_key="k", timeout=90, max_retries=0) as client:
        events = list(client.images.generate(model="m", prompt="a card", stream=True, partial_images=1))
    assert [each.type for each in events] == ["image_generation.partial_image", "image_generation.completed"]
    for each in events:
        samples.is_clean_picture(PNG, base64.b64decode(each.b64_json))


def test_the_upstream_is_slowed_while_a_picture_is_waited_for(door: Server, upstream: Upstream) -> None:
    size, count = 64 * 1024, 800
    sent = 0

    async def events() -> AsyncIterator[bytes]:
        nonlocal sent
        _, picture = sse(said({"inlineData": {"mimeType": "image/png", "data": encoded(PNG)}}))
        yield picture
        for _ in range(count):
            yield b":" * (size - 2) + b"\n\n"
            sent += size
        yield sse(said({"text": "done"}))[1]

    path = "/v1beta/models/m:streamGenerateContent"
    upstream.streams[path] = events
    try:
        with httpx.stream(
            "POST", f"{door.url}{path}?alt=sse", json={"contents": []}, timeout=90, trust_env=False
        ) as reply:
            pieces = reply.iter_raw()
            body = bytearray(next(pieces))
            assert sent < count * size / 2, "it is read while nothing goes on"
            for piece in pieces:
                body += piece
    finally:
        del upstream.streams[path]
    assert sent == count * size
    assert body.count(b":") > count * (size - 2)
    assert b'"done"' in body[-200:]


def test_what_a_tool_shows(door: Server, upstream: Upstream) -> None:
    shown = [
        {"type": "text", "text": "call 9876543210:"},
        {"type": "image", "data": encoded(PNG), "mimeType": "image/png"},
    ]
    upstream.files["/mcp"] = sse({"jsonrpc": "2.0", "id": 7, "result": {"content": shown, "isError": False}})
    asked = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "screenshot", "arguments": {}}}
    accept = {"accept": "application/json, text/event-stream"}
    reply = httpx.post(f"{door.url}/mcp", json=asked, headers=accept, timeout=90, trust_env=False)
    assert encoded(PNG) not in reply.text
    told = json.loads(reply.text.partition("data: ")[2])
    text, image = told["result"]["content"]
    assert text["text"] == "call XXXXXXXXXX:"
    samples.is_clean_picture(PNG, base64.b64decode(image["data"]))
