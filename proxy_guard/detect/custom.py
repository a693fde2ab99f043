"""Recognizers of this package's own: those of rule files, and DOMAIN_NAME."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult

from proxy_guard.detect.patterns import PatternTimeout
from proxy_guard.detect.suffixes import COMMON, suffixes

_SECONDS = 5.0
"""For one pattern on one text; past it the text counts as unread."""
_FLAGS = regex.IGNORECASE | regex.DOTALL | regex.MULTILINE
"""As for all of Presidio's patterns."""

# --- recognizers of rule files -------------------------------------------------------------------------

_WORDS_BEFORE, _WORDS_AFTER = 5, 3
_NEAR = 400
"""Code points around a match in which its words are looked for."""
_BOOST, _LEAST = 0.35, 0.4
_WORD = regex.compile(r"[\w'’-]*\w")

CHECKSUMS: dict[str, str] = {
    "bic": "stdnum.bic",
    "cusip": "stdnum.cusip",
    "damm": "stdnum.damm",
    "ean": "stdnum.ean",
    "iban": "stdnum.iban",
    "imei": "stdnum.imei",
    "isbn": "stdnum.isbn",
    "isin": "stdnum.isin",
    "lei": "stdnum.lei",
    "luhn": "stdnum.luhn",
    "mod11": "stdnum.iso7064.mod_11_2",
    "mod11_10": "stdnum.iso7064.mod_11_10",
    "mod37": "stdnum.iso7064.mod_37_2",
    "mod37_36": "stdnum.iso7064.mod_37_36",
    "mod97": "stdnum.iso7064.mod_97_10",
    "vat": "stdnum.eu.vat",
    "verhoeff": "stdnum.verhoeff",
}
"""Checksums by the names that rule files have for them, and the modules that know them."""


def checksum_of(name: str) -> Callable[[str], bool]:
    """Whether a value passes the checksum of that name, separators left out. Raises KeyError for an unknown one."""
    valid = importlib.import_module(CHECKSUMS[name]).is_valid

    def passes(value: str) -> bool:
        return bool(valid(regex.sub(r"[\s.\-/]", "", value).upper()))

    return passes


class CustomRecognizer(PatternRecognizer):  # type: ignore[misc]
    """Finds an entity of one's own by patterns and words.

    A context word near a match raises its score by 0.35, to 0.4 at least. Words of `deny_list` are findings without
    it, with score 1. A match that fails the checksum is no finding; one that passes has score 1.
    """

    def __init__(
        self,
        name: str,
        entity: str,
        patterns: Sequence[tuple[str, float]],
        *,
        context: Sequence[str] = (),
        context_required: bool = False,
        deny_list: Sequence[str] = (),
        allow_list: Sequence[str] = (),
        checksum: str | None = None,
        parts: bool = False,
    ) -> None:
        """`parts`: where a pattern takes whitespace in only by the way (as `\\W` does), the words of a match count.

        Each word that is a match itself is a finding, rather than the sentence around it.
        """
        super().__init__(
            entity,
            name=name,
            patterns=[Pattern(name, in_groups(each), score) for each, score in patterns],
            # Of two words that start alike the longer one is looked for first.
            deny_list=sorted(deny_list, key=len, reverse=True),
        )
        self.entity = entity
        self._words = [" ".join(_WORD.findall(word.casefold())) or word.casefold() for word in context]
        self._context_required = context_required
        self._allowed = frozenset(value.casefold() for value in allow_list)
        self._checksum = checksum_of(checksum) if checksum else None
        self._compiled = [(regex.compile(each.regex, _FLAGS), each.score) for each in self.patterns]
        self._in_parts = [parts and not _names_space(each) for each, _ in patterns]

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether a match passes the checksum; None where there is none."""
        return self._checksum(pattern_text) if self._checksum else None

    def invalidate_result(self, pattern_text: str) -> bool:
        """Whether a match is in the allow list."""
        return pattern_text.casefold() in self._allowed

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """The findings in `text`. Raises PatternTimeout."""
        found: list[RecognizerResult] = []
        for index, (pattern, score) in enumerate(self._compiled):
            denied = index >= len(self._in_parts)  # the pattern of the deny list comes last
            for start, end in self._spans(pattern, text, in_parts=not denied and self._in_parts[index]):
                final = self._score(text, start, end, score, denied)
                if final > 0:
                    found.append(RecognizerResult(self.entity, start, end, final))
        return list(EntityRecognizer.remove_duplicates(found))

    def matches(self, index: int, text: str) -> bool:
        """Whether one of its patterns finds something in `text`, context left out."""
        for start, end in self._spans(self._compiled[index][0], text, in_parts=self._in_parts[index]):
            value = text[start:end]
            if self.validate_result(value) is not False and not self.invalidate_result(value):
                return True
        return False

    def _spans(self, pattern: Any, text: str, *, in_parts: bool) -> Iterator[tuple[int, int]]:
        try:
            for match in pattern.finditer(text, timeout=_SECONDS):
                start, end = match.span()
                if not in_parts:
                    yield from [(start, end)] if start < end else []
                    continue
                for part in regex.finditer(r"\S+", match.group()):
                    if pattern.fullmatch(part.group(), timeout=_SECONDS):
                        yield start + part.start(), start + part.end()
        except TimeoutError:
            raise PatternTimeout(f"a pattern of {self.entity} took longer than {_SECONDS:g} s") from None

    def _score(self, text: str, start: int, end: int, score: float, denied: bool) -> float:
        value = text[start:end]
        if self.invalidate_result(value):
            return 0
        if denied:
            return score
        valid = self.validate_result(value)
        if valid is False or (self._words and not self._near(text, start, end) and self._context_required):
            return 0
        if valid:
            return 1
        if self._words and self._near(text, start, end):
            return min(max(score + _BOOST, _LEAST), 1)
        return score

    def _near(self, text: str, start: int, end: int) -> bool:
        """Whether a context word is part of a word near the match, or of the match itself."""
        before = _WORD.findall(text[max(0, start - _NEAR) : start].casefold())[-_WORDS_BEFORE:]
        after = _WORD.findall(text[end : end + _NEAR].casefold())[:_WORDS_AFTER]
        within = _WORD.findall(text[start:end].casefold())
        around = " ".join([*before, *within, *after])
        return any(word in around for word in self._words)


def _names_space(pattern: str) -> bool:
    return any(char.isspace() or char in (r"\s", r"\n", r"\t", r"\ ") for char, _ in characters(pattern))


def in_groups(pattern: str) -> str:
    """`pattern` with each character beyond ASCII in a group of its own.

    The prefilter reads bytes: what repeats a character must repeat all of its bytes.
    """
    return "".join(
        f"(?:{char})" if not in_class and not char.isascii() else char for char, in_class in characters(pattern)
    )


def characters(pattern: str) -> Iterator[tuple[str, bool]]:
    """The characters of a pattern, escaped ones with their backslash, each with whether it stands in a class."""
    index, in_class, first = 0, False, 0
    while index < len(pattern):
        size = 2 if pattern[index] == "\\" else 1
        char = pattern[index : index + size]
        yield char, in_class
        if not in_class and char == "[":
            in_class = True
            first = index + (2 if pattern.startswith("^", index + 1) else 1)
        elif in_class and char == "]" and index != first:
            in_class = False
        index += size


# --- DOMAIN_NAME ---------------------------------------------------------------------------------------

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_HOST = rf"(?<![\w.-])(?:{_LABEL}\.){{1,30}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,63}})(?![\w@-])"
_PACKAGES = frozenset({"com", "dev", "edu", "gov", "io", "java", "javax", "net", "org"})
"""What names of packages in code start with, which are domain names the other way round."""
_PRODUCTS = frozenset({"ado.net", "asp.net", "vb.net", "ml.net"})
_AFTER_IN = regex.compile(
    r"\s+(?:a|an|the|my|your|our|their|his|her|its|this|that|these|which|\d+)\b", regex.IGNORECASE
)


class DomainRecognizer(PatternRecognizer):  # type: ignore[misc]
    """Finds host names with a known public suffix that are not part of an e-mail address.

    A name by itself counts under a common top-level domain only; in a URL, before a path, or with `www.`, under any.
    """

    def __init__(self) -> None:
        super().__init__("DOMAIN_NAME", name="DomainRecognizer", patterns=[Pattern("host", _HOST, 0.5)])
        self._compiled = regex.compile(_HOST, _FLAGS)
        suffixes()("example.com")  # reads the list now, not at the first message
        ordinary_words()

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """The host names in `text`. Raises PatternTimeout."""
        try:
            return [
                RecognizerResult("DOMAIN_NAME", *match.span(), EntityRecognizer.MAX_SCORE)
                for match in self._compiled.finditer(text, timeout=_SECONDS)
                if _is_host(text, *match.span())
            ]
        except TimeoutError:
            raise PatternTimeout(f"the pattern of DOMAIN_NAME took longer than {_SECONDS:g} s") from None


def _is_host(text: str, start: int, end: int) -> bool:
    host = text[start:end]
    parts = suffixes()(host)
    if not (parts.suffix and parts.domain):
        return False
    before, after = text[max(0, start - 80) : start], text[end : end + 80]
    if before.endswith("@"):
        return regex.search(r"://[^\s/@]*@$", before) is not None  # a URL with a user's name, or an e-mail address
    if before.endswith("://") or host.lower().startswith("www."):
        return True
    if before.endswith(("/", "\\", "$", "#")) or after.startswith(("(", "=")):
        return False
    if regex.match(r"(?::\d{1,5})?/\w", after):
        return True
    return _stands_alone(host, parts.domain, parts.suffix, after)


def _stands_alone(host: str, domain: str, suffix: str, after: str) -> bool:
    if len(domain) < 2 or domain.isdigit():
        return False
    lower = host.lower()
    if lower in _PRODUCTS or (host.count(".") > 1 and lower.partition(".")[0] in _PACKAGES):
        return False
    if "." in suffix:
        return True
    if suffix.lower() not in COMMON or not (suffix.islower() or host.isupper()):
        return False
    # "in" is India, and a word: "we stayed at home.in the evening".
    return lower != f"{domain.lower()}.in" or not (domain.lower() in ordinary_words() or _AFTER_IN.match(after))


@cache
def ordinary_talk() -> tuple[str, ...]:
    """Lines of ordinary talk that hold no personal data."""
    text = resources.files("proxy_guard.detect").joinpath("data/ordinary_chat.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("## "))


@cache
def ordinary_words() -> frozenset[str]:
    """The words in lower case that ordinary talk has."""
    return frozenset(word for line in ordinary_talk() for word in regex.findall(r"(?<![\w.])[a-z]+(?![\w.])", line))
