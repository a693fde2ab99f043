"""Office documents: nothing planted is left anywhere in the package, and it opens again."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from PIL import Image

from proxy_guard.media import Judge, MediaSettings, Redacted, Unscrubbable
from proxy_guard.media.office import scrub_office
from proxy_guard.media.sniff import sniff
from tests.media import office_files
from tests.media.replacing import replacing
from tests.media.values import Planted

SETTINGS = MediaSettings()
KINDS = list(office_files.MAKERS)


def keep(data: bytes, declared: str, judge: Judge, settings: MediaSettings) -> Redacted:
    """Stands for the redactor of pictures, which has tests of its own: says that it was asked."""
    Image.open(io.BytesIO(data)).load()
    return Redacted(b"redacted", declared, changed=True)


def scrubbed(data: bytes, settings: MediaSettings = SETTINGS) -> bytes:
    return scrub_office(data, sniff(data, ""), replacing(), settings, keep).data


def squeezed(text: str) -> str:
    return "".join(each for each in text if each.isalnum() or each == "@").lower()


def readings(data: bytes) -> dict[str, list[str]]:
    """Each part as it is, and without its tags."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        texts = {name: package.read(name).decode("utf-8", "replace") for name in package.namelist()}
    return {name: [squeezed(name + text), squeezed(re.sub(r"<[^>]*>", "", text))] for name, text in texts.items()}


def left(data: bytes, plan: Planted) -> list[tuple[str, str]]:
    """Where values are still to be read."""
    parts = readings(data)
    return [
        (name, value.kind)
        for value in plan.values
        for name, texts in parts.items()
        if any(squeezed(value.text) in text for text in texts)
    ]


def reopened(kind: str, data: bytes) -> Any:
    openers: dict[str, Callable[[Any], Any]] = {
        "docx": docx.Document,
        "xlsx": openpyxl.load_workbook,
        "pptx": pptx.Presentation,
    }
    return openers[kind](io.BytesIO(data)) if kind in openers else None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_no_value_is_left_anywhere(kind: str, seed: int) -> None:
    plan = Planted(seed)
    data = office_files.MAKERS[kind](plan)
    assert len(left(data, plan)) >= len(plan.values) * 0.7, "the values are not where this test looks for them"
    clean = scrubbed(data)
    assert left(clean, plan) == []
    reopened(kind, clean)
    assert scrubbed(clean) == clean


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_value_is_left_in_many(kind: str) -> None:
    for seed in range(1000, 1150):
        plan = Planted(seed)
        clean = scrubbed(office_files.MAKERS[kind](plan))
        assert left(clean, plan) == [], seed
        reopened(kind, clean)


def test_words_and_layout_stay() -> None:
    document = docx.Document()
    document.add_heading("Claim", 1)
    line = document.add_paragraph("Call ")
    line.add_run("+91 98765").bold = True
    line.add_run(" 43210").italic = True
    line.add_run(" before noon, version 3.14.1592653")
    out = io.BytesIO()
    document.save(out)
    again = reopened("docx", scrubbed(out.getvalue()))
    assert again.paragraphs[0].style.name == "Heading 1"
    assert again.paragraphs[1].text == "Call <PHONE_NUMBER> before noon, version 3.14.1592653"
    assert [run.bold for run in again.paragraphs[1].runs] == [None, True, None, None]


def test_a_value_that_only_a_reading_of_tracked_changes_has() -> None:
    def paragraph(parts: dict[str, bytes]) -> None:
        office_files.put(
            parts,
            "word/document.xml",
            "<w:sectPr",
            '<w:p><w:r><w:t>Phone: +91 98765</w:t></w:r><w:del w:id="1" w:author="A"><w:r><w:delText>x9</w:delText></w:r></w:del>'
            "<w:r><w:t> 43210</w:t></w:r></w:p>"
            '<w:p><w:r><w:t>Phone: +91 98765</w:t></w:r><w:ins w:id="2" w:author="A"><w:r><w:t>and</w:t></w:r></w:ins>'
            "<w:r><w:t> 43211</w:t></w:r></w:p>",
        )

    out = io.BytesIO()
    docx.Document().save(out)
    clean = scrubbed(office_files.edited(out.getvalue(), paragraph))
    text = readings(clean)["word/document.xml"][1]
    assert "98765" not in text
    assert "43210" not in text
    assert "43211" not in text


def test_a_masked_number_is_a_text_and_its_formulas_are_gone() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Item", "Phone", "Amount"], ["a", 919876543210, 12.5], ["b", "=B2", "=C2*2"]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    again = reopened("xlsx", scrubbed(out.getvalue())).active
    assert again["B2"].value == "<PHONE_NUMBER>"
    assert again["C2"].value == 12.5
    assert again["B3"].value is None


def test_a_masked_number_of_an_open_document_is_a_text_and_its_formulas_are_gone() -> None:
    with zipfile.ZipFile(io.BytesIO(scrubbed(office_files.make_ods(Planted(1))))) as package:
        content = package.read("content.xml").decode()
    assert ":formula=" not in content
    shown = re.findall(r'<table:table-cell office:value-type="string"><text:p>(<?[^<]*)</text:p>', content)
    assert shown.count("&lt;PHONE_NUMBER&gt;") == 4  # one of them stands in another table, too
    assert shown.count("&lt;IN_AADHAAR&gt;") + shown.count("&lt;CREDIT_CARD&gt;") == 3
    assert 'office:value="2"' in content


def test_a_number_found_under_its_head_is_gone_where_it_has_none() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Aadhaar"])
    sheet.append([234123412346])
    other = book.create_sheet("Other")
    other["D9"] = 234123412346
    out = io.BytesIO()
    book.save(out)
    again = reopened("xlsx", scrubbed(out.getvalue()))
    assert again["Other"]["D9"].value == again.worksheets[0]["A2"].value == "<IN_AADHAAR>"


def test_pictures_go_through_their_redactor_and_drawings_become_empty() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(picture, "PNG")
    document = docx.Document()
    document.add_picture(picture)
    out = io.BytesIO()
    document.save(out)

    def drawing(parts: dict[str, bytes]) -> None:
        parts["word/media/drawing.emf"] = "Phone: +91 98765 43210".encode("utf-16-le")
        parts["word/media/drawing.svg"] = b"<svg>+91 98765 43210</svg>"

    with zipfile.ZipFile(io.BytesIO(scrubbed(office_files.edited(out.getvalue(), drawing)))) as package:
        names = package.namelist()
        assert package.read(next(name for name in names if name.endswith(".png"))) == b"redacted"
        assert b"9\x008\x007" not in package.read("word/media/drawing.emf")
        assert package.read("word/media/drawing.emf")[40:44] == b" EMF"
        assert b"98765" not in package.read("word/media/drawing.svg")


def test_metadata_is_emptied_unless_it_is_to_be_kept() -> None:
    document = docx.Document()
    document.core_properties.author, document.core_properties.title = "Ann Clerk", "Call +91 98765 43210"
    out = io.BytesIO()
    document.save(out)
    assert reopened("docx", scrubbed(out.getvalue())).core_properties.author == ""
    kept = reopened("docx", scrubbed(out.getvalue(), MediaSettings(keep_metadata=True))).core_properties
    assert (kept.author, kept.title) == ("Ann Clerk", "Call <PHONE_NUMBER>")


def package(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        made.writestr("word/document.xml", parts.pop("document", b"<document/>"))
        for name, data in parts.items():
            made.writestr(name.replace("__", "/"), data)
    return out.getvalue()


BOMB = b"".join(
    [
        b"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>",
        *(f"<!ENTITY a{n} '{f'&a{n - 1 if n else str()};' * 10}'>".encode() for n in range(9)),
        b"]><a>&a8;</a>",
    ]
)


@pytest.mark.parametrize(
    ("cause", "data"),
    [
        ("macros", package(**{"word__vbaProject.bin": b"x"})),
        ("macros", package(**{"xl__macrosheets__sheet1.xml": b"<a/>"})),
        ("unreadable", package(document=b"<a>")),
        ("unreadable", package(document=b"<!DOCTYPE a><a/>")),
        ("unreadable", package(document=BOMB)),
        ("unreadable", package(document=b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>")),
        ("unreadable", package(document=b"<a>" * 5000 + b"</a>" * 5000)),
        ("unreadable", package()[:-30]),
        ("too_large", package(big__xml=bytes(300 * 1024 * 1024))),
        ("lying_type", package(**{"word__media__image1.png": b"Phone: +91 98765 43210"})),
        ("unsupported_media", package(**{"word__media__+919876543210.png": b""})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(cause: str, data: bytes) -> None:
    with pytest.raises(Unscrubbable) as refused:
        scrubbed(data)
    assert refused.value.cause == cause
    assert "98765" not in str(refused.value)


def fuzzed(data: bytes, draw: random.Random) -> bytes:
    """A document with bytes of it, or of one of its parts, changed, left out or doubled."""

    def harm(victim: bytes) -> bytes:
        harmed = bytearray(victim)
        for _ in range(draw.randrange(1, 6)):
            at = draw.randrange(max(1, len(harmed)))
            size = draw.choice([1, 1, 4, 50])
            match draw.randrange(3):
                case 0:
                    harmed[at : at + size] = draw.randbytes(size)
                case 1:
                    del harmed[at : at + size]
                case _:
                    harmed[at:at] = harmed[at : at + size] * draw.choice([1, 2, 30])
        return bytes(harmed)

    if draw.random() < 0.4:
        return harm(data)

    def one(parts: dict[str, bytes]) -> None:
        name = draw.choice(sorted(parts))
        parts[name] = harm(parts[name])

    return office_files.edited(data, one)


def survives(data: bytes) -> bool:
    """Scrubs what may be broken: a refusal, or a document without the values; anything else raises."""
    try:
        kind = sniff(data, "")
        if kind.family != "office":
            return False
        clean = scrub_office(data, kind, replacing(), SETTINGS, keep).data
    except Unscrubbable:
        return False
    sniff(clean, "")
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_broken_documents_are_refused_and_nothing_else_happens(kind: str) -> None:
    draw = random.Random(kind)
    data = office_files.MAKERS[kind](Planted(5))
    assert len({survives(fuzzed(data, draw)) for _ in range(40)}) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_broken_documents(kind: str) -> None:
    draw = random.Random(f"{kind} many")
    data = office_files.MAKERS[kind](Planted(6))
    for _ in range(125):
        survives(fuzzed(data, draw))
