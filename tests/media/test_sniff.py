"""Media are what their bytes say; a declared type that says otherwise is refused."""

from __future__ import annotations

import io
import time
import zipfile
from contextlib import suppress

import pytest
from PIL import Image

from proxy_guard.media import Unscrubbable
from proxy_guard.media.sniff import sniff
from tests.media import office_files, pdf_files
from tests.media.values import Planted


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, kind)
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("a.txt", "x")
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
MAIL = b"Received: by x\r\nFrom: a@example.com\r\nSubject: Hi\r\n\r\nHello\r\n"
SAMPLES = {
    **{
        kind: picture(name)
        for kind, name in {
            "png": "PNG",
            "jpg": "JPEG",
            "gif": "GIF",
            "webp": "WEBP",
            "bmp": "BMP",
            "tif": "TIFF",
        }.items()
    },
    **{kind: make(Planted(1)) for kind, make in office_files.MAKERS.items()},
    "pdf": pdf_files.make_scan(Planted(1)),
    "eml": MAIL,
    "txt": "Ça va? BMW".encode(),
    "html": b"<!-- a --> <!DOCTYPE html><p>x",
    "json": b' {"a": 1}',
    "xml": b"<?xml version='1.0'?><a/>",
}


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("declared", ["", "application/octet-stream", "own"])
def test_what_a_medium_is(kind: str, declared: str) -> None:
    found = sniff(SAMPLES[kind], sniff(SAMPLES[kind], "").media_type if declared == "own" else declared)
    assert found.name == kind


@pytest.mark.parametrize(
    ("data", "declared", "kind", "media_type"),
    [
        (b"BM is no picture", "", "txt", "text/plain"),
        (b"a,b\n1,2\n", "text/csv; charset=utf-8", "csv", "text/csv"),
        (b"a;b\n", "application/vnd.ms-excel", "csv", "application/vnd.ms-excel"),
        (b'{"a": 1}', "text/plain", "json", "text/plain"),
        (b"# Title", "text/markdown", "txt", "text/markdown"),
        ("año".encode("latin-1"), "text/plain; charset=iso-8859-1", "txt", "text/plain"),
        ("a".encode("utf-16"), "", "txt", "text/plain"),
        (SAMPLES["jpg"], "image/jpg", "jpg", "image/jpeg"),
        (SAMPLES["docx"], "application/zip", "docx", office_files_type := sniff(SAMPLES["docx"], "").media_type),
        (b"junk" * 9 + SAMPLES["pdf"], "application/pdf", "pdf", "application/pdf"),
    ],
)
def test_names_that_senders_use(data: bytes, declared: str, kind: str, media_type: str) -> None:
    found = sniff(data, declared)
    assert (found.name, found.media_type) == (kind, media_type)


@pytest.mark.parametrize(
    ("cause", "data", "declared"),
    [
        ("lying_type", SAMPLES["png"], "image/jpeg"),
        ("lying_type", SAMPLES["pdf"], "text/plain"),
        ("lying_type", SAMPLES["docx"], office_files_type.replace("wordprocessingml.document", "spreadsheetml.sheet")),
        ("lying_type", b"only words", "image/png"),
        ("lying_type", b"<p>", "application/pdf"),
        ("lying_type", SAMPLES["png"], "image/png, image/gif"),
        ("lying_type", SAMPLES["png"] + zipped(), "image/png"),
        ("lying_type", SAMPLES["jpg"] + SAMPLES["docx"], ""),
        ("lying_type", SAMPLES["pdf"] + zipped(), ""),
        ("lying_type", b"GIF89a" + bytes(40) + b"%PDF-1.7\n", ""),
        ("lying_type", b"hello %PDF-1.7\n...\n%%EOF\n", ""),
        ("unsupported_media", zipped(), ""),
        ("unsupported_media", b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), "audio/wav"),
        ("unsupported_media", b"\0\1\2\3" * 9, ""),
        ("unsupported_media", b"{\\rtf1 9\\b0 8}", ""),
        ("unsupported_media", b"%!PS-Adobe", "text/plain"),
        ("unsupported_media", OLE, "application/msword"),
        ("encrypted", OLE + "EncryptedPackage".encode("utf-16-le"), ""),
        ("macros", OLE + "_VBA_PROJECT".encode("utf-16-le"), ""),
        ("unreadable", SAMPLES["docx"][:-40], ""),
        ("unreadable", b"\xff\xfe\xfd", "text/plain"),
        ("unreadable", b"hello", "text/plain; charset=utf-7"),
    ],
)
def test_lies_and_what_nobody_reads(cause: str, data: bytes, declared: str) -> None:
    with pytest.raises(Unscrubbable) as refused:
        sniff(data, declared)
    assert refused.value.cause == cause


def test_hostile_texts_cost_little() -> None:
    for data in (b"<!--" * 250_000, b"<!---->" * 150_000, b"a: b\n" * 200_000, b"PK\5\6" * 250_000, b"[" * 1_000_000):
        start = time.process_time()
        with suppress(Unscrubbable):
            sniff(data, "")
        assert time.process_time() - start < 2
