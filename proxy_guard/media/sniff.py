"""What a medium is, by its bytes. A declared type only chooses among readings of text, and must not lie.

Pictures, sound and archives are known by their first bytes (`filetype`); what is in a zip, and of which kind a text is,
by checks here. A file of two types at once (another one starts inside it, or a zip hangs on its end) is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import Literal

import filetype

from proxy_guard.codecs import ContentType
from proxy_guard.codecs.charset import read_content_type, read_text
from proxy_guard.errors import Unreadable
from proxy_guard.media import Unscrubbable

Family = Literal["image", "pdf", "office", "text", "mail"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of medium that there is a redactor for; `name` is the usual ending of its files."""

    name: str
    family: Family
    media_type: str
    charset: str = ""
    """Of a text, as declared."""
    sure: bool = True
    """Whether it is known to be of this kind; a text that only looks like it may be another one."""


_OOXML = "application/vnd.openxmlformats-officedocument."
KINDS = {
    each.name: each
    for each in (
        Kind("png", "image", "image/png"),
        Kind("jpg", "image", "image/jpeg"),
        Kind("gif", "image", "image/gif"),
        Kind("webp", "image", "image/webp"),
        Kind("bmp", "image", "image/bmp"),
        Kind("tif", "image", "image/tiff"),
        Kind("heic", "image", "image/heic"),
        Kind("pdf", "pdf", "application/pdf"),
        Kind("docx", "office", f"{_OOXML}wordprocessingml.document"),
        Kind("xlsx", "office", f"{_OOXML}spreadsheetml.sheet"),
        Kind("pptx", "office", f"{_OOXML}presentationml.presentation"),
        Kind("odt", "office", "application/vnd.oasis.opendocument.text"),
        Kind("ods", "office", "application/vnd.oasis.opendocument.spreadsheet"),
        Kind("odp", "office", "application/vnd.oasis.opendocument.presentation"),
        Kind("eml", "mail", "message/rfc822"),
        Kind("txt", "text", "text/plain"),
        Kind("csv", "text", "text/csv"),
        Kind("html", "text", "text/html"),
        Kind("json", "text", "application/json"),
        Kind("xml", "text", "application/xml"),
    )
}
_BY_TYPE = {each.media_type: each for each in KINDS.values()} | {
    "image/jpg": KINDS["jpg"],
    "image/pjpeg": KINDS["jpg"],
    "image/x-png": KINDS["png"],
    "image/x-ms-bmp": KINDS["bmp"],
    "image/x-bmp": KINDS["bmp"],
    "image/heif": KINDS["heic"],
    "application/x-pdf": KINDS["pdf"],
    "application/csv": KINDS["csv"],
    "text/tab-separated-values": KINDS["csv"],
    "text/xml": KINDS["xml"],
    "text/json": KINDS["json"],
    "application/xhtml+xml": KINDS["xml"],
}
_UNSAID = {"", "application/octet-stream", "binary/octet-stream", "*/*"}
_LOOSE = {
    # What senders name for lack of a better word, and what it may turn out to be.
    "application/zip": {"docx", "xlsx", "pptx", "odt", "ods", "odp"},
    "application/x-zip-compressed": {"docx", "xlsx", "pptx", "odt", "ods", "odp"},
    "application/vnd.ms-excel": {"csv"},
    "text/plain": {"txt", "csv", "html", "json", "xml", "eml"},
}
_LARGEST_END = 65_557
"""Bytes of the record that ends a zip, its comment included."""


def sniff(data: bytes, declared: str) -> Kind:
    """The kind of a medium. Raises Unscrubbable: unsupported_media, lying_type, encrypted or macros."""
    try:
        content_type = read_content_type(declared) if declared.strip() else ContentType()
    except Unreadable as error:
        raise Unscrubbable("lying_type", error.why) from None
    named = content_type.name
    real = _binary(data)
    if real is None:
        return _text(data, content_type)
    if named not in _UNSAID and real.name not in _LOOSE.get(named, set()) and _BY_TYPE.get(named) is not real:
        raise Unscrubbable("lying_type", f"the medium is {real.media_type}, not what it is declared to be")
    _refuse_two_at_once(data, real)
    return real


def _binary(data: bytes) -> Kind | None:
    """The kind of what is no text. None for what is one, or may be one in a charset that its sender names.

    Raises Unscrubbable for kinds without a redactor.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Unscrubbable("encrypted", "the document is encrypted")
        if "_VBA_PROJECT".encode("utf-16-le") in data:
            raise Unscrubbable("macros", "the document holds macros")
        raise Unscrubbable("unsupported_media", "a document of the old binary formats")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zipped(data)
    if data.lstrip()[:5] == b"%PDF-":
        return KINDS["pdf"]
    if _is_text(data):
        if data.startswith((b"{\\rtf", b"%!PS")):
            raise Unscrubbable("unsupported_media", "no redactor knows this kind of document")
        if b"%PDF-" in data[:1024] and b"%%EOF" in data:
            raise Unscrubbable("lying_type", "the medium is a text and a PDF at once")
        return None
    guess = filetype.guess(data)
    if guess is None:
        # The mark may stand anywhere in the first 1,024 bytes (ISO 32000-2, annex I).
        return KINDS["pdf"] if b"%PDF-" in data[:1024] else None
    if guess.extension == "apng":  # a PNG that moves
        return KINDS["png"]
    if guess.extension not in KINDS:
        raise Unscrubbable("unsupported_media", f"no redactor knows {guess.mime}")
    return KINDS[guess.extension]


def _zipped(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = set(package.namelist())
            if "mimetype" in names and package.getinfo("mimetype").file_size < 200:
                named = package.read("mimetype").decode("latin-1").strip()
                if (kind := _BY_TYPE.get(named)) and kind.family == "office":
                    return kind
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError, KeyError):
        raise Unscrubbable("unreadable", "the archive can't be read") from None
    for name, part in (("docx", "word/document.xml"), ("xlsx", "xl/workbook.xml"), ("pptx", "ppt/presentation.xml")):
        if part in names and "[Content_Types].xml" in names:
            return KINDS[name]
    raise Unscrubbable("unsupported_media", "an archive that is no known document")


def _refuse_two_at_once(data: bytes, kind: Kind) -> None:
    if kind.family == "office":
        return  # written anew from its parts
    tail = data[-_LARGEST_END:]
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) >= at + 22 and int.from_bytes(tail[at + 20 : at + 22], "little") <= len(tail) - at - 22:
            raise Unscrubbable("lying_type", "an archive hangs on the end of the medium")
        at = tail.rfind(b"PK\x05\x06", 0, at)
    if kind.family == "image" and b"%PDF-" in data[:1024]:
        raise Unscrubbable("lying_type", "the medium is a picture and a PDF at once")


# --- texts ------------------------------------------------------------------------------------------------

_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_HTML = re.compile(r"\s*+(?:<!--(?>.*?-->)\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_XML = re.compile(r"\s*<\?xml\s")
_JSON = re.compile(r'\s*[\[{]\s*(?:[\]}{\["0-9tfn-])')
_MAIL = re.compile(r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n?")
_MAIL_FIELDS = re.compile(r"^(?:from|to|subject|date|received|message-id|mime-version|return-path):", re.I | re.M)


def _is_text(data: bytes, charset: str = "") -> bool:
    try:
        text, _ = read_text(data, charset, sniff=True)
    except Unreadable:
        return False
    return not _CONTROLS.search(text)


def _text(data: bytes, declared: ContentType) -> Kind:
    named = declared.name
    kind = KINDS["txt"] if named in _UNSAID or named == "application/vnd.ms-excel" else _BY_TYPE.get(named)
    if kind is None:
        if not named.startswith("text/"):
            raise Unscrubbable("unsupported_media", "no redactor knows this type of medium")
        kind = KINDS["txt"]
    if kind.family not in ("text", "mail"):
        raise Unscrubbable("lying_type", f"the medium is not {kind.media_type}, which it is declared to be")
    try:
        text, _ = read_text(data, declared.charset, sniff=True)
    except Unreadable as error:
        if kind.family == "mail":
            return kind  # its parts have charsets of their own
        if named in _UNSAID and not declared.charset:
            raise Unscrubbable("unsupported_media", "no redactor knows this kind of medium") from None
        raise Unscrubbable("unreadable", error.why) from None
    if _CONTROLS.search(text):
        raise Unscrubbable("unsupported_media", "no redactor knows this kind of medium")
    sure = kind.name != "txt"
    if named == "application/vnd.ms-excel":
        kind = KINDS["csv"]
    elif not sure:
        kind = KINDS[_kind_of_text(text)]
    media_type = kind.media_type if named in _UNSAID else named
    return Kind(kind.name, kind.family, media_type, declared.charset, sure)


def _kind_of_text(text: str) -> str:
    """What a text without a better name is. A mistake costs little: each is scanned as its kind is read."""
    if _HTML.match(text):
        return "html"
    if _XML.match(text):
        return "xml"
    if _JSON.match(text):
        return "json"
    head = _MAIL.match(text[:65_536])
    return "eml" if head and len(set(_MAIL_FIELDS.findall(head[0]))) >= 2 else "txt"
