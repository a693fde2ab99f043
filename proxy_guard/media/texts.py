"""Files of text: plain, CSV, JSON, HTML and XML, read by the codecs of messages and edited in place."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from proxy_guard.codecs import ContentType, Document, Limits, Written
from proxy_guard.codecs.charset import Charset, read_text
from proxy_guard.codecs.json import ExactNumber, JsonCodec
from proxy_guard.codecs.markup import HtmlCodec, XmlCodec
from proxy_guard.errors import Unreadable
from proxy_guard.media import Judge, Judged, MediaSettings, Redacted, Unscrubbable
from proxy_guard.media.collected import Collected, Write, stretches
from proxy_guard.media.sniff import Kind

_LONGEST_HEAD = 60
_FEWEST_DIGITS = 5
"""A JSON number with fewer is nobody's."""
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q rp rt ruby s samp small span "
    "strike strong sub sup time tt u var wbr nobr".split()
)
"""Elements that don't end a run of text (WHATWG HTML, phrasing content)."""
_TAG_NAME = re.compile(r"</?([A-Za-z][^\s/>]*)")


def scrub_text(data: bytes, kind: Kind, judge: Judge, settings: MediaSettings) -> Redacted:
    """The text in its own charset; the bytes as given where nothing was found. Raises Unscrubbable."""
    if len(data) > settings.unpacked:
        raise Unscrubbable("too_large", f"a text of more than {settings.unpacked} bytes")
    texts = Collected()
    try:
        written = _EDITORS[kind.name](data, kind, texts, judge)
    except Unreadable as error:
        raise Unscrubbable("unreadable", error.why) from None
    if written is None or written.body == data:
        return Redacted(data, kind.media_type, tuple(texts.findings))
    media_type = f"{kind.media_type}; charset={written.charset}" if written.charset else kind.media_type
    return Redacted(written.body, media_type, tuple(texts.findings), changed=True)


def _plain(data: bytes, kind: Kind, texts: Collected, judge: Judge) -> Written | None:
    text, charset = read_text(data, kind.charset, sniff=True)
    made = [text]
    texts.add(text, _item(made, 0))
    texts.settle(judge)
    return charset.write(made[0]) if made[0] != text else None


# --- CSV (RFC 4180) ---------------------------------------------------------------------------------------


def _csv(data: bytes, kind: Kind, texts: Collected, judge: Judge) -> Written | None:
    """Cells one by one, under the heads of their columns; and all of it as a text, for what no reader splits alike."""
    text, charset = read_text(data, kind.charset, sniff=True)
    rows, delimiter = _rows(text)
    heads = [
        cell if len(cell) <= _LONGEST_HEAD and re.search(r"[^\W\d_]{2}", cell) else "" for cell in next(iter(rows), [])
    ]
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            head = heads[column] if number and column < len(heads) else ""
            texts.add(cell, _item(row, column), f"row {number + 1}", context=head)
    texts.settle(judge)
    for row in rows:
        for column, cell in enumerate(row):
            texts.add(cell, _item(row, column))
    texts.settle(texts.known)
    if not texts.findings:
        return _plain(data, kind, texts, judge)
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if "\r\n" in text else "\n").writerows(rows)
    whole = out.getvalue()
    return _plain(charset.write(whole).body, kind, texts, judge) or charset.write(whole)


def _rows(text: str) -> tuple[list[list[str]], str]:
    head = text[: text.find("\n") + 1 or len(text)]
    delimiter = max(",;\t|", key=head.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), delimiter
    except csv.Error:
        raise Unscrubbable("unreadable", "the table is no CSV") from None


# --- JSON -------------------------------------------------------------------------------------------------


def _json(data: bytes, kind: Kind, texts: Collected, judge: Judge) -> Written | None:
    codec = JsonCodec()
    try:
        document = codec.decode(data, Limits(), ContentType(kind.media_type, kind.charset))
    except Unreadable:
        if kind.sure:
            raise
        return _plain(data, kind, texts, judge)  # lines of JSON, or a text that begins like it
    root = [document.value]
    _members(root, texts)
    texts.settle(judge)
    if not texts.findings and not document.ambiguous:
        return None
    document = Document(root[0], document.ambiguous, document.exact, source=document.source)
    return codec.encode(document)


def _members(value: Any, texts: Collected) -> None:
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for key, member in pairs:
        head = key if isinstance(key, str) and len(key) <= _LONGEST_HEAD else ""
        if isinstance(member, dict | list):
            _members(member, texts)
        elif isinstance(member, str):
            texts.add(member, _item(value, key), context=head)
        elif isinstance(member, int | float) and not isinstance(member, bool):
            digits = member.digits if isinstance(member, ExactNumber) else str(member)
            if sum(map(str.isdigit, digits)) >= _FEWEST_DIGITS:
                texts.add(digits, _item(value, key), context=head)
    if isinstance(value, dict):
        for key in list(value):
            texts.add(key, _name(value, key))


def _item(holder: Any, key: Any) -> Write:
    def write(_: str, judged: Judged) -> None:
        holder[key] = judged.text

    return write


def _name(holder: dict[str, Any], key: str) -> Write:
    def write(_: str, judged: Judged) -> None:
        # In its place among the others; a name that is there already must not swallow a member.
        new = judged.text
        while new in holder:
            new += "_"
        members = [(new if name == key else name, member) for name, member in holder.items()]
        holder.clear()
        holder.update(members)

    return write


# --- HTML and XML -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Run:
    """Texts of a page with nothing but inline tags between them."""

    entries: list[dict[str, str]] = field(default_factory=list, repr=False)

    def add(self, texts: Collected) -> None:
        texts.add("".join(entry["text"] for entry in self.entries), self.write)

    def write(self, text: str, judged: Judged) -> None:
        edits = stretches(text, judged)
        at = 0
        for entry in self.entries:
            end = at + len(entry["text"])
            made, done = "", at
            for start, stop, new in edits:
                if stop > at and start < end:
                    made += text[done : max(start, done)] + (new if start >= at else "")
                    done = min(stop, end)
            entry["text"] = made + text[done:end]
            at = end


def _markup(data: bytes, kind: Kind, texts: Collected, judge: Judge) -> Written | None:
    codec = HtmlCodec() if kind.name == "html" else XmlCodec()
    try:
        document = codec.decode(data, Limits(), ContentType(kind.media_type, kind.charset))
    except Unreadable:
        if kind.sure:
            raise
        return _plain(data, kind, texts, judge)
    for entry in document.value["attributes"]:
        texts.add(entry["value"], _item(entry, "value"))
    for run in _runs(document):
        run.add(texts)
    texts.settle(judge)
    return codec.encode(document) if texts.findings else None


def _runs(document: Document) -> Iterator[_Run]:
    source, charset, places = document.source
    assert isinstance(charset, Charset)
    run, end = _Run(), 0
    for place in places:
        if "text" not in place.entry:
            continue
        between = (name.lower() for name in _TAG_NAME.findall(source, end, place.start))
        if run.entries and not all(name in _INLINE for name in between):
            yield run
            run = _Run()
        run.entries.append(place.entry)
        end = place.end
    yield run


_EDITORS = {"txt": _plain, "csv": _csv, "json": _json, "html": _markup, "xml": _markup}
