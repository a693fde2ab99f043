"""Where media stand in a document, in what form, and how another one takes their place."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from proxy_guard.codecs import Media
from proxy_guard.errors import Unreadable
from proxy_guard.locate.jsonpath import Node
from proxy_guard.model import Path

Form = Literal["data_url", "base64", "file", "link", "reference", "unknown"]
"""reference: a name by which the API knows a medium that it has already, such as a `file_id`."""
Inline = Literal["data_url", "source", "inline_data", "file_data"]
"""How a medium is written in place of a link to it.

data_url: where the link stood. source: `{"type": "base64", "media_type", "data"}` in place of `{"type": "url", "url"}`.
inline_data: the member `inlineData` in place of `fileData`. file_data: the members `file_data` (a data URL) and
`filename` in place of the link.
"""

_LINK = re.compile(r"\s*https?://", re.I)
_SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.I)
_DATA_URL = re.compile(r"\s*data:([^,]{0,300}),", re.I)
_LONG = re.compile(r"[A-Za-z0-9+/_\s-]{256,}={0,2}\s*")
_REFERENCES = frozenset("id file_id fileId file_ids fileUri file_uri uri url image_url file_url document_url".split())
_CONTENTS = frozenset(
    "data bytes file_data fileData b64_json base64 blob image_base64 image images mask audio content".split()
)
_TYPES = ("media_type", "mime_type", "mimeType", "mediaType", "content_type", "contentType", "format", "filename")
"""Members that name the type of the medium beside them, those that say most first."""
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ENDINGS = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "pdf": "application/pdf",
    "docx": _OFFICE + "wordprocessingml.document",
    "xlsx": _OFFICE + "spreadsheetml.sheet",
    "pptx": _OFFICE + "presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "csv": "text/csv",
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "json": "application/json",
    "eml": "message/rfc822",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
}
"""What a `format` or the ending of a file's name says."""
_SAID_BY = {media_type: ending for ending, media_type in reversed(_ENDINGS.items())}
_GENERIC = frozenset(("", "application/octet-stream", "binary/octet-stream", "application/binary"))
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_DEEPEST = 4


@dataclass(slots=True, eq=False)
class MediaSlot:
    """One medium in one message: `holder[key]`. `declared` is the media type beside it, or an empty string.

    `above` and `name` are where its holder stands, for a link that becomes a member of another name.
    """

    rule: str
    path: Path = field(repr=False)
    holder: Any = field(repr=False)
    key: Any = field(repr=False)
    form: Form
    declared: str = field(default="", repr=False)
    policy: str | None = None
    inline: Inline | None = None
    above: Any = field(default=None, repr=False)
    name: Any = field(default=None, repr=False)

    def read(self) -> tuple[bytes, str]:
        """The bytes, and the media type that the message names for them. Raises Unreadable."""
        value = self.holder[self.key]
        match self.form:
            case "file":
                return value.data, value.content_type
            case "data_url":
                return _of_data_url(value)
            case "base64":
                return _decoded(value), self.declared
            case _:
                raise Unreadable("a medium stands in a form that is not known", status=415, cause="unsupported_media")

    def write(self, data: bytes, media_type: str) -> bool:
        """Puts a medium in the place of this one; whether the document is another one now. Raises Unreadable."""
        before = self.holder[self.key]
        if self.form == "file":
            if not _same_type(before.content_type, media_type):
                raise Unreadable("the media type of a file can't be rewritten", status=422)
            self.holder[self.key] = before if data == before.data else Media(before.content_type, data)
            return self.holder[self.key] is not before
        encoded = base64.b64encode(data).decode()
        if self.form == "link":
            self._inline(encoded, media_type)
            return True
        if self.form == "data_url":
            shown = _DATA_URL.match(before)
            label = shown[1].removesuffix(";base64") if shown else ""  # its parameters are kept where the type is
            after = f"data:{label if _same_type(label, media_type) else media_type};base64,{encoded}"
        else:
            self._name_type(media_type)
            after = encoded
        self.holder[self.key] = after
        return bool(after != before)

    def _inline(self, encoded: str, media_type: str) -> None:
        url = f"data:{media_type};base64,{encoded}"
        match self.inline:
            case "data_url":
                self.holder[self.key] = url
            case "source":
                self.holder.clear()
                self.holder.update({"type": "base64", "media_type": media_type, "data": encoded})
            case "inline_data" if isinstance(self.above, dict):
                snake = "_" in str(self.key)
                del self.above[self.name]
                names = ("inline_data", "mime_type") if snake else ("inlineData", "mimeType")
                self.above[names[0]] = {names[1]: media_type, "data": encoded}
            case "file_data":
                del self.holder[self.key]
                self.holder.setdefault("filename", f"file.{_SAID_BY.get(media_type, 'bin')}")
                self.holder["file_data"] = url
            case _:
                raise Unreadable("a link can't become a medium here", status=415, cause="unsupported_media")

    def _name_type(self, media_type: str) -> None:
        if _same_type(self.declared, media_type):
            return
        for holder in (self.holder, self.above):
            for name in _TYPES[:-1] if isinstance(holder, dict) else ():
                if name in holder:
                    holder[name] = media_type if "/" in str(holder[name]) else _SAID_BY.get(media_type, media_type)
                    return
        raise Unreadable("the media type of a medium can't be rewritten", status=415, cause="unsupported_media")


def media_at(node: Node, above: Any = None, name: Any = None) -> Iterator[MediaSlot]:
    """The media in what a field reached: itself, or the members of it that hold them.

    Other members, such as a file's name, are texts like others.
    """
    value, path, holder, key = node
    # What is below, with the container above its holder: the one whose member the holder is.
    pending: list[tuple[Node, Any, Any, int]] = [(node, above, name, 0)]
    while pending:
        (value, path, holder, key), over, its, depth = pending.pop()
        if isinstance(value, dict | list) and depth < _DEEPEST:
            members = value.items() if isinstance(value, dict) else enumerate(value)
            inner = [((member, (*path, n), value, n), holder, key, depth + 1) for n, member in members]
            pending += reversed(inner)
            continue
        form = _form(value, key, certain=depth == 0 or isinstance(key, int))
        if form:
            yield MediaSlot("", path, holder, key, form, _declared(holder, over), above=over, name=its)


def _form(value: Any, key: Any, *, certain: bool) -> Form | None:
    """The form of a medium; None for what is none. `certain`: the field says that it is one."""
    if isinstance(value, Media):
        return "file"
    if not isinstance(value, str) or not value:
        return "unknown" if certain and isinstance(value, dict | list | str) and value else None
    if _DATA_URL.match(value):
        return "data_url"
    if _LINK.match(value):
        return "link"
    if key in _REFERENCES or _SCHEME.match(value):
        return "reference" if len(value) < 2048 else "unknown"
    if certain or key in _CONTENTS or _LONG.fullmatch(value):
        return "base64"
    return None


def _declared(holder: Any, above: Any) -> str:
    """The media type that stands beside a medium, or beside what holds it."""
    for each in (holder, above):
        for name in _TYPES if isinstance(each, dict) else ():
            said = each.get(name)
            if isinstance(said, str) and said:
                if "/" in said and name != "filename":
                    return said
                known = _ENDINGS.get(said.rpartition(".")[2].lower())
                if known:
                    return known
    return ""


def _same_type(said: str, media_type: str) -> bool:
    """Whether what a message says of a type may stay where the medium is of this one."""
    said = said.partition(";")[0].strip().lower()
    return said in _GENERIC or _ALIASES.get(said, said) == media_type


def _of_data_url(value: str) -> tuple[bytes, str]:
    """RFC 2397. Without a type of its own it says nothing of one here, since the content does."""
    found = _DATA_URL.match(value)
    assert found is not None
    label, encoding = found[1], ""
    if label.lower().endswith(";base64"):
        label, encoding = label[:-7], "base64"
    rest = value[found.end() :]
    return _decoded(rest) if encoding else unquote_to_bytes(rest), label.partition(";")[0].strip().lower()


_PLAIN = str.maketrans("-_", "+/", " \t\r\n\f")


def _decoded(text: str) -> bytes:
    """The bytes of base64, of either alphabet, with or without padding (RFC 4648). Raises Unreadable."""
    plain = text.translate(_PLAIN).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("a medium is not in base64") from None
