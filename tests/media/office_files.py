"""Office documents with values planted in every place that their formats have for text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import escape

import docx
import openpyxl
import pptx
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from tests.media.values import Planted, Value, aadhaar, card, email, phone

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def edited(data: bytes, edit: Callable[[dict[str, bytes]], None]) -> bytes:
    """A package after `edit` had its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    edit(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()


def put(parts: dict[str, bytes], name: str, before: str, xml: str) -> None:
    """Puts XML before the last place where `before` stands in a part."""
    text = parts[name].decode()
    at = text.rindex(before)
    parts[name] = (text[:at] + xml + text[at:]).encode()


def _relate(parts: dict[str, bytes], rels: str, rid: str, kind: str, target: str, *, external: bool = False) -> None:
    mode = ' TargetMode="External"' if external else ""
    put(
        parts,
        rels,
        "</Relationships>",
        f'<Relationship Id="{rid}" Type="{RELS}/{kind}" Target="{escape(target)}"{mode}/>',
    )


def _declare(parts: dict[str, bytes], part: str, media_type: str) -> None:
    put(parts, "[Content_Types].xml", "</Types>", f'<Override PartName="/{part}" ContentType="{media_type}"/>')


def _digits(value: Value) -> str:
    return "".join(filter(str.isdigit, value.text))


def make_docx(plan: Planted) -> bytes:
    made = docx.Document()
    made.add_heading("Claim", 1)
    made.add_paragraph(plan.line())
    start, first, second = plan.halves()
    split = made.add_paragraph(start)
    split.add_run(first).bold = True
    split.add_run(second).italic = True
    table = made.add_table(2, 2)
    table.cell(0, 0).text, table.cell(1, 1).text = plan.line(), plan.line()
    inner = table.cell(0, 1).add_table(1, 1)
    inner.cell(0, 0).text = plan.line()
    section = made.sections[0]
    section.header.paragraphs[0].text, section.footer.paragraphs[0].text = plan.line(), plan.line()
    made.core_properties.author = plan.of(email).text
    made.core_properties.comments = plan.line()
    made.add_comment(runs=split.runs, text=plan.line(), author=plan.of(email).text, initials="x")
    out = io.BytesIO()
    made.save(out)

    def more(parts: dict[str, bytes]) -> None:
        body = "word/document.xml"
        start, first, second = plan.halves()
        deleted = f'<w:p><w:r><w:t xml:space="preserve">{start}{first}</w:t></w:r><w:del w:id="91" w:author="{plan.of(email).text}" w:date="2026-01-01T00:00:00Z"><w:r><w:delText>00 no</w:delText></w:r></w:del><w:r><w:t>{second}</w:t></w:r></w:p>'
        gone = f'<w:p><w:del w:id="92" w:author="A" w:date="2026-01-01T00:00:00Z"><w:r><w:delText>{plan.line()}</w:delText></w:r></w:del></w:p>'
        box = f'<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml" alt="{plan.line()}" style="width:9pt;height:9pt"><v:textbox><w:txbxContent><w:p><w:r><w:t>{plan.line()}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>'
        code = plan.of(email).text
        half = len(code) // 2
        field = f'<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> HYPERLINK "mailto:{code[:half]}</w:instrText></w:r><w:r><w:instrText>{code[half:]}" </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>write</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        hidden = f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{plan.line()}</w:t></w:r></w:p>"
        held = f'<w:sdt><w:sdtPr><w:alias w:val="{plan.line()}"/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>{plan.line()}</w:t></w:r></w:p></w:sdtContent></w:sdt>'
        link = f'<w:p><w:hyperlink r:id="rIdLink" xmlns:r="{RELS}"><w:r><w:t>link</w:t></w:r></w:hyperlink></w:p>'
        number = plan.of(phone).text
        dash = number.rindex(number[-5:])
        broken = f'<w:p><w:r><w:t xml:space="preserve">Phone: {number[:dash]}</w:t></w:r><w:proofErr w:type="spellStart"/><w:r><w:t>{number[dash:]}</w:t></w:r></w:p>'
        put(parts, body, "<w:sectPr", deleted + gone + box + field + hidden + held + link + broken)
        _relate(
            parts,
            "word/_rels/document.xml.rels",
            "rIdLink",
            "hyperlink",
            f"mailto:{plan.of(email).text}",
            external=True,
        )
        parts["customXml/item1.xml"] = f"<a>{plan.line()}</a>".encode()
        _relate(parts, "word/_rels/document.xml.rels", "rIdXml", "customXml", "../customXml/item1.xml")
        parts["word/embeddings/oleObject1.bin"] = plan.line().encode()
        _relate(parts, "word/_rels/document.xml.rels", "rIdOle", "oleObject", "embeddings/oleObject1.bin")
        notes = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="7"><w:p><w:r><w:t>{plan.line()}</w:t></w:r></w:p></w:footnote></w:footnotes>'
        parts["word/footnotes.xml"] = notes.encode()
        _relate(parts, "word/_rels/document.xml.rels", "rIdNotes", "footnotes", "footnotes.xml")
        _declare(
            parts, "word/footnotes.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
        )

    return edited(out.getvalue(), more)


def make_xlsx(plan: Planted) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "People"
    sheet.append(["Name", "Phone", "Aadhaar", "Card number", "Note"])
    for row in range(2, 6):
        number, idno, cardno = plan.of(phone), plan.of(aadhaar), plan.of(card)
        plan.values[-3:] = [
            Value(each.kind, each.label, "".join(filter(str.isdigit, each.text))) for each in (number, idno, cardno)
        ]
        sheet.append(
            [
                "A",
                *(int("".join(filter(str.isdigit, each.text))) for each in plan.values[-3:-1]),
                plan.values[-1].text,
                plan.line(),
            ]
        )
        sheet.cell(row, 2).comment = Comment(plan.line(), plan.of(email).text)
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "veryHidden"
    hidden["A1"] = plan.line()
    hidden["B3"].hyperlink = f"mailto:{plan.of(email).text}"
    hidden["C1"] = f'="{plan.line()}"'
    book.defined_names["owner"] = DefinedName("owner", attr_text=f'"{plan.of(email).text}"')
    book.properties.creator = plan.of(email).text
    sheet.oddHeader.center.text = plan.line()
    out = io.BytesIO()
    book.save(out)
    data = out.getvalue()

    def more(parts: dict[str, bytes]) -> None:
        start, first, second = plan.halves()
        rich = f'<c r="A9" t="inlineStr"><is><r><t xml:space="preserve">{start}{first}</t></r><r><rPr><b/></rPr><t>{second}</t></r></is></c>'
        result = f'<c r="B9" t="str"><f>UPPER(A1)</f><v>{plan.line()}</v></c>'
        put(parts, "xl/worksheets/sheet1.xml", "</sheetData>", f'<row r="9">{rich}{result}</row>')
        cached = f'<sheetData sheetId="0"><row r="1"><cell r="A1" t="str"><v>{plan.line()}</v></cell></row></sheetData>'
        external = f'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><externalBook xmlns:r="{RELS}" r:id="rId1"><sheetNames><sheetName val="S"/></sheetNames><sheetDataSet>{cached}</sheetDataSet></externalBook></externalLink>'
        parts["xl/externalLinks/externalLink1.xml"] = external.encode()
        rels = "http://schemas.openxmlformats.org/package/2006/relationships"
        parts["xl/externalLinks/_rels/externalLink1.xml.rels"] = (
            f'<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{RELS}/externalLinkPath" '
            f'Target="file:///home/{plan.of(email).text}/list.xlsx" TargetMode="External"/></Relationships>'
        ).encode()
        _relate(parts, "xl/_rels/workbook.xml.rels", "rIdOut", "externalLink", "externalLinks/externalLink1.xml")
        _declare(
            parts,
            "xl/externalLinks/externalLink1.xml",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml",
        )

    return edited(data, more)


def make_pptx(plan: Planted) -> bytes:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    assert slide.shapes.title is not None
    slide.shapes.title.text = plan.line()
    box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(5), Inches(1))
    start, first, second = plan.halves()
    words = box.text_frame.paragraphs[0]
    for text in (start, first, second):
        words.add_run().text = text
    words.add_run().text = " "
    link = words.add_run()
    link.text = "write"
    link.hyperlink.address = f"mailto:{plan.of(email).text}"
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(5), Inches(1)).table
    table.cell(1, 1).text = plan.line()
    notes = slide.notes_slide.notes_text_frame
    assert notes is not None
    notes.text = plan.line()
    box.name = plan.line()
    show.core_properties.author = plan.of(email).text
    data = CategoryChartData()  # kept twice: as a workbook of its own, and as what the chart last showed
    data.categories = [plan.line(), "B"]
    number = plan.of(aadhaar)
    plan.values[-1] = Value(number.kind, number.label, _digits(number))
    data.add_series(f"Aadhaar of {plan.of(email).text}", (int(plan.values[-2].text), 2))
    slide.shapes.add_chart(XL_CHART_TYPE.PIE, Inches(1), Inches(4), Inches(3), Inches(3), data)
    hidden = show.slides.add_slide(show.slide_layouts[6])
    hidden._element.set("show", "0")
    hidden.shapes.add_textbox(Inches(1), Inches(1), Inches(5), Inches(1)).text_frame.text = plan.line()
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


_SPACES = " ".join(
    [f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
     for prefix, name in (("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"),
                          ("meta", "meta"), ("manifest", "manifest"), ("presentation", "presentation"))]
    + ['xmlns:dc="http://purl.org/dc/elements/1.1/"', 'xmlns:xlink="http://www.w3.org/1999/xlink"']
)  # fmt: skip


def _open_document(plan: Planted, kind: str, body: str) -> bytes:
    """A package of that content, with values in its styles, metadata, an embedded object and a picture of it."""
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    content = f'<office:document-content {_SPACES} office:version="1.3"><office:body>{body}</office:body></office:document-content>'
    parts = {
        "mimetype": media_type,
        "content.xml": content,
        "styles.xml": f"<office:document-styles {_SPACES}><office:master-styles><text:p>{plan.line()}</text:p></office:master-styles></office:document-styles>",
        "meta.xml": f"<office:document-meta {_SPACES}><office:meta><dc:creator>{plan.of(email).text}</dc:creator></office:meta></office:document-meta>",
        "Object 1/content.xml": f"<a>{plan.line()}</a>",
        "Thumbnails/thumbnail.png": plan.line(),
        "META-INF/manifest.xml": f'<manifest:manifest {_SPACES}><manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/><manifest:file-entry manifest:full-path="Object 1/content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(name, text, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def make_odt(plan: Planted) -> bytes:
    start, first, second = plan.halves()
    start2, first2, second2 = plan.halves()
    return _open_document(
        plan,
        "text",
        f"""<office:text>
<text:tracked-changes><text:changed-region><text:deletion><text:p>{plan.line()}</text:p></text:deletion></text:changed-region></text:tracked-changes>
<text:h>{plan.line()}</text:h><text:p>{start}<text:span>{first}</text:span>{second} and so on</text:p>
<text:p>{start2}{first2}<office:annotation><dc:creator>{plan.of(email).text}</dc:creator><text:p>{plan.line()}</text:p></office:annotation>{second2}</text:p>
<text:p><text:a xlink:href="mailto:{plan.of(email).text}">link</text:a><text:note><text:note-body><text:p>{plan.line()}</text:p></text:note-body></text:note></text:p>
<table:table><table:table-row><table:table-cell><text:p>{plan.line()}</text:p></table:table-cell></table:table-row></table:table>
<text:p><draw:frame draw:name="{plan.line()}"><draw:object xlink:href="./Object 1"/></draw:frame></text:p>
</office:text>""",
    )


def make_ods(plan: Planted) -> bytes:
    """Numbers as people see them and as they are; one is to be known by the head of its column only."""
    rows = ""
    for _ in range(3):
        number, idno = plan.of(phone), plan.of(aadhaar)
        plan.values[-2:] = [Value(each.kind, each.label, _digits(each)) for each in (number, idno)]
        rows += "<table:table-row>" + "".join(
            f'<table:table-cell office:value-type="float" office:value="{each.text}"><text:p>{each.text}</text:p></table:table-cell>'
            for each in plan.values[-2:]
        )
        rows += f'<table:table-cell office:value-type="string"><text:p>{plan.line()}</text:p><office:annotation><dc:creator>{plan.of(email).text}</dc:creator><text:p>{plan.line()}</text:p></office:annotation></table:table-cell></table:table-row>'
    start, first, second = plan.halves()
    heads = "".join(
        f"<table:table-cell><text:p>{each}</text:p></table:table-cell>" for each in ("Phone", "Aadhaar", "Note")
    )
    known = plan.values[0].text
    return _open_document(
        plan,
        "spreadsheet",
        f"""<office:spreadsheet><table:table table:name="{plan.line()}"><table:table-row>{heads}</table:table-row>{rows}
<table:table-row><table:table-cell table:number-columns-repeated="2"/><table:table-cell><text:p>{start}<text:span>{first}</text:span>{second}</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell table:formula="of:=[.A2]*2" office:value-type="float" office:value="2"/></table:table-row></table:table>
<table:table table:name="Hidden" table:display="false"><table:table-row><table:table-cell office:value-type="float" office:value="{known}"><text:p>{known}</text:p></table:table-cell>
<table:table-cell table:formula="of:=&quot;{plan.line()}&quot;" office:value-type="string" office:string-value="{plan.line()}"><text:p>x</text:p></table:table-cell></table:table-row></table:table>
<table:named-expressions><table:named-expression table:name="owner" table:expression="&quot;{plan.of(email).text}&quot;"/></table:named-expressions>
</office:spreadsheet>""",
    )


def make_odp(plan: Planted) -> bytes:
    start, first, second = plan.halves()
    return _open_document(
        plan,
        "presentation",
        f"""<office:presentation><draw:page draw:name="{plan.line()}"><draw:frame><draw:text-box><text:p>{plan.line()}</text:p>
<text:p>{start}<text:span>{first}</text:span>{second}</text:p></draw:text-box></draw:frame>
<draw:frame draw:name="t"><table:table><table:table-row><table:table-cell><text:p>{plan.line()}</text:p></table:table-cell></table:table-row></table:table></draw:frame>
<draw:custom-shape><text:p><text:a xlink:href="mailto:{plan.of(email).text}">write</text:a></text:p></draw:custom-shape>
<office:annotation><dc:creator>{plan.of(email).text}</dc:creator><text:p>{plan.line()}</text:p></office:annotation>
<presentation:notes><draw:frame><draw:text-box><text:p>{plan.line()}</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>
<draw:page draw:name="hidden" presentation:visibility="hidden"><draw:frame><draw:text-box><text:p>{plan.line()}</text:p></draw:text-box></draw:frame></draw:page>
</office:presentation>""",
    )


MAKERS: dict[str, Callable[[Planted], bytes]] = {
    "docx": make_docx,
    "xlsx": make_xlsx,
    "pptx": make_pptx,
    "odt": make_odt,
    "ods": make_ods,
    "odp": make_odp,
}
