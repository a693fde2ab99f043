"""An upstream that tries hard to get a value out of the bytes that reached it.

Whatever a server, a model or a tool behind it might do to what it is sent is done here, over and over and in every
order: what is read in one way is read in all others, too. It need not be right, only thorough.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import gzip
import html
import json
import quopri
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

import brotli
import zstandard

_CHARSETS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp1252", "utf-7", "cp037")
_PACKED = {b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01", b"\x28\xb5"}
_ROUNDS = 4
_MOST = 6000
_LATIN = str.maketrans(
    "аеорсхуіјѕһкмтвнАВЕКМНОРСТХУІЈЅГαινκορυχτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcxyijshkmtbhABEKMHOPCTXYIJSGaivkopuxtABEZHIKMNOPTYX",
)
_NUMBERS = {
    word: digit
    for words in (
        "zero one two three four five six seven eight nine",
        "शून्य एक दो तीन चार पांच छह सात आठ नौ",
    )
    for digit, word in enumerate(words.split())
}
_NUMBER = re.compile(r"(?:(double|triple)[\s-]+)?(" + "|".join(_NUMBERS) + ")", re.I)


def fold(text: str) -> str:
    """Letters and digits alone, in lower case, whatever script and dress they come in."""
    plain = unicodedata.normalize("NFKC", text).translate(_LATIN)
    plain = "".join(
        c
        for c in unicodedata.normalize("NFD", plain)
        if unicodedata.category(c) not in ("Mn", "Me", "Cf", "Lo") or c.isascii()
    )
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain if c.isalnum()).lower()


def gives_away(pieces: Iterable[bytes | str], shards: tuple[str, ...]) -> str:
    """How a value can be read from what arrived; empty where it can't."""
    seen: set[str] = set()
    pending = [(text, "", 0) for piece in pieces for text in _texts(piece)]
    while pending:
        text, how, depth = pending.pop()
        if text in seen:
            continue
        seen.add(text)
        if len(seen) > _MOST:
            raise AssertionError("the recovering upstream is lost in too many readings")
        if any(_shows(fold(each), shards) for each in (text, text[::-1])):
            return how or "plainly"
        if depth < _ROUNDS:
            for name, readings in _readings(text):
                pending += [
                    (each, f"{how} {name}".strip(), depth + 1) for each in readings if each and each not in seen
                ]
    return ""


def _shows(folded: str, shards: tuple[str, ...]) -> bool:
    return any(shard in folded or shard in digits for digits in (re.sub(r"\D", "", folded),) for shard in shards)


def _texts(piece: bytes | str) -> Iterator[str]:
    if isinstance(piece, str):
        yield piece
        return
    for data in {piece, *_unpacked(piece)}:
        yield data.decode("utf-8", "ignore")
        yield from _events(data)
        for charset in _CHARSETS:
            with contextlib.suppress(UnicodeDecodeError):
                text = data.decode(charset)
                if 2 * sum(c.isascii() for c in text) > len(text):  # else it is in no such charset
                    yield text


def _events(data: bytes) -> Iterator[str]:
    """What the events of a stream, or the messages of a WebSocket, say together: by the names of members, and by place."""
    lines = [line.removeprefix(b"data:").strip() for line in data.replace(b"\x1e", b"\n").split(b"\n")]
    values = []
    for line in lines:
        if line[:1] in (b"{", b"["):
            with contextlib.suppress(ValueError):
                values.append(json.loads(line))
    if len(values) > 1:
        said: dict[str, list[str]] = {}
        for value in values:
            for name, leaf in _leaves(value, ""):
                said.setdefault(name, []).append(leaf)
        yield from map("".join, said.values())


def _unpacked(data: bytes, depth: int = 0) -> Iterator[bytes]:
    for unpack in (
        gzip.decompress,
        zlib.decompress,
        lambda d: zlib.decompress(d, -15),
        brotli.decompress,
        lambda d: zstandard.ZstdDecompressor().decompressobj().decompress(d),
    ):
        with contextlib.suppress(Exception):
            found = unpack(data)
            if found:
                yield found
                if depth < 3:
                    yield from _unpacked(found, depth + 1)


def _readings(text: str) -> Iterator[tuple[str, Iterable[str]]]:
    if "%" in text or "+" in text:
        yield "percent", (unquote_plus(text),) if "+" not in text else (unquote_plus(text), unquote(text))
    if "&" in text:
        yield "references", (html.unescape(text),)
        yield "form", re.split("[&=;]", text)
        yield "values of a form", ("".join(value for _, value in parse_qsl(text.rpartition("?")[2])),)
    if "<" in text:
        yield "tags", (re.sub(r"<!--.*?-->|<!\[CDATA\[|\]\]>|<[^<>]*>", "", text, flags=re.S),)
    if "\\" in text:
        yield "escapes", (_unescaped(text),)
    if "U+" in text:
        yield "code points", (re.sub(r"U\+([0-9A-F]{4,6}) ?", lambda m: chr(int(m[1], 16)), text),)
    if "=" in text:
        with contextlib.suppress(ValueError):
            yield "quoted-printable", (quopri.decodestring(text.encode()).decode("utf-8", "ignore"),)
    if text[:1] in "{[\"'\ufeff/ \n\t":
        yield "json", _json(text)
    yield "blobs", _blobs(text)
    yield "numbers", _codes(text)
    if any(0xE0000 <= ord(c) <= 0xE007F for c in text):
        yield "tags", ("".join(chr(ord(c) - 0xE0000) if 0xE0000 <= ord(c) <= 0xE007F else c for c in text),)
    if selected := [c for c in text if 0xFE00 <= ord(c) <= 0xFE0F or 0xE0100 <= ord(c) <= 0xE01EF]:
        octets = bytes(ord(c) - 0xFE00 if ord(c) < 0xFF00 else ord(c) - 0xE0100 + 16 for c in selected)
        yield "variation selectors", (octets.decode("utf-8", "ignore"),)
    if _NUMBER.search(text):
        yield "number words", (_NUMBER.sub(_numeral, text),)
    if re.search(r"\d[OolI]|[OolI]\d", text):
        yield "letters for digits", (text.translate(str.maketrans("OolI", "0011")),)
    if "rot13" in text:
        yield "rot13", (codecs.encode(text, "rot13"),)


def _numeral(match: Any) -> str:
    return str(_NUMBERS[match[2].lower()]) * {"double": 2, "triple": 3}.get((match[1] or "").lower(), 1)


def _unescaped(text: str) -> str:
    text = text.replace("\\\\", "\\")
    text = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\\U([0-9a-fA-F]{8})", lambda m: chr(min(int(m[1], 16), 0x10FFFF)), text)
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\\(0{2,4}[0-9a-fA-F]{2}) ?", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text)
    return re.sub(r"\\(.)", r"\1", text)


def _json(text: str) -> Iterator[str]:
    for last in (True, False):
        with contextlib.suppress(ValueError, RecursionError):
            pairs = dict if last else _first_wins
            value, _ = json.JSONDecoder(object_pairs_hook=pairs, strict=False).raw_decode(text.lstrip("\ufeff \n\t\r"))
            leaves = list(_leaves(value, ""))
            yield from (leaf for _, leaf in leaves)
            yield "".join(leaf for _, leaf in leaves)
            yield "".join(leaf for name, leaf in leaves if name != "names")
            for key in {key for key, _ in leaves}:
                yield "".join(leaf for name, leaf in leaves if name == key)
            yield "".join(_names(value))
            for role in {key for key, _ in _spoken(value, "")}:
                yield "".join(text for key, text in _spoken(value, "") if key == role)


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield "names", name
            yield from _leaves(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, key)
    elif value is not None and not isinstance(value, bool):
        yield key, str(value)
        if isinstance(value, str) and value[:1] in "{[" and value:
            with contextlib.suppress(ValueError):
                yield from _leaves(json.loads(value), key)


def _spoken(value: Any, role: str) -> Iterator[tuple[str, str]]:
    """What each speaker says: `text` and `content` of messages."""
    if isinstance(value, dict):
        role = str(value.get("role", role))
        for name, member in value.items():
            if isinstance(member, str) and name in ("text", "content"):
                yield role, member
            else:
                yield from _spoken(member, role)
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, str):
                yield role, member
            else:
                yield from _spoken(member, role)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _names(member)
    elif isinstance(value, list):
        for member in value:
            yield from _names(member)


def _blobs(text: str) -> Iterator[str]:
    for source in {
        text,
        re.sub(r"\s", "", text),
        re.sub(r"(?<=[A-Za-z0-9+/_-]{8})\s+(?=[A-Za-z0-9+/_=-]{2})", "", text),
    }:
        for found in re.findall(r"[A-Za-z0-9+/_-]{8,}", source):
            standard = found.replace("-", "+").replace("_", "/")
            for shift in range(4):
                piece = standard[shift:]
                piece += "=" * (-len(piece) % 4) if len(piece) % 4 != 1 else "A=="
                yield from _read_bytes(base64.b64decode(piece))
        for found in re.findall(r"[A-Z2-7]{8,}", source):
            with contextlib.suppress(binascii.Error):
                yield from _read_bytes(base64.b32decode(found + "=" * (-len(found) % 8)))
        for found in re.findall(r"(?:[0-9A-Fa-f]{2}[ :,-]?){6,}", source):
            yield from _read_bytes(bytes.fromhex(re.sub("[^0-9A-Fa-f]", "", found)))
    for found in re.findall(r"[!-u]{15,}", text):
        with contextlib.suppress(ValueError):
            yield from _read_bytes(base64.a85decode(found))


def _read_bytes(data: bytes) -> Iterator[str]:
    for each in (data, *_unpacked(data)) if data[:2] in _PACKED else (data,):
        for charset in ("utf-8", "utf-16", "utf-16-le") if b"\0" in each else ("utf-8",):
            with contextlib.suppress(UnicodeDecodeError):
                text = each.decode(charset)
                if text.isprintable() or sum(c.isprintable() or c.isspace() for c in text) > len(text) * 0.8:
                    yield text


def _codes(text: str) -> Iterator[str]:
    for found in re.findall(r"(?:\b0x[0-9a-fA-F]{2}\b[\s,]*){6,}", text):
        yield "".join(chr(int(n, 16)) for n in re.findall(r"0x([0-9a-fA-F]{2})", found))
    for found in re.findall(r"(?:\b\d{2,3}\b[\s,]*){6,}", text):
        yield "".join(chr(int(n)) for n in re.findall(r"\d+", found))
    for found in re.findall(r"(?:\b[01]{8}\b\s*){6,}", text):
        yield "".join(chr(int(n, 2)) for n in re.findall(r"[01]{8}", found))
