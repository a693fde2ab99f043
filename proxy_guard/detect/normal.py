"""The same text as another reader would see it: what hides a value from a pattern is undone.

`forms` gives the texts to be searched besides the text itself. Each knows where its characters came from, so that
a finding in it edits the original. Nothing is done for a text without a sign of such hiding.

- `characters`: NFKC, digits of any script, invisible characters, lookalikes;
- `references`: HTML references, percent-encoding, escapes of code, markup between characters;
- `blobs`: base64, hexadecimal and their like, lists of codes;
- `spelling`: e-mail addresses with separators in words, and values written with a space after every character;
- `mail_addresses`: what is glued to an address;
- `separators`: signs and lines between the groups of a value, numbers in words;
- `turned`: backwards, by marks of direction too, rot13.
"""

from __future__ import annotations

from collections.abc import Set
from itertools import accumulate
from typing import NamedTuple

from proxy_guard.detect.blobs import BLOB_SIGNALS, opened
from proxy_guard.detect.characters import disguised, plain_characters
from proxy_guard.detect.layers import Form
from proxy_guard.detect.mail_addresses import GLUED_SIGNAL, unglued
from proxy_guard.detect.references import LONE_PERCENT, REFERENCE_SIGNALS, plain_references, without_markup
from proxy_guard.detect.separators import SEPARATOR_SIGNALS, put_together
from proxy_guard.detect.spelling import SPELLING_SIGNALS, spelled
from proxy_guard.detect.turned import TURNED_SIGNALS, overridden, turned

__all__ = ["SIGNALS", "Forms", "disguised", "forms"]
_ROUNDS = 3
"""An encoding inside an encoding inside an encoding."""

_GROUPS = (REFERENCE_SIGNALS, BLOB_SIGNALS, SPELLING_SIGNALS, (*SEPARATOR_SIGNALS, GLUED_SIGNAL), TURNED_SIGNALS)
SIGNALS: tuple[str, ...] = tuple(signal for group in _GROUPS for signal in group)
"""Patterns (case-insensitive). A text that none of them matches has forms only if it is `disguised`."""
_ENDS = list(accumulate(map(len, _GROUPS)))
_CODED, _SPELLED, _TURNED = range(_ENDS[1]), range(_ENDS[1], _ENDS[3]), range(_ENDS[3], _ENDS[4])


class Forms(NamedTuple):
    """The forms of a text. `read` is it as a reader sees it in the end; `others` are on the way there, or beside it."""

    read: list[Form]
    others: list[Form]


_NONE = Forms([], [])


def forms(text: str, signs: Set[int]) -> Forms:
    """What `text` reads as once hidden characters, encodings and spellings are undone.

    `signs` are the numbers of the SIGNALS that may match it.
    """
    odd = not text.isascii() and disguised(text)
    if not (signs or odd):
        return _NONE
    whole = Form(text)
    steps = _decoded(whole) if odd or not signs.isdisjoint(_CODED) else []
    final = steps[-1] if steps else whole
    if final.layers or not signs.isdisjoint(_SPELLED):
        final = _usual(final)
        if steps:
            steps += _without_references(whole)
    if final.layers or not signs.isdisjoint(_TURNED):
        steps += turned(final)
    distinct = {form.text: form for form in steps if form.text not in (text, final.text)}
    return Forms([final] if final.text != text else [], list(distinct.values()))


def _usual(form: Form) -> Form:
    """`form` with values written as they usually are, and apart from each other."""
    form = put_together(form)
    for _ in range(_ROUNDS):
        before = form
        form = spelled(unglued(form))
        if form is before:
            break
    return form


def _without_references(whole: Form) -> list[Form]:
    """What it reads as where nothing is an escape: `%45` may be a sign before a number."""
    return [_usual(opened(plain_characters(whole)))] if LONE_PERCENT.search(whole.text) else []


def _decoded(form: Form) -> list[Form]:
    """What comes of `form` step by step, the last with all encodings off and without markup."""
    steps: list[Form] = []
    for _ in range(_ROUNDS):
        before = form
        form = opened(_read(form, steps))
        if form is not before:
            steps.append(form)
        form = without_markup(form)
        if form is before:
            break
        steps.append(form)
    return steps


def _read(form: Form, beside: list[Form]) -> Form:
    """`form` with characters and references undone; what it reads as in another direction goes `beside`."""
    for _ in range(_ROUNDS):
        before = form
        if (back := overridden(form)) is not form:
            beside.append(plain_references(plain_characters(back)))
        form = plain_references(plain_characters(form))
        if form is before:
            break
    return form
