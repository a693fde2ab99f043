"""Plain text: an object whose member `text` is all of it."""

from __future__ import annotations

from proxy_guard.codecs import UNNAMED, ContentType, Document, Limits, Written
from proxy_guard.codecs.charset import Charset, read_text


class TextCodec:
    """The field is `$.text`; with `kind: json` where the text may be JSON."""

    media_types = ("text/plain", "text/vtt", "application/x-subrip")

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """`{"text": …}`."""
        text, charset = read_text(body, content_type.charset)
        return Document({"text": text}, source=charset)

    def encode(self, document: Document) -> Written:
        """The text in the charset that it came in, or in UTF-8."""
        charset: Charset = document.source
        return charset.write(str(document.value["text"]))
