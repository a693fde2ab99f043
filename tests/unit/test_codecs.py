"""Body formats beside JSON: what stays byte for byte, how edits are written, what is refused."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_guard.codecs import Codec, ContentType, Document, Limits, Media
from proxy_guard.codecs.charset import read_content_type
from proxy_guard.codecs.form import FormCodec
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.codecs.markup import HtmlCodec, XmlCodec
from proxy_guard.codecs.multipart import MultipartCodec
from proxy_guard.codecs.ndjson import NdjsonCodec
from proxy_guard.codecs.text import TextCodec
from proxy_guard.errors import Unreadable

LIMITS = Limits()
MULTIPART = read_content_type("multipart/form-data; boundary=b1")
CODECS: dict[str, tuple[Codec, str]] = {
    "json": (JsonCodec(), "application/json"),
    "ndjson": (NdjsonCodec(), "application/x-ndjson"),
    "text": (TextCodec(), "text/plain"),
    "form": (FormCodec(), "application/x-www-form-urlencoded"),
    "multipart": (MultipartCodec(), "multipart/form-data; boundary=b1"),
    "html": (HtmlCodec(), "text/html"),
    "xml": (XmlCodec(), "application/xml"),
}


def read(kind: str, body: bytes | str, parameters: str = "") -> Document:
    codec, name = CODECS[kind]
    raw = body if isinstance(body, bytes) else body.encode()
    return codec.decode(raw, LIMITS, read_content_type(name + parameters))


def written(kind: str, document: Document) -> bytes:
    return CODECS[kind][0].encode(document).body


def refused(kind: str, body: bytes | str, parameters: str = "") -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(kind, body, parameters)
    return caught.value


def parts(*each: str, end: str = "--b1--\r\n") -> str:
    return "".join(f"--b1\r\n{part}\r\n" for part in each) + end


TEXT_PART = 'Content-Disposition: form-data; name="prompt"\r\n\r\ncall Ann'
FILE_PART = (
    'Content-Disposition: form-data; name="file"; filename="Ann.png"\r\nContent-Type: image/png\r\n\r\n\x00\r\n--b'
)
PAGE = '<!DOCTYPE html>\n<p CLASS=x>Tom &amp; Ann<br/>\n<img alt="Ann&#39;s" src=a.png><script>if (a<b) x("Ann")</script> ok <3'
FEED = '<?xml version="1.0"?>\n<Response a:b="c"><Message to=\'Ann\'>T &amp; <![CDATA[<Ann>]]></Message><Empty/></Response>\n'

KEPT = {
    "ndjson": ["", '{"a": 1.10}\r\n\n [2]', '{"a": 1}\n'],
    "text": ["", "a\r\nb", "\u00e9"],
    "form": ["a=1&b=%C3%A9+x&a=&&c", "", "%7B=1", "payload=%7b%22a%22%3A1%7d"],
    "multipart": [parts(TEXT_PART), parts(TEXT_PART, FILE_PART, TEXT_PART), parts(TEXT_PART, end="--b1--")],
    "html": [PAGE, "", "<a <b", "<p>x</q>y<", "<script>", "<!-- a --> b <!--", "a > b & c", "<a b='c"],
    "xml": [FEED, "<a/>", "<\u00e9 \u00fc='1'>x</\u00e9>"],
}


@pytest.mark.parametrize(("kind", "body"), [(kind, body) for kind, bodies in KEPT.items() for body in bodies])
def test_what_is_not_edited_is_written_as_it_came(kind: str, body: str) -> None:
    document = read(kind, body)
    assert not document.ambiguous
    assert written(kind, document).removesuffix(b"\r\n") == body.encode().removesuffix(b"\r\n")


Edit = Callable[[Any], None]


def _set(*path: Any) -> Edit:
    *way, last, text = path

    def edit(value: Any) -> None:
        for step in way:
            value = value[step]
        assert last in value if isinstance(value, dict) else value[last] is not None
        value[last] = text

    return edit


EDITS: dict[str, tuple[str, str, Edit, str]] = {
    "a line": ("ndjson", '{"a": 1}\r\n\n{"b":  "Ann"}\r\n', _set(1, "b", "X"), '{"a": 1}\r\n\n{"b":"X"}\r\n'),
    "a text": ("text", "Ann", _set("text", "<X>"), "<X>"),
    "a field": ("form", "a=%41&b=Ann&b=2&c", _set("b", 0, "<X> &=+\u00e9"), "a=%41&b=%3CX%3E+%26%3D%2B%C3%A9&b=2&c"),
    "a part": ("multipart", parts(TEXT_PART, FILE_PART), _set("prompt", 0, "X"), parts(TEXT_PART.replace("call Ann", "X"), FILE_PART)),
    "a file name": ("multipart", parts(FILE_PART), _set("file", 0, "filename", 'a"b'), parts(FILE_PART.replace("Ann.png", "a%22b"))),
    "a text between tags": ("html", PAGE, _set("texts", 0, "text", "<X> & \u00e9"), PAGE.replace("Tom &amp; Ann", "&lt;X&gt; &amp; \u00e9")),
    "an attribute": ("html", PAGE, _set("attributes", 1, "value", '"X"'), PAGE.replace("Ann&#39;s", "&quot;X&quot;")),
    "a bare attribute": ("html", PAGE, _set("attributes", 0, "value", "a b>"), PAGE.replace("CLASS=x", 'CLASS="a b&gt;"')),
    "a script": ("html", PAGE, _set("texts", 1, "text", 'a<b "X"'), PAGE.replace('if (a<b) x("Ann")', 'a<b "X"')),
    "an element": ("xml", FEED, _set("texts", 1, "text", "<X>"), FEED.replace("T &amp; ", "&lt;X&gt;")),
    "a CDATA section": ("xml", FEED, _set("texts", 2, "text", "<X>]]>"), FEED.replace("<![CDATA[<Ann>]]>", "&lt;X&gt;]]&gt;")),
    "an attribute in XML": ("xml", FEED, _set("attributes", 1, "value", "'&"), FEED.replace("'Ann'", "'&#x27;&amp;'")),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_its_own_stretch_only(name: str) -> None:
    kind, body, edit, becomes = EDITS[name]
    document = read(kind, body)
    edit(document.value)
    assert written(kind, document).decode() == becomes


def test_what_documents_look_like() -> None:
    assert read("ndjson", '{"a":1}\n[2]\n').value == [{"a": 1}, [2]]
    assert read("form", "Body=a+b&From=%2B1&Body=%26").value == {"Body": ["a b", "&"], "From": ["+1"]}
    value = read("multipart", parts(TEXT_PART, FILE_PART)).value
    file = {"filename": "Ann.png", "content_type": "image/png", "content": Media("image/png", b"\x00\r\n--b")}
    assert value == {"prompt": ["call Ann"], "file": [file]}
    assert [tuple(each.values()) for each in read("html", PAGE).value["texts"]] == [
        ("p", "Tom & Ann"), ("script", 'if (a<b) x("Ann")'), ("p", " ok <3"),
    ]  # fmt: skip
    assert [each["value"] for each in read("html", PAGE).value["attributes"]] == ["x", "Ann's", "a.png"]
    texts = [each for each in read("xml", FEED).value["texts"] if each["element"] == "Message"]
    assert [each["text"] for each in texts] == ["T & ", "<Ann>"]


HIDDEN = [
    "<!-- Ann -->", "<!-- Ann", "<!--> Ann -->", "<style>Ann</style>", "<script>Ann", "<textarea><b x='Ann'></textarea>",
    "<p \"Ann>", "<p x='Ann", "<p x=\"Ann>", "</p Ann", "<? Ann ?>", "<! Ann>", "<!doctype html Ann>", "<1 Ann>", "<p x=<Ann@x>", "Tom <Ann@example.com>", "<p Ann@example.com>", "<a-\u00e9 Ann>",
    "&#65;&#x6e;n", "<script>&#65;nn</script>", "<plaintext><p>Ann", "<title>Ann</title>", "<p x=A&#110;n>",
]  # fmt: skip


@pytest.mark.parametrize("page", HIDDEN)
def test_nothing_is_hidden_from_a_scan_by_how_a_page_is_parsed(page: str) -> None:
    value = read("html", page).value
    assert "Ann" in " ".join([*(each["text"] for each in value["texts"]), *(e["value"] for e in value["attributes"])])


def test_a_name_in_markup_or_a_files_type_is_never_silently_kept() -> None:
    page = read("html", "<p ann=1>x</p>")
    page.value["attributes"][0]["name"] = "X"
    form = read("multipart", parts(FILE_PART))
    form.value["file"][0]["content_type"] = "X"
    for kind, document in (("html", page), ("multipart", form)):
        with pytest.raises(Unreadable) as caught:
            written(kind, document)
        assert caught.value.status == 422


# --- forms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ("a=1;b=2", "a=1%3Bb%3D2"),
        ("a=%zz&b=1", "a=%25zz&b=1"),
        ("a=%u0041", "a=%25u0041"),
        ("a=\u00e9", "a=%C3%A9"),
        ("a=1\n", "a=1%0A"),
    ],
)
def test_a_form_that_others_may_read_otherwise_is_forwarded_as_read(body: str, becomes: str) -> None:
    document = read("form", body)
    assert document.ambiguous
    assert written("form", document) == becomes.encode()


def test_a_form_in_another_charset() -> None:
    document = read("form", "a=%E9&b=x", "; charset=iso-8859-1")
    assert document.value == {"a": ["\u00e9"], "b": ["x"]}
    document.value["b"][0] = "\u00fc"
    assert CODECS["form"][0].encode(document) == (b"a=%E9&b=%FC", None)
    document.value["b"][0] = "\u4e2d"
    assert CODECS["form"][0].encode(document) == (b"a=%C3%A9&b=%E4%B8%AD", "utf-8")


@pytest.mark.parametrize("body", ['{"text":"Ann"}', " [1]", "a=%ff", "a=%C3", "_charset_=iso-8859-1&a=%E9"])
def test_what_is_no_form_is_refused(body: str) -> None:
    assert refused("form", body).status == 400


# --- multipart -----------------------------------------------------------------------------------------

DISPOSITION = "Content-Disposition: form-data; name=a"
BROKEN: dict[str, str | bytes] = {
    "no end": parts(TEXT_PART, end=""),
    "a cut end": parts(TEXT_PART, end="--b1"),
    "text before": "hello\r\n" + parts(TEXT_PART),
    "text after": parts(TEXT_PART) + "hello",
    "bare line feeds": parts(TEXT_PART).replace("\r\n", "\n"),
    "a longer line": parts(f"{DISPOSITION}\r\n\r\nx\r\n--b12"),
    "the boundary inside": parts(f"{DISPOSITION}\r\n\r\nx --b1 y"),
    "another boundary": parts(TEXT_PART).replace("--b1", "--b2"),
    "no name": parts("Content-Disposition: form-data\r\n\r\nx"),
    "no disposition": parts("Content-Type: text/plain\r\n\r\nx"),
    "two dispositions": parts(f"{DISPOSITION}\r\n{DISPOSITION}\r\n\r\nx"),
    "two names": parts(f"{DISPOSITION}; name=b\r\n\r\nx"),
    "filename*": parts(f"{DISPOSITION}; filename*=utf-8''x\r\n\r\nx"),
    "an escape": parts(f'{DISPOSITION}; filename="a\\"b"\r\n\r\nx'),
    "a folded header": parts(f"{DISPOSITION};\r\n filename=x\r\n\r\nx"),
    "an attachment": parts("Content-Disposition: attachment; name=a\r\n\r\nx"),
    "no headers": parts("x"),
    "nothing": "",
    "not UTF-8": parts(f"{DISPOSITION}\r\n\r\n").encode().replace(b"\r\n\r\n", b"\r\n\r\n\xff"),
}
UNKNOWN: dict[str, str | bytes] = {
    "nested": parts(f"{DISPOSITION}\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\nx"),
    "base64": parts(f"{DISPOSITION}\r\nContent-Transfer-Encoding: base64\r\n\r\neA=="),
    "a charset": parts(f"{DISPOSITION}\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nx"),
    "_charset_": parts('Content-Disposition: form-data; name="_charset_"\r\n\r\nlatin-1'),
}


@pytest.mark.parametrize("name", [*BROKEN, *UNKNOWN])
def test_multipart_that_parsers_read_in_different_ways_is_refused(name: str) -> None:
    assert refused("multipart", {**BROKEN, **UNKNOWN}[name]).status == (415 if name in UNKNOWN else 400)


def test_a_boundary_is_needed_and_may_be_quoted() -> None:
    codec = MultipartCodec()
    for content_type in (
        "multipart/form-data",
        'multipart/form-data; boundary=""',
        'multipart/form-data; boundary="a\u00e9"',
    ):
        with pytest.raises(Unreadable):
            codec.decode(parts(TEXT_PART).encode(), LIMITS, read_content_type(content_type))
    quoted = read_content_type('multipart/form-data; boundary="b1"')
    assert codec.decode(parts(TEXT_PART).encode(), LIMITS, quoted).value == {"prompt": ["call Ann"]}


def test_a_new_text_may_not_hold_the_boundary() -> None:
    document = read("multipart", parts(TEXT_PART))
    document.value["prompt"][0] = "\r\n--b1--"
    with pytest.raises(Unreadable):
        written("multipart", document)


# --- XML -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE a [<!ENTITY x "Ann">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><a>&b;</a>',
    ],
)
def test_xml_with_a_document_type_is_refused(body: str) -> None:
    assert refused("xml", body).status == 415


@pytest.mark.parametrize("body", ["", "Ann", "<a>", "<a>&x;</a>", "<a b=c/>", "<a/><b/>", "<a>" * 70 + "</a>" * 70])
def test_what_is_no_xml_is_refused(body: str) -> None:
    error = refused("xml", body)
    assert error.status == 400
    assert "Ann" not in error.why


def test_html_with_cdata_is_read_in_two_ways_and_refused() -> None:
    assert refused("html", "<![CDATA[<p x='Ann'>]]>").status == 400


# --- charsets ------------------------------------------------------------------------------------------

TEXT = "Zo\u00eb called"
CHARSETS = ["utf-8", "utf-16", "utf-16le", "utf-16be", "utf-32", "iso-8859-1", "windows-1252", "UTF8", "ISO-8859-15"]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("kind", ["json", "ndjson", "text", "html", "xml"])
def test_a_body_in_another_charset_is_written_in_the_same(kind: str, charset: str) -> None:
    plain = {"json": '["%s"]', "ndjson": '["%s"]', "text": "%s", "html": "<p>%s</p>", "xml": "<p>%s</p>"}[kind] % TEXT
    body = plain.encode(charset)
    document = read(kind, body, f"; charset={charset}")
    assert TEXT in json.dumps(document.value, ensure_ascii=False)
    assert written(kind, document) == body


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_wide_json_is_known_by_its_bytes(codec: str) -> None:
    body = f'{{"a":"{TEXT}"}}'.encode(codec)
    document = read("json", body)
    assert document.value == {"a": TEXT}
    assert written("json", document) == body


def test_a_byte_order_mark_of_utf_8_is_dropped_from_json() -> None:
    document = read("json", b'\xef\xbb\xbf{"a":1}')
    assert document.ambiguous
    assert written("json", document) == b'{"a":1}'


@pytest.mark.parametrize(
    ("body", "parameters", "status"),
    [
        (b"x", "; charset=utf-7", 415),
        (b"x", "; charset=iso-2022-jp", 415),
        (b"x", "; charset=klingon", 415),
        ("\u00e9".encode(), "; charset=iso-8859-1", 400),
        ("\u00e9".encode(), "; charset=us-ascii", 400),
        (b"\xe9", "; charset=utf-8", 400),
        (b"\xe9", "", 400),
        (b"\x81", "; charset=windows-1252", 400),
        ("x".encode("utf-16"), "; charset=utf-8", 400),
        ("x".encode("utf-16-le") + b"\0", "; charset=utf-16le", 400),
        (b"\xff\xfex\0", "; charset=utf-16be", 400),
        ("\u4e2d".encode("utf-16-le"), "; charset=utf-16", 400),
        (b"\x83", "; charset=shift_jis", 400),
    ],
)
def test_an_unknown_or_belied_charset_is_refused(body: bytes, parameters: str, status: int) -> None:
    assert refused("text", body, parameters).status == status


def test_what_a_charset_lacks_is_written_all_the_same() -> None:
    for kind, body, place, becomes in (
        ("json", '["\u00e9","Ann"]', (1,), '["\u00e9","\\u4e2d\\ud83d\\ude42"]'),
        ("html", "<p>\u00e9<b>Ann", ("texts", 1, "text"), "<p>\u00e9<b>&#20013;&#128578;"),
    ):
        document = read(kind, body.encode("latin-1"), "; charset=iso-8859-1")
        _set(*place, "\u4e2d\U0001f642")(document.value)
        assert CODECS[kind][0].encode(document) == (becomes.encode("latin-1"), None)
    document = read("text", b"\xe9", "; charset=iso-8859-1")
    document.value["text"] = "\u4e2d"
    assert TextCodec().encode(document) == ("\u4e2d".encode(), "utf-8")


def test_shift_jis_and_declared_charsets() -> None:
    assert read("text", "\u5c71\u7530".encode("cp932"), "; charset=Shift_JIS").value == {"text": "\u5c71\u7530"}
    page = "<meta charset='windows-1252'>\u2019".encode("cp1252")
    assert read("html", page).value["texts"][0]["text"] == "\u2019"
    feed = '<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>'.encode("latin-1")
    assert read("xml", feed).value["texts"][-1]["text"] == "\u00e9"
    assert refused("html", page, "; charset=iso-8859-2").status == 400
    assert read("text", b"\x92", "; charset=iso-8859-1").value == {"text": "\u2019"}


@pytest.mark.parametrize(
    "value",
    [
        "text/plain; charset=a; charset=b",
        "text/plain; charset",
        "text/plain; =",
        "text",
        "a/b, c/d",
        "",
        "a/b; c=d e=f",
    ],
)
def test_a_content_type_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(Unreadable):
        read_content_type(value)


def test_content_types_in_their_odd_but_clear_spellings() -> None:
    assert read_content_type(' Text/HTML ;; Charset="UTF-8" ; a=b;') == ContentType("text/html", "UTF-8")


# --- any bytes at all ----------------------------------------------------------------------------------

SEEDS = [
    *(body.encode() for bodies in KEPT.values() for body in bodies),
    *(body if isinstance(body, bytes) else body.encode() for body in BROKEN.values()),
    *(page.encode() for page in HIDDEN),
    TEXT.encode("utf-16"),
]
HOSTILE = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda body, cut: body[: int(len(body) * cut)], st.sampled_from(SEEDS), st.floats(0, 1)),
    st.builds(lambda a, b, at: a[: at % (len(a) + 1)] + b + a[at % (len(a) + 1) :], st.sampled_from(SEEDS), st.binary(max_size=6) | st.sampled_from(SEEDS), st.integers(0, 500)),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(body=HOSTILE, kind=st.sampled_from(sorted(CODECS)), charset=st.sampled_from(["", "; charset=utf-16", "; charset=latin1", "; charset=big5"]))  # fmt: skip
def test_any_bytes_are_read_and_written_again_or_refused(body: bytes, kind: str, charset: str) -> None:
    try:
        document = read(kind, body, charset)
    except Unreadable as error:
        assert error.status in (400, 413, 415)
        return
    first = CODECS[kind][0].encode(document)
    if not document.ambiguous and kind not in ("json", "multipart"):
        assert first.body == body
    again = CODECS[kind][0].decode(first.body, LIMITS, read_content_type(CODECS[kind][1] + charset))
    assert again.value == document.value
    assert CODECS[kind][0].encode(again).body == first.body


LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(["text", "form", "multipart", "html", "xml"]), before=LETTERS, now=LETTERS)
def test_what_is_edited_is_what_another_reader_gets(kind: str, before: str, now: str) -> None:
    from html import escape
    from urllib.parse import urlencode

    place: Any = {"text": ("text",), "form": ("a", 0), "multipart": ("a", 0)}.get(kind, ("texts", 0, "text"))
    before, now = f"Ann{before}", f"X{now}"
    body = {
        "text": before,
        "form": urlencode({"a": before, "b": "1"}),
        "multipart": parts(f"{DISPOSITION}\r\n\r\n{before}"),
    }.get(kind, f"<p>{escape(before)}</p>")
    if "\ufffe" in body + now or "\uffff" in body + now:
        return  # no letters of XML
    document = read(kind, body)
    _set(*place, now)(document.value)
    again: Any = read(kind, written(kind, document)).value
    for step in place:
        again = again[step]
    assert again == now


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<!--",
        "<a ",
        "<a b='",
        '<a b="x" ',
        "</",
        "<?",
        "<script>",
        "<p>",
        "&#",
        "<a b=\"'",
        "<b></b>",
        "<title>",
        "<![CDATA",
    ],
)
def test_reading_a_page_takes_no_more_than_its_length(unit: str) -> None:
    def took(size: int) -> float:
        body = (unit * (size // len(unit))).encode()
        start = time.process_time()
        with contextlib.suppress(Unreadable):
            read("html", body)
        return time.process_time() - start

    short, long = min(took(20_000) for _ in range(3)), min(took(200_000) for _ in range(2))
    assert long < max(0.1, 40 * short)
