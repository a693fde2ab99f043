"""HTML and XML as texts between tags, and the values of attributes; only edited stretches are written anew.

No parser of HTML that keeps offsets reads hostile bodies in linear time and as browsers do. So nothing hangs on how a
page is parsed: whatever is not a well-formed tag is text, comments, scripts and broken tags too, with
its character references undone, and is scanned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any
from xml.parsers import expat

from proxy_guard.codecs import UNNAMED, ContentType, Document, Limits, Written
from proxy_guard.codecs.charset import Charset, read_text
from proxy_guard.errors import Unreadable

# A tag of WHATWG HTML 13.2.5, without what is a parse error there: `<` in it, and quotes outside of values. Possessive
# throughout, and stopped by the next `<`, so that its time is linear in the text.
_VALUE = r"""[\t\n\f\r ]*+=[\t\n\f\r ]*+("[^"]*+"|'[^']*+'|[^\t\n\f\r "'<=>`]++)"""
_TAG = rf"</?+(?P<name>%s)(?=[\t\n\f\r />])(?P<attributes>(?:[\t\n\f\r /]++|%s(?=[\t\n\f\r />=])(?:{_VALUE})?+)*+)>"
# Names are those that pages have: `<ann@example.com>` is text, whatever a browser takes it for.
_HTML_TAG = re.compile(_TAG % ("[A-Za-z][A-Za-z0-9:_-]*+", r"[A-Za-z_:@#*.(\[][A-Za-z0-9_:.()\[\]-]*+"))
_XML_NAME = r"""[^\t\n\f\r />="'<!?]++"""
_XML_TAG = re.compile(_TAG % (_XML_NAME, _XML_NAME))
_ATTRIBUTE = re.compile(rf"({_XML_NAME}){_VALUE}")
_OPENING = re.compile(r"<(?:!--|!\[CDATA\[|\?)?")
_CLOSINGS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_DOCTYPE = re.compile(r"\s*<!doctype html>\s*", re.I)
_LITERAL = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"})
"""Elements in which HTML knows no tags."""
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_DEEPEST = 512
_WRITTEN = Limits(depth=_DEEPEST)
"""Of what is read already."""


@dataclass(slots=True)
class _Place:
    """A stretch of the source, and the member that shows it. `kind` says how it is written."""

    start: int
    end: int
    entry: dict[str, str] = field(repr=False)
    key: str
    was: str = field(repr=False)
    kind: str
    fixed: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self.fixed = self._names()

    def _names(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, text) for name, text in self.entry.items() if name != self.key)

    def write(self, raw: str) -> str:
        """The stretch as it is now."""
        if self.fixed != self._names():
            raise Unreadable("the name of an element or attribute can't be rewritten", status=422)
        text = self.entry[self.key]
        if text == self.was:
            return raw
        match self.kind:
            case "verbatim":
                return text
            case "bare":
                return f'"{escape(text)}"'
            case "quoted":
                return escape(text)
            case _:
                return escape(text, quote=False)


@dataclass(slots=True)
class _Reader:
    """One pass over a source."""

    text: str = field(repr=False)
    html: bool
    texts: list[dict[str, str]] = field(default_factory=list)
    attributes: list[dict[str, str]] = field(default_factory=list)
    places: list[_Place] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    _missing: set[str] = field(default_factory=set)

    def read(self) -> None:
        """Finds all places, in order."""
        done = place = 0
        while found := _OPENING.search(self.text, place):
            start = found.start()
            closing = _CLOSINGS.get(found[0])
            if closing:
                end = self._find(closing, found.end())
                if end < 0:
                    place = found.end()
                    continue
                self._add(done, start)
                self._section(found[0], start, found.end(), end, end + len(closing))
                done = place = end + len(closing)
            elif tag := (_HTML_TAG if self.html else _XML_TAG).match(self.text, start):
                self._add(done, start)
                done = place = self._tag(tag)
            else:
                place = found.end()
        self._add(done, len(self.text))

    def _find(self, closing: str, start: int) -> int:
        if closing in self._missing:  # looked for once: a body of nothing but openings must not cost its square
            return -1
        end = self.text.find(closing, start)
        if end < 0:
            self._missing.add(closing)
        return end

    def _section(self, opening: str, whole: int, start: int, end: int, whole_end: int) -> None:
        if opening == "<![CDATA[":
            if self.html:
                raise Unreadable("the markup can be read in several ways (CDATA)")
            # Written as escaped text in its place.
            self._add(whole, whole_end, text=self.text[start:end])
        else:
            self._add(start, end, "#comment" if opening == "<!--" else "#instruction")

    def _tag(self, tag: re.Match[str]) -> int:
        """Takes a tag, and the content of one in which there are no tags; gives its end."""
        name = tag["name"].lower() if self.html else tag["name"]
        start, end = tag.span("attributes")
        for each in _ATTRIBUTE.finditer(self.text, start, end):
            self._attribute(name, each)
        if tag[0].startswith("</"):
            if name in self._open:
                while self._open.pop() != name:
                    pass
            return tag.end()
        if self.html and name in _LITERAL:
            closing = re.compile(f"</{name}[\t\n\f\r />]", re.I).search(self.text, tag.end())
            if closing or name == "plaintext":
                stop = closing.start() if closing else len(self.text)
                self._add(tag.end(), stop, name)
                return stop
        if not (name in _VOID if self.html else tag["attributes"].endswith("/")):
            self._open.append(name)
            if len(self._open) > _DEEPEST:
                raise Unreadable(f"the markup is nested deeper than {_DEEPEST} levels")
        return tag.end()

    def _attribute(self, element: str, found: re.Match[str]) -> None:
        name = found[1].lower() if self.html else found[1]
        start, end = found.span(2)
        quoted = self.text[start] in "\"'"
        if quoted:
            start, end = start + 1, end - 1
        value = unescape(self.text[start:end])
        entry = {"element": element, "name": name, "value": value}
        self.attributes.append(entry)
        self.places.append(_Place(start, end, entry, "value", value, "quoted" if quoted else "bare"))

    def _add(self, start: int, end: int, element: str = "", text: str | None = None) -> None:
        raw = self.text[start:end]
        shown = unescape(raw) if text is None else text
        if not shown.strip() or (self.html and not element and _DOCTYPE.fullmatch(raw)):
            return
        entry = {"element": element or (self._open[-1] if self._open else ""), "text": shown}
        # A script says nothing by `&lt;`; where it holds references, it may be none for another reader.
        verbatim = element in ("script", "style", "#instruction", "#comment") and shown == raw
        self.texts.append(entry)
        self.places.append(_Place(start, end, entry, "text", shown, "verbatim" if verbatim else "text"))


class _MarkupCodec:
    """`{"texts": [{"element", "text"}], "attributes": [{"element", "name", "value"}]}`, in their order."""

    html = True
    declared: re.Pattern[str]

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """The texts and attributes of a page."""
        inner = self.declared.search(body[:1024].decode("latin-1"))
        text, charset = read_text(body, content_type.charset, inner[1] if inner else "", sniff=True)
        self.check(text, limits)
        reader = _Reader(text, self.html)
        reader.read()
        value: dict[str, Any] = {"texts": reader.texts, "attributes": reader.attributes}
        return Document(value, source=(text, charset, reader.places))

    def check(self, text: str, limits: Limits) -> None:
        """Raises Unreadable for what is no such markup at all."""

    def encode(self, document: Document) -> Written:
        """The page, its edited stretches escaped; what its charset lacks becomes a character reference."""
        text, charset, places = document.source
        assert isinstance(charset, Charset)
        out: list[str] = []
        done = 0
        for place in places:
            out += [text[done : place.start], place.write(text[place.start : place.end])]
            done = place.end
        written = "".join([*out, text[done:]])
        self.check(written, _WRITTEN)
        return charset.write(written, "xmlcharrefreplace")


class HtmlCodec(_MarkupCodec):
    """Any bytes are HTML."""

    media_types = ("text/html",)
    declared = re.compile(r"<meta[^>]*?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.I)


class XmlCodec(_MarkupCodec):
    """XML 1.0 without a document type: so without entities of its own, and nothing to fetch."""

    media_types = ("application/xml", "text/xml", "application/*+xml")
    html = False
    declared = re.compile(r"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]+)[\"']")

    def check(self, text: str, limits: Limits) -> None:
        """Well-formed, without a document type, and not deeper than a document may be."""
        depth = 0

        def deeper(*_: Any) -> None:
            nonlocal depth
            depth += 1
            if depth > limits.depth:
                raise Unreadable(f"the body is nested deeper than {limits.depth} levels")

        def higher(*_: Any) -> None:
            nonlocal depth
            depth -= 1

        def refuse(*_: Any) -> None:
            raise Unreadable("XML with a document type can't be inspected", status=415)

        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler, parser.EndElementHandler = deeper, higher
        parser.StartDoctypeDeclHandler = refuse
        try:
            parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise Unreadable(f"the body is not well-formed XML (line {error.lineno})") from None
        except UnicodeEncodeError:
            raise Unreadable("the body is not well-formed XML") from None
