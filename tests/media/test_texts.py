"""Files of text: edited in place, in their own charset and form."""

from __future__ import annotations

import csv
import io
import json

import pytest

from proxy_guard.media import MediaSettings, Redacted, Unscrubbable, scrub
from tests.media.replacing import replacing
from tests.media.values import MAKERS, Planted

PHONE = "+91 98765 43210"


def scrubbed(data: bytes, declared: str) -> Redacted:
    return scrub(data, declared, replacing(), MediaSettings())


@pytest.mark.parametrize(
    ("declared", "before", "after"),
    [
        ("text/plain", f"Ring {PHONE}\r\nbye", "Ring <PHONE_NUMBER>\r\nbye"),
        (
            "text/html",
            f"<p>Ring <b>{PHONE[:7]}</b><i>{PHONE[7:]}</i>!</p>",
            "<p>Ring <b>&lt;PHONE_NUMBER&gt;</b><i></i>!</p>",
        ),
        ("text/html", f'<a href="tel:{PHONE}" title=x>me</a>', '<a href="tel:&lt;PHONE_NUMBER&gt;" title=x>me</a>'),
        ("text/html", "<p>4111 1111</p><p>1111 1111</p>", "<p>4111 1111</p><p>1111 1111</p>"),
        ("text/html", "<p>&#43;91 98765&nbsp;43210</p>", "<p>&lt;PHONE_NUMBER&gt;</p>"),
        ("application/xml", f"<a><b>{PHONE}</b></a>", "<a><b>&lt;PHONE_NUMBER&gt;</b></a>"),
        ("application/json", '{"phone": 919876543210, "n": 1.10}', '{"phone":"<PHONE_NUMBER>","n":1.10}'),
        ("application/json", f'{{"a": ["x", {{"{PHONE}": 1}}]}}', '{"a":["x",{"<PHONE_NUMBER>":1}]}'),
        ("application/json", '{"a": "\\u002b91 98765 43210"}', '{"a":"<PHONE_NUMBER>"}'),
        ("text/csv", f'Name,Phone\r\n"A, B",{PHONE}\r\n', 'Name,Phone\r\n"A, B",<PHONE_NUMBER>\r\n'),
        ("text/csv", "Name;Aadhaar\nA;234123412346\n", "Name;Aadhaar\nA;<IN_AADHAAR>\n"),
    ],
)
def test_text_is_replaced_in_place(declared: str, before: str, after: str) -> None:
    done = scrubbed(before.encode(), declared)
    assert done.data.decode() == after
    assert done.changed == (before != after)


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        ("text/plain", "nothing here, 3.14.15"),
        ("text/csv", 'a, "b ""c""" ,d\r\n1,2\n'),
        ("application/json", '{ "a" : [1.10, 2e5] }'),
        ("text/html", "<p CLASS=x>fine<br>"),
    ],
)
def test_where_nothing_is_found_nothing_changes(declared: str, body: str) -> None:
    done = scrubbed(body.encode(), declared)
    assert done.data == body.encode()
    assert not done.changed
    assert done.findings == ()


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-16", "shift_jis"])
def test_the_charset_stays(charset: str) -> None:
    text = f"caf\u00e9 {PHONE}" if charset != "shift_jis" else f"\u96fb\u8a71 {PHONE}"
    done = scrubbed(text.encode(charset), f"text/plain; charset={charset}")
    assert done.data.decode(charset) == text.replace(PHONE, "<PHONE_NUMBER>")


def test_duplicate_names_in_json_are_read_once() -> None:
    done = scrubbed(f'{{"a": "{PHONE}", "a": "x"}}'.encode(), "application/json")
    assert done.data == b'{"a":"x"}'


@pytest.mark.parametrize("body", [b"{", b'{"a": NaN}', b"[" * 5000])
def test_broken_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unscrubbable) as refused:
        scrubbed(body, "application/json")
    assert refused.value.cause == "unreadable"


def test_lines_of_json_are_a_text() -> None:
    done = scrubbed(f'{{"a": "{PHONE}"}}\n{{"a": 2}}\n'.encode(), "")
    assert done.data == b'{"a": "<PHONE_NUMBER>"}\n{"a": 2}\n'


def made(kind: str, plan: Planted) -> bytes:
    lines = [plan.line() for _ in range(10)]
    match kind:
        case "txt":
            return "\n".join(lines).encode()
        case "html":
            start, first, second = plan.halves()
            return (
                "<html><body>"
                + "".join(f"<p title='{line}'>{plan.line()}</p>" for line in lines)
                + f"<p>{start}<b>{first}</b>{second}</p></body></html>"
            ).encode()
        case "json":
            return json.dumps({"messages": [{"text": line, "meta": {plan.line(): 1}} for line in lines]}).encode()
        case _:
            out = io.StringIO()
            rows = [[maker(plan.draw) for maker in MAKERS] for _ in range(10)]
            plan.values += [value for row in rows for value in row]
            csv.writer(out).writerows(
                [
                    ["Note", *(value.label for value in rows[0])],
                    *([plan.line(), *(value.text for value in row)] for row in rows),
                ]
            )
            return out.getvalue().encode()


TYPES = {"txt": "text/plain", "html": "text/html", "json": "application/json", "csv": "text/csv"}


def left(kind: str, seeds: range) -> list[tuple[int, str]]:
    found = []
    for seed in seeds:
        plan = Planted(seed)
        after = scrubbed(made(kind, plan), TYPES[kind]).data.decode()
        found += [(seed, value.kind) for value in plan.values if value.text in after]
    return found


@pytest.mark.parametrize("kind", TYPES)
def test_no_value_is_left(kind: str) -> None:
    assert left(kind, range(5)) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_no_value_is_left_in_many(kind: str) -> None:
    assert left(kind, range(1000, 1150)) == []
