"""Framers: any cut of the bytes gives the same events, byte for byte what came."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.codecs import Limits
from proxy_guard.errors import Unreadable
from proxy_guard.stream.aws import AwsFramer
from proxy_guard.stream.framing import Event, Framer
from proxy_guard.stream.ndjson import NdjsonFramer
from proxy_guard.stream.sse import SseFramer
from tests.stream import replies
from tests.stream.replies import cut

cuts = st.lists(st.integers(1, 9), min_size=1, max_size=6)
documents = st.lists(st.builds(lambda text: {"text": text}, st.text(max_size=20)), max_size=5)


def framed(kind: type[Framer], body: bytes, lengths: Sequence[int]) -> list[Event]:
    framer = kind(Limits())
    found = [event for chunk in cut(body, lengths) for event in framer.feed(chunk)]
    return found + framer.close()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(some=documents, lengths=cuts)
def test_sse_in_any_cut(end: str, some: list[object], lengths: list[int]) -> None:
    body = replies.sse(some, end)
    found = framed(SseFramer, body, lengths)
    assert b"".join(each.raw for each in found) == body
    assert [json.loads(each.data) for each in found if each.data and each.data != b"[DONE]"] == some


@given(some=documents, lengths=cuts)
def test_ndjson_in_any_cut(some: list[object], lengths: list[int]) -> None:
    body = replies.ndjson(some)
    found = framed(NdjsonFramer, body, lengths)
    assert b"".join(each.raw for each in found) == body
    assert [json.loads(each.data or b"") for each in found] == some


@given(some=documents, lengths=cuts)
def test_aws_in_any_cut(some: list[object], lengths: list[int]) -> None:
    body = replies.aws(some)
    found = framed(AwsFramer, body, lengths)
    assert b"".join(each.raw for each in found) == body
    assert [json.loads(each.data or b"") for each in found] == some
    assert {each.name for each in found} <= {"contentBlockDelta"}


@pytest.mark.parametrize(
    ("raw", "data", "name"),
    [
        (b"data: a\ndata: b\n\n", b"a\nb", ""),
        (b"data:a\n\n", b"a", ""),
        (b"data\n\n", b"", ""),
        (b"event: ping\ndata: {}\n\n", b"{}", "ping"),
        (b": only a comment\n\n", None, ""),
        (b"\xef\xbb\xbfdata: a\n\n", b"a", ""),
        (b"data: a\r\nid: 1\r\n\r\n", b"a", ""),
        (b"data:  two spaces\n\n", b" two spaces", ""),
        (b"data: no end", b"no end", ""),
    ],
)
def test_fields_of_an_event(raw: bytes, data: bytes | None, name: str) -> None:
    [event] = framed(SseFramer, raw, [3])
    assert (event.raw, event.data, event.name) == (raw, data, name)


def test_what_is_written_anew_keeps_the_rest() -> None:
    event = Event(b": c\r\nid: 7\r\nevent: e\r\ndata: a\r\ndata: b\r\nretry: 5\r\n\r\n", b"a\nb", "e")
    assert SseFramer.written(event, b"x") == b": c\r\nid: 7\r\nevent: e\r\ndata: x\r\nretry: 5\r\n\r\n"
    assert NdjsonFramer.written(Event(b'{"a":1}\r\n', b'{"a":1}'), b"{}") == b"{}\r\n"
    [before] = framed(AwsFramer, replies.aws([{"a": 1}]), [5])
    [after] = framed(AwsFramer, AwsFramer.written(before, b'{"a":2}'), [5])
    assert (after.data, after.name) == (b'{"a":2}', "contentBlockDelta")


def test_errors_are_events_of_their_format() -> None:
    [event] = framed(SseFramer, SseFramer.error("error", b"{}", "incident 1"), [9])
    assert (event.data, event.name) == (b"{}", "error")
    assert SseFramer.error("", b"{}", "incident 1") == b"data: {}\n\n", (
        "nothing that a reader of data alone stumbles on"
    )
    [event] = framed(NdjsonFramer, NdjsonFramer.error("", b"{}", ""), [9])
    assert event.data == b"{}"
    [event] = framed(AwsFramer, AwsFramer.error("validationException", b"{}", ""), [9])
    assert event.data == b"{}"
    assert b"validationException" in event.raw


def test_a_damaged_binary_stream_is_refused() -> None:
    body = replies.aws([{"text": "hello"}])
    for place in range(len(body)):
        hurt = bytearray(body)
        hurt[place] ^= 1
        with pytest.raises(Unreadable):
            framed(AwsFramer, bytes(hurt), [64])
    with pytest.raises(Unreadable):
        framed(AwsFramer, body[:-1], [64])
    prelude = (8).to_bytes(4) + (0).to_bytes(4)
    with pytest.raises(Unreadable):  # shorter than itself
        framed(AwsFramer, prelude + zlib.crc32(prelude).to_bytes(4), [64])


def test_an_event_without_end_is_refused_at_the_limit() -> None:
    framer = SseFramer(Limits(body=1000))
    with pytest.raises(Unreadable) as refused:
        for _ in range(20):
            framer.feed(b"data: " + b"x" * 100)
    assert refused.value.status == 413
