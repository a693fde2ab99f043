"""Stanza's models, by Presidio's spaCy pipeline around them.

Presidio drops every entity of a text, and shows the text in a warning, where Stanza's words are not those of the text
(of French "du" it makes "de le"). So entities are read from Stanza itself, by their place in the text.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

import spacy
import stanza
from presidio_analyzer.nlp_engine import StanzaNlpEngine, device_detector
from presidio_analyzer.nlp_engine.stanza_nlp_engine import load_pipeline
from spacy.tokens import Doc, Span

from proxy_guard.detect.nlp import Nlp
from proxy_guard.errors import ProxyGuardError

_CODE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)?")


class StanzaNlp(Nlp):
    """The default models of Stanza for one language."""

    kind = "Stanza"
    engine = StanzaNlpEngine

    def __init__(self, model: Any) -> None:
        """`model` is a spaCy pipeline whose tokenizer is Stanza's."""
        super().__init__(model)
        self._stanza = model.tokenizer.snlp
        warnings.filterwarnings("ignore", message="Can't set named entities")  # goes on with the words of the text

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the entities that the model can name."""
        return frozenset(label for each in self._stanza.processors["ner"].trainers for label in each.get_known_tags())

    def entities(self, texts: Sequence[str], *, whole: bool = True) -> list[Any]:
        """Documents whose tokens are the named entities and what is between them; Stanza always finds them whole."""
        read = [text for text in texts if text.strip()]
        documents = iter(self._stanza.bulk_process([stanza.Document([], text=text) for text in read]) if read else [])
        return [self._document(text, next(documents).entities if text.strip() else []) for text in texts]

    def _document(self, text: str, entities: Sequence[Any]) -> Doc:
        words: list[str] = []
        named: list[tuple[int, str]] = []
        done = 0
        for each in entities:
            if each.start_char > done:
                words.append(text[done : each.start_char])
            named.append((len(words), each.type))
            words.append(text[each.start_char : each.end_char])
            done = each.end_char
        if done < len(text):
            words.append(text[done:])
        document = Doc(self.model.vocab, words=words, spaces=[False] * len(words))
        document.ents = [Span(document, index, index + 1, label) for index, label in named]
        return document


def load(code: str, *, lemmas: bool) -> StanzaNlp:
    """The models of a language by Stanza's code for it. Raises ProxyGuardError where they are not on this machine."""
    if not _CODE.fullmatch(code):
        raise ProxyGuardError("a Stanza model is named by its language, as in stanza:en or stanza:zh-hans")
    try:
        return StanzaNlp(
            load_pipeline(
                _spacy_language(code),
                lang=code,
                processors="tokenize,pos,lemma,ner" if lemmas else "tokenize,ner",
                download_method=None,
                logging_level="ERROR",
                device=device_detector.get_device(),
            )
        )
    except (FileNotFoundError, ValueError):
        command = f"""python -c "import stanza; stanza.download('{code}')\""""
        raise ProxyGuardError(f"there is no Stanza model for '{code}' with names on this machine: {command}") from None


def _spacy_language(code: str) -> str:
    language = code.partition("-")[0]
    try:
        spacy.util.get_lang_class(language)
    except ImportError:
        return "xx"
    return language
