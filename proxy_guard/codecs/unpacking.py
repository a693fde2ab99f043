"""Takes Content-Encoding off what comes in pieces, as far as each goes: a stream's events need not wait for its end."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import brotli
import zstandard

from proxy_guard.codecs import Limits
from proxy_guard.codecs.content_encoding import CHUNK, EXEMPT, MOST_LAYERS, ZSTD_FEED, ZSTD_WINDOW
from proxy_guard.errors import Unreadable


class _Layer(ABC):
    """One encoding. `pieces` gives what `data` adds, in pieces of a bounded size; it may raise the library's errors."""

    @abstractmethod
    def pieces(self, data: bytes) -> Iterator[bytes]: ...

    @property
    @abstractmethod
    def whole(self) -> bool:
        """Whether the data may end here."""


class _Zlib(_Layer):
    """gzip, of one member or several (RFC 1952 2.2), or zlib data."""

    bits = zlib.MAX_WBITS | 16

    def __init__(self) -> None:
        self._decoder: zlib._Decompress | None = None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        piece = b""
        while data or len(piece) == CHUNK:  # then there may be more, of what it has been given already
            if self._decoder is None or (data and self._decoder.eof):
                self._decoder = zlib.decompressobj(self.bits)
            piece = self._decoder.decompress(data, CHUNK)
            yield piece
            data = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail

    @property
    def whole(self) -> bool:
        return self._decoder is None or self._decoder.eof


class _Deflate(_Zlib):
    """zlib data (RFC 9110 8.4.1.2), or such without its header, as some senders have it."""

    def __init__(self) -> None:
        super().__init__()
        self._start = b""
        self._known = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if not self._known:
            data = self._start = self._start + data
            if len(data) < 2:
                return
            self._known = True
            zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
            self.bits = zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS
        yield from super().pieces(data)

    @property
    def whole(self) -> bool:
        return super().whole and (self._known or not self._start)


class _Brotli(_Layer):
    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()
        self._begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        self._begun = True
        piece = self._decoder.process(data, output_buffer_limit=CHUNK)
        while piece:
            yield piece
            piece = self._decoder.process(b"", output_buffer_limit=CHUNK)

    @property
    def whole(self) -> bool:
        return not self._begun or bool(self._decoder.is_finished())


class _Zstd(_Layer):
    """Frames of zstd."""

    def __init__(self) -> None:
        self._decoder: zstandard.ZstdDecompressionObj | None = None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decoder is None or self._decoder.eof:
                self._decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
            yield self._decoder.decompress(data[:ZSTD_FEED])
            data = (self._decoder.unused_data if self._decoder.eof else b"") + data[ZSTD_FEED:]

    @property
    def whole(self) -> bool:
        return self._decoder is None or self._decoder.eof


_LAYERS: dict[str, type[_Layer]] = {"gzip": _Zlib, "deflate": _Deflate, "br": _Brotli, "zstd": _Zstd}


def unpackable(encodings: Sequence[str]) -> bool:
    """Whether encodings can be taken off, in the order in which they were applied."""
    return len(encodings) <= MOST_LAYERS and _LAYERS.keys() >= set(encodings)


class Unpacking:
    """One stream's encodings, which are `unpackable`. Raises Unreadable: 413 past a limit, 400 for broken data."""

    def __init__(self, encodings: Sequence[str], limits: Limits) -> None:
        self._limits = limits
        self._layers = [_LAYERS[name]() for name in reversed(encodings)]
        self._came = [0] * len(self._layers)
        self._went = [0] * len(self._layers)

    def feed(self, chunk: bytes) -> bytes:
        """What can be read now that `chunk` has come."""
        try:
            for number, layer in enumerate(self._layers):
                chunk = self._through(number, layer, chunk)
        except (zlib.error, brotli.error, zstandard.ZstdError):
            raise Unreadable("the body is not what its Content-Encoding says") from None
        return chunk

    def _through(self, number: int, layer: _Layer, chunk: bytes) -> bytes:
        if not chunk:
            return b""
        self._came[number] += len(chunk)
        most = min(self._limits.decoded, max(EXEMPT, self._came[number] * self._limits.ratio) - self._went[number])
        out: list[bytes] = []
        size = 0
        for piece in layer.pieces(chunk):
            size += len(piece)
            if size > most:
                raise Unreadable("the decoded body is too highly compressed", status=413, cause="too_large")
            out.append(piece)
        self._went[number] += size
        return b"".join(out)

    def close(self) -> None:
        """Raises Unreadable where the data end too early."""
        if not all(layer.whole for layer in self._layers):
            raise Unreadable("the body ends before its Content-Encoding does", status=400)
