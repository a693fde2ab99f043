"""The charset of a body: by byte order mark, Content-Type, or what the body says of itself; read strictly.

One that is unknown is refused with 415, and one that the bytes belie with 400: whoever trusts the other sign would
read another text.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from proxy_guard.codecs import ContentType, Written
from proxy_guard.errors import Unreadable

JSON_ESCAPES = "proxy_guard.json_escapes"
"""The error handler that writes what a charset lacks as JSON escapes."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED_WIDE = (
    (re.compile(rb"\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0[^\0]"), "utf-16-be"),
    (re.compile(rb"[^\0]\0"), "utf-16-le"),
)
_LABELS = {
    # What senders name, and Python's codec for it. Stateful charsets, in which ASCII can stand for other text, and
    # UTF-7 are left out.
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    **dict.fromkeys(("us-ascii", "ascii", "ansi_x3.4-1968"), "ascii"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1"), "latin-1"),
    **{f"windows-{n}": f"cp{n}" for n in range(1250, 1259)},
    **{f"cp{n}": f"cp{n}" for n in range(1250, 1259)},
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in (*range(2, 12), *range(13, 17))},
    **{name: name for name in ("koi8-r", "koi8-u", "gb18030", "big5", "euc-jp")},
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "windows-31j", "x-sjis", "ms932", "cp932"), "cp932"),
    **dict.fromkeys(("gbk", "gb2312", "cp936"), "gbk"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "cp949"), "cp949"),
    **{name: name for name in ("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be")},
}
_WIDE = {"utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "utf-32le": "utf-32-le", "utf-32be": "utf-32-be"}


@dataclass(frozen=True, slots=True)
class Charset:
    """How a body is written: Python's name of the codec, and the byte order mark."""

    codec: str
    mark: bytes = b""

    def write(self, text: str, errors: str = "strict") -> Written:
        """`text` in this charset; in UTF-8, which is to be named then, where it can't be written in this one."""
        try:
            return Written(self.mark + text.encode(self.codec, errors))
        except UnicodeEncodeError:
            return Written(text.encode(), "utf-8")


UTF8 = Charset("utf-8")


def read_text(body: bytes, label: str, inner: str = "", *, sniff: bool = False) -> tuple[str, Charset]:
    """The text of a body, and its charset. Raises Unreadable.

    `label` is the charset of the Content-Type, `inner` the one that the body itself declares; empty where there is
    none. `sniff`: without any of them, UTF-16 and UTF-32 are known by their zeros, as text that begins in ASCII has.
    """
    if not label and not inner and body[:1] not in _FIRST_OF_MARK and b"\0" not in body[:4]:
        return _decoded(body, UTF8), UTF8
    charset = _charset(body, label, inner, sniff)
    text = _decoded(body[len(charset.mark) :], charset)
    if charset.codec not in _UNMISTAKABLE and not body.isascii() and _is_utf8(body):
        raise Unreadable("the body is UTF-8, its Content-Type says otherwise")
    return text, charset


_FIRST_OF_MARK = {mark[:1] for mark, _ in _MARKS} - {b"\0"}
_UNMISTAKABLE = {"utf-8", "ascii", *_WIDE.values()}


def _charset(body: bytes, label: str, inner: str, sniff: bool) -> Charset:
    named = {known(name) for name in (label, inner) if name}
    for mark, codec in _MARKS:
        if body.startswith(mark):
            if any(name not in (codec, codec[:6]) for name in named):
                raise Unreadable("the body's byte order mark is not of the charset that it is said to be in")
            return Charset(codec, mark)
    if len(named) > 1:
        if not body.isascii():
            raise Unreadable("the body is said to be in two charsets")
        named = {"ascii"}
    codec = next(iter(named), "")
    if codec in ("utf-16", "utf-32") or (not codec and sniff):
        wide = next((name for pattern, name in _UNMARKED_WIDE if pattern.match(body)), "")
        if codec and not wide.startswith(codec):
            raise Unreadable("the order of the body's bytes is not told")
        codec = wide
    if not codec:
        return UTF8
    if codec == "latin-1" and _C1.search(body):
        codec = "cp1252"  # which browsers take it for (WHATWG Encoding), and its senders mean
    return UTF8 if codec == "utf-8" else Charset(codec)


_C1 = re.compile(rb"[\x80-\x9f]")


def known(label: str) -> str:
    """Python's codec for the name of a charset. Raises Unreadable."""
    codec = _LABELS.get(label.strip().lower())
    if codec is None:
        raise Unreadable("a body in this charset can't be inspected", status=415)
    return _WIDE.get(codec, codec)


def _decoded(body: bytes, charset: Charset) -> str:
    try:
        return body.decode(charset.codec)
    except UnicodeDecodeError as error:
        name = "UTF-8" if charset.codec == "utf-8" else "in the charset that it is said to be in"
        raise Unreadable(f"the body is not {name} (byte {error.start})") from None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _json_escapes(error: UnicodeError) -> tuple[str, int]:
    error = cast(UnicodeEncodeError, error)
    units = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2)), error.end


codecs.register_error(JSON_ESCAPES, _json_escapes)

# --- the header that names it --------------------------------------------------------------------------

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}")
_PARAMETER = re.compile(rf'\s*({_NAME})\s*=\s*("[^"\\]*"|{_NAME})\s*')


@lru_cache(maxsize=128)
def read_content_type(value: str) -> ContentType:
    """A Content-Type (RFC 9110 8.3). Raises Unreadable where two readers could take it for two."""
    name, _, rest = value.partition(";")
    name = name.strip().lower()
    if not _MEDIA_TYPE.fullmatch(name):
        raise Unreadable("the Content-Type is none", status=415)
    if not rest.strip():
        return ContentType(name)
    named: dict[str, str] = {}
    place = 0
    while place < len(rest):
        found = _PARAMETER.match(rest, place)
        if found:
            key, text = found[1].lower(), found[2].strip('"')
            if key in named:
                raise Unreadable("a parameter of the Content-Type comes twice")
            named[key] = text
            place = found.end()
        elif rest[place] in " \t":
            place += 1
            continue
        if place < len(rest) and rest[place] != ";":
            raise Unreadable("the Content-Type can't be read")
        place += 1
    return ContentType(name, named.get("charset", "").strip("'"), named.get("boundary", ""))


def with_charset(value: str, charset: str) -> str:
    """A Content-Type that names another charset."""
    kept = [part for part in value.split(";") if part.split("=")[0].strip().lower() != "charset"]
    return "; ".join([*(part.strip() for part in kept), f"charset={charset}"])
