"""Whether a value can be got out of bytes, by whatever a reader of them may do: it errs on the side of finding it."""

from __future__ import annotations

import html
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import brotli
import zstandard

_CHUNK = re.compile(rb"\r?\n[0-9A-Fa-f]+(?:;[^\r\n]*)?\r?\n")
_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")
_ROUNDS = 3


def holds(data: bytes, value: str) -> bool:
    """Whether `value` is in `data`, or in what some reader makes of them."""
    wanted = value.encode()
    seen = {data}
    fresh = [data]
    for _ in range(_ROUNDS):
        fresh = [made for each in fresh for made in _readings(each) if made not in seen and not seen.add(made)]  # type: ignore[func-returns-value]
    return any(wanted in each for each in seen)


def _readings(data: bytes) -> Iterator[bytes]:
    yield unquote_to_bytes(data)
    yield unquote_to_bytes(data.replace(b"+", b" "))
    yield _CHUNK.sub(b"", data)
    yield _ESCAPE.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), data)
    yield html.unescape(data.decode("latin-1")).encode("latin-1", "replace")
    yield data.replace(b"\0", b"")
    yield re.sub(rb"[\x00-\x20\x7f-\xff]", b"", data)
    for part in data.split(b"\r\n\r\n"):
        yield from _unpacked(part)
        text = part.strip()
        if text[:1] in (b"{", b"["):
            yield from _documents(text.decode("utf-8", "replace"))


def _unpacked(data: bytes) -> Iterator[bytes]:
    for bits in (zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            yield zlib.decompressobj(bits).decompress(data, 1_000_000)
        except zlib.error:
            pass
    try:
        yield brotli.decompress(data)
    except brotli.error:
        pass
    try:
        yield zstandard.ZstdDecompressor().decompress(data, 1_000_000)
    except zstandard.ZstdError:
        pass


def _documents(text: str) -> Iterator[bytes]:
    """The strings of a document by a reader that takes the first of two names, and by one that takes the last."""

    def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(reversed(pairs))

    for hook in (first, dict):
        try:
            value, _ = json.JSONDecoder(object_pairs_hook=hook, strict=False).raw_decode(text)
        except (ValueError, RecursionError):
            continue
        yield json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
