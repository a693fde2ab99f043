"""The target of a request as rules see it: read once, for what it meets and for what goes on.

RFC 3986 6.2.2 says which spellings of a path are the same: escapes of letters, digits and `-._~`, and dot segments.
They are undone, and the path goes on like that. What servers read in several ways (an encoded slash, `;parameters`,
a backslash, an escape that is escaped) stays as it came, and each way of reading it is one more path to be met. A path
in which one of these ways shows what it hides, dot segments or control characters, is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from proxy_guard.model import Headers
from proxy_guard.rules.matching import normal_path

_URL = re.compile(r"([^:/?#]+://([^/?#]*))([^?#]*)((?:\?[^#]*)?)(#?)", re.S)
_ODD = re.compile(r"[%;\\]|/\.|//|[^!-~]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_DECODINGS = 4
"""No server decodes a path more often."""
_MOST_READINGS = 32
_LONGEST = 8192
"""Characters of a path with escapes: each reading goes through all of it."""
_METHODS = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Headers in which some frameworks find the method in place of the request line's."""
_PATHS = frozenset({"x-original-url", "x-rewrite-url"})
"""The same of the path."""
_TELLING = _METHODS | _PATHS | {"host"}


class Target(NamedTuple):
    """Where a request goes. `paths` are the normal forms of all ways to read its path, the plain one first.

    `url` is what goes on. `why` says that it can't be read in one way, in words without it.
    """

    host: str
    url: str
    paths: tuple[str, ...]
    why: str = ""


class _Unclear(Exception):
    """Its text says why."""


def read_target(url: str) -> Target:
    """The target in an absolute URL."""
    found = _URL.match(url)
    if found is None:
        return Target("", url, ("/",), "the target of the request can't be read")
    origin, authority, path, query, fragment = found.groups()
    host = _host(authority)
    if fragment:
        return Target(host, url, ("/",), "the target of the request has a fragment")
    if not _ODD.search(path):
        return Target(host, url, (normal_path(path),))
    try:
        plain = _canonical(path)
        return Target(host, url if plain == path else origin + plain + query, _readings(plain))
    except _Unclear as error:
        return Target(host, url, ("/",), str(error))


def _host(authority: str) -> str:
    """The host in lower case, without user and port."""
    if authority.isascii() and "[" not in authority:
        return authority.rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:  # a malformed host, which no pattern but `*` matches
        return ""


def _canonical(path: str) -> str:
    if not path.isascii() or not path.isprintable():
        raise _Unclear("the path holds characters that a URL has not")
    path = _ESCAPE.sub(lambda each: chr(int(each[1], 16)) if chr(int(each[1], 16)) in _UNRESERVED else each[0], path)
    segments = path.split("/")[1:]
    if not _DOTS & set(segments):
        return path
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    directory = kept and segments[-1] in ("", *_DOTS)
    return "/" + "/".join(kept) + ("/" if directory else "")


_DOTS = frozenset({".", ".."})


def _readings(plain: str) -> tuple[str, ...]:
    """The normal forms of what `plain` may be read as. Raises _Unclear."""
    if "%" in plain and len(plain) > _LONGEST:
        raise _Unclear(f"a path with escapes is longer than {_LONGEST} characters")
    seen = {plain: 0}
    pending = [plain]
    while pending:
        text = pending.pop()
        depth = seen[text]
        decoded = _decoded(text)
        if decoded != text and depth == _MOST_DECODINGS:
            raise _Unclear(f"the path is escaped more than {_MOST_DECODINGS} times")
        for made, at in ((decoded, depth + 1), (_cut(text), depth), (text.replace("\\", "/"), depth)):
            if made not in seen:
                seen[made] = at
                pending.append(made)
        if len(seen) > _MOST_READINGS:
            raise _Unclear("the path can be read in too many ways")
    if any(segment.strip() in _DOTS for text in seen for segment in text.split("/")):
        raise _Unclear("the path hides dot segments")
    return tuple(dict.fromkeys(_normal(text) for text in seen))


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    try:
        made = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise _Unclear("an escape in the path is not UTF-8") from None
    if _CONTROL.search(made):
        raise _Unclear("the path hides control characters")
    return made


def _cut(text: str) -> str:
    """Without parameters of segments, and without what only an escape kept out of the query."""
    text = re.split(r"[?#]", text, maxsplit=1)[0]
    return "/".join(segment.partition(";")[0] for segment in text.split("/"))


def _normal(text: str) -> str:
    return "/" + "/".join(stripped for segment in text.split("/") if (stripped := segment.strip())).lower()


def said_otherwise(method: str, headers: Headers) -> tuple[list[str], list[Target], str]:
    """What headers say in place of the request line: methods, and targets; and why they can't be read in one way."""
    methods: list[str] = []
    targets: list[Target] = []
    hosts = 0
    why = ""
    for name, value in headers:
        lower = name.lower()
        if lower not in _TELLING:
            continue
        if lower == "host":
            hosts += 1
        elif lower in _METHODS:
            methods.append(value.strip().upper())
        else:
            path = value.partition("://")[2].partition("/")[2] if "://" in value else value.strip().removeprefix("/")
            targets.append(read_target(f"any:///{path}".replace("#", "?")))
            why = why or targets[-1].why
    why = "the request has several hosts" if hosts > 1 else why
    return [each for each in methods if each != method.upper()], targets, why
