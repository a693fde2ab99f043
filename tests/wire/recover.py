"""Which values can be got out of bytes, by whatever a reader of them may do: it errs on the side of finding them."""

from __future__ import annotations

import contextlib
import html
import json
import re
import zlib
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import brotli
import zstandard

_CHUNK = re.compile(rb"\r?\n[0-9A-Fa-f]+(?:;[^\r\n]*)?\r?\n")
_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?[eE][+-]?\d+|\d+\.\d+")
_ROUNDS = 3
_LARGEST = 1_000_000


def holding(data: bytes, values: Collection[str]) -> set[str]:
    """Those of `values` that are in `data`, or in what some reader makes of them."""
    seen = {data}
    fresh = [data]
    for _ in range(_ROUNDS):
        made = {reading for each in fresh for reading in _readings(each)} - seen
        fresh = sorted(made)
        seen |= made
    return {value for value in values if any(value.encode() in each for each in seen)}


def _readings(data: bytes) -> Iterator[bytes]:
    yield unquote_to_bytes(data)
    yield _CHUNK.sub(b"", data)
    yield _ESCAPE.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), data)
    yield html.unescape(data.decode("latin-1")).encode("latin-1", "replace")
    yield data.replace(b"\0", b"")
    yield _NUMBER.sub(lambda found: b"%d" % int(min(float(found[0]), 1e30)), data)
    for part in data.split(b"\r\n\r\n"):
        yield from _unpacked(part)
        text = part.strip()
        if text[:1] in (b"{", b"["):
            yield from _documents(text.decode("utf-8", "replace"))


def _unpacked(data: bytes) -> Iterator[bytes]:
    for bits in (zlib.MAX_WBITS | 16, zlib.MAX_WBITS):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(bits).decompress(data, _LARGEST)
    with contextlib.suppress(brotli.error):
        yield brotli.decompress(data)
    with contextlib.suppress(zstandard.ZstdError):
        yield zstandard.ZstdDecompressor().decompress(data, _LARGEST)


def _documents(text: str) -> Iterator[bytes]:
    """The strings of a document by a reader that takes the first of two names, and by one that takes the last."""

    def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(reversed(pairs))

    for hook in (first, dict):
        with contextlib.suppress(ValueError, RecursionError):
            value, _ = json.JSONDecoder(object_pairs_hook=hook, strict=False).raw_decode(text)
            yield json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
