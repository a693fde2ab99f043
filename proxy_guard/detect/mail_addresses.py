"""E-mail addresses, also where something else is glued to their domain.

`example.com1` (a footnote), `example.comPhone` (text of a PDF), `example.comjane@example.com` (addresses in a row):
where a whole name is no host's, the address ends behind a top-level domain in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import regex

from proxy_guard.detect.layers import Form, Part, replaced
from proxy_guard.detect.spelling import AT_SIGN
from proxy_guard.detect.suffixes import host_size

_ATOM = r"!#$%&'*+\-/=?^_`{|}~\w"
_LOCAL = regex.compile(rf"(?<![.{_ATOM}])[.{_ATOM}]*+(?<=[{_ATOM}])(?=@)")
_BEGIN = regex.compile(rf"\G\w|\b[{_ATOM}]")
_DOMAIN = regex.compile(r"@\w+([-.]\w+)*\.\w+([-.]\w+)*\b")

GLUED_SIGNAL = r"(?-i:@[^\s@]+\.[A-Za-z]{2,18}[0-9A-Z])"
"""Matches every text with an address to which something is glued that may be a value of its own (case-insensitive)."""
_NEXT = regex.compile(f"@|{AT_SIGN}", regex.IGNORECASE)
_SELF = ("this", "super")
"""What is before the `@` of a label in Kotlin: `this@Page.orgName`."""


def addresses(text: str, seconds: float) -> Iterator[tuple[int, int]]:
    """The spans of the addresses in `text`, from left to right; TimeoutError where a pattern takes longer.

    They are what Presidio's pattern finds, whose time grows with the square of the length of what is before an `@`.
    An address may also begin in the domain of another that is none, and end before what is glued to it. Looks at the
    domain alone: with what is before the `@`, a URL's path may pass for one.
    """
    read = kept = 0  # where the last match ends, and where the last that is an address does
    for local in _LOCAL.finditer(text, timeout=seconds):
        begins = [
            _BEGIN.search(text, max(place, local.start()), local.end(), timeout=seconds) for place in (kept, read)
        ]
        domain = any(begins) and _DOMAIN.match(text, local.end(), timeout=seconds)
        if not domain:
            continue
        if begins[1]:
            read = domain.end()
        if end := _end(domain):
            begin = begins[0] or begins[1]
            assert begin is not None
            kept = end
            yield begin.start(), end


def unglued(form: Form) -> Form:
    """`form` with a space between an address and what is glued to it, which may be a value of its own."""
    return form.then(replaced(form.text, _DOMAIN, _space_behind))


def _space_behind(match: Any) -> Iterator[Part]:
    end = _end(match)
    if end and end < match.end() and match.string[end].isalnum():
        yield " ", end, end


def _end(domain: Any) -> int:
    """Where the name of a host ends that a match of `_DOMAIN` begins with; 0 where it is none."""
    text, first = domain.string, domain.start() + 1
    in_a_row = _NEXT.match(text, domain.end()) is not None
    size = host_size(domain.group()[1:], in_a_row=in_a_row, in_code=text.endswith(_SELF, 0, first - 1))
    return first + size if size else 0
