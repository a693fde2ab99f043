"""What an image file holds besides its pixels, taken out without touching them.

Only what is needed to show the pixels as they were meant stays: whatever a file holds that is not named here (EXIF,
XMP, comments, thumbnails, text chunks, anything behind the end, a file of another type in it) is left out.

Sources: PNG 3rd edition; ITU-T T.81 and JFIF 1.02; WebP container specification; GIF89a.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from proxy_guard.media import Unscrubbable

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs acTL fcTL fdAT".split())
_WEBP_KEPT: Final = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_HAS_METADATA = 0x0C  # bits of VP8X that say EXIF and XMP follow
_GIF_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def bare(data: bytes, kind: str) -> bytes | None:
    """`data`, a file of `kind` (Pillow's name), without metadata; the same bytes where it has none.

    None where this can't be done without writing the picture anew. Raises Unscrubbable: broken in its outer form.
    """
    strip = _STRIPPERS.get(kind)
    if strip is None:
        return None
    try:
        return b"".join(strip(data))
    except (struct.error, IndexError, ValueError):
        raise Unscrubbable("unreadable", f"a broken {kind} file") from None


def _png(data: bytes) -> Iterator[bytes]:
    yield _PNG_SIGNATURE
    at, name = len(_PNG_SIGNATURE), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError
        if name in _PNG_KEPT:
            yield data[at:end]
        at = end


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield data[:2]
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes before a marker
            at += 1
            continue
        if marker == 0xD9:
            yield data[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if _jpeg_kept(marker, data[at + 4 : end]):
            yield data[at:end]
        at = end
        if marker == 0xDA:  # a scan: coded data up to the next marker that is no restart
            while data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
                at = data.index(b"\xff", at + 1)
            yield data[end:at]


def _jpeg_kept(marker: int, content: bytes) -> bool:
    if marker == 0xE0:
        return content[:5] == b"JFIF\0" and len(content) == 14  # longer: with a thumbnail
    if marker == 0xE2:
        return content[:12] == b"ICC_PROFILE\0"
    if marker == 0xEE:
        return content[:5] == b"Adobe" and len(content) == 12
    return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _webp(data: bytes) -> Iterator[bytes]:
    kept = []
    size = 4
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    at = 12
    while at < end:
        name, length = struct.unpack_from("<4sI", data, at)
        chunk = data[at : at + 8 + length + (length & 1)]
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_HAS_METADATA]) + chunk[9:]
        if name in _WEBP_KEPT:
            kept.append(chunk)
            size += len(chunk)
        at += 8 + length + (length & 1)
    yield b"RIFF" + struct.pack("<I", size) + b"WEBP"
    yield from kept


def _gif(data: bytes) -> Iterator[bytes]:
    at = 13 + _colours(data[10])
    yield data[:at]
    while data[at] != 0x3B:
        if data[at] == 0x2C:  # a picture: its place, its colours, its data
            end = _blocks(data, at + 10 + _colours(data[at + 9]) + 1)
            yield data[at:end]
        elif data[at] == 0x21:
            end = _blocks(data, at + 2)
            timing, loops = data[at + 1] == 0xF9, data[at + 1] == 0xFF and data[at + 3 : at + 14] in _GIF_LOOPS
            if timing or loops:
                yield data[at:end]
        else:
            raise ValueError
        at = end
    yield b"\x3b"


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


_STRIPPERS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "GIF": _gif,
}
