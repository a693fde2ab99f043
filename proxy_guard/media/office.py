"""Word, Excel, PowerPoint and OpenDocument (text, sheets, slides): every part is read, edited in place, or left out.

Nothing passes that was not looked at: XML parts are walked whole (comments, tracked changes, notes, hidden sheets,
headers, names, links), pictures go through their own redactor, metadata is emptied, and whatever else a package holds
(embedded files, fonts, printer settings, custom XML, signatures) is left out. Macros are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape

from lxml import etree

from proxy_guard.media import Judge, MediaSettings, Redacted, Unscrubbable
from proxy_guard.media.cells import OpenSheet, Sheet
from proxy_guard.media.collected import Collected, Redact
from proxy_guard.media.package import read_package, rels_of, target_of, write_package
from proxy_guard.media.runs import DELETED, INSERTED, Part, link, local, parse
from proxy_guard.media.sniff import Kind, sniff

_MACROS = re.compile(
    r"vbaproject\.bin|vbadata\.xml|(?:^|/)(?:macrosheets|intlmacrosheets|dialogsheets)/|^(?:basic|scripts)/", re.I
)
_LEFT_OUT = re.compile(
    r"docprops/(?:custom\.xml|thumbnail)|customxml/|customkeys|(?:^|/)(?:embeddings|activex|printersettings|fonts|"
    r"webextensions|_xmlsignatures|customproperty)/|(?:^|/)calcchain\.xml$|^\[trash\]/"
    r"|^(?:thumbnails|configurations2|objectreplacements|object \d+|layout-cache)|documentsignatures\.xml$|\.rdf$",
    re.I,
)
_XML = (".xml", ".rels", ".vml")
_PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".svg", ".emf", ".wmf")
_METADATA = ("docProps/core.xml", "docProps/app.xml", "meta.xml")
_RELATIONSHIPS = "officeDocument/2006/relationships", "officeDocument/relationships"
_KEPT_WITHOUT = frozenset({"pageSetup"})
"""Elements that lose only their reference where the part that they name is left out."""
_MIMETYPE = "mimetype"


def scrub_office(data: bytes, kind: Kind, judge: Judge, settings: MediaSettings, redact: Redact) -> Redacted:
    """The document, always packed anew: what lies between the parts of a package is nobody's. Raises Unscrubbable."""
    parts = read_package(data, settings.unpacked)
    if any(_MACROS.search(name) for name in parts) or b"macroEnabled" in parts.get("[Content_Types].xml", b""):
        raise Unscrubbable("macros", "the document holds macros")
    document = _Document(parts, judge, settings, redact, open_document=kind.name in ("odt", "ods", "odp"))
    document.leave_out()
    document.edit()
    written = document.written()
    return Redacted(written, kind.media_type, tuple(document.texts.findings), changed=written != data)


@dataclass(slots=True)
class _Document:
    """The parts of one document while they are edited; `trees` are those of XML."""

    parts: dict[str, bytes] = field(repr=False)
    judge: Judge = field(repr=False)
    settings: MediaSettings
    redact: Redact = field(repr=False)
    open_document: bool
    trees: dict[str, etree._Element] = field(default_factory=dict, repr=False)
    texts: Collected = field(default_factory=Collected)

    def leave_out(self) -> None:
        """Takes out what is not looked at, with all that refers to it."""
        out = {name for name in self.parts if not self._is_kept(name)}
        self.parts = {name: data for name, data in self.parts.items() if name not in out}
        for name, data in self.parts.items():
            if name.lower().endswith(_XML):
                self.trees[name] = parse(data)
        self._refuse_scripts()
        if not self.settings.keep_metadata:
            for name in set(_METADATA) & set(self.trees):
                root = self.trees[name]
                for child in root if name != "meta.xml" else [each for above in root for each in above]:
                    above = child.getparent()
                    assert above is not None
                    above.remove(child)
        for name, root in self.trees.items():
            if name.endswith(".rels"):
                self._relationships(name, root, out)
            elif name == "[Content_Types].xml":
                _remove(each for each in root if (each.get("PartName") or "").lstrip("/") in out)
            elif self.open_document:
                self._references(root, out)

    def _is_kept(self, name: str) -> bool:
        lower = name.lower()
        if _LEFT_OUT.search(lower) and not (self.settings.keep_metadata and lower == "docprops/custom.xml"):
            return False
        return lower.endswith((*_XML, *_PICTURES)) or name == _MIMETYPE

    def _refuse_scripts(self) -> None:
        for name, root in self.trees.items():
            for each in root.iter(etree.Element):
                if local(each) == "encryption-data":
                    raise Unscrubbable("encrypted", "the document is encrypted")
                if self.open_document and local(each) in ("event-listener", "script") and name != "settings.xml":
                    raise Unscrubbable("macros", "the document holds macros")

    def _relationships(self, name: str, root: etree._Element, out: set[str]) -> None:
        gone: set[str] = set()
        for each in list(root):
            if each.get("TargetMode") == "External":
                link(each, "Target", self.texts, "link")
            elif target_of(name, each.get("Target") or "") in out:
                gone.add(each.get("Id") or "")
                root.remove(each)
        source = next((part for part in self.trees if rels_of(part) == name), None)
        if not gone or source is None:
            return
        for each in list(self.trees[source].iter(etree.Element)):
            for key, value in list(each.attrib.items()):
                if value in gone and any(mark in str(key) for mark in _RELATIONSHIPS):
                    if local(each) in _KEPT_WITHOUT:
                        del each.attrib[key]
                    else:
                        _remove([each])

    def _references(self, root: etree._Element, out: set[str]) -> None:
        folders = tuple(f"{name.split('/')[0]}" for name in out)
        for each in list(root.iter(etree.Element)):
            for key, value in each.attrib.items():
                target = str(value).removeprefix("./")
                if etree.QName(key).localname in ("href", "full-path") and (
                    target in out or target.rstrip("/") in folders
                ):
                    _remove([each])

    def edit(self) -> None:
        """All texts and pictures; and then what was found once, wherever else it stands."""
        # Readings of tracked changes come first: in the text as a whole, half a value may look like one.
        for hidden in (DELETED, INSERTED):
            for _, part in self._walked():
                part.collect_changes(self.texts, hidden)
            self.texts.settle(self.judge)
        self._names()
        self._collect()
        self.texts.settle(self.judge)
        self._sheets()
        self.texts.settle(self.judge)
        if self.texts.values:
            self._collect()
            self._sheets()
            self.texts.settle(self.texts.known)
        for name in self.parts:
            if name.lower().endswith(_PICTURES):
                self._picture(name)

    def _walked(self) -> Iterable[tuple[str, Part]]:
        for name, root in self.trees.items():
            if not name.endswith(".rels") and name not in ("[Content_Types].xml", "META-INF/manifest.xml"):
                yield name, Part(root, name, mixed=self.open_document)

    def _collect(self) -> None:
        for _, part in self._walked():
            part.collect(self.texts)

    def _sheets(self) -> None:
        shared = self.trees.get("xl/sharedStrings.xml")
        strings = [] if shared is None else [each for each in shared if local(each) == "si"]
        names = [name for name in self.trees if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name)]
        roots = self.trees.values() if self.open_document else ()
        tables = [each for root in roots for each in root.iter(etree.Element) if local(each) == "table"]
        pages = [each for each in tables if (above := each.getparent()) is not None and local(above) == "spreadsheet"]
        if len(names) + len(pages) > self.settings.pages:
            raise Unscrubbable("too_large", f"the document has more than {self.settings.pages} sheets")
        sheets: list[Sheet | OpenSheet] = [
            Sheet(self.trees[name], strings, f"sheet {number}") for number, name in enumerate(names, 1)
        ]
        sheets += [OpenSheet(each, f"table {number}") for number, each in enumerate(tables, 1)]
        for sheet in sheets:
            sheet.collect(self.texts)

    def _names(self) -> None:
        def refuse(_: str, __: object) -> None:
            raise Unscrubbable("unsupported_media", "the name of a part of the document holds what may not pass")

        for name in self.parts:
            if not re.fullmatch(r"[A-Za-z_\[\]/. -]*\d{0,5}[A-Za-z_/.]*", name) and not re.fullmatch(
                r"Pictures/[0-9A-F]+\.\w+", name
            ):
                self.texts.add(name, refuse, "name of a part")

    def _picture(self, name: str) -> None:
        blank = _BLANKS.get(name.lower().rpartition(".")[2])
        if blank is not None:
            self.parts[name] = blank
            return
        data = self.parts[name]
        if not data:
            return
        kind = sniff(data, "")
        if kind.family != "image":
            raise Unscrubbable("lying_type", "a picture in the document is none")
        done = self.redact(data, kind.media_type, self.judge, self.settings)
        self.parts[name] = done.data
        self.texts.findings += [
            replace(each, page=0, where=f"picture {name.rpartition('/')[2]}") for each in done.findings
        ]

    def written(self) -> bytes:
        """The package. Raises Unscrubbable where a value still stands in it."""
        for name, root in self.trees.items():
            tree = root.getroottree()
            self.parts[name] = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
            held = self.parts[name].decode()
            if any(value in held or escape(value) in held for value in self.texts.values):
                raise Unscrubbable("unsupported_media", "the document holds a value where it can't be taken out")
        return write_package(self.parts, _MIMETYPE if _MIMETYPE in self.parts else "")


def _remove(elements: Iterable[etree._Element]) -> None:
    for each in list(elements):
        above = each.getparent()
        if above is not None:
            if each.tail:
                before = each.getprevious()
                if before is None:
                    above.text = (above.text or "") + each.tail
                else:
                    before.tail = (before.tail or "") + each.tail
            above.remove(each)


_EMF = (
    bytes.fromhex("01000000 6c000000 00000000 00000000 01000000 01000000 00000000 00000000 1a000000 1a000000")
    + b" EMF"
    + bytes.fromhex(
        "00000100 80000000 02000000 0100 0000 00000000 00000000 00000000 00040000 00030000 40010000 f0000000"
    )
    + bytes(12)
    + bytes.fromhex("0e000000 14000000 00000000 10000000 14000000")
)
_WMF = bytes.fromhex("d7cdc69a 0000 0000 0000 0100 0100 6000 00000000 b3561100")[:22]
_WMF += bytes.fromhex("0100 0900 0003 0c000000 0000 03000000 0000 03000000 0000")
_BLANKS = {"emf": _EMF, "wmf": _WMF, "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>'}
"""Drawings by commands can hold text that no redactor sees: each becomes an empty one."""
