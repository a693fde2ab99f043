"""Values with something between their characters or groups that is not usually there.

`4539 | 1488 | 0343 | 6467`, `4-5-3-9-…`, `GB29•NWBK•6016…`, `jane·@example·.com`, and numbers in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import regex

from proxy_guard.detect.characters import SCRIPTS_MEET
from proxy_guard.detect.layers import Form, Part, replaced

JUNK = r"""(?:\s{0,2}[^\w\s@.,;:/()&%+<>$€£?!-]{1,4}\s{0,2}|_{1,3}|[\v\f\x1c-\x1f\x85]{1,4}|["'`]\s?[+.&,]?\s?["'`])"""
"""What nobody writes within a value, unless to hide it."""
_LISTED = r"(?:\s?[,;:/|.]\s{0,2}|\s{2,3}|[\n\t\r\u2028]{1,2})"
"""What separates values from each other, too."""
_APART = regex.compile(
    rf"(?<![\w@])[A-Za-z0-9+@.]{{1,40}}(?P<apart>{JUNK})"
    r"(?:[A-Za-z0-9@.]{1,40}(?P=apart)){0,40}[A-Za-z0-9@.]{1,40}(?!\w)"
)
_MAIL_APART = regex.compile(
    r"(?<!\w)(?<!\w[@.])[\w+]{1,64}(?:"
    r"(?P<apart>[/,:;|.-])(?:[@.]?[\w+]{1,64}(?P=apart)){1,6}[@.]?"
    r"|(?P<apart>[/,:;|.-]\s{1,2})(?:[@.][\w+]{1,64}(?P=apart)){1,6}[@.]"  # what is cut elsewhere is a list of words
    r")[\w+]{1,64}(?!\w)"
)
_EACH = regex.compile(
    r"(?<!\w)[A-Za-z0-9+](?:(?P<each>[^\w\s]{1,2})(?:[ -~](?P=each)){6,80}|(?P<each>\s{1,3})(?:[!-~](?P=each)){6,80}"
    r"|(?P<each>[\r\n\t]{1,2})(?:[ -~](?P=each)){3,80})[!-~](?!\w)"
)
_GROUPS = regex.compile(
    rf"(?<!\w)(?<!\d[.,/-])(?:\+[0-9]{{1,6}}|(?:[A-Z]{{2}})?[0-9]{{2,6}})(?P<list>{_LISTED})"
    r"[A-Z0-9]{3,6}(?P=list)(?=[A-Z0-9]{2})(?:[A-Z0-9]{2,6}(?P=list)){0,8}[A-Z0-9]{1,6}(?![\w])"
)
NAMED = regex.compile(
    r"\b(?:cards?|visa|master ?card|amex|rupay|iban|account|a/c|acct?|aadh?aa?r|adhaar|uid|uidai|phone|mobile|cell|"
    r"whatsapp|tel|call|ssn|social security|nhs|passport|pan|tax|number)\b|आधार|कार्ड|फ़ोन|फोन|मोबाइल",
    regex.IGNORECASE,
)
"""Words that say what a number behind them is."""
_NEAR = 48
"""Code points before a list of groups in which a word may say what it is."""
_MAIL = regex.compile(r"[A-Za-z0-9]@[A-Za-z0-9-]+\.[A-Za-z]{2}")
_NAME = regex.compile(r"(?<=\b[A-Z][a-z]{1,20})(?:[_*·•|~^]{1,3}|\s?[\r\n\t]{1,2})(?=[A-Z][a-z]{1,20}\b)")

_DIGIT_WORDS = {
    word: digit
    for words in (
        "zero one two three four five six seven eight nine",
        "oh ek do teen char paanch chhah saat aath nau",
        "शून्य एक दो तीन चार पांच छह सात आठ नौ",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "null eins zwei drei vier fünf sechs sieben acht neun",
        "zéro un deux trois quatre cinq six sept huit neuf",
    )
    for digit, word in enumerate(words.split())
}
NUMBER_WORDS = "|".join(sorted(_DIGIT_WORDS, key=len, reverse=True))
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_NUMERAL = rf"(?:(?:{'|'.join(_TIMES)})[\s-]+)?(?:{NUMBER_WORDS})|[0-9]{{1,6}}"
COUNTED = regex.compile(rf"(?<!\w)\+?(?:{_NUMERAL})(?:[\s,.-]{{1,3}}(?:{_NUMERAL})){{2,24}}(?!\w)", regex.IGNORECASE)
COUNTING_WORDS = (*_DIGIT_WORDS, *_TIMES)
COUNTING = rf"(?:(?<!\w)|{SCRIPTS_MEET})\+?(?:(?:{_NUMERAL}|{'|'.join(_TIMES)})[\s,.-]{{1,3}})+"
"""What one may begin with."""
_ONE = regex.compile(rf"(?:({'|'.join(_TIMES)})[\s-]+)?\b({NUMBER_WORDS})\b|[0-9]+", regex.IGNORECASE)
_LEAST_DIGITS, _LEAST_WORDS = 8, 2
_COLOUR = regex.compile(r"[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3}")
_LETTERED = regex.compile(
    r"(?<!\w)(?<!\w\.)\+?(?=[\w -]{0,40}?[0-9][OolI]+[0-9][0-9OolI -]{3})"
    r"(?:[A-Z]{2})?[0-9OolI](?:[ -]?[0-9A-NP-ZOolI]){8,32}(?!\w)"
)
_LETTER_DIGITS = str.maketrans("OolI", "0011")

_WORD_SIGNAL = "|".join(word for word in _DIGIT_WORDS if word.isascii() and len(word) > 2)
SEPARATOR_SIGNALS: tuple[str, ...] = (
    r"""[0-9]\s{0,2}(?:[^a-z0-9\s@.,;:/()&%+<>$?!-]{1,4}\s{0,2}|[\v\f]{1,4}|["'`]\s?[+.&,]?\s?["'`])[0-9]""",
    r"[0-9]{2}\s?(?:[,;:/|.]\s{0,2}|\s{2}|[\n\t])[a-z0-9]{3,6}\s?(?:[,;:/|.]\s{0,2}|\s{2}|[\n\t])[a-z0-9]{2}",
    r"[a-z0-9](?:(?:[^a-z0-9\s]{1,2}|\s{1,3})[!-~]){4}\W",
    r"[^a-z0-9\s()&%+<>$?!@]\s{0,2}@[^\s@]|[a-z0-9]@\s{0,2}[^a-z0-9\s()&%+<>$?!@.,;:/-]|\s{2}@|[\v\f\x1c-\x1f]@",
    rf"\b(?:{_WORD_SIGNAL})[\s,.-]{{1,3}}(?:{_WORD_SIGNAL}|double|triple|[0-9])",
    r"(?-i:[0-9][OolI]+[0-9][0-9OolI -]{3})",
    r"(?-i:[A-Z][a-z]{1,20}(?:[_*|~^]{1,3}|\r?[\n\t])[A-Z][a-z])",
)


def put_together(form: Form) -> Form:
    """`form` with values written as they usually are."""
    form = form.then(replaced(form.text, COUNTED, _numeral))
    form = form.then(replaced(form.text, _LETTERED, _digits))
    form = form.then(replaced(form.text, _EACH, _closed, again="each"))
    form = form.then(replaced(form.text, _APART, _joined, again="apart"))
    form = form.then(replaced(form.text, _MAIL_APART, _mail, again="apart"))
    form = form.then(replaced(form.text, _GROUPS, _spaced, again="list"))
    return form.then(replaced(form.text, _NAME, _one_space))


def _numeral(match: Any) -> Iterator[Part]:
    parts: list[Part] = []
    words = 0
    for each in _ONE.finditer(match.string, match.start(), match.end()):
        if each[2]:
            words += 1
            digits = str(_DIGIT_WORDS[each[2].lower()]) * _TIMES.get((each[1] or "").lower(), 1)
        else:
            digits = each.group()
        parts.append((digits, parts[-1][2] if parts else each.start(), each.end()))
    if words >= _LEAST_WORDS and sum(len(digits) for digits, _, _ in parts) >= _LEAST_DIGITS:
        yield from parts


def _digits(match: Any) -> Iterator[Part]:
    found: str = match.group()
    if sum(char.isdigit() for char in found) < _LEAST_DIGITS:
        return
    for place, char in enumerate(found, match.start()):
        if char in "OolI":
            yield char.translate(_LETTER_DIGITS), place, place + 1


def _closed(match: Any) -> Iterator[Part]:
    size = len(match["each"])
    for place in range(match.start() + 1, match.end() - 1, size + 1):
        yield "", place, place + size


def _joined(match: Any) -> Iterator[Part]:
    found: str = match.group()
    apart: str = match["apart"]
    mail = (f"{apart}@" in found or f"@{apart}" in found) and not _MAIL.search(found)
    if not (mail or _number(found.split(apart), apart)):
        return
    yield from _each(match, apart, "" if mail else " ")


def _number(groups: list[str], apart: str) -> bool:
    """Whether these are of one number; not where no two digits are apart, nor in a list of colours
    (`#445566 #778899`) or an equation (`1 = 2147483647`)."""
    if sum(char.isdigit() for each in groups for char in each) < _LEAST_DIGITS:
        return False
    if not any(one[-1:].isdigit() and two[:1].isdigit() for one, two in pairwise(groups)):
        return False
    if apart.strip() == "#":
        return not all(_COLOUR.fullmatch(each) for each in groups)
    return not (apart == " = " and len(groups) == 2)


def _mail(match: Any) -> Iterator[Part]:
    if match.group().count("@") == 1 and not _MAIL.search(match.group()):
        for part in _each(match, match["apart"], ""):
            if match["apart"] != "." or match.string[part[2]] in ".@":  # of two full stops one is the address's own
                yield part


def _spaced(match: Any) -> Iterator[Part]:
    if NAMED.search(match.string, max(0, match.start() - _NEAR), match.start()):
        yield from _each(match, match["list"], " ")


def _each(match: Any, apart: str, new: str) -> Iterator[Part]:
    """`new` in place of each `apart` in a match."""
    place = match.string.find(apart, match.start(), match.end())
    while place >= 0:
        yield new, place, place + len(apart)
        place = match.string.find(apart, place + len(apart), match.end())


def _one_space(match: Any) -> Iterator[Part]:
    yield " ", match.start(), match.end()
