"""What end of a text that goes on may still be part of a finding.

A finding of one word can't be told before the word ends, one of several words or groups not before what follows is
none of it, and its score not before the words that may raise it are there. So these are pending:

- the last word, as long as no other follows it;
- short words before it that a value may begin with (`AB 12 34 56 C`, `j a n e`);
- what may become an address spelled out (`jane at example dot com`);
- words that may tell a number (`nine eight seven`), or be base64 in pieces;
- a word that is not plain, with digits or signs in it, until `REACH` code points and three words have followed:
  what recognizers look at behind a match (`detect.context`, `detect.own`, `detect.phone_own`).

All else is settled: no pattern of the profile's takes a plain word and a space into a match with what comes after.
`tests/stream/test_pending.py` holds every pattern to that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

from proxy_guard.detect.blobs import PACKED, PACKING, PIECE
from proxy_guard.detect.characters import BEHIND_FOREIGN
from proxy_guard.detect.layers import Form
from proxy_guard.detect.normal import SIGNALS, forms
from proxy_guard.detect.separators import COUNTED, COUNTING, COUNTING_WORDS, JUNK
from proxy_guard.detect.spelling import ADDRESS, AT, BEGUN, HANGING, LETTERS, LOCAL, SEPARATORS
from proxy_guard.model import Finding

REACH = 66
"""Code points behind a match that recognizers look at."""
_WORDS = 3
_FARTHEST = 400
"""Code points behind a match beyond which words don't count, however long those between are."""
_NUMBER_REACH = 24
"""The same for a number of one or two digits, which no match is made of alone."""
_JOINED = 8
"""Code points between two words that are not plain within which they may be one value (`GB82 WEST 1234`)."""
_REDONE = 12
"""Code points behind an address spelled out within which it may turn out to be longer (` dot uk`)."""

_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_STOPS = r"[\uff0c\uff01\uff1f\uff1b\u3001\u3002](?<=[^\x00-\x7f]{2})"
"""Punctuation that ends a word of scripts without spaces."""
_BREAK = rf"(?:\s|{_STOPS})"
_LAST = regex.compile(rf"(?r)(?:(?!{_BREAK}).)*\s{{0,2}}\Z", regex.DOTALL)
_LEAD = r"(?:(?<!\S)\S{1,2}\s+)"
_LEADS = regex.compile(rf"(?r)(?:{_LEAD}+|{_LEAD}*(?:(?<!\w)|{BEHIND_FOREIGN})\w{{1,3}}\s{{1,2}}|)\Z")
_RUNS = regex.compile(rf"(?r)(?:(?i:{COUNTING})|{PACKING})\Z")
"""Words that may tell a number, or be base64 in pieces: as many as there are."""
_JOINED_UP = regex.compile(rf"(?r)(?:[A-Za-z0-9+@.]{{1,40}}{JUNK})+\Z")
"""What a value may begin with that has signs between its parts (`jane • @example • .com`)."""
_SIGNS = regex.compile(r"[^\w\s]{0,4}")
_BROKEN = regex.compile(r"(?r)[\w+]{1,64}[/,:;|.-]\s{1,2}\Z")
"""What an address may begin with that is cut before its signs (`jane, @example, .com`)."""
_PLAIN = regex.compile(
    rf"[\"'“”‘’«»(\[*_~#>¿¡-]{{0,4}}(?:(?:\p{{L}}\p{{M}}*){{1,15}}(?:['’/—–-](?:\p{{L}}\p{{M}}*){{1,15}}){{0,2}}"
    rf"|(?:(?!\p{{N}})[{_SCRIPTS}\p{{M}}])+)?"
    r"[.,;:!?)\]\"'“”‘’«»…*_~-]{0,4}|[-–—=*•|#]{1,8}",
)
_NUMBER = regex.compile(r"[(\[$€£₹*_#]{0,3}\d{1,2}[.,:;)\]*_%!?]{0,3}")
_WORD = regex.compile(r"\S+")
_LETTER = "[A-Za-zÀ-ÖØ-öø-ÿ]"
_NO_SIGN = rf"(?!(?i:{SEPARATORS})(?!{_LETTER}))"
_LONG = rf"{_NO_SIGN}{_LETTER}{{3,15}}[.,;:!?]? "
_SHORT = rf"{_NO_SIGN}{_LETTER}{{1,2}}[.,;:!?]? "
_SHORT_SEPARATOR = re.compile(rf"\s(?i:{'|'.join(each for each in SEPARATORS.split('|') if len(each) < 4)})\s")
_NUMERALS = frozenset(word + stop for word in COUNTING_WORDS for stop in ("", *".,;:!?"))
_PACKED = re.compile(PIECE)
_PROSE = re.compile(
    rf"(?:(?:{_SHORT}){{0,3}}{_LONG})*(?:{_SHORT}){{0,3}}"
    rf"((?!(?i:{BEGUN})\Z){_NO_SIGN}{_LETTER}{{1,15}}(?:[.,;:!?]?| )\Z)"
)
"""Plain words, none of which may be part of an address spelled out; of these the last alone is pending."""


def pending(text: str, settled: int = 0) -> int:
    """Where the end of `text` begins that is pending; no less than `settled`, up to which it is known to be settled.

    What is settled stays so, whatever `text` goes on with.
    """
    rest = text[settled:]
    if rest.isascii() and rest.isalpha():
        return settled  # a word that has not ended
    prose = _PROSE.match(text, settled)
    if (
        prose and _NUMERALS.isdisjoint(rest.lower().split()) and not _PACKED.search(rest)
    ):  # as most texts are: the same as below, at a fraction of the cost
        begun = prose.start(1)
        end = len(text) if text[-1] == " " else begun
        return max(settled, _led_shortly(text, settled, min(begun, _led_shortly(text, settled, _broken(text, end)))))
    last = _LAST.search(text, settled)
    word: int = last.start() if last else len(text)
    unclosed, spelled = _spelled(text, settled, len(text))
    tail = len(text) if text[-1:].isspace() else word
    start = _begun(text, settled, min(word, _led(text, settled, tail), unclosed))
    start = min(start, _unfinished(text, settled, start, spelled))
    start = _led(text, settled, start)
    led = _SHORT_SEPARATOR.match(text, start - 1) if start > settled else None  # itself one of the short words
    begun = _begun(text, settled, max(settled, start))
    if led or HANGING.search(text, settled, begun) or HANGING.search(text, settled, start):
        # What is spaced out, or written otherwise, may be the next part of an address.
        start, _ = _spelled(text, settled, led.end() if led else start)
    return _begun(text, settled, max(settled, _coded(text, settled, start)))


def _coded(text: str, settled: int, start: int) -> int:
    """Where an address spelled out may begin before `start` whose signs are written as codes, or stand in markup."""
    if start <= settled or not _CODE.search(text, settled):
        return start
    begun = _FRAGMENT.search(text, settled)
    rest = text[settled : begun.start() if begun else len(text)]
    for form in forms(rest, _ALL).read or [Form(rest)]:
        first, _ = _spelled(form.text, 0, len(form.text))
        if first < len(form.text):
            for each in form.original([Finding("", first, first + 1, 0)]):
                start = min(start, settled + each.start)
    return start


_CODE = re.compile(r"[&%<=\\+]")
_FRAGMENT = regex.compile(r"(?r)[&%<=\\+][^\s>;]*\Z")
"""What may become one, at the end of a text."""


def _led(text: str, settled: int, start: int) -> int:
    """Where the words begin that lead to `start`."""
    if start > settled and (run := _RUNS.search(text, settled, start)):
        start = run.start()
    for end in {start, _SIGNS.match(text, start).end()}:
        if end > settled and (run := _JOINED_UP.search(text, settled, end)):
            start = min(start, run.start())
    return _led_shortly(text, settled, max(settled, _broken(text, start)))


def _broken(text: str, start: int) -> int:
    """Where an address begins that is cut before its signs, if what is at `start` may be the next part of it."""
    if text[start - 1 : start].isspace() and text[start : start + 1] in _OWN_SIGNS:
        broken = _BROKEN.search(text, 0, start)
        return int(broken.start()) if broken else start
    return start


_OWN_SIGNS = ("", "@", ".")


def _led_shortly(text: str, settled: int, start: int) -> int:
    """Where the short words begin that lead to `start`; a longer word of letters there is led to by none."""
    if len(text) - start > 2 and text[start : start + 3].isalpha():
        return start
    before = text[max(settled, start - 5) : start]
    if not before or (before[-1] == " " and before.isascii() and before[:-1].isalpha() and len(before) == 5):
        return start
    leads = _LEADS.search(text, settled, start)
    return int(leads.start()) if leads else start


def _unfinished(text: str, settled: int, last: int, spelled: list[tuple[int, int]]) -> int:
    """Where the first value may begin that has not yet been followed by enough."""
    words = list(_words(text, settled, last, spelled))
    place = 0
    while place < len(words):
        start, end = words[place]
        if (start, end) not in spelled and _PLAIN.fullmatch(text, start, end):
            place += 1
            continue
        first, small = place, _NUMBER.fullmatch(text, start, end) is not None
        # What is near, and not plain either, may be part of the same value.
        ahead = place + 1
        while ahead < len(words) and words[ahead][0] - end <= _JOINED:
            if words[ahead] in spelled or not _PLAIN.fullmatch(text, *words[ahead]):
                place, end, small = ahead, words[ahead][1], False
            ahead += 1
        # What is pending itself is not counted: it may be longer than what it reads as.
        behind = text[end:last]
        done = _enough(behind, small)
        if done:
            after = (*words[place + 1 :], *(match.span() for match in _WORD.finditer(text, last)))
            if not all(_PLAIN.fullmatch(text, *each) for each in after):
                done = all(_enough(form.text, small) for form in forms(behind, _ALL).read)
        if not done:
            return words[first][0]
        place += 1
    return len(text)


def _enough(behind: str, small: bool) -> bool:
    """Whether so much has followed a match, or a `small` number, that nothing more can change it."""
    if small:
        return len(behind) >= _NUMBER_REACH
    words = len(behind.split()) - (not behind[:1].isspace())
    return len(behind) >= _FARTHEST or (len(behind) >= REACH and words > _WORDS)


_ALL = frozenset(range(len(SIGNALS)))


def _words(text: str, start: int, end: int, spelled: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The words between `start` and `end`; what is spelled out is one."""
    for first, last in [*spelled, (end, end)]:
        for match in _WORD.finditer(text, start, max(start, min(first, end))):
            yield match.span()
        if first < end:
            yield first, last
        start = max(start, last)


def _spelled(text: str, settled: int, end: int) -> tuple[int, list[tuple[int, int]]]:
    """Where what may become an address spelled out begins, or `end`; and what is spelled out before that."""
    found: list[tuple[int, int]] = []
    if AT.search(text, settled, end):
        for match in ADDRESS.finditer(text, settled, end, partial=True):
            if match.partial or match.end() + _REDONE > end:
                end = _begun(text, settled, match.start())
                break
            found.append((_begun(text, settled, match.start()), match.end()))
    elif local := LOCAL.search(text, settled, end):  # the same at a fraction of the cost
        end = _begun(text, settled, local.start())
    for pattern in (LETTERS, COUNTED, PACKED):
        found += [match.span() for match in pattern.finditer(text, settled, end)]
    return end, _apart(found) if len(found) > 1 else found


def _begun(text: str, settled: int, start: int) -> int:
    """Where the word begins that `start` lies in: what is before it may be part of a value, too (`a/jane at …`)."""
    while start > settled and not text[start - 1].isspace():
        start -= 1
    return start


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """`spans` in order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
