"""Texts packed into letters and numbers: base64, base64url, base32, hexadecimal (RFC 4648), Ascii85, lists of codes.

Each is read only where it holds text.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import string
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import regex

from proxy_guard.detect.characters import characters_of
from proxy_guard.detect.layers import Form, Part, replaced

_D64 = "A-Za-z0-9+/_-"
_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_ASCII = "".join(
    f"[{re.escape(''.join(char for n, char in enumerate(_ALPHABET) if said(n)))}]"
    for said in (lambda n: 8 <= n < 32, lambda n: 2 <= n % 16 < 8, lambda n: n % 4 < 2, lambda n: True)
)
"""Four letters that may stand for three characters of plain text, as few words of four do."""
PIECE = rf"(?<![A-Za-z0-9+/]){_ASCII}"
_SHORT = rf"(?:{_ASCII}){{3}}[{_D64}]{{0,3}}|[A-Z2-7]{{12,15}}"
"""As many letters as few words have: of base64 that is plain text, or of base32."""
_BLOB = regex.compile(
    r"(?P<ascii85><~[!-uz\s]{10,}~>)"
    r"|(?P<codes>(?:\b0[xX][0-9A-Fa-f]{2}\b[\s,;]{0,3}){6,}"
    r"|(?<!\w)(?<!\w[.,-])(?:[01]{8}[ ,]{1,2}){5,}[01]{8}(?!\w)"
    r"|(?<!\w)(?<!\w[.,-])(?:[0-9]{2,3}[ ,;]{1,2}){7,}[0-9]{2,3}(?!\w))"
    r"|(?P<hex>(?<![0-9A-Fa-f])(?:0[xX])?(?:[0-9A-Fa-f]{2}[ :,-]?){7,}[0-9A-Fa-f]{2}(?![0-9A-Fa-f]))"
    rf"|(?<![{_D64}])(?:(?:[A-Za-z0-9+/]{{60,}}\r?\n)+[A-Za-z0-9+/]+|[{_D64}]{{16,}}|{_SHORT}(?![{_D64}]))={{0,2}}"
)
PACKED = regex.compile(rf"{PIECE}(?:\s{{0,2}}{_ASCII}){{2,}}(?:[{_D64}]{{0,3}}={{0,2}})(?![{_D64}])")
"""Base64 that may look like words."""
PACKING = rf"(?<![A-Za-z0-9+/])(?:(?:{_ASCII}){{1,19}}\s{{1,2}})+"
"""What it may begin with."""
_IN_PIECES = regex.compile(
    rf"(?<![{_D64}])(?:"
    rf"(?:(?:{_ASCII}){{3,19}}\s{{1,2}}|(?:(?:{_ASCII}){{1,19}}\s{{1,2}}){{2}})(?:(?:{_ASCII}){{1,19}}\s{{1,2}})*(?:{_ASCII})*"
    # What is no plain text may be letters beyond ASCII, or UTF-16; it does not begin as a word does.
    rf"|(?=[{_D64}]*(?:[a-z][A-Z0-9]|[0-9][A-Za-z]))(?:[{_D64}]{{4}}){{2,19}}\s{{1,2}}"
    rf"(?:(?:[{_D64}]{{4}}){{1,19}}\s{{1,2}})+(?:[{_D64}]{{4}})*"
    rf")[{_D64}]{{0,3}}={{0,2}}(?![{_D64}])"
)
_NO_HEX = regex.compile(r"[^0-9A-Fa-f]+")
_HEX = regex.compile(r"(?:0[xX])?(?:[0-9A-Fa-f]{2}){8,}")
_NO_BASE64 = regex.compile(rf"[^{_D64}]+")
_SIGNS, _MOST_SIGNS = "+/_-", 4
_NO_BASE32 = regex.compile(r"[^A-Z2-7]+")
_WORDS_OF_BLOB = regex.compile(r"[A-Za-z0-9+]{12,}={0,2}")
_CODE = regex.compile(r"0[xX][0-9A-Fa-f]{2}|[01]{8}|[0-9]{2,3}")
_MOST_STARTS = 4
"""Words before a blob in pieces that may have been taken for its beginning."""
_PACKED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_INFLATED = 65536
"""Bytes of a packed text that are read."""

BLOB_SIGNALS: tuple[str, ...] = (
    rf"[{_D64}]{{16}}",
    rf"(?-i:(?:{_ASCII}){{3}}|[A-Z2-7]{{12}})",
    r"(?:(?:[2-7][0-9a-f]|0[9ad])[ :,-]?){8}",
    r"(?:0x[0-9a-f]{2}[\s,;]{0,3}){6}",
    r"(?:[0-9]{2,3}[ ,;]{1,2}){7}[0-9]{2}",
    r"(?:[01]{8}[ ,]{1,2}){5}",
    r"<~[!-u]",
    rf"(?-i:{_ASCII}\s{{1,2}}{_ASCII})",
    rf"(?-i:(?:[a-z][A-Z0-9]|[0-9][A-Za-z])[A-Za-z0-9+/_-]{{1,20}}\s{{1,2}}[{_D64}]{{4}})",
)


def opened(form: Form) -> Form:
    """`form` with the texts that are packed in it."""
    form = form.then(replaced(form.text, _IN_PIECES, _put_together))
    return form.then(replaced(form.text, _BLOB, _decoded))


def _decoded(match: Any) -> list[Part]:
    found, start = match.group(), match.start()
    match match.lastgroup:
        case "ascii85":
            return _as_one(found, start, lambda: base64.a85decode(found, adobe=True))
        case "codes" if parts := max(_listed(found, start), _hexadecimal(found, start), key=_likely):
            return parts
        case "hex" if parts := _hexadecimal(found, start):
            return parts
    for word, place in _without_signs(found, start):
        parts = (
            _unpacked(word, place, _NO_BASE64, 4, 3, _base64)
            or _unpacked(word, place, _NO_BASE32, 8, 5, _base32)
            or (_hexadecimal(word, place) if _HEX.fullmatch(word) else [])
            or _as_one(word, place, partial(_inflated_base64, word))
        )
        if parts:
            return parts
    # `key-` or a path before a blob shifts it.
    return [
        part
        for word in _WORDS_OF_BLOB.finditer(found)
        for part in _unpacked(word.group(), start + word.start(), _NO_BASE64, 4, 3, _base64)
    ]


def _without_signs(found: str, start: int) -> Iterator[tuple[str, int]]:
    """A blob and its place, then the same without signs of the alphabet at its ends, which may be none of it."""
    signs = min(len(found) - len(found.lstrip(_SIGNS)), _MOST_SIGNS)
    ends = dict.fromkeys((len(found), len(found.rstrip(_SIGNS))))
    for first in range(signs + 1):
        for end in ends:
            yield found[first:end], start + first


def _put_together(match: Any) -> list[Part]:
    """A blob that is cut into words; what stands before it may look like its first ones."""
    found: str = match.group()
    first = 0
    for _ in range(_MOST_STARTS):
        parts = _unpacked(found[first:], match.start() + first, _NO_BASE64, 4, 3, _base64)
        space = _SPACE.search(found, first)
        if parts or not space:
            return parts
        first = space.end()
    return []


_SPACE = regex.compile(r"\s+")


def _listed(found: str, start: int) -> list[Part]:
    """The characters that a list of their codes stands for."""
    codes = list(_CODE.finditer(found))
    octets = bytes(min(_code(code.group()), 255) for code in codes)
    if (
        not octets.isascii()
        or not _is_text(octets, "utf-8")
        or 10 * sum(map(_SPOKEN.__contains__, octets)) < 7 * len(octets)
    ):
        return []
    return _disjoint(
        [(chr(octet), start + code.start(), start + code.end()) for octet, code in zip(octets, codes, strict=True)],
        start + codes[-1].end(),
    )


_SPOKEN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 @.,")


def _code(digits: str) -> int:
    return int(digits, 16 if digits[1] in "xX" else 2 if len(digits) > 3 else 10)


def _likely(parts: list[Part]) -> tuple[bool, int]:
    """Which of two readings of the same codes is meant: one with a value in it, or the one with more letters."""
    text = "".join(text for text, _, _ in parts)
    value = "@" in text or 2 * sum(char.isdigit() for char in text) > len(text)
    return value, sum(char.isalnum() for char in text)


def _hexadecimal(found: str, start: int) -> list[Part]:
    if found[:2] not in ("0x", "0X"):
        return _unpacked(found, start, _NO_HEX, 2, 1, binascii.unhexlify)
    parts = _unpacked(found[2:], start + 2, _NO_HEX, 2, 1, binascii.unhexlify)
    return [(parts[0][0], start, parts[0][2]), *parts[1:]] if parts else []


def _base64(digits: str) -> bytes:
    digits = digits.translate(_STANDARD)
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)


_STANDARD = str.maketrans("-_", "+/")


def _base32(digits: str) -> bytes:
    return base64.b32decode(digits + "=" * (-len(digits) % 8))


def _inflated_base64(word: str) -> bytes:
    return _inflated(_base64(_NO_BASE64.sub("", word)))


def _inflated(data: bytes) -> bytes:
    if not data.startswith(_PACKED):
        return b""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, _INFLATED)
    except zlib.error:
        return b""


def _as_one(found: str, start: int, decode: Callable[[], bytes]) -> list[Part]:
    """What a blob holds, of which no piece can be told apart."""
    try:
        data = decode()
    except ValueError:
        return []
    return [(data.decode(), start, start + len(found))] if _is_text(data, "utf-8") else []


def _unpacked(
    found: str, start: int, other: Any, digits: int, octets: int, decode: Callable[[str], bytes]
) -> list[Part]:
    """What a blob holds, character by character; nothing where it holds no text.

    `digits` of it make `octets` bytes; `other` matches what stands between digits.
    """
    bare = other.sub("", found)
    if digits == 8 and len(bare) != len(found.rstrip("=")):
        return []
    try:
        data = decode(bare)
    except ValueError:
        return []
    charset = next((each for each in _charsets(data) if _is_text(data, each)), None)
    if charset is None:
        return []
    # Where each digit stands in the text; without anything between them that is a plain count.
    plain = len(bare) == len(found.rstrip("="))
    places = range(len(found)) if plain else [each.start() for each in _DIGIT_OF[digits].finditer(found)]
    parts: list[Part] = []
    for char, first, last in characters_of(data, charset):
        begin = first // octets * digits
        end = min(-(-last // octets) * digits, len(bare))
        parts.append((char, start + places[begin], start + places[end - 1] + 1))
    return _disjoint(parts, start + len(found.rstrip("\r\n")))


_DIGIT_OF = {2: regex.compile("[0-9A-Fa-f]"), 4: regex.compile("[A-Za-z0-9+/_-]"), 8: regex.compile("[A-Z2-7]")}


def _disjoint(parts: list[Part], end: int) -> list[Part]:
    """Characters whose digits overlap become one part, so that each digit stands in one; padding joins the last."""
    merged: list[Part] = []
    for char, start, stop in parts:
        if merged and start < merged[-1][2]:
            text, first, last = merged[-1]
            merged[-1] = (text + char, first, max(last, stop))
        else:
            # What stands between two digits, the end of a line say, belongs to the second.
            merged.append((char, merged[-1][2] if merged else start, stop))
    if merged:
        text, first, _ = merged[-1]
        merged[-1] = (text, first, end)
    return merged


for _name in ("utf-16-le", "utf-16-be"):  # else the first message imports them
    codecs.lookup(_name)


def _charsets(data: bytes) -> tuple[str, ...]:
    if b"\0" not in data:
        return ("utf-8",)
    return ("utf-16-be",) if data[:1] == b"\0" or data[:2] == b"\xfe\xff" else ("utf-16-le",)


def _is_text(data: bytes, charset: str) -> bool:
    try:
        text = data.decode(charset)
    except UnicodeDecodeError:
        return False
    odd = sum(1 for char in text if not (char.isprintable() or char.isspace() or char == "\ufeff"))
    return len(text) >= 6 and odd * 20 <= len(text)
