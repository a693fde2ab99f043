"""The same text as another reader would see it: what hides a value from a pattern is undone.

`forms` gives the texts to be searched besides the text itself. Each knows where its characters came from, so that
a finding in it edits the original. Nothing is done for a text without a sign of such hiding.

- characters: NFKC (Unicode UAX #15), digits of any script, invisible characters left out, exotic spaces and dashes,
  letters of other scripts that look like Latin ones in words that are otherwise Latin;
- references: HTML (`&#64;`), percent-encoding (RFC 3986, 2.1), backslash escapes of code;
- blobs: base64, base64url and hexadecimal (RFC 4648) that decode to text;
- spelling: e-mail addresses with separators in words, and values written with a space after every character.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator, Set
from typing import Any

import regex

from proxy_guard.detect.layers import Form, Part, replaced
from proxy_guard.detect.spelling import SPELLING_SIGNALS, spelled

_ROUNDS = 3
"""An encoding inside an encoding inside an encoding."""
_V1 = regex.V1
_MOST_PER_CHARACTER = 4
"""Characters that one may become; there are ligatures of eighteen, which would make a long text huge."""

# --- characters ------------------------------------------------------------------------------------------

_INVISIBLE = r"\p{Cf}\p{Variation_Selector}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
_ODD = regex.compile(
    rf"[A-Za-z0-9]\p{{M}}+|[[^\x00-\x7f]&&[{_INVISIBLE}\p{{Nd}}\p{{Zs}}\p{{Pd}}\u2028\u2029\u2043\u2212\u2800\u3002\p{{NFKC_QC=No}}]]",
    _V1,
)
_LOOKALIKES = dict(
    zip(
        "аеорсхуіјѕԁһԛԝѵӏоАВЕКМНОРСТХУІЈЅԌԚԜοαικνρυωςΑΒΕΖΗΙΚΜΝΟΡΤΥΧոսօցհǃɑɡɩ",
        "aeopcxyijsdhqwvloABEKMHOPCTXYIJSGQWoaikvpuwcABEZHIKMNOPTYXnuoghlagi",
        strict=True,
    )
)
_ALIKE = "".join(_LOOKALIKES)
_MIXED = regex.compile(rf"(?<!\S)(?=\S*[A-Za-z0-9@])(?=\S*[{_ALIKE}])\S+")
_LOOKALIKE = regex.compile(f"[{_ALIKE}]")

# What tells that characters may hide a value, from cheap to dear. Dashes, spaces and invisible characters are common
# in honest text: they count inside a value only.
_ALWAYS = regex.compile(r"[[^\x00-\x7f]&&\p{Nd}]|[\p{NFKC_QC=No}&&[\p{L}\p{N}＠﹫．﹒＿－﹣＋﹢]]", _V1)
_SOMETIMES = regex.compile(rf"[[^\x00-\x7f]&&[{_INVISIBLE}\p{{M}}\p{{Zs}}\p{{Pd}}\u2043\u2212\u2800\u3002\uff61]]", _V1)
_WITHIN = regex.compile(
    rf"[!-~][{_INVISIBLE}\p{{M}}]+[!-~]|[A-Za-z]\p{{M}}|[A-Za-z0-9][\u3002\uff61][A-Za-z0-9]"
    r"|[0-9][ ]?[[^\x00-\x7f]&&[\p{Zs}\p{Pd}\u2043\u2212\u2800]]+[ ]?[0-9]"
    r"|[@.][[^\x00-\x7f]&&\p{Zs}]|[[^\x00-\x7f]&&\p{Zs}][@.]",
    _V1,
)
_BESIDE = re.compile(f"[A-Za-z0-9@._-][{_ALIKE}]|[{_ALIKE}][A-Za-z0-9@._-]")


class _Kinds(dict[str, int]):
    """Characters to what they may be part of: 1 always hides, 2 within a value, 4 looks like a Latin letter."""

    def __missing__(self, char: str) -> int:
        kind = 0
        if not char.isascii():
            kind = (_ALWAYS.match(char) is not None) + 2 * (_SOMETIMES.match(char) is not None) + 4 * (char in _ALIKE)
        if len(self) < _MOST_KINDS:
            self[char] = kind
        return kind


_EDGE = re.compile(r"[!-~] ?(?=[^\x00-\x7f])|[^\x00-\x7f](?=[@.])")


def _within(text: str) -> bool:
    """Whether one of the characters that count inside a value only stands in what may be one."""
    for edge in _EDGE.finditer(text):
        first = edge.start() if edge.group()[0] > "~" else edge.end()
        last = first
        while last < len(text) and _KINDS[text[last]] & 2:
            last += 1
        if last > first and _WITHIN.search(text, max(0, first - 2), last + 2):
            return True
    return False


_MOST_KINDS = 20_000
_KINDS = _Kinds()


def disguised(text: str) -> bool:
    """Whether characters beyond ASCII may hide a value in `text`."""
    kinds = {_KINDS[char] for char in set(text)}
    return (
        not kinds.isdisjoint((1, 3, 5, 7))
        or (not kinds.isdisjoint((2, 6)) and _within(text))
        or (not kinds.isdisjoint((4, 6)) and _BESIDE.search(text) is not None)
    )


def _plain(match: Any) -> Iterator[Part]:
    found: str = match.group()
    yield _plain_of(found), match.start(), match.end()


def _plain_of(found: str) -> str:
    if found[0].isdecimal() and found[0].isascii():
        return found[0]  # a digit in a box, or struck through
    if found.isdecimal():
        return str(unicodedata.decimal(found))
    category = unicodedata.category(found[0])
    if category in ("Zs", "Zl", "Zp") or found == "\u2800":
        return " "
    if category == "Pd" or found in "\u2043\u2212":
        return "-"
    if found in "\u3002\uff61":
        return "."
    if category in ("Cf", "Mn", "Me", "Mc") or _INVISIBLE_ONE.match(found):
        return ""
    plain = unicodedata.normalize("NFKC", found)
    return plain if len(plain) <= _MOST_PER_CHARACTER else found


_INVISIBLE_ONE = regex.compile(f"[{_INVISIBLE}]", _V1)


def _latin(match: Any) -> Iterator[Part]:
    for each in _LOOKALIKE.finditer(match.group()):
        place = match.start() + each.start()
        yield _LOOKALIKES[each.group()], place, place + 1


# --- references ------------------------------------------------------------------------------------------

_REFERENCE = regex.compile(
    r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,30};)"
    r"|(?:%[0-9a-fA-F]{2})+|\\u\{[0-9a-fA-F]{1,6}\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"
)


def _referred(match: Any) -> Iterator[Part]:
    found: str = match.group()
    start: int = match.start()
    if found[0] == "&":
        yield html.unescape(found), start, match.end()
    elif found[0] == "%":
        for char, first, last in _characters(bytes.fromhex(found.replace("%", ""))):
            yield char, start + 3 * first, start + 3 * last
    else:
        code = int(found.strip("\\ux{}"), 16) if found != "\\u0000" else 0
        yield chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else found, start, match.end()


def _characters(data: bytes) -> list[tuple[str, int, int]]:
    """The characters of a UTF-8 text with the bytes of each; Latin-1 where it is none."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return [(char, place, place + 1) for place, char in enumerate(data.decode("latin-1"))]
    spans: list[tuple[str, int, int]] = []
    place = 0
    for char in text:
        size = len(char.encode())
        spans.append((char, place, place + size))
        place += size
    return spans


# --- blobs -----------------------------------------------------------------------------------------------

_BLOB = regex.compile(
    r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[ :,-]?){7,}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"
    r"|(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/]{60,}\r?\n)+[A-Za-z0-9+/]+|[A-Za-z0-9+/_-]{12,})={0,2}"
)
_NO_HEX = regex.compile(r"[^0-9A-Fa-f]+")
_NO_BASE64 = regex.compile(r"[^A-Za-z0-9+/_-]+")
_WORDS_OF_BLOB = regex.compile(r"[A-Za-z0-9+]{12,}={0,2}")


def _decoded(match: Any) -> list[Part]:
    found: str = match.group()
    return (
        _unpacked(found, match.start(), _NO_HEX, 2, 1, binascii.unhexlify)
        or _unpacked(found, match.start(), _NO_BASE64, 4, 3, _base64)
        # `key-` or a path before a blob shifts it.
        or [
            part
            for word in _WORDS_OF_BLOB.finditer(found)
            for part in _unpacked(word.group(), match.start() + word.start(), _NO_BASE64, 4, 3, _base64)
        ]
    )


def _base64(digits: str) -> bytes:
    digits = digits.translate(_STANDARD)
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)


_STANDARD = str.maketrans("-_", "+/")


def _unpacked(found: str, start: int, other: Any, digits: int, octets: int, decode: Any) -> list[Part]:
    """What a blob holds, character by character; nothing where it holds no text.

    `digits` of it make `octets` bytes; `other` matches what stands between digits.
    """
    bare = other.sub("", found)
    try:
        data = decode(bare)
    except ValueError:
        return []
    if not _is_text(data):
        return []
    # Where each digit stands in the text; without anything between them that is a plain count.
    plain = len(bare) == len(found.rstrip("="))
    places = range(len(found)) if plain else [each.start() for each in _DIGIT_OF[digits].finditer(found)]
    parts: list[Part] = []
    for char, first, last in _characters(data):
        begin = first // octets * digits
        end = min(-(-last // octets) * digits, len(bare))
        parts.append((char, start + places[begin], start + places[end - 1] + 1))
    return _disjoint(parts, start + len(found.rstrip("\r\n")))


_DIGIT_OF = {2: regex.compile("[0-9A-Fa-f]"), 4: regex.compile("[A-Za-z0-9+/_-]")}


def _disjoint(parts: list[Part], end: int) -> list[Part]:
    """Characters whose digits overlap become one part, so that each digit stands in one; padding joins the last."""
    merged: list[Part] = []
    for char, start, stop in parts:
        if merged and start < merged[-1][2]:
            text, first, last = merged[-1]
            merged[-1] = (text + char, first, max(last, stop))
        else:
            # What stands between two digits, the end of a line say, belongs to the second.
            merged.append((char, merged[-1][2] if merged else start, stop))
    if merged:
        text, first, _ = merged[-1]
        merged[-1] = (text, first, end)
    return merged


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    odd = sum(1 for char in text if not (char.isprintable() or char.isspace()))
    return len(text) >= 6 and odd * 20 <= len(text)


# --- forms -----------------------------------------------------------------------------------------------

_REFERENCE_SIGNALS = (r"&(?:#[0-9]|#x[0-9a-f]|[a-z][a-z0-9]{1,30};)", r"%[0-9a-f]{2}", r"\\[ux][0-9a-f{]")
_BLOB_SIGNALS = (r"[A-Za-z0-9+/_-]{16}", r"(?:(?:[2-7][0-9a-f]|0[9ad])[ :,-]?){8}")
SIGNALS: tuple[str, ...] = (*_REFERENCE_SIGNALS, *_BLOB_SIGNALS, *SPELLING_SIGNALS)
"""Patterns (case-insensitive). A text that none of them matches has forms only if it is `disguised`."""
_REFERENCES, _BLOBS, _SPELLINGS = (
    range(len(_REFERENCE_SIGNALS)),
    range(len(_REFERENCE_SIGNALS), len(_REFERENCE_SIGNALS) + len(_BLOB_SIGNALS)),
    range(len(_REFERENCE_SIGNALS) + len(_BLOB_SIGNALS), len(SIGNALS)),
)


def forms(text: str, signs: Set[int]) -> list[Form]:
    """What `text` reads as once hidden characters, encodings and spellings are undone.

    `signs` are the numbers of the SIGNALS that may match it.
    """
    odd = not text.isascii() and disguised(text)
    if not (signs or odd):
        return []
    found: list[Form] = []
    form = Form(text)
    for _ in range(_ROUNDS):
        read = _read(form) if odd or form.layers or not signs.isdisjoint(_REFERENCES) else form
        opened = read
        if read.layers or not signs.isdisjoint(_BLOBS):
            opened = read.then(replaced(read.text, _BLOB, _decoded))
        found += [each for each in (read, opened) if each.layers]
        if opened is form:
            break
        form = opened
    if not signs.isdisjoint(_SPELLINGS):
        found += spelled(Form(text))
    found += [each for form in found[:] for each in spelled(form)]
    distinct = {each.text: each for each in found}
    distinct.pop(text, None)
    return list(distinct.values())


def _read(form: Form) -> Form:
    """`form` with characters and references undone."""
    for _ in range(_ROUNDS):
        before = form
        if not form.text.isascii():
            form = form.then(replaced(form.text, _ODD, _plain))
            form = form.then(replaced(form.text, _MIXED, _latin))
        form = form.then(replaced(form.text, _REFERENCE, _referred))
        if form is before:
            break
    return form
