"""Media through the guard: found, scrubbed in a worker process, put back, and nothing that goes wrong lets one pass."""

from __future__ import annotations

import base64
import io
import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from PIL import Image, ImageDraw

from proxy_guard import Guard, Message, Verdict, resources
from proxy_guard.media_scrubber import MediaScrubber
from proxy_guard.stream.messages import Frame
from proxy_guard.websocket import Passed
from tests.media import samples
from tests.media.pictures import font

URL = "https://api.openai.com/v1/chat/completions"
PHONE = "9876543210"
TEXT = f"call me on {PHONE}".encode()
Make = Callable[..., Guard]


def data_url(data: bytes, media_type: str = "text/plain") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def chat(*urls: str, text: str = "look") -> Message:
    parts: list[Any] = [{"type": "file", "file": {"filename": "a.txt", "file_data": url}} for url in urls]
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]}
    return Message("request", "POST", URL, (("content-type", "application/json"),), json.dumps(body).encode())


def files(body: bytes) -> list[bytes]:
    parts = json.loads(body)["messages"][0]["content"][1:]
    return [base64.b64decode(part["file"]["file_data"].partition(",")[2]) for part in parts]


def policy(media: str, more: str = "") -> str:
    entities = "{PHONE_NUMBER: {action: mask, char: X}, EMAIL_ADDRESS: {action: block}}"
    return f"version: 1\nname: mask\nentities: {entities}\nmedia: {media}\n{more}\n"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A guard by the shipped rules for one vendor, the policy of which scrubs media: in a worker, or in threads."""

    def made(media: str = "{}", more: str = "", *, threads: bool = False, **limits: float) -> Guard:
        rules = tmp_path / "rules"
        shutil.rmtree(rules, ignore_errors=True)
        shutil.copytree(resources.rules_dir(), rules, ignore=shutil.ignore_patterns("*.test.yaml"))
        for api in (rules / "apis").glob("*.yaml"):
            if not api.name.startswith("openai"):
                api.unlink()
        (rules / "policies" / "mask.yaml").write_text(policy(media, more))
        shown = ", ".join(
            f"{name}: {value}" for name, value in ({"media_workers": 0 if threads else 1} | limits).items()
        )
        (rules / "guard.yaml").write_text(f"version: 1\nroutes: [{{policy: mask}}]\nlimits: {{{shown}}}\n")
        return Guard.from_rules(rules)

    yield made


def inspect(guard: Guard, *messages: Message) -> list[Verdict]:
    async def run() -> list[Verdict]:
        return [await guard.inspect(message) for message in messages]

    return anyio.run(run)


@pytest.mark.parametrize("threads", [False, True])
def test_a_medium_goes_on_scrubbed(make: Make, threads: bool) -> None:
    guard = make(threads=threads)
    (verdict,) = inspect(guard, chat(data_url(TEXT), text=f"also {PHONE}"))
    assert verdict.action == "rewrite"
    assert files(verdict.body) == [TEXT.replace(PHONE.encode(), b"X" * 10)]
    assert PHONE not in verdict.body.decode()
    assert {(each.entity, each.rule) for each in verdict.findings} == {
        ("PHONE_NUMBER", "$.messages[*].content[*].text"),
        ("PHONE_NUMBER", "$.messages[*].content[*].file"),
    }


def test_a_medium_without_findings_leaves_the_message_as_it_came(make: Make) -> None:
    message = chat(data_url(b"nothing here"))
    (verdict,) = inspect(make(threads=True), message)
    assert (verdict.action, verdict.body) == ("allow", message.body)


def test_a_large_message_has_its_media_scrubbed_too(make: Make) -> None:
    (verdict,) = inspect(make(), chat(data_url(TEXT + b" and so on" * 30_000), data_url(TEXT)))
    assert verdict.action == "rewrite"
    first, second = files(verdict.body)
    assert PHONE.encode() not in first + second
    assert len(first) == len(TEXT) + 300_000


def test_what_a_policy_blocks_in_a_medium_blocks_the_message(make: Make) -> None:
    (verdict,) = inspect(make(), chat(data_url(b"write to ravi@example.com")))
    assert (verdict.action, verdict.status) == ("block", 422)
    assert "EMAIL_ADDRESS" in verdict.reason
    assert "ravi" not in verdict.reason


@pytest.mark.parametrize(
    ("medium", "status"),
    [
        (data_url(b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"), 415),
        ("data:text/plain;base64,!!!", 400),
        ("https://example.com/a.txt", 415),
        ("file-abc123", 415),
    ],
)
def test_what_can_not_be_scrubbed_is_refused(make: Make, medium: str, status: int) -> None:
    name = "file_id" if medium.startswith("file-") else "file_data"
    message = chat(medium)
    message = Message("request", "POST", URL, message.headers, message.body.replace(b"file_data", name.encode()))
    guard = make()
    (verdict,) = inspect(guard, message)
    assert (verdict.action, verdict.status) == ("block", status)


def test_links_and_references_are_let_through_where_a_policy_says_so(make: Make) -> None:
    guard = make("{links: ignore, references: ignore}")
    link, reference = chat("https://example.com/a.txt"), chat("x")
    reference = Message("request", "POST", URL, link.headers, reference.body.replace(b"file_data", b"file_id"))
    assert [each.action for each in inspect(guard, link, reference)] == ["allow", "allow"]


def test_observe_tells_and_changes_nothing(make: Make) -> None:
    message = chat(data_url(TEXT), data_url(b"ravi@example.com"), data_url(b"\0\1", "audio/wav"))
    (verdict,) = inspect(make(more="mode: observe", threads=True), message)
    assert (verdict.action, verdict.body) == ("allow", message.body)
    assert {each.entity for each in verdict.findings} == {"PHONE_NUMBER", "EMAIL_ADDRESS"}


def test_style_block_refuses_what_has_a_finding(make: Make) -> None:
    verdicts = inspect(make("{style: block}", threads=True), chat(data_url(TEXT)), chat(data_url(b"nothing")))
    assert [each.action for each in verdicts] == ["block", "allow"]


def test_a_medium_seen_before_is_not_scrubbed_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = MediaScrubber._made

    async def counted(self: MediaScrubber, *args: Any) -> Any:
        made.append(args[0])
        return await real(self, *args)

    monkeypatch.setattr(MediaScrubber, "_made", counted)
    guard = make(threads=True)
    first, again, other = inspect(guard, chat(data_url(TEXT)), chat(data_url(TEXT)), chat(data_url(TEXT + b".")))
    assert first.body == again.body != other.body
    assert len(made) == 2


def test_limits_of_media(make: Make) -> None:
    guard = make(media_items=2, media_size=50)
    many, large = inspect(guard, chat(*[data_url(TEXT)] * 3), chat(data_url(TEXT * 10)))
    assert (many.status, large.status) == (413, 413)


DEATHS = """
import os, time
import proxy_guard.media
def dies(data, declared, judge, settings):
    {how}
proxy_guard.media.scrub = dies
"""


@pytest.mark.parametrize(
    ("how", "status"),
    [("os._exit(1)", 422), ("time.sleep(60)", 503), ("raise RuntimeError(data)", 422), ("bytearray(3 << 30)", 422)],
)
def test_the_death_of_a_worker_blocks_one_message(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, status: int
) -> None:
    """A redactor that breaks, put in the place of the real one in the worker: by the site module of its interpreter."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        DEATHS.format(how=f"if b'{PHONE}' in data: {how}\n    return real(data, declared, judge, settings)").replace(
            "def dies", "real = proxy_guard.media.scrub\ndef dies"
        )
    )
    monkeypatch.syspath_prepend(str(broken))
    guard = make(media_time=1.5)
    began = time.monotonic()
    bad, good = inspect(guard, chat(data_url(TEXT)), chat(data_url(b"nothing here")))
    assert (bad.action, bad.status) == ("block", status)
    assert good.action == "allow"
    assert PHONE not in bad.reason
    assert time.monotonic() - began < 50


def test_media_that_come_at_once_are_refused_when_too_many_wait(make: Make) -> None:
    guard = make(media_workers=1, media_queue=1)
    verdicts: list[Verdict] = []

    async def ask(number: int) -> None:
        verdicts.append(await guard.inspect(chat(data_url(TEXT + str(number).encode()))))

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for number in range(6):
                group.start_soon(ask, number)

    anyio.run(run)
    statuses = sorted(str(each.status) for each in verdicts)
    assert statuses.count("503") == 4
    assert sum(each.action == "rewrite" for each in verdicts) == 2


def test_a_link_that_is_slow_is_given_up(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolved(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]

    async def connect(*_: Any, **__: Any) -> Any:
        await anyio.sleep(30)

    monkeypatch.setattr(anyio, "getaddrinfo", resolved)
    monkeypatch.setattr(anyio, "connect_tcp", connect)
    part = {"type": "image_url", "image_url": {"url": "http://cdn.example/a.png"}}
    body = json.dumps({"messages": [{"role": "user", "content": [part]}]}).encode()
    guard = make("{links: fetch, hosts: [cdn.example]}", media_time=0.3)
    (late,) = inspect(guard, Message("request", "POST", URL, (("content-type", "application/json"),), body))
    assert (late.action, late.status) == ("block", 503)
    assert "within 0.3 s" in late.reason


def reply(url: str, body: Any) -> Message:
    return Message("response", "POST", url, (("content-type", "application/json"),), json.dumps(body).encode(), 200)


IMAGES = "https://api.openai.com/v1/images/generations"


def test_a_whole_response_is_scrubbed(make: Make) -> None:
    """Nothing says what it is but its bytes."""
    sent = samples.picture()
    message = reply(IMAGES, {"created": 1, "data": [{"b64_json": base64.b64encode(sent).decode()}]})
    (verdict,) = inspect(make(threads=True), message)
    assert (verdict.action, [each.entity for each in verdict.findings]) == ("rewrite", ["PHONE_NUMBER"])
    got = json.loads(verdict.body)
    samples.is_clean_picture(sent, base64.b64decode(got["data"][0].pop("b64_json"), validate=True))
    assert got == {"created": 1, "data": [{}]}


def test_workers_that_were_started_with_the_server_have_the_models_of_ocr(make: Make) -> None:
    guard = make()
    guard.media.start()
    started = time.monotonic()
    workers = guard.media._workers
    assert workers is not None
    assert workers._coming is not None
    nursery, _ = workers._coming.result(60)
    assert time.monotonic() - started < 60
    (verdict,) = inspect(guard, chat(data_url(png("Phone " + PHONE), "image/png")))
    assert verdict.action == "rewrite"
    assert workers._nursery is None or workers._nursery is nursery
    libraries = Path(f"/proc/{nursery._process.pid}/maps").read_text()
    assert "onnxruntime" in libraries


def png(text: str) -> bytes:
    image = Image.new("RGB", (420, 120), "white")
    ImageDraw.Draw(image).text((30, 40), text, font=font("", 30), fill="black")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_media_in_a_streamed_reply_that_is_there_whole(make: Make) -> None:
    event = json.dumps({"type": "image_generation.partial_image", "b64_json": base64.b64encode(TEXT).decode()})
    body = f"data: {event}\n\n".encode()
    (verdict,) = inspect(
        make(), Message("response", "POST", IMAGES, (("content-type", "text/event-stream"),), body, 200)
    )
    assert verdict.action == "rewrite"
    event = json.loads(verdict.body.removeprefix(b"data: "))
    assert base64.b64decode(event["b64_json"]) == TEXT.replace(b"9876543210", b"XXXXXXXXXX")


def test_media_in_messages_of_a_websocket_are_scrubbed(make: Make) -> None:
    guard = make(threads=True)

    def item(url: str, text: str) -> Frame:
        parts = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": url}]
        message = {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": parts}}
        return Frame(json.dumps(message).encode())

    async def run() -> tuple[Passed, Passed, Passed]:
        exchange = guard.open("websocket", "wss://api.openai.com/v1/realtime")
        lane, other = exchange.lane(exchange.request(())), exchange.lane(exchange.request(()))
        assert lane and other
        first = await lane.feed(item(data_url(samples.picture(), "image/png"), f"call {PHONE}"))
        second = await lane.feed(item(data_url(samples.blank(), "image/png"), "hello"))
        audio = {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(99)).decode()}
        return first, second, await other.feed(Frame(json.dumps(audio).encode()))

    scrubbed, clean, audio = anyio.run(run)
    text, image = json.loads(scrubbed.frames[0].data)["item"]["content"]
    assert text["text"] == "call " + "X" * 10
    samples.is_clean_picture(
        samples.picture(), base64.b64decode(image["image_url"].removeprefix("data:image/png;base64,"))
    )
    assert clean.frames == [item(data_url(samples.blank(), "image/png"), "hello")]
    assert audio.frames == []
    assert audio.close is not None
    assert audio.close.code == 1008
    assert "no redactor knows" in audio.close.reason
