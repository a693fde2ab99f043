"""Requests that two readers may read as two, each with a phone number in it that must not arrive by either reading.

`statuses` are the answers that are right, over all doors. Where a server in front refuses, it may be another's answer.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CHAT = "/v1/chat/completions"
ELSEWHERE = "/any/other"
JSON = "content-type: application/json"
REFUSED = frozenset({400, 413, 415, 422, 0})
"""0: the connection was closed, which is how mitmproxy refuses what it can't parse."""
PASSED = frozenset({200})
EITHER = REFUSED | PASSED


@dataclass(frozen=True)
class Case:
    name: str
    request: bytes
    statuses: frozenset[int]
    phone: str


def chat(text: str) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}]}).encode()


def request(
    path: str,
    body: bytes,
    *headers: str,
    method: str = "POST",
    version: str = "HTTP/1.1",
    host: str = "host: x",
    kind: str = JSON,
    length: bool = True,
) -> bytes:
    lines = [f"{method} {path} {version}", host, kind, f"content-length: {len(body)}" if length else "", *headers]
    return "\r\n".join(line for line in lines if line).encode("latin-1") + b"\r\n\r\n" + body


def chunks(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


Made = tuple[str, bytes, frozenset[int]]
_MAKERS: list[Callable[[str], Iterator[Made]]] = []


def every_case() -> list[Case]:
    """All of them, each with a number of its own."""
    made: list[Case] = []
    for maker in _MAKERS:
        for place, (name, _, _) in enumerate(maker("9876500000")):
            phone = f"98765{len(made):05d}"
            _, sent, statuses = list(maker(phone))[place]
            made.append(Case(f"{maker.__name__.strip('_')}: {name}", sent, statuses, phone))
    return made


def _cases(maker: Callable[[str], Iterator[Made]]) -> Callable[[str], Iterator[Made]]:
    _MAKERS.append(maker)
    return maker


@_cases
def _framing(phone: str) -> Iterator[Made]:
    body = chat(f"call {phone}")
    chunked = "transfer-encoding: chunked"
    yield "two lengths that differ", request(CHAT, body, "content-length: 5"), REFUSED
    yield "the same length twice", request(CHAT, body, f"content-length: {len(body)}"), EITHER
    for value in (f"+{len(body)}", "-1", f"0x{len(body):x}", f"{len(body)} 5"):
        yield f"length {value[:2]}", request(CHAT, body, f"content-length: {value}", length=False), REFUSED
    yield "a list of lengths", request(CHAT, body, f"content-length: {len(body)}, {len(body)}", length=False), EITHER
    yield "chunks", request(CHAT, chunks(body), chunked, length=False), PASSED
    extended = chunks(body).replace(b"\r\n", b";a=b\r\n", 1)
    yield "chunks with extensions", request(CHAT, extended, chunked, length=False), PASSED
    trailed = chunks(body)[:-2] + b"x-t: " + phone.encode() + b"\r\n\r\n"
    yield "a trailer", request(CHAT, trailed, chunked, length=False), EITHER
    yield "chunks and a length", request(CHAT, chunks(body), chunked), REFUSED
    yield "a request behind the last chunk", request(CHAT, b"0\r\n\r\n" + request(CHAT, body), chunked), REFUSED
    yield "a request behind the body", request(CHAT, chat("hi")) + request(CHAT, body), PASSED
    yield "a request in the body", request(CHAT, chat("hi") + request(CHAT, body)), REFUSED
    for coding in ("xchunked", "identity, chunked", "chunked, chunked", '"chunked"', "gzip, chunked"):
        sent = request(CHAT, chunks(body), f"transfer-encoding: {coding}", length=False)
        yield f"coding {coding!r}", sent, REFUSED
    yield "a blank before the colon", request(CHAT, chunks(body), "transfer-encoding : chunked"), REFUSED
    yield "two codings", request(CHAT, chunks(body), chunked, "transfer-encoding: identity", length=False), REFUSED
    yield "a folded coding", request(CHAT, chunks(body), "transfer-encoding:\r\n chunked"), REFUSED
    yield "no length", request(CHAT, body, length=False), EITHER
    yield "HTTP/1.0", request(CHAT, body, version="HTTP/1.0"), PASSED
    yield "HTTP/1.0 in chunks", request(CHAT, chunks(body), chunked, length=False, version="HTTP/1.0"), EITHER
    yield "HTTP/0.9", f"POST {CHAT}\r\n\r\n".encode() + body, REFUSED
    yield "HTTP/9.9", request(CHAT, body, version="HTTP/9.9"), EITHER | {505}
    yield "lines that end in LF", request(CHAT, body).replace(b"\r\n", b"\n"), EITHER
    yield "expect", request(CHAT, body, "expect: 100-continue"), frozenset({100})


@_cases
def _headers(phone: str) -> Iterator[Made]:
    body = chat(f"call {phone}")
    yield "two media types", request(CHAT, body, "content-type: text/plain"), REFUSED
    yield "the same media type twice", request(CHAT, body, JSON), REFUSED
    yield "a list of media types", request(CHAT, body, kind="content-type: text/plain, application/json"), REFUSED
    yield "a folded media type", request(CHAT, body, kind="content-type: application/json;\r\n charset=utf-8"), EITHER
    yield "a header that hides another", request(CHAT, body, "x-a: b\rcontent-type: text/plain"), REFUSED
    yield "NUL", request(CHAT, body, "x-a: b\0c"), REFUSED
    yield "a line without a colon", request(CHAT, body, "garbage"), REFUSED
    yield "a blank before the first", request(CHAT, body).replace(b"\r\nhost", b"\r\n host", 1), REFUSED
    for kind in ("", "content-type:", "content-type: json", "content-type: text/plain", "content-type: text/html"):
        yield f"{kind or 'no type'}", request(CHAT, body, kind=kind), EITHER
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream",
                 "application/json; charset=utf-8; charset=utf-16", "application/json; charset=utf-7",
                 "application/json; charset=utf-16", "application/json; charset"):  # fmt: skip
        yield kind, request(CHAT, body, kind=f"content-type: {kind}"), REFUSED
        yield f"{kind}, elsewhere", request(ELSEWHERE, body, kind=f"content-type: {kind}"), REFUSED
    packed = gzip.compress(body)
    yield "two encodings", request(CHAT, packed, "content-encoding: gzip", "content-encoding: identity"), PASSED
    twice = gzip.compress(packed)
    yield "gzip twice", request(CHAT, twice, "content-encoding: gzip", "content-encoding: gzip"), PASSED
    yield "an encoding that is not told", request(CHAT, packed), REFUSED
    yield "identity that is gzip", request(CHAT, packed, "content-encoding: identity"), REFUSED
    yield "gzip that is none", request(CHAT, body, "content-encoding: gzip"), REFUSED
    yield "an unknown encoding", request(CHAT, body, "content-encoding: foo"), REFUSED
    behind = gzip.compress(chat("hi")) + body
    yield "a text behind the packed one", request(CHAT, behind, "content-encoding: gzip"), REFUSED
    members = gzip.compress(body[:20]) + gzip.compress(body[20:])
    yield "two members", request(CHAT, members, "content-encoding: gzip"), PASSED
    yield "deflate without its header", request(CHAT, zlib.compress(body)[2:-4], "content-encoding: deflate"), PASSED
    yield "deflate and more", request(CHAT, zlib.compress(chat("hi")) + body, "content-encoding: deflate"), REFUSED
    yield "a range", request(CHAT, body, "content-range: bytes 0-5/10"), REFUSED
    for field in ("content-length", "content-type", "host"):
        yield f"{field} for one hop", request(CHAT, body, f"connection: {field}"), EITHER
    gzipped = request(CHAT, packed, "content-encoding: gzip", "connection: content-encoding")
    yield "content-encoding for one hop", gzipped, PASSED


@_cases
def _targets(phone: str) -> Iterator[Made]:
    body = chat(f"call {phone}")
    for path in (
        "//v1/chat/completions", "/v1//chat/completions", "/v1/./chat/completions", "/v1/x/../chat/completions",
        "/v1/%63hat/completions", "/v1/chat%2fcompletions", "/v1/chat/completions/", "/V1/Chat/Completions",
        "/v1/chat;x=y/completions", "/v1/chat/completions;x", "/v1/chat/completions%3bx", "/v1/chat/completions%20",
        "/v1/chat/completions?", "/v1/chat/completions%23x", "/v1/chat/completions%3fx", "/v1\\chat\\completions",
        "/v1/%2e%2e/v1/chat/completions", "/v1/chat/%2563ompletions", "/v1/chat/completions/..", "/%2e/v1/chat/completions",
        "/v1/chat/completions/%2e", "/v1/chat/completions/x/%2e%2e", "/..//v1/chat/completions",
        "/v1/chat/completions.json", "/v1/chat/completions/x", "/v1/chat/%u0063ompletions", "/v1/chat/c%C3%B3mpletions",
        "/v1/chat/%ef%bd%83ompletions", "/", "/x", "/chat/completions", "//x/v1/chat/completions",
    ):  # fmt: skip
        yield path, request(path, body), PASSED
    for path in (
        "/v1/chat/completions%00", "/v1/chat/completions%09", "/v1/chat/completions%0a", "/v1/chat/completions#x",
        "/v1/%252e%252e/v1/chat/completions", "/v1/x/..;/chat/completions", "/v1/chat/completions;%2f..%2fx",
        "/v1/chat/completions%2f%2e%2e%2fx", "/v1/chat/completions/x%2f..", "/v1/x\\..\\chat/completions",
        "/v1/chat/%c0%afcompletions", "/v1/chat/completi\xf6ns", "/v1/chat/completions%0d%0ax: y", "other:80",
        "ftp://x/v1/chat/completions", "http://a:b@x/v1/chat/completions", "http://", "/v1/%2525252525252563",
    ):  # fmt: skip
        yield path, request(path, body), REFUSED
    yield "a whole URL", request(f"http://x{CHAT}", body), PASSED
    yield "a whole URL of another host", request(f"http://other{CHAT}", body), EITHER
    yield "a whole URL without a path", request(f"http://x?{CHAT}", body), EITHER
    yield "CONNECT", request(CHAT, body, method="CONNECT"), REFUSED
    yield "a tunnel", b"CONNECT x:80 HTTP/1.1\r\nhost: x:80\r\n\r\n" + request(CHAT, body), REFUSED
    yield "*", request("*", body), EITHER
    yield "OPTIONS *", request("*", body, method="OPTIONS"), EITHER
    yield "no host", request(CHAT, body, host=""), EITHER
    yield "two hosts", request(CHAT, body, "host: y"), EITHER
    for host in ("x/v1/other", "a@b", "a b", "x?y=", "x#", "[::1", "x:y", "\xff"):
        yield f"host {host}", request(CHAT, body, host=f"host: {host}"), EITHER
    yield "a query", request(f"{ELSEWHERE}?q={phone}", b"{}"), PASSED
    encoded = "".join(f"%{ord(digit):02x}" for digit in phone)
    yield "an escaped query", request(f"{ELSEWHERE}?q={encoded}", b"{}"), PASSED
    yield "a segment", request(f"/users/{phone}/x", b"", method="GET", kind="", length=False), PASSED
    yield "an escaped segment", request(f"/users/{encoded}", b"", method="GET", kind="", length=False), PASSED
    yield "a fragment", request(f"{ELSEWHERE}#{phone}", b"{}"), REFUSED


@_cases
def _methods(phone: str) -> Iterator[Made]:
    body = chat(f"call {phone}")
    for method in ("post", "PUT", "GET", "PATCH", "DELETE", "OPTIONS", "FOO", "HEAD", "TRACE"):
        yield method, request(CHAT, body, method=method), EITHER
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        yield f"{name} of GET", request(CHAT, body, f"{name}: POST", method="GET"), PASSED
        yield f"{name} of PUT", request(CHAT, body, f"{name}: post", method="PUT"), PASSED
        yield f"{name} of POST", request(CHAT, body, f"{name}: GET"), PASSED
    yield "_method", request(f"{CHAT}?_method=POST", body, method="PUT"), PASSED
    for name in ("X-Original-URL", "X-Rewrite-URL"):
        yield name, request(ELSEWHERE, body, f"{name}: {CHAT}"), PASSED
        yield f"{name}, hidden", request(ELSEWHERE, body, f"{name}: /v1/x%2f..%2fchat"), REFUSED
        yield f"{name} of another", request(CHAT, body, f"{name}: /v1/messages"), REFUSED
    settings = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA")
    yield "h2c", request(CHAT, body, *settings), PASSED
    yield "h2c elsewhere, and a request", request(ELSEWHERE, b"{}", *settings) + request(CHAT, body), PASSED
    yield "h2c, and HTTP/2", request(ELSEWHERE, b"{}", *settings) + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + body, EITHER
    upgrade = ("connection: Upgrade", "upgrade: foo")
    yield "another protocol, and a request", request(ELSEWHERE, b"{}", *upgrade) + request(CHAT, body), PASSED
    socket = ("connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13",
              "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    for method in ("GET", "POST"):
        answers = EITHER | {101, 403, 501, 502}
        yield f"an upgrade by {method} with a body", request(CHAT, body, *socket, method=method), answers


@_cases
def _documents(phone: str) -> Iterator[Made]:
    def message(content: str) -> bytes:
        return f'{{"messages":[{{"role":"user","content":{content}}}]}}'.encode()

    text = f'"call {phone}"'
    for path in (CHAT, ELSEWHERE):
        where = "" if path == CHAT else ", elsewhere"
        for name, body, statuses in (
            ("first of two names", message(f'{text},"content":"hi"'), PASSED),
            ("last of two names", message(f'"hi","content":{text}'), PASSED),
            ("a name and an escaped one", message(f'"hi","\\u0063ontent":{text}'), PASSED),
            ("messages twice", message('"hi"')[:-1] + b',"messages":[{"content":' + text.encode() + b"}]}", PASSED),
            ("messages twice, first", b'{"messages":[{"content":' + text.encode() + b'}],"messages":[]}', PASSED),
            ("NaN", message(f'{text},"x":NaN'), REFUSED),
            ("-Infinity", message(f'{text},"x":-Infinity'), REFUSED),
            ("a comment", b"/* " + phone.encode() + b" */" + message('"hi"'), REFUSED),
            ("a line comment", message('"hi"') + b" // " + phone.encode(), REFUSED),
            ("a trailing comma", message(f"{text},"), REFUSED),
            ("trailing data", message('"hi"') + phone.encode(), REFUSED),
            ("a second document", message('"hi"') + message(text), REFUSED),
            ("NUL behind", message('"hi"') + b"\0" + phone.encode(), REFUSED),
            ("a byte order mark", b"\xef\xbb\xbf" + message(text), PASSED),
            ("UTF-16", message(text).decode().encode("utf-16"), PASSED),
            ("UTF-16 without a mark", message(text).decode().encode("utf-16-le"), PASSED),
            ("UTF-32", message(text).decode().encode("utf-32-be"), PASSED),
            ("invalid UTF-8", message(text).replace(b"call", b"\xff\xfe"), REFUSED),
            ("an overlong digit", message(text).replace(phone[:1].encode(), b"\xc0\xb9", 1), REFUSED),
            ("half a surrogate pair", message(text).replace(b"call", b"\\ud83d"), REFUSED),
            ("a surrogate pair", message(text).replace(b"call", b"\\ud83d\\ude00"), PASSED),
            ("escaped digits", message('"' + "".join(f"\\u{ord(d):04x}" for d in phone) + '"'), PASSED),
            ("a raw control character", message(text).replace(b"call ", b"call\x01"), REFUSED),
            ("single quotes", message(f"'call {phone}'"), REFUSED),
            ("a name without quotes", b"{messages:[{content:" + text.encode() + b"}]}", REFUSED),
            ("leading zeros", message(f'{text},"x":007'), REFUSED),
            ("a plus sign", message(f'{text},"x":+1'), REFUSED),
            ("hexadecimal", message(f'{text},"x":0x1F'), REFUSED),
            ("a number", message(phone), PASSED),
            ("a number with a fraction", message(f"{phone}.0"), EITHER),
            ("an exponent", message(f"{phone[:1]}.{phone[1:]}e9"), EITHER),
            ("a number too large", message(f'{text},"x":1e999'), EITHER),
            ("100,000 digits", message(f'{text},"x":1{"0" * 100_000}'), EITHER),
            ("a deep document", b"[" * 5000 + text.encode() + b"]" * 5000, REFUSED),
            ("a text", text.encode(), EITHER),
            ("JSON in a string", message(json.dumps(json.dumps({"a": f"call {phone}"}))), PASSED),
        ):
            yield f"{name}{where}", request(path, body), statuses


@_cases
def _forms(phone: str) -> Iterator[Made]:
    form = "content-type: application/x-www-form-urlencoded"
    for name, body in (
        ("plain", f"a=1&Body=call+{phone}"),
        ("a name", f"{phone}=1"),
        ("no value", f"call+{phone}"),
        ("semicolons", f"a=1;Body=call+{phone}"),
        ("escaped", "Body=" + "".join(f"%{ord(d):02x}" for d in phone)),
        ("escaped twice", "Body=" + "".join(f"%25{ord(d):02x}" for d in phone)),
        ("fields again", f"Body=hi&Body={phone}"),
        ("nothing between", f"&&&Body={phone}&&"),
        ("a broken escape", f"Body=%zz+call+{phone}"),
        ("brackets", f"a[b][]={phone}"),
    ):
        yield name, request(ELSEWHERE, body.encode(), kind=form), EITHER
    yield "as JSON", request(ELSEWHERE, f"Body={phone}".encode()), REFUSED
    yield "as plain text", request(ELSEWHERE, f"Body=call {phone}".encode(), kind="content-type: text/plain"), PASSED
    yield "another charset", request(ELSEWHERE, f"Body={phone}&_charset_=utf-16".encode(), kind=form), REFUSED


@_cases
def _parts(phone: str) -> Iterator[Made]:
    head = 'Content-Disposition: form-data; name="Body"'
    part = f"--b\r\n{head}\r\n\r\ncall {phone}\r\n"
    kind = "content-type: multipart/form-data; boundary=b"

    def sent(body: str, kind: str = kind) -> bytes:
        return request(ELSEWHERE, body.encode("latin-1"), kind=kind)

    yield "plain", sent(f"{part}--b--\r\n"), PASSED
    yield "a quoted boundary", sent(f"{part}--b--\r\n", kind.replace("=b", '="b"')), PASSED
    yield "no boundary", sent(f"{part}--b--\r\n", "content-type: multipart/form-data"), REFUSED
    yield "two boundaries", sent(f"{part}--b--\r\n", f"{kind}; boundary=c"), REFUSED
    yield "a boundary in parts", sent(f"{part}--b--\r\n", "content-type: multipart/form-data; boundary*0=b"), REFUSED
    yield "another boundary", sent(f"{part}--b--\r\n", kind.replace("=b", "=c")), REFUSED
    yield "a preamble", sent(f"call {phone}\r\n--b\r\n{head}\r\n\r\nhi\r\n--b--\r\n"), REFUSED
    yield "an epilogue", sent(f"--b\r\n{head}\r\n\r\nhi\r\n--b--\r\ncall {phone}"), REFUSED
    yield "no end", sent(part), REFUSED
    yield "an end too early", sent(f"--b\r\n{head}\r\n\r\nhi\r\n--b--\r\n{part}--b--\r\n"), REFUSED
    yield "line feeds", sent(f"{part}--b--\r\n".replace("\r\n", "\n")), REFUSED
    yield "a longer boundary", sent(part.replace("--b", "--bb", 1) + "--b--\r\n"), REFUSED
    yield "blanks behind a boundary", sent(part.replace("--b", "--b  ", 1) + "--b--\r\n"), REFUSED
    yield "two dispositions", sent(part.replace(head, f"{head}\r\n{head[:-5]}x") + "--b--\r\n"), REFUSED
    yield "two names", sent(part.replace(head, f'{head}; name="x"') + "--b--\r\n"), REFUSED
    yield "filename*", sent(part.replace(head, f"{head}; filename*=UTF-8''{phone}") + "--b--\r\n"), REFUSED
    yield "a file", sent(part.replace(head, f'{head}; filename="a.bin"') + "--b--\r\n"), REFUSED
    yield "a file's name", sent(part.replace(head, f'{head}; filename="{phone}.txt"') + "--b--\r\n"), EITHER
    yield "an escape in a name", sent(part.replace(head, f'{head}; filename="a\\"; b="') + "--b--\r\n"), REFUSED
    yield "a folded header", sent(part.replace("; name", ";\r\n name") + "--b--\r\n"), REFUSED
    inner = "Content-Type: multipart/mixed; boundary=c"
    yield "parts in a part", sent(part.replace(head, f"{head}\r\n{inner}") + "--b--\r\n"), REFUSED
    for coding in ("base64", "quoted-printable"):
        coded = part.replace(head, f"{head}\r\nContent-Transfer-Encoding: {coding}")
        yield coding, sent(coded + "--b--\r\n"), REFUSED
    odd = part.replace(head, f"{head}\r\nContent-Type: text/plain; charset=utf-7")
    yield "a charset of its own", sent(odd + "--b--\r\n"), REFUSED
    yield "JSON in a part", sent(f'--b\r\n{head}\r\n\r\n{{"a":"{phone}"}}\r\n--b--\r\n'), PASSED
    yield (
        "a name of a part",
        sent(f'--b\r\nContent-Disposition: form-data; name="{phone}"\r\n\r\nx\r\n--b--\r\n'),
        EITHER,
    )
    yield "as a form", sent(f"{part}--b--\r\n", "content-type: application/x-www-form-urlencoded"), EITHER
    yield "as JSON", sent(f"{part}--b--\r\n", JSON), REFUSED
    yield "mixed", sent(f"{part}--b--\r\n", "content-type: multipart/mixed; boundary=b"), REFUSED
