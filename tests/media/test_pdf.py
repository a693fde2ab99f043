"""PDFs: what their text says is painted over and gone from the file. What only pixels say: see the tests of pictures."""

from __future__ import annotations

import io
import random

import numpy as np
import pikepdf
import pypdf
import pypdfium2
import pytest
from PIL import Image, ImageChops
from reportlab.pdfgen.canvas import Canvas

from proxy_guard.media import Judge, MediaSettings, Redacted, Unscrubbable
from proxy_guard.media.paint import Region
from proxy_guard.media.pdf import scrub_pdf
from proxy_guard.media.pictures import Painted, redact_picture
from proxy_guard.media.reading import read_lines
from proxy_guard.media.sniff import sniff
from tests.media import pdf_files
from tests.media.replacing import replacing
from tests.media.values import Planted

SETTINGS = MediaSettings(invisible_text=True)


def sees_nothing(picture: Image.Image, judge: Judge, settings: MediaSettings) -> Painted:
    """Leaves all to the text of the file."""
    return Painted(picture)


def scrubbed(data: bytes, settings: MediaSettings = SETTINGS) -> Redacted:
    return scrub_pdf(data, sniff(data, "application/pdf"), replacing(), settings, sees_nothing)


def squeezed(text: str) -> str:
    return "".join(each for each in text if each.isalnum() or each == "@").lower()


def readings(data: bytes) -> list[str]:
    """What two readers extract, and every object and stream of the file."""
    pages = pypdfium2.PdfDocument(data)
    texts = [pages[number].get_textpage().get_text_range() for number in range(len(pages))]
    texts += [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    texts.append(data.decode("latin-1"))
    with pikepdf.open(io.BytesIO(data)) as file:
        for each in file.objects:
            texts.append(repr(each))
            if isinstance(each, pikepdf.Stream) and each.get("/Subtype") != "/Image":
                raw = each.read_bytes()
                texts += [raw.decode("latin-1"), raw.decode("utf-16-be", "replace")]
    return [squeezed(text) for text in texts]


def drawn(data: bytes) -> Image.Image:
    picture: Image.Image = pypdfium2.PdfDocument(data)[0].render(scale=1.5).to_pil().convert("L")
    return picture


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["text", "nasty"])
def test_no_value_is_left_to_read(kind: str, seed: int) -> None:
    plan = Planted(seed)
    data = pdf_files.MAKERS[kind](plan)
    before = readings(data)
    seen = [value for value in plan.values if any(squeezed(value.text) in text for text in before)]
    assert len(seen) >= len(plan.values) * 0.7
    done = scrubbed(data)
    after = readings(done.data)
    assert [value for value in plan.values if any(squeezed(value.text) in text for text in after)] == []
    assert all(finding.where == "page 1" for finding in done.findings)


def test_the_words_around_stay_to_be_read_and_to_be_seen() -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(300, 200))
    canvas.drawString(20, 150, "Phone: +91 98765 43210 before noon, ça va Ω")
    canvas.drawString(20, 40, "Version 3.14.15")
    canvas.save()
    done = scrubbed(out.getvalue())
    text = pypdfium2.PdfDocument(done.data)[0].get_textpage().get_text_range()
    assert text.startswith("Phone: <PHONE_NUMBER> before noon, ça va")
    assert text.endswith("Version 3.14.15")
    below = (0, 150, 450, 300)
    apart = ImageChops.difference(drawn(out.getvalue()).crop(below), drawn(done.data).crop(below))
    assert float(np.asarray(apart).max()) < 130
    (finding,) = done.findings
    assert finding.box is not None
    left, top, right, bottom = (value * 72 / 150 * 1.5 for value in finding.box)
    inside = drawn(done.data).crop((round(left) + 2, round(top) + 2, round(right) - 2, round(bottom) - 2))
    assert inside.getextrema() == (0, 0)


def test_there_is_no_text_unless_it_is_wanted() -> None:
    plan = Planted(1)
    data = pdf_files.make_text(plan)
    assert pypdfium2.PdfDocument(scrubbed(data, MediaSettings()).data)[0].get_textpage().get_text_range() == ""


def test_where_pixels_tell_more_there_is_no_text() -> None:
    def sees(picture: Image.Image, judge: Judge, settings: MediaSettings) -> Painted:
        return Painted(picture, (Region("PHONE_NUMBER", 0.9, np.array([[1, 2], [3, 2], [3, 4], [1, 4]], np.float32)),))

    data = pdf_files.make_text(Planted(1))
    done = scrub_pdf(data, sniff(data, ""), replacing(), SETTINGS, sees)
    assert pypdfium2.PdfDocument(done.data)[0].get_textpage().get_text_range() == ""
    assert done.findings[-1].box == (1, 2, 3, 4)


def test_a_value_that_goes_on_in_the_next_line() -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(300, 200))
    canvas.drawString(20, 150, "My card number is 4111 1111")
    canvas.drawString(20, 135, "1111 1111 as you know")
    canvas.save()
    done = scrubbed(out.getvalue())
    assert [finding.entity for finding in done.findings] == ["CREDIT_CARD"]
    assert all("1111" not in text for text in readings(done.data)[:2])


def test_nothing_but_pictures_is_in_it() -> None:
    done = scrubbed(pdf_files.make_nasty(Planted(2)))
    with pikepdf.open(io.BytesIO(done.data)) as file:
        assert sorted(dict(file.Root)) == ["/Pages", "/Type"]
        assert "/Info" not in file.trailer
        assert sorted(dict(file.pages[0].obj)) == ["/Contents", "/MediaBox", "/Parent", "/Resources", "/Type"]


def test_what_only_pixels_say() -> None:
    plan = Planted(3)
    done = scrub_pdf(data := pdf_files.make_scan(plan), sniff(data, ""), replacing(), SETTINGS, redact_picture)
    assert len(done.findings) >= len(plan.values)
    lines = read_lines(np.asarray(pypdfium2.PdfDocument(done.data)[0].render(scale=200 / 72).to_pil().convert("RGB")))
    seen = squeezed("".join(line.text for line in lines))
    assert [value for value in plan.values if squeezed(value.text) in seen] == []


def encrypted(user: str) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf_files.make_text(Planted(1)))) as file:
        file.save(out, encryption=pikepdf.Encryption(user=user, owner="other"))
    return out.getvalue()


def paged(pages: int, box: float) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as file:
        for _ in range(pages):
            file.add_blank_page().MediaBox = pikepdf.Array([0, 0, box, box])
        file.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("cause", "data"),
    [
        ("encrypted", encrypted("secret")),
        ("encrypted", encrypted("")),
        ("unreadable", pdf_files.make_text(Planted(1))[:300]),
        ("unreadable", b"%PDF-1.7\n" + b"junk" * 100),
        ("too_large", paged(201, 50)),
        ("too_large", paged(1, 14_400)),
        ("too_large", paged(1, 2_000_000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(cause: str, data: bytes) -> None:
    with pytest.raises(Unscrubbable) as refused:
        scrubbed(data)
    assert refused.value.cause == cause


def test_a_style_that_blocks() -> None:
    with pytest.raises(Unscrubbable, match="may not be sent"):
        scrubbed(pdf_files.make_text(Planted(1)), MediaSettings(style="block"))


def outcome(data: bytes) -> bool:
    try:
        return sniff(data, "").name == "pdf" and bool(scrubbed(data).data)
    except Unscrubbable:
        return False


@pytest.mark.parametrize("kind", ["text", "nasty"])
def test_broken_files_are_refused_or_drawn_and_nothing_else_happens(kind: str) -> None:
    draw = random.Random(kind)
    data = pdf_files.MAKERS[kind](Planted(3))
    assert len({outcome(pdf_files.broken(data, draw)) for _ in range(25)}) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "scan", "nasty"])
def test_many_broken_files(kind: str) -> None:
    draw = random.Random(f"{kind} many")
    data = pdf_files.MAKERS[kind](Planted(4))
    for _ in range(170):
        outcome(pdf_files.broken(data, draw))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "scan", "nasty"])
def test_no_value_is_left_in_many(kind: str) -> None:
    """By extraction, in any object or stream, or by OCR."""
    for seed in range(1000, 1150):
        plan = Planted(seed)
        data = pdf_files.MAKERS[kind](plan)
        done = scrub_pdf(data, sniff(data, ""), replacing(), SETTINGS, redact_picture)
        page = np.asarray(pypdfium2.PdfDocument(done.data)[0].render(scale=200 / 72).to_pil().convert("RGB"))
        after = [*readings(done.data), squeezed("".join(line.text for line in read_lines(page)))]
        assert [value for value in plan.values if any(squeezed(value.text) in text for text in after)] == [], seed
