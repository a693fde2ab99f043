"""`multipart/form-data` (RFC 7578), only as what every parser reads alike.

Parsers differ in what they forgive: a missing end, text around the parts, bare line feeds, folded or repeated
headers, a boundary that begins a longer line, `filename*`, escapes in a file name, transfer encodings. Each of those is
refused, and with them out of the way a delimiter is where its bytes are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from proxy_guard.codecs import UNNAMED, ContentType, Document, Limits, Media, Written
from proxy_guard.codecs.charset import UTF8, Charset, read_content_type, read_text
from proxy_guard.codecs.form import Entries
from proxy_guard.errors import Unreadable

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
"""RFC 2046 5.1.1."""
_HEADER = re.compile(r"([A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_DISPOSITION = re.compile(r'form-data((?:[ \t]*;[ \t]*[a-zA-Z]+[ \t]*=[ \t]*(?:"[^"\\]*"|[0-9A-Za-z._-]+))*)', re.I)
_PARAMETER = re.compile(r'([a-zA-Z]+)[ \t]*=[ \t]*(?:"([^"]*)"|([0-9A-Za-z._-]+))')
_BYTES = "application/octet-stream"
_MEMBERS = 3
"""Of a file."""
_ENCODINGS = ("7bit", "8bit", "binary")
_MOST_HEADERS = 4096
"""Bytes of one part's headers."""
_QUOTED = {'"': "%22", "\r": "%0D", "\n": "%0A"}
"""WHATWG HTML 4.10.21.8."""


@dataclass(slots=True)
class _Part:
    """A part as it came. `headers` are all but its Content-Disposition."""

    raw: bytes = field(repr=False)
    headers: list[str]
    name: str
    filename: str | None
    content_type: str
    charset: Charset
    data: bytes = field(repr=False)
    text: str = field(default="", repr=False)


class MultipartCodec:
    """An object of lists, as of a form: `$.prompt[*]` is the text of every part of that name without a file name.

    A file is `{"filename", "content_type", "content"}`, of which `$.file[*].content` is a medium.
    """

    media_types = ("multipart/form-data",)

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """Names to lists of texts and files."""
        delimiter = _delimiter(content_type)
        entries: Entries[Any] = Entries()
        parts = []
        for raw in _split(body, delimiter, limits.parts):
            part = _part(raw)
            if part.filename is None:
                label = read_content_type(part.content_type).charset if part.content_type else ""
                part.text, part.charset = read_text(part.data, label)
                entries.add(part.name, part.text)
            else:
                media = Media(part.content_type or _BYTES, part.data)
                file = {"filename": part.filename, "content_type": media.content_type, "content": media}
                entries.add(part.name, file)
            parts.append(part)
        if any(value != "utf-8" for value in map(_lower, entries.value.get("_charset_", ()))):
            raise Unreadable("a form in this charset can't be inspected", status=415)
        files = any(part.filename is not None for part in parts)
        return Document(entries.value, files=files, source=(delimiter, entries, parts))

    def encode(self, document: Document) -> Written:
        """The parts as they came, but for those that were edited."""
        delimiter, entries, parts = document.source
        out: list[bytes] = []
        for part, (name, item) in zip(parts, entries, strict=True):
            written = _written(part, name, item)
            if written is not part.raw and delimiter in written:
                raise Unreadable("a part would hold the boundary", status=422)
            out.append(delimiter + b"\r\n" + written + b"\r\n")
        return Written(b"".join(out) + delimiter + b"--\r\n")


def _lower(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _delimiter(content_type: ContentType) -> bytes:
    if not _BOUNDARY.fullmatch(content_type.boundary):
        raise Unreadable("the Content-Type has no boundary, or one that is none")
    return b"--" + content_type.boundary.encode()


def _split(body: bytes, delimiter: bytes, most: int) -> list[bytes]:
    """The parts, headers and content, without the line ends that belong to delimiters."""
    if body.count(delimiter) - 1 > most:
        raise Unreadable(f"the body has more than {most} parts", status=413, cause="too_large")
    first, *parts = body.split(delimiter)
    if first or not parts or parts[-1] not in (b"--", b"--\r\n"):
        raise Unreadable("the multipart body does not begin and end with its boundary")
    if any(not (part.startswith(b"\r\n") and part.endswith(b"\r\n") and len(part) > 3) for part in parts[:-1]):
        raise Unreadable("a boundary of the multipart body is not on a line of its own")
    return [part[2:-2] for part in parts[:-1]]


def _part(raw: bytes) -> _Part:
    head, end, data = raw.partition(b"\r\n\r\n")
    if not end or len(head) > _MOST_HEADERS:
        raise Unreadable("a part of the body has no end of its headers")
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise Unreadable("a header of a part is not UTF-8") from None
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER.fullmatch(line)
        if not found or found[1].lower() in headers:
            raise Unreadable("the headers of a part can't be read in one way")
        headers[found[1].lower()] = found[2]
    if headers.get("content-transfer-encoding", "binary").lower() not in _ENCODINGS:
        raise Unreadable("a part in a transfer encoding can't be inspected", status=415)
    content_type = headers.get("content-type", "")
    if content_type.lower().startswith(("multipart/", "message/")):
        raise Unreadable("a part that has parts itself can't be inspected", status=415)
    named = _named(headers.get("content-disposition", ""))
    if "name" not in named:
        raise Unreadable("a part of the body has no name")
    kept = [line for line in lines if not line.lower().startswith("content-disposition")]
    return _Part(raw, kept, named["name"], named.get("filename"), content_type, UTF8, data)


def _named(disposition: str) -> dict[str, str]:
    found = _DISPOSITION.fullmatch(disposition)
    if not found:
        raise Unreadable("the Content-Disposition of a part can't be read in one way")
    pairs = [(each[1].lower(), each[2] or each[3] or "") for each in _PARAMETER.finditer(found[1])]
    named = dict(pairs)
    if len(named) < len(pairs) or not named.keys() <= {"name", "filename"}:
        raise Unreadable("the Content-Disposition of a part can't be read in one way")
    return named


def _written(part: _Part, name: str, item: Any) -> bytes:
    """A part as it is now: `raw` itself where nothing was edited."""
    if isinstance(item, dict):
        filename, data = str(item["filename"]), bytes(item["content"].data)
        same = item["filename"] == part.filename and data == part.data
        if item["content_type"] != (part.content_type or _BYTES) or len(item) != _MEMBERS:
            raise Unreadable("the media type of a file can't be rewritten", status=422)
        headers = part.headers
    else:
        filename, same, headers = None, item == part.text, part.headers
        data = part.data if same else _content(part, str(item))
    if same and name == part.name:
        return part.raw
    parameters = [("name", name)] + ([("filename", filename)] if filename is not None else [])
    shown = "".join(f'; {key}="{_quoted(text)}"' for key, text in parameters)
    lines = [f"Content-Disposition: form-data{shown}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def _content(part: _Part, text: str) -> bytes:
    written = part.charset.write(text)
    if written.charset:
        raise Unreadable("a new text can't be written in the charset of its part", status=422)
    return written.body


def _quoted(text: str) -> str:
    return "".join(_QUOTED.get(letter, letter) for letter in text).replace("\\", "_")
