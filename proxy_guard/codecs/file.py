"""A body that is one file, as uploads and downloads have it: an object whose member `content` is the medium."""

from __future__ import annotations

from proxy_guard.codecs import UNNAMED, ContentType, Document, Limits, Media, Written

_OFFICE = (
    "application/msword",
    "application/rtf",
    "application/vnd.ms-*",
    "application/vnd.oasis.opendocument.*",
    "application/vnd.openxmlformats-officedocument.*",
)
_UNTOLD = "application/x-www-form-urlencoded"
"""What some clients say of any bytes unless they are told otherwise."""


class FileCodec:
    """The field is `$.content`. What the file is, its bytes say; its media type only has to agree with them."""

    media_types = (
        "image/*",
        "audio/*",
        "video/*",
        "application/pdf",
        "application/octet-stream",
        "binary/octet-stream",
        "application/zip",
        "message/rfc822",
        "text/csv",
        "text/markdown",
        "text/tab-separated-values",
        *_OFFICE,
    )

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """`{"content": …}`. Nothing of the bytes is read here."""
        name = "" if content_type.name == _UNTOLD else content_type.name
        charset = f"; charset={content_type.charset}" if content_type.charset else ""
        return Document({"content": Media(name + charset, body)}, files=True)

    def encode(self, document: Document) -> Written:
        """The bytes of the file."""
        return Written(document.value["content"].data)
