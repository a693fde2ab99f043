"""Which rules a request meets: hosts, paths, methods and media types as compiled patterns.

A path is matched in one normal form, whatever way it was written: percent-encoding undone, `//`, `.`, `..`,
`;parameters` and a trailing slash taken out, `\\` read as `/`, letters in lower case. So no other spelling of a
path that a server might take for the same one slips by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

_MOST_DECODINGS = 4
"""No server decodes a path more often; without a bound, a long path could cost its length squared."""


def normal_path(raw: str) -> str:
    """The normal form of a URL path. Only ever matched with, never forwarded."""
    if "%" not in raw and "//" not in raw and "/." not in raw and ";" not in raw and "\\" not in raw:
        return raw.lower().rstrip("/") or "/"
    path = raw
    for _ in range(_MOST_DECODINGS):  # encoded twice, decoded twice
        if "%" not in path:
            break
        path = unquote(path, errors="replace")
    segments: list[str] = []
    for segment in path.replace("\\", "/").split("/"):
        name = segment.split(";", 1)[0]
        if name == "..":
            del segments[-1:]
        elif name not in ("", "."):
            segments.append(name)
    return "/" + "/".join(segments).lower()


def split_url(url: str) -> tuple[str, str]:
    """Host, in lower case and without port, and normal path of an absolute URL."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:  # a malformed host, which no pattern but `*` matches
        host, path = "", "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]
        return host, normal_path(path)
    return host, normal_path(parts.path)


def path_pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """One pattern for normal paths: `*` within a segment, `/**` for any number of segments."""
    alternatives = []
    for glob in globs:
        pattern = re.escape(glob.lower().rstrip("/") or "/")
        pattern = pattern.replace(r"/\*\*", r"(?:/[^/]+)*").replace(r"\*", "[^/]*")
        alternatives.append(pattern + "/?" if glob == "/**" else pattern)
    return re.compile("|".join(alternatives))


def name_pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """One pattern for host names or media types: `*` stands for any characters."""
    return re.compile("|".join(re.escape(glob.lower()).replace(r"\*", ".*") for glob in globs))


def last_step(glob: str) -> str:
    """What a path has to end with to match a glob, as `last_steps` gives it: the key that the glob is found by.

    It is the last segment, of `name:verb` the verb; `parent/*` where only the segment before it is literal; else
    `/first` where the first one is; else nothing.
    """
    segments = glob.lower().rstrip("/").split("/")
    *_, before, last = ["", *segments]
    verb = last.rpartition(":")[2]
    if "*" not in verb and (verb != last or "*" not in last):
        return verb
    if "*" not in before and last != "**":
        return f"{before}/*"
    first = segments[1] if len(segments) > 2 else ""
    return f"/{first}" if first and "*" not in first else ""


def last_steps(path: str) -> tuple[str, str, str, str]:
    """The keys of all globs that a normal path could match."""
    start, _, last = path.rpartition("/")
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return last.rpartition(":")[2], start.rpartition("/")[2] + "/*", f"/{first}", ""


def methods(named: Iterable[str]) -> frozenset[str]:
    """The methods that rules are about: where GET is one, HEAD asks for the same (RFC 9110 9.3.2)."""
    upper = frozenset(method.upper() for method in named)
    return upper | {"HEAD"} if "GET" in upper else upper
