"""The texts of one XML part of an office document: runs of a paragraph joined, everything else by itself.

A value is found although its digits are in several runs. What tracked changes hide is read in three ways: all of it,
as if the changes were accepted, and as if they were rejected; a value may be whole in only one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from lxml import etree

from proxy_guard.media import Judged, Unscrubbable
from proxy_guard.media.collected import Collected, Write, stretches

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_SPACED = ("wordprocessingml/main", "spreadsheetml/main")
"""Namespaces in which a text says that its outer spaces count; in drawings they always do."""
_BLOCKS = frozenset({"p", "si", "is", "h", "text", "annotation", "creator", "note"})
"""What has a text of its own, by local name: paragraphs, shared strings, cells, comments, and what hangs in a text."""
_LEAVES = frozenset({"t", "delText"})
_CODES = frozenset({"instrText", "delInstrText"})
_DRAWN = {"tab": "\t", "br": "\n", "cr": "\n", "line-break": "\n", "s": " ", "noBreakHyphen": "-", "ptab": "\t"}
OPEN_CELLS = frozenset({"table-cell", "covered-table-cell"})
DELETED = frozenset({"del", "moveFrom"})
INSERTED = frozenset({"ins", "moveTo"})
_FORMULAS = frozenset(
    "f formula formula1 formula2 definedName calculatedColumnFormula totalsRowFormula oddFormula".split()
)
_PEOPLES = frozenset(
    "author initials userName displayName userId providerId name descr title alt altText tooltip display prompt "
    "promptTitle error errorTitle helpText statusText caption instr text location label string string-value href "
    "creator".split()
)
"""Attributes in which people's words stand, by local name."""
_VALUED = frozenset("alias tag docVar default listItem statusText helpText title s placeholder".split())
"""Elements whose attributes `val`, `value` and `v` do."""
_FIXED = re.compile(
    r"[0-9A-Fa-f]{1,8}|\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?|[-+\d.,%; ]{1,9}"
    r"|(?:https?://(?:schemas|www|purl|docs)\.[a-z.-]+/[\w./#-]*|urn:[\w:.#-]+)"
)
"""What an attribute of the format's own may be without being looked at."""
_OF_CELLS = frozenset({"value", "string-value", "formula"})
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def parse(data: bytes) -> etree._Element:
    """The root of a part. Raises Unscrubbable for what is no XML, or has a document type."""
    try:
        # Nothing is fetched, no entity is resolved, and libxml2's own limits (depth, size, expansion) hold.
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError):
        raise Unscrubbable("unreadable", "a part of the document is not well-formed XML") from None
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None or tree.docinfo.doctype:
        raise Unscrubbable("unreadable", "a part of the document has a document type")
    return root


def local(element: etree._Element) -> str:
    """The name of an element, without its namespace."""
    return str(element.tag).rpartition("}")[2]  # many times quicker than lxml's QName


@dataclass(slots=True)
class _Piece:
    """One text node of a paragraph: of `element`, its text or what follows it. Without an element it is only drawn."""

    text: str = field(repr=False)
    element: etree._Element | None = field(default=None, repr=False)
    tail: bool = False

    def write(self, text: str) -> None:
        if self.element is None:
            return
        if self.tail:
            self.element.tail = text or None
            return
        self.element.text = text or None
        name = etree.QName(self.element)
        if name.localname in _LEAVES and text != text.strip() and str(name.namespace).endswith(_SPACED):
            self.element.set(_SPACE, "preserve")


@dataclass(slots=True)
class _Joined:
    """The text of several pieces."""

    pieces: list[_Piece] = field(repr=False)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def write(self, text: str, judged: Judged) -> None:
        """Puts a replacement where the value began, and takes the rest of it out of the other pieces."""
        edits = stretches(text, judged)
        at = 0
        for piece in self.pieces:
            end = at + len(piece.text)
            made: list[str] = []
            done = at
            for start, stop, new in edits:
                if stop <= at or start >= end:
                    continue
                made.append(text[done : max(start, done)])
                if start >= at or not self._written(start, at):
                    made.append(new)
                done = min(stop, end)
            made.append(text[done:end])
            if piece.element is not None:
                piece.write("".join(made))
            at = end

    def _written(self, start: int, before: int) -> bool:
        """Whether a piece that can be written, from `start` on, came before."""
        at = 0
        for piece in self.pieces:
            end = at + len(piece.text)
            if at >= before:
                break
            if end > start and piece.element is not None:
                return True
            at = end
        return False


@dataclass(slots=True)
class Part:
    """One XML part, and what is in it. `mixed`: text stands between elements, too, as in OpenDocument."""

    root: etree._Element = field(repr=False)
    where: str
    mixed: bool = False

    def collect(self, into: Collected) -> None:
        """Adds everything in which text may stand, but for the numbers and formulas of cells."""
        joined: dict[tuple[etree._Element, bool], list[_Piece]] = {}
        for block, code, piece in self._pieces(self.root, None, frozenset()):
            if block is not None:
                joined.setdefault((block, code), []).append(piece)
            elif piece.element is not None and not _in_cell(piece.element):
                into.add(piece.text, _single(piece), self.where)
        for pieces in joined.values():
            group = _Joined(pieces)
            into.add(group.text, group.write, self.where)
        for element in self.root.iter(etree.Element):
            self._attributes(into, element)

    def collect_changes(self, into: Collected, hidden: frozenset[str]) -> None:
        """Adds the paragraphs with tracked changes, read without what stands in elements named `hidden`."""
        changed = {_block(each) for each in self.root.iter(etree.Element) if local(each) in hidden}
        for block in changed - {None}:
            assert block is not None
            pieces = [piece for _, code, piece in self._pieces(block, None, hidden) if not code]
            group = _Joined(pieces)
            into.add(group.text, group.write, self.where)

    def _pieces(
        self, element: etree._Element, block: etree._Element | None, hidden: frozenset[str]
    ) -> Iterator[tuple[etree._Element | None, bool, _Piece]]:
        """All text nodes of an element in document order, each with its paragraph, and whether it is a field's code.

        libxml2 reads no more than 256 levels, so that this may call itself.
        """
        name = local(element)
        if name in hidden:
            return
        block = element if name in _BLOCKS else block
        if name in _DRAWN and block is not None:
            yield block, False, _Piece(_DRAWN[name])
        shown = self.mixed or name in _LEAVES or name in _CODES
        if element.text and (shown or not element.text.isspace()):
            yield block if shown else None, name in _CODES, _Piece(element.text, element)
        for child in element.iterchildren(etree.Element):
            yield from self._pieces(child, block, hidden)
            if child.tail and (self.mixed or not child.tail.isspace()):
                yield block if self.mixed else None, False, _Piece(child.tail, child, tail=True)

    def _attributes(self, into: Collected, element: etree._Element) -> None:
        named = local(element)
        for key, value in map(_both_text, element.attrib.items()):
            name = key.rpartition("}")[2]
            if name in _OF_CELLS and _in_open_cell(element):
                continue  # see cells.py
            peoples = name in _PEOPLES or (named in _VALUED and name in ("val", "value", "v"))
            if name == "href" and not value.startswith("#"):
                link(element, key, into, self.where)
            elif peoples or not _is_plain(value):
                into.add(value, _attribute(element, key, peoples), self.where)


def _both_text(item: tuple[str | bytes, str | bytes]) -> tuple[str, str]:
    return str(item[0]), str(item[1])


def link(element: etree._Element, key: str, into: Collected, where: str) -> None:
    """Adds the target of a link as people read it: `tel:+49%20170` holds a number, too."""
    target = str(element.get(key))

    def write(_: str, judged: Judged) -> None:
        element.set(key, quote(judged.text, safe="/:?#[]@!$&'()*+,;=~"))

    into.add(unquote(target), write, where)


def _is_plain(value: str) -> bool:
    """Whether an attribute of the format's own can't hold a number or an address of a person."""
    if len(value) < 4 or value.isalpha():
        return True
    return (sum(map(str.isdigit, value)) < 4 and "@" not in value) or _FIXED.fullmatch(value) is not None


def _attribute(element: etree._Element, key: str, peoples: bool) -> Write:
    def write(text: str, judged: Judged) -> None:
        # What the format wants a number to be stays one, or no program opens the document.
        element.set(key, "0" if not peoples and _NUMBER.fullmatch(text) else judged.text)

    return write


def _single(piece: _Piece) -> Write:
    def write(_: str, judged: Judged) -> None:
        element = piece.element
        assert element is not None
        if not piece.tail and local(element) in _FORMULAS:
            piece.write('""')  # half a formula is none: an empty text, which every program reads
        elif local(element) == "v" and any(local(each) == "numCache" for each in element.iterancestors()):
            piece.write("0")
        else:
            piece.write(judged.text)

    return write


def _in_cell(element: etree._Element) -> bool:
    above = element.getparent()
    return above is not None and local(above) == "c" and local(element) in ("v", "f")


def _in_open_cell(element: etree._Element) -> bool:
    """Whether it is a cell of a table of an OpenDocument."""
    above = element.getparent()
    if above is None or local(above) != "table-row" or local(element) not in OPEN_CELLS:
        return False
    return any(local(each) == "table" for each in above.iterancestors())


def _block(element: etree._Element) -> etree._Element | None:
    return next((each for each in element.iterancestors() if local(each) in _BLOCKS), None)


def joined(block: etree._Element, where: str, into: Collected, context: str = "") -> None:
    """Adds one paragraph, or shared string, as it is now."""
    group = _Joined(
        [piece for found, _, piece in Part(block, where)._pieces(block, None, frozenset()) if found is not None]
    )
    into.add(group.text, group.write, where, context=context)
