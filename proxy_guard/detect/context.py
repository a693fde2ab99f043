"""Context words: Presidio's lemma context, without the tagger wherever its answer can't depend on it.

Presidio raises a hit's score if a context word of its recognizer is part of the lemma of the hit's token or of
one of the five keywords before it. A token's lemma depends on its part of speech, which takes a tagger; but the
lemmas that a word can have at all are few. Where every possible choice gives the same answer, that is the
answer. Only where the choices differ is the text tagged.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

from proxy_guard.detect.nlp import Nlp
from proxy_guard.detect.patterns import Hit

_BOOST = 0.35
_LEAST = 0.4
_KEYWORDS = 6
"""The hit's own token and the five keywords before it."""


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
        """`hits` with the scores that context gives them.

        `words` are the context words of each owner, in lower case; `given` is context from outside the text.
        """
        if not any(words.get(hit.owner) for hit in hits):
            return hits
        raised: list[Hit] = []
        artifacts: Any = None
        with self._nlp.session():
            tokens = self._nlp.tokens(text)
            texts = [token.text for token in tokens]
            starts = [token.idx for token in tokens]
            for hit in hits:
                wanted = words.get(hit.owner)
                if not wanted:
                    raised.append(hit)
                    continue
                found: bool | None = True if _any_in(given, wanted) else self._decide(texts, starts, hit, wanted)
                if found is None:
                    artifacts = artifacts or self._artifacts_of(self._nlp.lemmas(text))
                    found = self._look(artifacts, text, hit, wanted)
                raised.append(hit._replace(score=min(1.0, max(hit.score + _BOOST, _LEAST))) if found else hit)
        return raised

    def _look(self, artifacts: Any, text: str, hit: Hit, wanted: list[str]) -> bool:
        around = self._enhancer._extract_surrounding_words(
            nlp_artifacts=artifacts, word=text[hit.start : hit.end], start=hit.start
        )
        return _any_in(around, wanted)

    def _decide(self, texts: list[str], starts: list[int], hit: Hit, wanted: list[str]) -> bool | None:
        """Whether context is there for any reading of the words; None where it depends on their reading."""
        # Presidio cuts lemmas at colons, and what is cut off can make a keyword of another word.
        if self._tables is None or any(":" in word and word != ":" for word in texts):
            return None
        index = _token_at(texts, starts, hit.start)
        if index is None:
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
        lemmas = {word, lower, *rewritten.get(lower, ())}
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


def _tables(nlp: Nlp) -> tuple[Any, Any, Any, dict[str, set[str]]] | None:
    """Exceptions, rules and indices by part of speech, and lemmas that are set by word; None if unknown."""
    from spacy.pipeline import Lemmatizer  # noqa: PLC0415 - with a model only

    pipes = dict(nlp.model.pipeline)
    lemmatizer = pipes.get("lemmatizer")
    if not isinstance(lemmatizer, Lemmatizer) or lemmatizer.mode != "rule":
        return None
    if type(lemmatizer).rule_lemmatize is not Lemmatizer.rule_lemmatize:
        return None
    rewritten: dict[str, set[str]] = {}
    ruler = pipes.get("attribute_ruler")
    for rule in ruler.patterns if ruler else []:
        if "LEMMA" not in rule["attrs"]:
            continue
        for pattern in rule["patterns"]:
            names = [token.get("LOWER") or token.get("ORTH") for token in pattern]
            if not all(isinstance(name, str) for name in names):
                return None
            for name in names:
                rewritten.setdefault(name.lower(), set()).add(rule["attrs"]["LEMMA"])
    lookups = lemmatizer.lookups
    tables = [lookups.get_table(name, {}) for name in ("lemma_exc", "lemma_rules", "lemma_index")]
    return (*({pos: table[pos] for pos in _pos_of(table)} for table in tables), rewritten)  # type: ignore[return-value]


def _pos_of(table: Any) -> list[str]:
    return [
        pos
        for pos in ("noun", "verb", "adj", "adv", "pron", "det", "adp", "aux", "num", "punct", "propn")
        if pos in table
    ]


def _token_at(texts: list[str], starts: list[int], place: int) -> int | None:
    for index, (start, text) in enumerate(zip(starts, texts, strict=True)):
        if place < start + len(text):
            return index
    return None


def _any_in(words: list[str], wanted: list[str]) -> bool:
    return any(each in word for each in wanted for word in words)
