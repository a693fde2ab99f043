"""Texts turned round, and texts in rot13: read where they say so, or where an address shows it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

import regex

from proxy_guard.detect.layers import Form, Part, replaced

_BACKWARDS = (
    r"\b(?:revers|backward|mirror|inverted|right[ -]to[ -]left)"
    r"|\b(?:moc|gro|ten|ude|vog|oi|ku|ni|ed)\.[a-z0-9-]+(?:\.[a-z0-9-]+)*@[a-z0-9]"
)
_ROT13 = r"\brot-?13\b|\bcaesar\b|@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:pbz|arg|bet|rqh|tbi|qr|pb\.hx|pb\.va)\b"
TURNED_SIGNALS: tuple[str, ...] = (_BACKWARDS, _ROT13)
_SAYS_BACKWARDS = regex.compile(_BACKWARDS, regex.IGNORECASE)
_SAYS_ROT13 = regex.compile(_ROT13, regex.IGNORECASE)
_RUN = regex.compile(r"\d+(?:[ -]\d+)+(?!\w)|[\w@.+-]+")
_LETTERS = regex.compile(r"[A-Za-z]+")


def turned(form: Form) -> Iterator[Form]:
    """`form` turned back, in each way that it says it was turned; those there are."""
    if _SAYS_BACKWARDS.search(form.text):
        yield form.then(replaced(form.text, _RUN, _reversed))
    if _SAYS_ROT13.search(form.text):
        yield form.then(replaced(form.text, _LETTERS, _rotated))


def _reversed(match: Any) -> Iterator[Part]:
    yield match.group()[::-1], match.start(), match.end()


def _rotated(match: Any) -> Iterator[Part]:
    for place, char in enumerate(codecs.encode(match.group(), "rot13"), match.start()):
        yield char, place, place + 1
