"""JSON texts, one a line (ndjson.org, jsonlines.org): a list of documents."""

from __future__ import annotations

from proxy_guard.codecs import UNNAMED, ContentType, Document, Limits, Written
from proxy_guard.codecs.charset import JSON_ESCAPES, UTF8, Charset, read_text
from proxy_guard.codecs.json import JsonCodec

_JSON = JsonCodec()


class NdjsonCodec:
    """Fields begin with `$[*]`. Blank lines are kept; a line that was not edited is written as it came."""

    media_types = (
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
    )

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """A list of the documents of all lines."""
        text, charset = read_text(body, content_type.charset, sniff=True)
        lines = text.split("\n")
        documents = [_JSON.decode_text(line, limits) if line.strip() else None for line in lines]
        marked = charset.codec == "utf-8" and bool(charset.mark)  # which JSON has not
        charset = UTF8 if marked else charset
        # What each would be written as: whatever is written otherwise later was edited.
        source = (charset, lines, [document and _JSON.encode_text(document) for document in documents])
        read = [document for document in documents if document is not None]
        return Document(
            [document.value for document in read],
            ambiguous=marked or any(document.ambiguous for document in read),
            exact=any(document.exact for document in read),
            source=source,
        )

    def encode(self, document: Document) -> Written:
        """The lines; where the document is ambiguous, all of them anew."""
        charset, lines, before = document.source
        assert isinstance(charset, Charset)
        values = iter(document.value)
        out = []
        for line, was in zip(lines, before, strict=True):
            if was is None:
                out.append(line)
                continue
            now = _JSON.encode_text(Document(next(values), exact=document.exact))
            ending = "\r" if line.endswith("\r") else ""
            out.append(line if now == was and not document.ambiguous else now + ending)
        return charset.write("\n".join(out), JSON_ESCAPES)
