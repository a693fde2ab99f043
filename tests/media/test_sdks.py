"""Pictures and documents that the vendors' own clients send through both doors reach the chat API scrubbed."""

from __future__ import annotations

import base64
import io
import json
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from PIL import Image, ImageDraw, ImageFont

from proxy_guard import resources
from tests.e2e.servers import Server, sidecar, uvicorn

PHONE = "98765 43210"


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("vendor") / "log"
    with uvicorn("tests.e2e.vendors:app", log, "--log-level", "warning") as server:
        yield server


@pytest.fixture(scope="module", params=["mitmproxy", "asgi"])
def door(request: pytest.FixtureRequest, vendor: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("door")
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules)
    mask = rules / "policies" / "mask.yaml"
    mask.write_text(mask.read_text() + "media: {}\n")
    flags = ("--rules", str(rules), "--door", request.param)
    with sidecar(vendor.url, folder / "log", *flags) as server:
        yield server


def picture() -> bytes:
    image = Image.new("RGB", (560, 160), "white")
    font = ImageFont.load_default(30)
    ImageDraw.Draw(image).text((20, 20), "Hello there", "black", font)
    ImageDraw.Draw(image).text((20, 90), f"Call me: {PHONE}", "black", font)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def seen(vendor: Server) -> Any:
    with urllib.request.urlopen(f"{vendor.url}/seen", timeout=10) as reply:
        (found,) = json.load(reply)
    return found["messages"][0]["content"]


def clean(sent: bytes, arrived: bytes) -> None:
    """The words beside the number are as they were, and of its ink nothing is left."""
    before, after = (Image.open(io.BytesIO(each)).convert("L") for each in (sent, arrived))
    assert before.size == after.size
    above, number = (0, 0, 560, 70), (170, 85, 400, 130)
    assert before.crop(above).tobytes() == after.crop(above).tobytes()
    assert before.crop(number).getextrema() == (0, 255)
    low, high = after.crop(number).getextrema()
    assert len(set(after.crop((200, 95, 330, 120)).tobytes())) <= 2, (low, high)


def test_openai(door: Server, vendor: Server) -> None:
    sent = picture()
    url = f"data:image/png;base64,{base64.b64encode(sent).decode()}"
    content: Any = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    with openai.OpenAI(base_url=f"{door.url}/v1", api_key="k", timeout=90, max_retries=0) as client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": content}])
    arrived = seen(vendor)[1]["image_url"]["url"]
    assert arrived.startswith("data:image/png;base64,")
    clean(sent, base64.b64decode(arrived.partition(",")[2]))


def test_anthropic(door: Server, vendor: Server) -> None:
    sent = picture()
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(sent).decode()}
    content: Any = [{"type": "image", "source": source}, {"type": "text", "text": "what is this?"}]
    with anthropic.Anthropic(base_url=door.url, api_key="k", timeout=90, max_retries=0) as client:
        client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": content}])
    arrived = seen(vendor)[0]["source"]
    assert arrived["media_type"] == "image/png"
    clean(sent, base64.b64decode(arrived["data"]))
