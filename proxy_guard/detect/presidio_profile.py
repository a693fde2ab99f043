"""The `presidio` profile: the findings of `AnalyzerEngine.analyze`, same spans, types and scores."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NerModelConfiguration

from proxy_guard.detect import nlp
from proxy_guard.detect.engine import Engine
from proxy_guard.detect.recognizers import OFFLINE

# Presidio logs values that fail a check, and words around a hit.
logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)


def analyzer(language: str, model: nlp.Nlp, name: str) -> AnalyzerEngine:
    """Presidio's own engine on a loaded model, with its default recognizers, kept off the network."""
    engine = model.engine(
        models=[{"lang_code": language, "model_name": name}], ner_model_configuration=NerModelConfiguration()
    )
    engine.nlp = {language: model.model}
    made = AnalyzerEngine(nlp_engine=engine, supported_languages=[language])
    for each, own in OFFLINE.items():
        made.registry.remove_recognizer(each, language)
        made.registry.add_recognizer(own(supported_language=language, name=each))
    return made


class Presidio:
    """Presidio's own engine on a language model, and what of it this engine borrows."""

    def __init__(self, language: str, model: str | None, *, lemmas: bool = True) -> None:
        """`lemmas` are for context as Presidio looks for it. Raises ProxyGuardError where the model is missing."""
        name = model or nlp.default_model()
        self.nlp = nlp.load(name, language, lemmas=lemmas)
        self.analyzer = analyzer(language, self.nlp, name)
        self._language = language

    def artifacts_of(self, document: Any) -> Any:
        """Presidio's artifacts of a document."""
        return self.analyzer.nlp_engine._doc_to_nlp_artifact(document, self._language)

    @property
    def nameable(self) -> frozenset[str]:
        """The entities that the model has a label for."""
        mapping = self.analyzer.nlp_engine.ner_model_configuration.model_to_presidio_entity_mapping
        return frozenset(mapping.get(label, label) for label in self.nlp.labels)


def presidio_engine(
    entities: Sequence[str] | None, language: str, model: str | None, min_score: float, context: Sequence[str]
) -> Engine:
    """The engine of the profile. Raises ProxyGuardError where the model is missing."""
    presidio = Presidio(language, model)
    wanted = list(entities) if entities else presidio.analyzer.get_supported_entities(language)
    return Engine(
        presidio.analyzer.registry.get_recognizers(language, entities=wanted, all_fields=not entities),
        wanted,
        nlp=presidio.nlp,
        artifacts_of=presidio.artifacts_of,
        nameable=presidio.nameable,
        lemmas=True,
        context=context,
        min_score=min_score,
    )
