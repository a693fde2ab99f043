"""Context words: what stands near a hit and makes it more likely.

`WordContext` goes by the words as written. `LemmaContext` is Presidio's way, without the tagger wherever its answer
can't depend on it.

Presidio raises a hit's score if a context word of its recognizer is part of the lemma of the hit's token or of
one of the five keywords before it. A token's lemma depends on its part of speech, which takes a tagger; but the
lemmas that a word can have at all are few. Where every possible choice gives the same answer, that is the
answer. Only where the choices differ is the text tagged.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Any, Protocol

from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

from proxy_guard.detect.catalogue import ENTITIES
from proxy_guard.detect.nlp import Nlp
from proxy_guard.detect.patterns import Hit

_BOOST = 0.35
_LEAST = 0.4
_KEYWORDS = 6
"""The hit's own token and the five keywords before it."""


class Context(Protocol):
    """Raises the scores of hits that context words stand near."""

    def raised(self, text: str, hits: list[Hit], words: dict[int, list[str]], given: list[str]) -> list[Hit]:
        """`hits` with the scores that context gives them.

        `words` are the context words of each owner, in lower case; `given` is context from outside the text.
        """
        ...


class WordContext:
    """Context by words as they are written, without a language model.

    A context word counts where a word begins with it, among the five words before a hit, the word it stands in
    and the three after it.
    """

    def __init__(self) -> None:
        self._patterns: dict[tuple[str, ...], re.Pattern[str]] = {}

    def raised(self, text: str, hits: list[Hit], words: dict[int, list[str]], given: list[str]) -> list[Hit]:
        """`hits` with the scores that context gives them."""
        return [
            _boosted(hit) if hit.score < 1 and self._near(text, hit, words.get(hit.owner) or [], given) else hit
            for hit in hits
        ]

    def _near(self, text: str, hit: Hit, wanted: list[str], given: list[str]) -> bool:
        if not wanted:
            return False
        if _any_in(given, wanted):
            return True
        key = tuple(wanted)
        pattern = self._patterns.get(key)
        if pattern is None:
            # A short word has to stand by itself: "pan" is not in "panda".
            alternatives = "|".join(
                re.escape(word.strip()) + (r"(?![^\W_])" if len(word.strip()) <= _SHORT else "")
                for word in sorted(wanted, key=len, reverse=True)
            )
            pattern = self._patterns[key] = re.compile(rf"(?<![^\W_])(?:{alternatives})", re.IGNORECASE)
        before = _last_words(text[max(0, hit.start - _REACH) : hit.start])
        after = _AFTER.match(text, hit.end, hit.end + _REACH)
        return _said(pattern, before) or bool(after and _said(pattern, after.group()))


_SHORT = 3
_REACH = 160
"""Code points on either side in which the words of a context are looked for."""
_AFTER = re.compile(r"\S*(?:\s+\S+){0,3}")


_SCRUBBED = re.compile(r"<([A-Z_]+)>")
"""What stands for a value that was scrubbed; also a tag before one, which is said again at its end."""


def _said(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a word of `pattern` is in `text`, but for what stands there in place of a value: else a text that was
    scrubbed would have more in it than before."""
    if not pattern.search(text):
        return False
    return "<" not in text or bool(
        pattern.search(_SCRUBBED.sub(lambda match: "" if match[1] in ENTITIES else match[0], text))
    )


def _last_words(text: str) -> str:
    """The end of `text`: its last five words, and the one it ends in, if it does not end with a space."""
    count = 5 if text[-1:].isspace() else 6
    words = text.rsplit(maxsplit=count)
    return text[len(words[0]) :] if len(words) > count else text


def _boosted(hit: Hit) -> Hit:
    return hit._replace(score=min(1.0, max(hit.score + _BOOST, _LEAST)))


class LemmaContext:
    """The context of hits in texts of one language."""

    def __init__(self, nlp: Nlp, artifacts_of: Any) -> None:
        """`artifacts_of` makes Presidio's artifacts of a tagged document."""
        self._nlp = nlp
        self._artifacts_of = artifacts_of
        self._enhancer = LemmaContextAwareEnhancer()
        self._tables = _tables(nlp)
        self._choices = lru_cache(maxsize=8192)(self._possible_lemmas)

    def raised(self, text: str, hits: list[Hit], words: dict[int, list[str]], given: list[str]) -> list[Hit]:
        """`hits` with the scores that context gives them."""
        if not any(words.get(hit.owner) and hit.score < 1 for hit in hits):
            return hits  # there is nothing that context could raise
        raised: list[Hit] = []
        artifacts: Any = None
        with self._nlp.session():
            tokens = self._nlp.tokens(text) if self._tables is not None else ()
            texts = [token.text for token in tokens]
            ends = [token.idx + len(token) for token in tokens]
            # Presidio cuts lemmas at colons, and what is cut off can make a keyword of another word.
            plain = self._tables is not None and not any(":" in word and word != ":" for word in texts)
            for hit in hits:
                wanted = words.get(hit.owner)
                if not wanted or hit.score >= 1:
                    raised.append(hit)
                    continue
                found: bool | None = (
                    True if _any_in(given, wanted) else (self._decide(texts, ends, hit, wanted) if plain else None)
                )
                if found is None:
                    artifacts = artifacts or self._artifacts_of(self._nlp.lemmas(text))
                    found = self._look(artifacts, text, hit, wanted)
                raised.append(_boosted(hit) if found else hit)
        return raised

    def _look(self, artifacts: Any, text: str, hit: Hit, wanted: list[str]) -> bool:
        around = self._enhancer._extract_surrounding_words(
            nlp_artifacts=artifacts, word=text[hit.start : hit.end], start=hit.start
        )
        return _any_in(around, wanted)

    def _decide(self, texts: list[str], ends: list[int], hit: Hit, wanted: list[str]) -> bool | None:
        """Whether context is there for any reading of the words; None where it depends on their reading."""
        index = bisect_right(ends, hit.start)  # the first token that ends after the hit's start
        if index == len(ends):
            return None
        surely_used = perhaps_used = 0
        unsure = False
        while index >= 0 and surely_used < _KEYWORDS:
            choices = self._choices(texts[index])
            keywords = [lemma for lemma, is_keyword in choices if is_keyword]
            surely = len(keywords) == len(choices)
            if keywords:
                matching = [_any_in([lemma], wanted) for lemma in keywords]
                if surely and perhaps_used < _KEYWORDS and all(matching):
                    return True
                unsure = unsure or any(matching)
                perhaps_used += 1
            surely_used += surely
            index -= 1
        return None if unsure else False

    def _possible_lemmas(self, word: str) -> tuple[tuple[str, bool], ...]:
        """The lemmas that a token can have, in lower case, each with whether it is a keyword."""
        assert self._tables is not None
        exceptions_of, rules_of, indices_of, rewritten = self._tables
        lower = word.lower()
        lemmas = {word, lower, *(lemma for rule, lemma in rewritten if rule.search(lower))}
        for pos in rules_of.keys() | exceptions_of.keys() | indices_of.keys():
            lemmas.add(
                _rule_lemma(lower, word, exceptions_of.get(pos, {}), rules_of.get(pos, []), indices_of.get(pos, {}))
            )
        vocabulary = self._nlp.model.vocab
        return tuple(
            (
                lemma.lower(),
                not vocabulary[lemma].is_stop and not vocabulary[lemma].is_punct and lemma not in ("-PRON-", "be"),
            )
            for lemma in sorted(lemmas)
        )


def _rule_lemma(lower: str, word: str, exceptions: Any, rules: Any, index: Any) -> str:
    """The lemma that spaCy's rule lemmatizer gives to an inflected word of one part of speech."""
    forms: list[str] = []
    unknown: list[str] = []
    for old, new in rules:
        if lower.endswith(old):
            form = lower[: len(lower) - len(old)] + new
            if form and form in index:
                forms.insert(0, form)
            elif form and not form.isalpha():
                forms.append(form)
            elif form:
                unknown.append(form)
    forms = list(dict.fromkeys(forms))
    for form in exceptions.get(lower, []):
        if form not in forms:
            forms.insert(0, form)
    return (forms or unknown or [word])[0]


def _tables(nlp: Nlp) -> tuple[Any, Any, Any, list[tuple[re.Pattern[str], str]]] | None:
    """Exceptions, rules and indices by part of speech, and lemmas that are set by word; None if unknown."""
    from spacy.pipeline import Lemmatizer  # noqa: PLC0415 - with a model only

    pipes = dict(nlp.model.pipeline)
    lemmatizer = pipes.get("lemmatizer")
    if not isinstance(lemmatizer, Lemmatizer) or lemmatizer.mode != "rule":
        return None
    if type(lemmatizer).rule_lemmatize is not Lemmatizer.rule_lemmatize:
        return None
    rewritten: list[tuple[re.Pattern[str], str]] = []
    ruler = pipes.get("attribute_ruler")
    for rule in ruler.patterns if ruler else []:
        if "LEMMA" in rule["attrs"]:
            for pattern in rule["patterns"]:
                word = _word_pattern(pattern[rule["index"]])
                if word is None:
                    return None
                rewritten.append((word, rule["attrs"]["LEMMA"]))
    lookups = lemmatizer.lookups
    tables = [lookups.get_table(name, {}) for name in ("lemma_exc", "lemma_rules", "lemma_index")]
    return (*({pos: table[pos] for pos in _pos_of(table)} for table in tables), rewritten)  # type: ignore[return-value]


def _word_pattern(token: dict[str, Any]) -> re.Pattern[str] | None:
    """What words a token of a rule can be, in lower case; None where the rule does not go by the word."""
    match token.get("LOWER"):
        case str(word):
            return re.compile(f"^{re.escape(word)}$")
        case {"IN": list(words)}:
            return re.compile("|".join(f"^{re.escape(word)}$" for word in words))
        case {"REGEX": str(expression)}:
            return re.compile(expression)
        case _:
            return None


def _pos_of(table: Any) -> list[str]:
    return [
        pos
        for pos in ("noun", "verb", "adj", "adv", "pron", "det", "adp", "aux", "num", "punct", "propn")
        if pos in table
    ]


def _any_in(words: list[str], wanted: list[str]) -> bool:
    return any(each in word for each in wanted for word in words)
