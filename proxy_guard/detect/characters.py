"""Characters that hide a value: what they stand for, and whether a text has such at all.

NFKC (Unicode UAX #15), digits of any script, invisible characters left out, exotic spaces and dashes, letters of other
scripts that look like Latin ones in words that are otherwise Latin, text written in tags or variation selectors. Where
a script that is written without spaces touches a value (`请jane@example.com`), a space is put between.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import regex

from proxy_guard.detect.layers import Form, Part, replaced

_V1 = regex.V1
_MOST_PER_CHARACTER = 4
"""Characters that one may become; there are ligatures of eighteen, which would make a long text huge."""

_TAGS = "\U000e0020-\U000e007e"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_LEAST_RUN = 5
"""Tags or variation selectors in a row from which on they spell something; fewer are decoration."""
_INVISIBLE = r"\p{Cf}\p{Variation_Selector}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
_DASHES = r"[[^\x00-\x7f]&&[\p{Pd}\u2043\u2212]]"
"""Between words, honest text has them too."""
_ODD = regex.compile(
    rf"[{_TAGS}]{{{_LEAST_RUN},}}|[{_SELECTORS}]{{{_LEAST_RUN},}}|[!-~]\p{{M}}+"
    rf"|[[^\x00-\x7f]&&[{_INVISIBLE}\p{{Nd}}\p{{Z}}\u2800\p{{NFKC_QC=No}}]]|(?<=[A-Za-z0-9])\u3002(?=[A-Za-z0-9])"
    rf"|(?<=[0-9@.] ?){_DASHES}{{1,3}}|{_DASHES}{{1,3}}(?= ?[0-9@.])",
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
_ALWAYS = regex.compile(
    rf"[[^\x00-\x7f]&&\p{{Nd}}]|[\p{{NFKC_QC=No}}&&[\p{{L}}\p{{N}}＠﹫．﹒․＿－﹣＋﹢]]|[{_TAGS}\U000e0100-\U000e01ef\u202e]",
    _V1,
)
_SOMETIMES = regex.compile(rf"[[^\x00-\x7f]&&[{_INVISIBLE}\p{{M}}\p{{Z}}\p{{Pd}}\u2043\u2212\u2800\u3002\uff61]]", _V1)
_WITHIN = regex.compile(
    rf"[!-~]\s{{0,2}}[{_INVISIBLE}\p{{M}}]+\s{{0,2}}[!-~]|[A-Za-z0-9]\p{{M}}|[A-Za-z0-9][\u3002\uff61][A-Za-z0-9]"
    r"|[0-9][ ]?[[^\x00-\x7f]&&[\p{Z}\p{Pd}\u2043\u2212\u2800]]+[ ]?[0-9]"
    r"|[!-~](?:[[^\x00-\x7f]&&[\p{Z}\u2800]]+[!-~]){4}"
    r"|[@.][[^\x00-\x7f]&&\p{Z}]|[[^\x00-\x7f]&&[\p{Z}\p{Pd}\u2043\u2212\u2800]][@.]",
    _V1,
)
_BESIDE = re.compile(f"[A-Za-z0-9@._-][{_ALIKE}]|[{_ALIKE}][A-Za-z0-9@._-]")

_FOREIGN = r"(?![\x00-\x7f]|\p{Latin}|\p{Inherited})[\p{L}\p{M}]"
BEHIND_FOREIGN = rf"(?<={_FOREIGN})(?=[A-Za-z0-9])"
SCRIPTS_MEET = rf"(?:{BEHIND_FOREIGN}|(?<=[A-Za-z0-9])(?={_FOREIGN}))"
"""Where letters of another script touch what a value is written in: a word ends there, and another begins."""
_TOUCHING = regex.compile(SCRIPTS_MEET)
_VALUE = r"[0-9A-Z@\[({<]"
_BEFORE = re.compile(rf"[^\x00-\x7f](?=[A-Za-z0-9])[ -~]{{0,99}}?{_VALUE}")
_BEHIND = re.compile(rf"{_VALUE}(?:(?!{_VALUE})[ -~]){{0,99}}(?<=[A-Za-z0-9])[^\x00-\x7f]")
"""What touches a character beyond ASCII and may be, or hold, a value."""


class _Kinds(dict[str, int]):
    """Characters to what they may be part of: 1 always hides, 2 within a value, 4 looks like a Latin letter, 8 is
    a letter of another script."""

    def __missing__(self, char: str) -> int:
        kind = 0
        if not char.isascii():
            kind = (_ALWAYS.match(char) is not None) + 2 * (_SOMETIMES.match(char) is not None) + 4 * (char in _ALIKE)
            kind += 8 * (_LETTER.match(char) is not None)
        if len(self) < _MOST_KINDS:
            self[char] = kind
        return kind


_EDGE = re.compile(r"[!-~]\s{0,2}(?=[^\x00-\x7f])|[^\x00-\x7f](?=[@.])")


def _within(text: str) -> bool:
    """Whether one of the characters that count inside a value only stands in what may be one."""
    for edge in _EDGE.finditer(text):
        first = edge.start() if edge.group()[0] > "~" else edge.end()
        last = first
        while last < len(text) and _KINDS[text[last]] & 2:
            last += 1
        if last > first and _WITHIN.search(text, max(0, first - 3), last + 8):
            return True
    return False


def _touches(text: str) -> bool:
    """Whether a letter of another script touches what may be a value."""
    return any(_KINDS[each.group()[0]] & 8 for each in _BEFORE.finditer(text)) or any(
        _KINDS[each.group()[-1]] & 8 for each in _BEHIND.finditer(text)
    )


_MOST_KINDS = 20_000
_KINDS = _Kinds()
_LETTER = regex.compile(_FOREIGN)


def disguised(text: str) -> bool:
    """Whether characters beyond ASCII may hide a value in `text`."""
    kinds = 0
    for char in set(text):
        kinds |= _KINDS[char]
    return bool(
        kinds & 1
        or (kinds & 2 and _within(text))
        or (kinds & 4 and _BESIDE.search(text))
        or (kinds & 8 and _touches(text))
    )


def plain_characters(form: Form) -> Form:
    """`form` with its characters as a reader sees them."""
    if form.text.isascii():
        return form
    form = form.then(replaced(form.text, _ODD, _plain))
    form = form.then(replaced(form.text, _MIXED, _latin))
    return form.then(replaced(form.text, _TOUCHING, _apart))


def _plain(match: Any) -> Iterator[Part]:
    found: str = match.group()
    start: int = match.start()
    if len(found) < _LEAST_RUN or found[0].isascii():
        yield _plain_of(found), start, match.end()
    elif found[0] >= _TAGS[0] and found[0] <= _TAGS[2]:
        for place, char in enumerate(found, start):
            yield chr(ord(char) - 0xE0000), place, place + 1
    else:
        octets = bytes(ord(char) - (0xFE00 if char <= "\ufe0f" else 0xE00F0) for char in found)
        for char, first, last in characters_of(octets):
            yield char, start + first, start + last


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
    if found[0].isascii():  # marks that make no letter of it are decoration
        return plain[0]
    return plain if len(plain) <= _MOST_PER_CHARACTER else found


def _apart(match: Any) -> Iterator[Part]:
    yield " ", match.start(), match.end()


_INVISIBLE_ONE = regex.compile(f"[{_INVISIBLE}]", _V1)


def _latin(match: Any) -> Iterator[Part]:
    for each in _LOOKALIKE.finditer(match.group()):
        place = match.start() + each.start()
        yield _LOOKALIKES[each.group()], place, place + 1


def characters_of(data: bytes, charset: str = "utf-8") -> list[tuple[str, int, int]]:
    """The characters of a text with the bytes of each; Latin-1 where it is not in `charset`."""
    try:
        text = data.decode(charset)
    except UnicodeDecodeError:
        return [(char, place, place + 1) for place, char in enumerate(data.decode("latin-1"))]
    if text.isascii() and charset == "utf-8":
        return [(char, place, place + 1) for place, char in enumerate(text)]
    spans: list[tuple[str, int, int]] = []
    place = 0
    for char in text:
        size = len(char.encode(charset))
        spans.append((char, place, place + size))
        place += size
    return spans
