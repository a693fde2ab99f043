"""A picture and documents with one phone number in them, and the look into what became of them."""

from __future__ import annotations

import email.message
import io
import zipfile

import docx
import openpyxl
import pypdfium2
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

PHONE = "98765 43210"
"""As it stands in all of them."""


OFFICE = "application/vnd.openxmlformats-officedocument."
WORD, SHEET = f"{OFFICE}wordprocessingml.document", f"{OFFICE}spreadsheetml.sheet"


def picture(kind: str = "PNG") -> bytes:
    image = Image.new("RGB", (560, 160), "white")
    font = ImageFont.load_default(30)
    ImageDraw.Draw(image).text((20, 20), "Hello there", "black", font)
    ImageDraw.Draw(image).text((20, 90), f"Call me: {PHONE}", "black", font)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def blank() -> bytes:
    """A picture without a word."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(out, "PNG")
    return out.getvalue()


def is_clean_picture(sent: bytes, arrived: bytes) -> None:
    """The words beside the number are as they were, and of its ink nothing is left."""
    before, after = (Image.open(io.BytesIO(each)).convert("L") for each in (sent, arrived))
    assert before.size == after.size
    above, number = (0, 0, 560, 70), (170, 85, 400, 130)
    assert before.crop(above).tobytes() == after.crop(above).tobytes()
    assert before.crop(number).getextrema() == (0, 255)
    low, high = after.crop(number).getextrema()
    assert len(set(after.crop((200, 95, 330, 120)).tobytes())) <= 2, (low, high)


def pdf() -> bytes:
    """A page of 200 by 60 points: small, so that it is soon read."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(200, 60))
    canvas.drawString(10, 40, "Hello there")
    canvas.drawString(10, 15, f"Call me: {PHONE}")
    canvas.save()
    return out.getvalue()


def is_clean_pdf(arrived: bytes) -> None:
    """One page that opens, whose number is neither to be extracted nor to be seen."""
    with pypdfium2.PdfDocument(arrived) as document:
        assert len(document) == 1
        page = document[0]
        assert "43210" not in page.get_textpage().get_text_range()
        drawn = page.render(scale=4).to_pil().convert("L")
    assert drawn.size == (800, 240)
    assert drawn.crop((30, 40, 350, 100)).getextrema()[0] < 60  # the greeting is still there
    number = drawn.crop((240, 170, 480, 190))
    assert number.getextrema()[1] < 60, "a black box is where the number was"


def word() -> bytes:
    document = docx.Document()
    document.add_paragraph("Hello there")
    document.add_paragraph(f"Call me: {PHONE}")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def is_clean_word(arrived: bytes) -> None:
    texts = [each.text for each in docx.Document(io.BytesIO(arrived)).paragraphs]
    assert texts[0] == "Hello there"
    assert texts[1].startswith("Call me: ")
    with zipfile.ZipFile(io.BytesIO(arrived)) as package:
        assert not any(b"43210" in package.read(name) for name in package.namelist())


def sheet() -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Hello there", f"Call me: {PHONE}"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def mail() -> bytes:
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hello", "a@example.com", "b@example.com"
    message.set_content(f"Call me: {PHONE}")
    message.add_attachment(f"Call me: {PHONE}".encode(), maintype="text", subtype="csv", filename="a.csv")
    return message.as_bytes()
