"""PDFs with values planted in every place that the format has for text."""

from __future__ import annotations

import io
import random

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from tests.media.values import Planted


def _page(canvas: Canvas, plan: Planted) -> None:
    canvas.setFont("Helvetica", 12)
    for row in range(6):
        canvas.drawString(60, 780 - row * 28, plan.line())
    start, first, second = plan.halves()
    canvas.drawString(60, 600, start)
    canvas.drawString(60 + canvas.stringWidth(start), 600, first)
    canvas.setFont("Helvetica-Bold", 12)
    canvas.drawString(60 + canvas.stringWidth(start + first, "Helvetica", 12), 600, second)
    canvas.setFont("Times-Roman", 8)
    canvas.drawString(60, 570, f"Small print: {plan.line()}")
    canvas.saveState()
    canvas.translate(500, 300)
    canvas.rotate(90)
    canvas.drawString(0, 0, plan.line())
    canvas.restoreState()


def scan(plan: Planted) -> Image.Image:
    """A page of values as a scanner gives it."""
    picture = Image.new("L", (1240, 900), 250)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(26)
    for row in range(5):
        draw.text((120, 90 + row * 90), plan.line(), fill=25, font=font)
    noise = Image.effect_noise(picture.size, 18).point(lambda value: value // 8)
    return Image.blend(picture, noise, 0.05).rotate(plan.draw.uniform(-0.8, 0.8), fillcolor=250)


def make_text(plan: Planted) -> bytes:
    """A text layer, in lines, halves, small print and turned; one page in three stands on its side."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setTitle(plan.line())
    _page(canvas, plan)
    if plan.draw.random() < 0.3:
        canvas.setPageRotation(90)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def make_scan(plan: Planted) -> bytes:
    """A picture and nothing else."""
    out = io.BytesIO()
    scan(plan).save(out, "PDF", resolution=150.0)
    return out.getvalue()


def make_nasty(plan: Planted) -> bytes:
    """Values wherever a PDF has place for them, and in an earlier revision."""
    with pikepdf.open(io.BytesIO(make_text(plan))) as pdf:
        page = pdf.pages[0]
        note = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=Array([10, 10, 30, 30]), Contents=plan.line())
        link = Dictionary(
            Type=Name.Annot,
            Subtype=Name.Link,
            Rect=Array([60, 60, 90, 90]),
            A=Dictionary(S=Name.URI, URI=f"mailto:{plan.line()}"),
        )
        value = plan.line()
        field = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Tx,
                T="who",
                V=value,
                Rect=Array([60, 400, 540, 425]),
                DA="/Helv 11 Tf 0 g",
                F=4,
            )
        )
        page.Annots = Array([pdf.make_indirect(note), pdf.make_indirect(link), field])
        helv = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        pdf.Root.AcroForm = Dictionary(
            Fields=Array([field]), NeedAppearances=True, DR=Dictionary(Font=Dictionary(Helv=helv)), DA="/Helv 11 Tf 0 g"
        )
        file = Dictionary(Type=Name.Filespec, F="list.txt", EF=Dictionary(F=pdf.make_stream(plan.line().encode())))
        pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array(["list.txt", pdf.make_indirect(file)])))
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=f"app.alert('{plan.line()}')")
        pdf.Root.PieceInfo = Dictionary(App=Dictionary(Private=plan.line(), LastModified="D:2026"))
        pdf.Root.AcroForm.XFA = Array(["datasets", pdf.make_stream(f"<who>{plan.line()}</who>".encode())])
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=plan.line()))
        pdf.Root.OCProperties = Dictionary(
            OCGs=Array([layer]), D=Dictionary(OFF=Array([layer]), Order=Array([layer]), BaseState=Name.ON)
        )
        page.Resources.Properties = Dictionary(Hidden=layer)
        page.contents_add(f"/OC /Hidden BDC BT /F1 10 Tf 60 160 Td ({plan.line()}) Tj ET EMC".encode(), prepend=False)
        page.Metadata = pdf.make_stream(f"<x>{plan.line()}</x>".encode(), Type=Name.Metadata, Subtype=Name.XML)
        page.Thumb = pdf.make_stream(plan.line().encode(), Width=1, Height=1, BitsPerComponent=8)
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem(plan.line(), 0))
        with pdf.open_metadata() as metadata:
            metadata["dc:description"] = plan.line()
        hidden = f"BT /F1 10 Tf 3 Tr 60 200 Td ({plan.line()}) Tj ET BT /F1 10 Tf 60 -300 Td ({plan.line()}) Tj ET 1 g BT /F1 10 Tf 60 180 Td ({plan.line()}) Tj ET"
        page.contents_add(hidden.encode(), prepend=False)
        out = io.BytesIO()
        pdf.save(out, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    data = out.getvalue()
    unused = f"9000 0 obj\n({plan.line()})\nendobj\n".encode()
    start = data.rindex(b"startxref")
    data = data[:start] + unused + data[start:] + f"\n% {plan.line()}\n".encode()
    return _revised(data, plan)


def _revised(data: bytes, plan: Planted) -> bytes:
    """A second revision (ISO 32000-2, 7.5.6) that has another document information in place of the first one's."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        size, root = len(pdf.objects) + 9100, pdf.Root.objgen[0]
    before = int(data[data.rindex(b"startxref") + 9 :].split()[0])
    first = f"{size} 0 obj\n<< /Title ({plan.line()}) >>\nendobj\n".encode()
    at = len(data)
    table = f"xref\n{size} 1\n{at:010d} 00000 n \ntrailer\n<< /Size {size + 1} /Root {root} 0 R /Info {size} 0 R /Prev {before} >>\n"
    return data + first + f"{table}startxref\n{at + len(first)}\n%%EOF\n".encode()


def broken(data: bytes, draw: random.Random) -> bytes:
    """A PDF with bytes changed, left out or doubled."""
    harmed = bytearray(data)
    for _ in range(draw.randrange(1, 8)):
        at = draw.randrange(len(harmed))
        size = draw.choice([1, 1, 3, 40, 400])
        match draw.randrange(3):
            case 0:
                harmed[at : at + size] = draw.randbytes(size)
            case 1:
                del harmed[at : at + size]
            case _:
                harmed[at:at] = harmed[at : at + size] * draw.choice([1, 3])
    return bytes(harmed)


MAKERS = {"text": make_text, "scan": make_scan, "nasty": make_nasty}
