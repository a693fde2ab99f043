"""Escapes that stand for characters, and markup that stands between them.

HTML references (`&#64;`), percent-encoding (RFC 3986, 2.1), escapes of code (`\\n`) and CSS, code points (`U+0040`),
quoted-printable (RFC 2045, 6.7), UTF-7 (RFC 2152); tags and comments of HTML, emphasis of Markdown.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import regex

from proxy_guard.detect.characters import characters_of
from proxy_guard.detect.layers import Form, Part, replaced

_REFERENCE = regex.compile(
    r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,30};)"
    r"|(?:%[0-9a-fA-F]{2})+"
    r"|\\+(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|0[0-9a-fA-F]{5} ?|[0-3][0-7]{2})"
    r"|\\+[nrt](?=[^\s\\0-9A-Z@]*[0-9A-Z@])"
    r"|[uU]\+[0-9a-fA-F]{4,6}(?:[ ,;]+(?=[uU]\+))?"
    r"|(?:=[0-9A-Fa-f]{2}){3,}|(?<=[\w.+-])=40(?=[A-Za-z0-9-]+(?:\.|=2E)[A-Za-z])|(?<=[^\s=])=\r?\n(?=\S)"
    r"|\+A[A-H][A-Za-z0-9+/]+-"
)
LONE_PERCENT = regex.compile(r"(?<!%[0-9A-Fa-f]{2})%[0-9A-Fa-f]{2}(?!%)")
"""An escape that stands by itself, and may be none."""
_HIGHEST = 0x10FFFF

_MARKUP = regex.compile(
    r"<!--.{0,4000}?-->|<!\[CDATA\[|\]\]>"
    r"|</?(?!(?i:at|dot)>)(?P<name>[A-Za-z][A-Za-z0-9:-]{0,30})(?:\s[^<>]{0,500})?/?>"
    r"|(?<=[\w.@+])(?:\*{1,3}|~~|`{1,3})(?=[\w.@+])|(?<=[^\W_])__(?=[^\W_])|(?<!\w)_{1,3}(?=[^\W_])|(?<=[^\W_])_{1,3}(?!\w)|\\(?=[@.+_*()#-])",
    regex.DOTALL,
)
_BLOCKS = frozenset("br p div td th tr table ul ol li h1 h2 h3 h4 h5 h6 hr section article option title".split())
"""Elements between which a reader sees a space."""

REFERENCE_SIGNALS: tuple[str, ...] = (
    r"&(?:#[0-9]|#x[0-9a-f]|[a-z][a-z0-9]+;)",
    r"%[0-9a-f]{2}",
    r"\\(?:[ux][0-9a-f{]|[0-3][0-7a-f]{2}|[@.+_*()#-])",
    r"u\+[0-9a-f]{4}",
    r"(?:=[0-9a-f]{2}){3}|[a-z0-9_.+-]=40[a-z0-9-]|[^\s=]=\r?\n\S",
    r"\+a[a-h][a-z0-9+/]+-",
    r"<(?:[a-z/]|!--|!\[cdata\[)|\]\]>",
    r"[a-z0-9_.@+](?:\*+|~~|`+|__)[a-z0-9_.@+]",
    r"(?:^|[^a-z0-9_])_{1,3}[^\s_]*[0-9@]|[0-9@]\S*_(?:[^a-z0-9_]|$)",
    r"\\[nrt][^\s\\]*(?-i:[0-9A-Z@])",
)


def plain_references(form: Form) -> Form:
    """`form` with what its escapes stand for."""
    return form.then(replaced(form.text, _REFERENCE, _referred))


def without_markup(form: Form) -> Form:
    """`form` as it reads where its markup is shown, not read."""
    return form.then(replaced(form.text, _MARKUP, _shown))


def _shown(match: Any) -> Iterator[Part]:
    name: str | None = match["name"]
    yield " " if name and name.lower() in _BLOCKS else "", match.start(), match.end()


def _referred(match: Any) -> Iterator[Part]:
    found: str = match.group()
    start, end = match.span()
    match found[0]:
        case "&":
            yield html.unescape(found), start, end
        case "%":
            for char, first, last in characters_of(bytes.fromhex(found.replace("%", ""))):
                yield char, start + 3 * first, start + 3 * last
        case "\\" if found[-1] in "nrt":
            yield " ", start, end
        case "=" if found[-1] == "\n":
            yield "", start, end
        case "=":
            for char, first, last in characters_of(bytes.fromhex(found.replace("=", ""))):
                yield char, start + 3 * first, start + 3 * last
        case "+":
            yield _utf7(found), start, end
        case _:
            yield _character(found), start, end


def _character(escape: str) -> str:
    """What an escape of code stands for; itself where it is for none."""
    digits = escape.lstrip("\\").strip("uUx+{} ,;")
    octal = escape[0] == "\\" and len(digits) == 3 and escape.endswith(digits)
    code = int(digits, 8 if octal else 16)
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= _HIGHEST else escape


def _utf7(shifted: str) -> str:
    try:
        return shifted.encode().decode("utf-7")
    except UnicodeDecodeError:
        return shifted
