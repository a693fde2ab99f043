"""The `presidio` profile: exactly what `AnalyzerEngine.analyze` answers."""

from __future__ import annotations

from collections.abc import Sequence

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

from proxy_guard.detect.ner import default_model, load_model
from proxy_guard.detect.recognizers import OFFLINE
from proxy_guard.model import Finding


class PresidioProfile:
    """Presidio's own engine on the same spaCy model."""

    quick = False

    def __init__(
        self, entities: Sequence[str] | None, language: str, model: str | None, min_score: float | None
    ) -> None:
        name = model or default_model()
        engine = SpacyNlpEngine(
            models=[{"lang_code": language, "model_name": name}], ner_model_configuration=NerModelConfiguration()
        )
        engine.nlp = {language: load_model(name)}
        self._analyzer = AnalyzerEngine(
            nlp_engine=engine, supported_languages=[language], default_score_threshold=min_score or 0
        )
        for name, own in OFFLINE.items():
            self._analyzer.registry.remove_recognizer(name, language)
            self._analyzer.registry.add_recognizer(own(supported_language=language, name=name))
        self._entities = list(entities) if entities is not None else None
        self._language = language

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Presidio's results for each text, in its order."""
        return [
            [
                Finding(each.entity_type, each.start, each.end, each.score)
                for each in self._analyzer.analyze(text, self._language, entities=self._entities)
            ]
            for text in texts
        ]
