"""Streamed replies with a Content-Encoding: read as far as each piece goes."""

from __future__ import annotations

import gzip
import json
import random
import re
import zlib
from collections.abc import Callable
from functools import partial

import anyio
import brotli
import pytest
import zstandard

from proxy_guard.codecs import Limits
from proxy_guard.codecs.unpacking import Unpacking
from proxy_guard.errors import Unreadable
from proxy_guard.guard import Guard
from tests.stream.replies import cut

URL = "http://test/v1/chat/completions"
TEXT = "call 9876543210 or write to jane.doe@example.com, they said, and so did all the others there"
BODY = b"".join(
    b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]}).encode() + b"\n\n"
    for piece in cut(TEXT, [5])
)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[list[str], Callable[[bytes], bytes]]] = {
    "gzip": (["gzip"], gzip.compress),
    "two members": (["gzip"], lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:])),
    "deflate": (["deflate"], zlib.compress),
    "raw deflate": (["deflate"], _raw_deflate),
    "br": (["br"], brotli.compress),
    "zstd": (["zstd"], zstandard.compress),
    "gzip, br": (["gzip", "br"], lambda data: brotli.compress(gzip.compress(data))),
}


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_any_cut_is_read(name: str, size: int) -> None:
    encodings, pack = PACKERS[name]
    plain = BODY + random.Random(1).randbytes(20_000) + bytes(300_000)  # more than is read at once
    unpacking = Unpacking(encodings, Limits())
    assert b"".join(unpacking.feed(piece) for piece in cut(pack(plain), [size])) == plain
    unpacking.close()


@pytest.mark.parametrize("name", PACKERS)
def test_what_is_cut_short_or_broken_is_refused(name: str) -> None:
    encodings, pack = PACKERS[name]
    whole = pack(BODY)
    cut_short = Unpacking(encodings, Limits())
    cut_short.feed(whole[:-1])
    with pytest.raises(Unreadable):
        cut_short.close()
    with pytest.raises(Unreadable):
        broken = Unpacking(encodings, Limits())
        broken.feed(b"\xff\xfe" + whole)
        broken.close()


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_refused(name: str) -> None:
    encodings, pack = PACKERS[name]
    bomb = pack(bytes(20_000_000))
    unpacking = Unpacking(encodings, Limits(ratio=20))
    with pytest.raises(Unreadable) as refused:
        for piece in cut(bomb, [500]):
            unpacking.feed(piece)
    assert refused.value.status == 413


def test_events_go_on_as_they_come(guard: Guard) -> None:
    exchange = guard.open("POST", URL)
    head = exchange.response(200, (("content-type", "text/event-stream"), ("content-encoding", "gzip")))
    passage = exchange.stream(head)
    assert passage is not None
    assert "content-encoding" not in dict(passage.headers)
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    out = []
    for piece in cut(BODY, [90]):
        out.append(anyio.run(passage.feed, packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)))
    assert any(out)  # before the end
    out.append(anyio.run(partial(passage.feed, packer.flush(), last=True)))
    events = [json.loads(line[6:]) for line in b"".join(out).split(b"\n\n") if line]
    text = "".join(each["choices"][0]["delta"]["content"] for each in events)
    assert re.fullmatch(r"call <\w+> or write to <EMAIL_ADDRESS>, they said, and so did all the others there", text)


def test_an_encoding_that_breaks_off_ends_in_an_error_event(guard: Guard) -> None:
    exchange = guard.open("POST", URL)
    head = exchange.response(200, (("content-type", "text/event-stream"), ("content-encoding", "br")))
    passage = exchange.stream(head)
    assert passage is not None
    out = anyio.run(partial(passage.feed, brotli.compress(BODY)[:-1], last=True))
    assert passage.verdict is not None
    assert passage.verdict.action == "block"
    assert b'"error"' in out
    assert b"9876543210" not in out


def test_an_unknown_encoding_does_not_stream(guard: Guard) -> None:
    exchange = guard.open("POST", URL)
    head = exchange.response(200, (("content-type", "text/event-stream"), ("content-encoding", "compress")))
    assert exchange.stream(head) is None
