"""Values spelled out: `jane [at] example dot com`, and a space after every character."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import regex

from proxy_guard.detect.layers import Form, Part, replaced
from proxy_guard.detect.suffixes import host_size

_AT_WORDS = "at|arroba|chiocciola|kukac"
_DOT_WORDS = "dot|punkt|punto|ponto|point|tacka|kropka"
SEPARATORS = f"{_AT_WORDS}|{_DOT_WORDS}"
"""Words that stand for signs in an address."""
_OPEN, _CLOSE = r"[\[({<|*_-]{1,2}\s?", r"\s?[\])}>|*_-]{1,2}"
AT_SIGN = rf"(?:\s?{_OPEN}(?:{_AT_WORDS}|@){_CLOSE}\s?|\s?[\[({{<]a[\])}}>]\s?)"
"""What stands for an `@` and for nothing else."""
_AT = (
    rf"(?:{AT_SIGN}"
    rf"|\s(?:{_AT_WORDS})(?:\s(?:sign|the\srate(?:\sof)?))?\s|\s{{0,3}}@\s{{0,3}})"
)
_DOT = rf"(?:\s?{_OPEN}(?:{_DOT_WORDS}|\.){_CLOSE}\s?|\s(?:{_DOT_WORDS})\s|\s\.\s|\s{{1,3}}\.(?=\w)|\.)"
ADDRESS = regex.compile(
    rf"(?<!\w)(?<!\w\.)(?P<local>[\w+-]{{1,64}}(?:{_DOT}[\w+-]{{1,64}}){{0,4}})(?P<at>{_AT})"
    rf"(?P<domain>[A-Za-z0-9][A-Za-z0-9-]{{0,62}}(?:{_DOT}[A-Za-z0-9-]{{2,63}}){{1,4}})(?!\w|['’-]\w)",
    regex.IGNORECASE,
)
AT = re.compile(rf"@|[\[({{<]a|(?<![^\W_])(?:{_AT_WORDS})(?![^\W_])", re.IGNORECASE)
"""What stands in every address."""
BEGUN = "|".join(sorted({word[:n] for word in SEPARATORS.split("|") for n in range(1, len(word) + 1)}))
"""What such a word may begin with."""
LOCAL = regex.compile(
    rf"(?r)(?<!\w)(?<!\w\.)[\w+-]{{1,64}}(?:{_DOT}[\w+-]{{1,64}}){{0,4}}"
    rf"(?:\s?[\[({{<|*_-]{{1,2}}\s?(?:(?:{BEGUN}|\.)\s?[\])}}>|*_-]{{0,2}}\s?)?|\s(?:{BEGUN})|\s(?:{_DOT_WORDS})\s|\s?\.\s|\s{{0,3}}\.?)\Z",
    regex.IGNORECASE,
)
"""What one may begin with, where none of those has come yet."""
_SEPARATOR = regex.compile(rf"(?P<at>{_AT})|{_DOT}", regex.IGNORECASE)
HANGING = regex.compile(rf"(?:{_AT}|{_DOT})\Z", regex.IGNORECASE)
"""Separators at the end of a text."""
_PLAIN_AT = regex.compile(rf"\s(?:{_AT_WORDS})\s", regex.IGNORECASE)
_SPELLED_DOT = regex.compile(rf"\b(?:{_DOT_WORDS})\b|[\])}}>]", regex.IGNORECASE)
_MAIL_WORDS = regex.compile(r"e-?mail|\bmail|\bcontact\b|\breach\b|\bwrite\b|\baddress\b|\binbox\b", regex.IGNORECASE)
_NEAR = 60

_PAIRS = r"(?<!\b[0-9A-Fa-f]{2} {1,2})(?:[0-9]{2} ){4,}[0-9]{1,2}(?! {1,2}[0-9A-Fa-f]{2}\b)"  # no dump of bytes
LETTERS = regex.compile(rf"(?<!\S)(?:(?:\S ){{7,}}\S|{_PAIRS})(?!\S)")
_DIGITS = regex.compile(r"(?<!\w)(?<!\w\.)\+?[0-9](?:[ .,_*/|~:;-]{1,3}[0-9]){7,18}(?![\w])")

SPELLING_SIGNALS: tuple[str, ...] = (
    rf"\b(?:{_DOT_WORDS})\b",
    rf"[\[({{<|*_-]\s?(?:{_AT_WORDS}|{_DOT_WORDS}|@|\.)\s?[\])}}>|*_-]",
    rf"\b(?:{_AT_WORDS})\s(?:sign\s|the\srate\s(?:of\s)?)?[a-z0-9-]{{1,63}}\.[a-z]{{2}}",
    r"[a-z0-9]\s?[\[({<]a[\])}>]\s?[a-z0-9]",
    r"\s@|@\s",
    r"@[a-z0-9.-]+\s{1,3}\.",
    r"\s\.\s?\w",
    r"(?:[!-~] ){7}[!-~]",
    r"(?:[0-9]{2} ){4}[0-9]",
    r"(?:[0-9][ .,_*/|~:;-]{1,3}){7}[0-9]",
)
"""One of them matches every text that has something spelled out (case-insensitive)."""


def spelled(form: Form) -> Form:
    """`form` with spelled-out addresses written as such, and with spaced-out values closed up."""
    form = form.then(replaced(form.text, _DIGITS, _closed_digits))
    form = form.then(replaced(form.text, LETTERS, _closed))
    return form.then(replaced(form.text, ADDRESS, _address, again="at"))


def _address(match: Any) -> Iterator[Part]:
    local, at, domain = match.group("local"), match.group("at"), match.group("domain")
    if _PLAIN_AT.fullmatch(at) and not _meant(match, local, domain):
        return
    if not host_size(_SEPARATOR.sub(".", domain)):
        return
    for each in _SEPARATOR.finditer(match.string, match.start(), match.end()):
        whole = each.start() == match.start("at")
        if whole or each.end() <= match.end("local") or each.start() >= match.start("domain"):
            yield "@" if whole else ".", each.start(), each.end()


def _meant(match: Any, local: str, domain: str) -> bool:
    """Whether `jane at example dot com` is an address, and no talk of what is to be found at that site."""
    from proxy_guard.detect.custom import ordinary_words  # noqa: PLC0415 - it reads a file, and imports this package

    if _MAIL_WORDS.search(match.string, max(0, match.start() - _NEAR), match.start()):
        return True
    if not _SPELLED_DOT.search(domain):
        return False
    return not local.isalpha() or local.lower() not in ordinary_words()


def _closed(match: Any) -> Iterator[Part]:
    for place in range(match.start(), match.end()):
        if match.string[place] == " ":
            yield "", place, place + 1


def _closed_digits(match: Any) -> Iterator[Part]:
    for each in _BETWEEN.finditer(match.string, match.start() + 1, match.end()):
        yield "", each.start(), each.end()


_BETWEEN = regex.compile(r"[^0-9]+")
