"""Takes Content-Encoding off (RFC 9110 8.4): gzip, deflate, br, zstd, stacked in any order, within limits.

A bomb is refused while it unpacks, before more than the limit is held.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import brotli
import zstandard

from proxy_guard.codecs import Limits
from proxy_guard.errors import Unreadable

CHUNK = 64 * 1024
EXEMPT = 64 * 1024
MOST_LAYERS = 4
_MOST_MEMBERS = 1000
ZSTD_FEED = 16
"""Bytes given to zstd at once: four of them can stand for 128 KiB, and what comes out of a piece is not bounded."""
ZSTD_WINDOW = 8 * 1024 * 1024

ACCEPTED = "gzip, deflate, br, zstd"
"""What may be asked of an upstream, since it can be read here."""


def decode_content(body: bytes, encodings: list[str], limits: Limits) -> bytes:
    """`body` without its encodings, which are in the order in which they were applied.

    Raises Unreadable: 415 for an unknown encoding, 413 past a limit, 400 for broken data.
    """
    if len(encodings) > MOST_LAYERS:
        raise Unreadable(f"the body has more than {MOST_LAYERS} content encodings", status=415)
    for name in reversed(encodings):
        if name not in _DECODERS:
            raise Unreadable("the body has an unknown content encoding", status=415)
        body = _within(_DECODERS[name](body), name, len(body), limits)
    return body


def longer_decoded(size: int, body: bytes, encodings: list[str]) -> bool:
    """Whether there is more than `size` bytes in `body`; no more of it than that is unpacked."""
    try:
        decode_content(body, encodings, Limits(decoded=size, ratio=size))
    except Unreadable as error:
        return error.cause == "too_large"
    return False


def encodings_of(values: list[str]) -> list[str]:
    """The encodings that Content-Encoding lines name, in order, without `identity`."""
    names = [name.strip().lower() for value in values for name in value.split(",")]
    return [name.removeprefix("x-") for name in names if name and name != "identity"]


def readable(accepted: str) -> str:
    """An Accept-Encoding (RFC 9110 12.5.3) without the encodings that can't be read here."""
    named = [each.strip() for each in accepted.split(",")]
    known = [
        each
        for each in named
        if (name := each.partition(";")[0].strip().lower().removeprefix("x-")) in _DECODERS or name == "identity"
    ]
    return accepted if len(known) == len(named) else ", ".join(known) or "identity"


def _within(pieces: Iterator[bytes], name: str, size: int, limits: Limits) -> bytes:
    most = min(limits.decoded, max(EXEMPT, size * limits.ratio))
    out: list[bytes] = []
    total = 0
    try:
        for piece in pieces:
            total += len(piece)
            if total > most:
                raise Unreadable(
                    "the decoded body is too large or too highly compressed", status=413, cause="too_large"
                )
            out.append(piece)
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
        raise Unreadable(f"the body is not valid {name} data") from None
    return b"".join(out)


def _zlib_pieces(body: bytes, bits: int) -> Iterator[bytes]:
    rest = memoryview(body)
    place = 0
    for _ in range(_MOST_MEMBERS):  # several gzip members in a row are one body (RFC 1952 2.2)
        if place == len(rest):
            return
        decoder = zlib.decompressobj(bits)
        given: bytes | memoryview = b""
        while not decoder.eof:
            if not given:
                given = rest[place : place + CHUNK]
                place += len(given)
            piece = decoder.decompress(given, CHUNK)
            given = decoder.unconsumed_tail
            if not piece and not given and place == len(rest) and not decoder.eof:
                raise EOFError
            yield piece
        place -= len(decoder.unused_data)
    if place < len(rest):
        raise _too_many()


def _gzip(body: bytes) -> Iterator[bytes]:
    return _zlib_pieces(body, zlib.MAX_WBITS | 16)


def _deflate(body: bytes) -> Iterator[bytes]:
    # "deflate" is the zlib format (RFC 9110 8.4.1.2); some senders leave its header out.
    zlib_header = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
    return _zlib_pieces(body, zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)


def _brotli(body: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    yield decoder.process(body, output_buffer_limit=CHUNK)
    while not decoder.is_finished():
        piece = decoder.process(b"", output_buffer_limit=CHUNK)
        if not piece and decoder.can_accept_more_data():
            raise EOFError  # it waits for the rest
        yield piece


def _zstd(body: bytes) -> Iterator[bytes]:
    rest = memoryview(body)
    place = 0
    for _ in range(_MOST_MEMBERS):
        if place == len(rest):
            return
        decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        while not decoder.eof:
            if place == len(rest):
                raise EOFError
            given = rest[place : place + ZSTD_FEED]
            place += len(given)
            yield decoder.decompress(given)
        place -= len(decoder.unused_data)
    if place < len(rest):
        raise _too_many()


def _too_many() -> Unreadable:
    return Unreadable(f"the body has more than {_MOST_MEMBERS} compressed members", status=413, cause="too_large")


_DECODERS = {"gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd}
