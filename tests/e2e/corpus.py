"""One corpus for both doors: requests, the answers that the chat API gives to them, and what is special in each."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import brotli
import zstandard

PHONE = "9876543210"
CARD = "4111 1111 1111 1111"
MAIL = "canary.person@example.com"
SSN = "856-45-6789"
IBAN = "DE89 3704 0044 0532 0130 00"
CANARIES = (PHONE, CARD, MAIL, SSN, IBAN, "canary.person")
CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
JSON = [("content-type", "application/json")]


@dataclass(frozen=True)
class Answer:
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=lambda: list(JSON))
    body: bytes = b'{"id":"r","choices":[]}'
    chunks: int = 0
    pad: int = 0
    """Spaces after the body."""

    def header(self) -> str:
        headers = list(self.headers)
        if self.chunks < 2 and self.status not in (204, 304):
            headers.append(("content-length", str(len(self.body) + self.pad)))
        answer = {
            "status": self.status,
            "headers": headers,
            "body": base64.b64encode(self.body).decode(),
            "chunks": self.chunks,
            "pad": self.pad,
        }
        return base64.b64encode(json.dumps(answer).encode()).decode()


@dataclass(frozen=True)
class Case:
    name: str
    body: bytes
    path: str = CHAT
    method: str = "POST"
    headers: list[tuple[str, str]] = field(default_factory=lambda: list(JSON))
    answer: Answer = Answer()


def dumps(value: Any, **options: Any) -> bytes:
    return json.dumps(value, **options).encode()


def chat(*texts: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text} for text in texts], **more}


def reply(text: Any, **more: Any) -> dict[str, Any]:
    return {"id": "r1", "choices": [{"index": 0, "message": {"role": "assistant", "content": text, **more}}]}


def _texts() -> list[Case]:
    texts = {
        "clean": "How do I cook rice?",
        "phone": f"My phone number is {PHONE}",
        "card": f"card {CARD} please",
        "mail": f"write to {MAIL}.",
        "ssn": f"SSN {SSN}",
        "iban": f"IBAN {IBAN}",
        "all": f"{PHONE} {CARD} {MAIL} {SSN}",
        "emoji before": f"👩‍👩‍👧📱 {PHONE} 🙂",
        "combining": f"é̂ {MAIL} ñ",
        "right to left": f"שלום {PHONE} مرحبا {MAIL}",
        "newlines and quotes": f'a "b"\n\t{PHONE}\\ \u2028 {MAIL}',
        "twice": f"{PHONE} and again {PHONE}",
        "empty": "",
        "only": PHONE,
    }
    return [
        Case(f"{name} via {prefix or 'mask'}", dumps(chat(text), ensure_ascii=ascii_), f"{prefix}{CHAT}")
        for name, text in texts.items()
        for prefix, ascii_ in (("", False), ("/block", True))
    ]


def _shapes() -> list[Case]:
    parts = [{"type": "text", "text": f"call {PHONE}"}, {"type": "text", "text": "now"}]
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": dumps({MAIL: [PHONE, 1.10]}).decode()},
    }
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    blocks = [{"type": "text", "text": PHONE}, {"type": "tool_use", "id": "t", "name": "f", "input": {"to": MAIL}}]
    webhook = {"entry": [{"changes": [{"value": {"messages": [{"text": {"body": f"card {CARD}"}}]}}]}]}
    return [
        Case("parts", dumps(chat(parts))),
        Case("tool call", dumps({"messages": [{"role": "assistant", "content": None, "tool_calls": [call]}]})),
        Case("clean tool call", b'{"messages":[{"tool_calls":[{"function":{"arguments":"{ \\"a\\" : 1.10 }"}}]}]}'),
        Case("metadata and user", dumps(chat("hi", user=MAIL, metadata={"tel": PHONE}))),
        Case("picture", dumps(chat(picture))),
        Case("picture, lenient", dumps(chat(picture)), f"/lenient{CHAT}"),
        Case("observed", dumps(chat(f"{PHONE} {MAIL}")), f"/observe{CHAT}"),
        Case("lenient redacts", dumps(chat(f"a {PHONE} b {MAIL}")), f"/lenient{CHAT}"),
        Case("anthropic string", dumps({"system": MAIL, "messages": [{"role": "user", "content": PHONE}]}), MESSAGES),
        Case("anthropic blocks", dumps({"messages": [{"role": "assistant", "content": blocks}]}), MESSAGES),
        Case("whatsapp webhook", dumps(webhook), "/webhook"),
        Case("whatsapp sent", dumps({"to": "14155550100", "text": {"body": MAIL}}), "/v21.0/123/messages"),
        Case("azure path", dumps(chat(PHONE)), "/openai/deployments/x/chat/completions?api-version=2024-10-21"),
        Case("other spelling of the path", dumps(chat(PHONE)), "//v1/./chat/%63ompletions/"),
        Case("parameters in the path", dumps(chat(PHONE)), "/v1/chat;a=b/completions;c"),
        Case("unmatched path", dumps(chat(PHONE)), "/v1/other"),
        Case("unmatched, blocked", dumps(chat(PHONE)), "/closed/v1/other"),
        Case("unmatched, observed", dumps(chat(PHONE)), "/observeclosed/v1/other"),
        Case(
            "a picture and a text, lenient", dumps(chat([*picture, {"type": "text", "text": PHONE}])), f"/lenient{CHAT}"
        ),
        Case("unmatched method", b"", "/v1/models", "GET"),
        Case("put", dumps(chat(PHONE)), CHAT, "PUT"),
        Case("not in the rules, any bytes", bytes(range(256)), "/upload", headers=[("content-type", "x/y")]),
    ]


def _unreadable() -> list[Case]:
    phone = dumps(chat(PHONE))
    bodies = {
        "not JSON": b"{" + PHONE.encode(),
        "cut short": phone[:-3],
        "trailing data": phone + b"{}",
        "two documents": phone + b"\n" + phone,
        "duplicate names": b'{"messages":[{"content":"hi","content":"' + PHONE.encode() + b'"}]}',
        "duplicate names, clean": b'{"messages":[{"content":"a","content":"b"}]}',
        "NaN": b'{"temperature":NaN,"messages":[{"content":"hi"}]}',
        "invalid UTF-8": b'{"messages":[{"content":"\xff\xfe"}]}',
        "half a surrogate pair": b'{"messages":[{"content":"\\ud83d ' + PHONE.encode() + b'"}]}',
        "UTF-16": phone.decode().encode("utf-16"),
        "byte order mark": b"\xef\xbb\xbf" + phone,
        "deep": b"[" * 40 + b"]" * 40,
        "exact numbers": b'{"temperature":1.10,"seed":12345678901234567890123,"x":-0,"y":1E5,"messages":[{"content":"'
        + PHONE.encode()
        + b'"}]}',
        "escapes": b'{"messages":[{"content":"\\u0039876543210"}]}',
        "a string": b'"9876543210"',
        "empty": b"",
        "large": dumps(chat("x" * 250_000)),
    }
    types = {
        "no type": [],
        "text/plain": [("content-type", "text/plain")],
        "form": [("content-type", "application/x-www-form-urlencoded")],
        "charset": [("content-type", "application/json; charset=utf-16")],
        "charset utf-8": [("content-type", "application/json; charset=UTF-8")],
        "json suffix": [("content-type", "application/vnd.x+json")],
        "upper case": [("content-type", "APPLICATION/JSON")],
        "two types": [("content-type", "application/json"), ("content-type", "text/plain")],
    }
    return (
        [Case(name, body) for name, body in bodies.items()]
        + [Case(f"{name}, lenient", bodies[name], f"/lenient{CHAT}") for name in ("not JSON", "large", "deep")]
        + [Case("large, observed", bodies["large"], f"/observe{CHAT}")]
        + [Case(f"{name} as body type", phone, headers=headers) for name, headers in types.items()]
    )


def _encoded() -> list[Case]:
    plain = dumps(chat(f"call {PHONE}"))
    coded = {
        "gzip": gzip.compress(plain, mtime=0),
        "deflate": zlib.compress(plain),
        "br": brotli.compress(plain),
        "zstd": zstandard.compress(plain),
        "gzip, br": brotli.compress(gzip.compress(plain, mtime=0)),
        "compress": b"\x1f\x9d" + plain,
        "x-gzip": gzip.compress(plain, mtime=0),
        "identity": plain,
    }
    cases = [Case(f"encoded {name}", body, headers=[*JSON, ("content-encoding", name)]) for name, body in coded.items()]
    clean = gzip.compress(dumps(chat("hello")), mtime=0)
    return [
        *cases,
        Case("encoded, clean", clean, headers=[*JSON, ("content-encoding", "gzip")]),
        Case("says gzip, is not", plain, headers=[*JSON, ("content-encoding", "gzip")]),
        Case("bomb", gzip.compress(b" " * 5_000_000), headers=[*JSON, ("content-encoding", "gzip")]),
    ]


def _replies() -> list[Case]:
    asked = dumps(chat("hi"))
    masked = dumps(reply(f"call {PHONE} or {MAIL}"))
    answers = {
        "clean": Answer(body=dumps(reply("fine"))),
        "masked": Answer(body=masked),
        "masked, chunked": Answer(body=masked, chunks=3),
        "clean, chunked": Answer(body=dumps(reply("fine")), chunks=3),
        "masked, gzip": Answer(headers=[*JSON, ("content-encoding", "gzip")], body=gzip.compress(masked, mtime=0)),
        "with cookies and an etag": Answer(
            headers=[*JSON, ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("etag", '"x"')], body=masked
        ),
        "clean with an etag": Answer(headers=[*JSON, ("etag", '"x"')], body=dumps(reply("fine"))),
        "tool call": Answer(
            body=dumps(reply(None, tool_calls=[{"function": {"arguments": dumps({"m": MAIL}).decode()}}]))
        ),
        "refused": Answer(400, body=dumps({"error": {"message": f"bad {MAIL}"}})),
        "broken": Answer(body=b"{"),
        "a page": Answer(502, [("content-type", "text/html")], b"<h1>Bad Gateway</h1>"),
        "a stream": Answer(headers=[("content-type", "text/event-stream")], body=b"data: {}\n\n", chunks=2),
        "nothing": Answer(204, [], b""),
        "too large": Answer(body=masked, pad=250_000),
        "too large, unbroken": Answer(body=dumps(reply("fine")), pad=250_000, chunks=5),
        "too large, chunked": Answer(body=masked, pad=250_000, chunks=40),
    }
    cases = [Case(f"reply {name}", asked, answer=answer) for name, answer in answers.items()]
    return [
        *cases,
        Case("reply blocked", asked, f"/block{CHAT}", answer=answers["masked"]),
        Case("reply observed", asked, f"/observe{CHAT}", answer=answers["masked"]),
        Case("reply too large, lenient", asked, f"/lenient{CHAT}", answer=answers["too large, chunked"]),
        Case("reply too large, observed", asked, f"/observe{CHAT}", answer=answers["too large"]),
        Case("reply to an unmatched path", asked, "/v1/other", answer=answers["masked, chunked"]),
        Case(
            "anthropic reply",
            dumps({"messages": []}),
            MESSAGES,
            answer=Answer(body=dumps({"content": [{"text": MAIL}]})),
        ),
    ]


FORMATS = "/formats/x"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b1"


def _parts(*parts: str) -> bytes:
    return (
        "".join(f"--b1\r\nContent-Disposition: form-data; name={part}\r\n" for part in parts).encode() + b"--b1--\r\n"
    )


BODIES: dict[str, tuple[str, bytes]] = {
    "form": (FORM, f"a=1&Body=call+{PHONE}&Body={MAIL.replace('@', '%40')}&b=%41".encode()),
    "JSON in a form": (FORM, b"payload=%7B%22m%22%3A%22canary.person%40example.com%22%7D"),
    "form, ambiguous": (FORM, b"a=1;Body=9876543211"),
    "multipart": (MULTIPART, _parts(f"Body\r\n\r\ncall {PHONE}", f'Body\r\nX-Other: 1\r\n\r\n{MAIL}')),
    "text": ("text/plain", f"call {PHONE}\r\nor {MAIL}".encode()),
    "text, UTF-16": ("text/plain; charset=utf-16", f"call {PHONE}".encode("utf-16")),
    "text, Latin-1": ("text/plain; charset=ISO-8859-1", f"\u00e9 {MAIL}".encode("latin-1")),
    "html": ("text/html", f"<p>Tel: <b>{PHONE[:5]}</b>{PHONE[5:]} &amp; <img alt='{MAIL}'>canary.person&#64;example.com".encode()),
    "xml": ("application/xml; charset=utf-8", f"<?xml version='1.0'?><Response><Message>{PHONE}</Message></Response>".encode()),
    "ndjson": ("application/x-ndjson", dumps({"content": "a"}) + b"\n" + dumps({"content": PHONE}) + b"\n"),
    "JSON in UTF-16": ("application/json", dumps([{"content": MAIL}]).decode().encode("utf-16-le")),
}  # fmt: skip
UNREAD = {
    "a file": (MULTIPART, _parts('file; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx')),
    "multipart without an end": (MULTIPART, _parts(f"Body\r\n\r\n{PHONE}")[:-8]),
    "multipart, nested": (MULTIPART, _parts("Body\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\nx")),
    "JSON that says it is a form": (FORM, dumps({"Body": PHONE})),
    "xml with entities": ("application/xml", b'<!DOCTYPE a [<!ENTITY x "9876543210">]><a>&x;</a>'),
    "MessagePack": ("application/msgpack", b"\x81\xa1a\xaa9876543210"),
    "protobuf": ("application/x-protobuf", b"\x0a\x0a9876543210"),
    "a lying charset": ("text/plain; charset=iso-8859-1", f"\u00e9 {MAIL}".encode()),
    "an unknown charset": ("text/plain; charset=utf-7", b"+AGE-"),
    "UTF-8 without a type": ("", b"9876543210"),
}


def _formats() -> list[Case]:
    def clean(body: bytes) -> bytes:
        for secret in (PHONE, PHONE[:5], PHONE[5:], MAIL, MAIL.replace("@", "%40"), "canary.person&#64;example.com"):
            for codec in ("utf-8", "utf-16-le"):
                body = body.replace(secret.encode(codec), "soon".encode(codec))
        return body

    def typed(content_type: str) -> list[tuple[str, str]]:
        return [("content-type", content_type)] if content_type else []

    return [
        *(Case(f"format {name}", body, FORMATS, headers=typed(kind)) for name, (kind, body) in BODIES.items()),
        *(Case(f"format {name} to be blocked", body, f"/block{FORMATS}", headers=typed(kind)) for name, (kind, body) in BODIES.items()),
        *(
            Case(f"clean format {name}", clean(body), FORMATS, headers=typed(kind))
            for name, (kind, body) in BODIES.items()
            if name not in ("form, ambiguous", "JSON in a form")
        ),
        *(Case(f"format {name} is refused", body, FORMATS, headers=typed(kind)) for name, (kind, body) in UNREAD.items()),
        *(
            Case(f"reply in format {name}", b"a=b", FORMATS, headers=typed(FORM), answer=Answer(headers=typed(kind), body=body))
            for name, (kind, body) in BODIES.items()
        ),
    ]  # fmt: skip


def _heads() -> list[Case]:
    form = [("content-type", FORM)]
    user = ("x-user", f"Ann <{MAIL}>")
    return [
        Case("query", b"", f"{FORMATS}?a=1&q={MAIL}&q=%2B91+{PHONE}&b=%41", "GET", []),
        Case("query and body", BODIES["form"][1], f"{FORMATS}?q={MAIL}", headers=form),
        Case("query, clean", b"", f"{FORMATS}?a=1&q=rice+%41", "GET", []),
        Case("query that others read otherwise", b"", f"{FORMATS}?a=1;q=9876543211", "GET", []),
        Case("query that is not UTF-8", b"", f"{FORMATS}?q=%ff{PHONE}", "GET", []),
        Case("query to be blocked", b"", f"/block{FORMATS}?q={PHONE}", "GET", []),
        Case("segment", b"", f"/formats/users/{MAIL}?a=%41", "GET", []),
        Case("segment, escaped twice", b"", "/formats/%75sers/canary.person%2540example.com/", "GET", []),
        Case("segment, clean", b"", "/formats/users/Ann%20Lee", "GET", []),
        Case("segment behind dots", b"", f"/formats/users/./{MAIL}", "GET", []),
        Case("segment with a slash", b"", f"/formats/users%2f{MAIL}", "GET", []),
        Case("header", BODIES["form"][1], FORMATS, headers=[*form, user]),
        Case("header alone", b"", FORMATS, "GET", headers=[user]),
        Case("header to be blocked", b"", f"/block{FORMATS}", "GET", headers=[user]),
    ]


CORPUS: list[Case] = [*_texts(), *_shapes(), *_unreadable(), *_encoded(), *_replies(), *_formats()]
HEADS: list[Case] = _heads()
"""With personal data in URLs, which servers' own access logs would show."""
