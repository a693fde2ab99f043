"""The law of streams: however a reply is cut, what the client puts together is what the whole would have become."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest
from hypothesis import given, settings

from proxy_guard.guard import Guard
from proxy_guard.stream.aws import AwsFramer
from proxy_guard.stream.framing import Framer
from proxy_guard.stream.ndjson import NdjsonFramer
from proxy_guard.stream.sse import SseFramer
from tests.stream import replies
from tests.stream.replies import assembled, chunks, cut, deltas_of, sizes, texts

Write = Callable[[Sequence[Any]], bytes]
FORMATS: dict[str, tuple[str, Write, type[Framer]]] = {
    "sse": ("text/event-stream", replies.sse, SseFramer),
    "ndjson": ("application/x-ndjson", replies.ndjson, NdjsonFramer),
    "aws": ("application/vnd.amazon.eventstream", replies.aws, AwsFramer),
}


def whole(guard: Guard, text: str) -> str:
    """What becomes of a text that does not stream."""
    body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
    exchange = guard.open("POST", "http://test/sse")
    message = exchange.response(200, (("content-type", "application/json"),), body)
    verdict = anyio.run(exchange.inspect, message)
    assert verdict.action != "block", verdict
    return str(json.loads(verdict.body)["choices"][0]["message"]["content"])


def streamed(guard: Guard, form: str, body: bytes, lengths: Sequence[int]) -> bytes:
    """What becomes of a streamed reply that comes in chunks of these lengths."""
    exchange = guard.open("POST", f"http://test/{form}")
    passage = exchange.stream(exchange.response(200, (("content-type", FORMATS[form][0]),)), at_once=True)
    assert passage is not None
    out = [passage.feed_at_once(chunk) for chunk in cut(body, lengths)]
    return b"".join([*out, passage.feed_at_once(b"", last=True)])


def events(form: str, body: bytes) -> list[Any]:
    """The documents of a stream."""
    from proxy_guard.codecs import Limits

    framer = FORMATS[form][2](Limits())
    found = [*framer.feed(body), *framer.close()]
    return [json.loads(each.data) for each in found if each.data not in (None, b"[DONE]")]


def check(guard: Guard, form: str, text: str, deltas: Sequence[int], lengths: Sequence[int]) -> None:
    came = deltas_of(text, deltas)
    body = FORMATS[form][1](came)
    went = streamed(guard, form, body, lengths)
    expected = whole(guard, text)
    assert assembled(events(form, went)) == expected
    if expected == text:
        assert went == body
    if form == "sse":
        assert re.findall(rb"^(?:id|:).*$", went, re.MULTILINE) == re.findall(rb"^(?:id|:).*$", body, re.MULTILINE)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=100)
@given(text=texts(), deltas=sizes, lengths=chunks)
def test_any_split(guard: Guard, form: str, text: str, deltas: list[int], lengths: list[int]) -> None:
    check(guard, form, text, deltas, lengths)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=20_000)
@given(text=texts(), deltas=sizes, lengths=chunks)
def test_any_split_20_000_times(guard: Guard, form: str, text: str, deltas: list[int], lengths: list[int]) -> None:
    check(guard, form, text, deltas, lengths)
