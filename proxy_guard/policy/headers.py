"""Which header fields go on: with a body that was rewritten, and with a request whose reply is inspected."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable

from proxy_guard.codecs.content_encoding import readable
from proxy_guard.model import Headers

_OF_BODIES = frozenset(
    {
        # What speaks about the bytes of a body is untrue of other bytes.
        "accept-ranges",
        "content-digest",
        "content-encoding",
        "content-length",
        "content-md5",
        "digest",
        "etag",
        "repr-digest",
        "transfer-encoding",
    }
)
_HASHES: dict[str, Callable[[bytes], bytes]] = {
    "md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "sha": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha-256": lambda body: hashlib.sha256(body).digest(),
    "sha-512": lambda body: hashlib.sha512(body).digest(),
}
"""By their names in Digest (RFC 3230, RFC 5843); RFC 9530 has the last two."""
_NEW = ("sha-256", "sha-512")


def without_body(headers: Headers) -> Headers:
    """`headers` without those that speak about the bytes of the body."""
    return tuple(pair for pair in headers if pair[0].lower() not in _OF_BODIES)


def with_body(headers: Headers, body: bytes) -> Headers:
    """`headers` with `body` in place of the one that they came with.

    Its digests are made anew where their algorithms are known, and else left out, as what can't be known is: ETag. The
    body is whole and without a content encoding, so that content and representation are the same.
    """
    digests = ((name, _digest(name.lower(), value, body)) for name, value in headers)
    made = tuple((name, value) for name, value in digests if value)
    return (*without_body(headers), *made, ("content-length", str(len(body))))


def _digest(name: str, value: str, body: bytes) -> str:
    """The value of a digest field for `body`; nothing for other fields, and where no algorithm in it is known."""
    match name:
        case "content-md5":
            return _hashed("md5", body)
        case "digest":
            asked = [(each, each.lower()) for each in _keys(value)]
            return ",".join(f"{as_is}={_hashed(each, body)}" for as_is, each in asked if each in _HASHES)
        case "content-digest" | "repr-digest":
            return ", ".join(f"{each}=:{_hashed(each, body)}:" for each in _keys(value) if each in _NEW)
        case _:
            return ""


def _keys(value: str) -> list[str]:
    return [each.partition("=")[0].strip() for each in value.split(",")]


def _hashed(name: str, body: bytes) -> str:
    return b64encode(_HASHES[name](body)).decode()


def asking(headers: Headers, *, streams: bool) -> Headers:
    """The fields of a request whose reply is inspected; the same object where none changes.

    Range goes: a part of a body can't be judged, and a server may always answer with the whole (RFC 9110 14.2).
    Accept-Encoding names only what can be read here, and nothing where the reply may stream: an encoder may hold
    what it was given. A field that a signature covers stays.
    """
    changed = False
    kept: list[tuple[str, str]] = []
    for name, value in headers:
        new: str | None = value
        match name.lower():
            case "range" | "if-range":
                new = None
            case "accept-encoding":
                new = "identity" if streams else readable(value)
        if new != value and _signed(headers, name.lower()):
            new = value
        changed = changed or new != value
        if new is not None:
            kept.append((name, new))
    return tuple(kept) if changed else headers


def _signed(headers: Headers, field: str) -> bool:
    """Whether a signature covers a field: that of AWS names those it does in Authorization."""
    return any(
        name.lower() == "authorization" and value.startswith("AWS4") and field in value.lower()
        for name, value in headers
    )
