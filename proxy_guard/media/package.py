"""The zip that an office document is (ECMA-376 part 2, ODF 1.3 part 2): read under limits, written anew."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from urllib.parse import unquote

from proxy_guard.media import Unscrubbable

MOST_PARTS = 10_000
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
)


def read_package(data: bytes, most: int) -> dict[str, bytes]:
    """All parts by name, in their order; at most so many bytes together. Raises Unscrubbable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entries = [entry for entry in package.infolist() if not entry.is_dir()]
            _check(entries, most)
            # A part that is larger than its entry says fails its checksum: no more than that is read.
            return {entry.filename: package.read(entry) for entry in entries}
    except _BROKEN:
        raise Unscrubbable("unreadable", "the document's package can't be read") from None


def _check(entries: list[zipfile.ZipInfo], most: int) -> None:
    if len(entries) > MOST_PARTS:
        raise Unscrubbable("too_large", f"the document has more than {MOST_PARTS} parts")
    if sum(entry.file_size for entry in entries) > most:
        raise Unscrubbable("too_large", f"the document holds more than {most} bytes")
    if len({entry.filename.lower() for entry in entries}) != len(entries):
        raise Unscrubbable("lying_type", "the document has two parts of one name")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unscrubbable("encrypted", "the document is encrypted")
    if any(entry.filename.startswith("/") or ".." in entry.filename.split("/") for entry in entries):
        raise Unscrubbable("unreadable", "the document's package can't be read")


def write_package(parts: dict[str, bytes], first: str = "") -> bytes:
    """A package of these parts, the same for the same parts. `first` is stored as it is, before all others."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name in sorted(parts, key=lambda name: (name != first, name != "[Content_Types].xml")):
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_STORED if name == first else zipfile.ZIP_DEFLATED
            package.writestr(entry, parts[name])
    return out.getvalue()


def target_of(rels: str, target: str) -> str:
    """The part that a relationship in the part `rels` (`word/_rels/document.xml.rels`) leads to."""
    target = unquote(target.partition("#")[0])
    folder = posixpath.dirname(posixpath.dirname(rels))
    return posixpath.normpath(target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target))


def rels_of(part: str) -> str:
    """The part that holds the relationships of another one."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")
