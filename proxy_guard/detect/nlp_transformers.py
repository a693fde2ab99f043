"""Models of the transformers library that label tokens.

Answers are laid over spaCy's tokens as Presidio's TransformersNlpEngine does it. That engine's own runner,
spacy-huggingface-pipelines, goes on without the entities of a text that the model fails on, shows the text in a
warning, and needs transformers 4; so the model is run here, and a failure is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from presidio_analyzer.nlp_engine import NerModelConfiguration, TransformersNlpEngine, device_detector
from spacy.tokens import SpanGroup
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from proxy_guard.detect.catalogue import NER_LABELS
from proxy_guard.detect.nlp import Nlp
from proxy_guard.errors import ProxyGuardError

_KEY: str = TransformersNlpEngine().entity_key
"""Of the spans of a document that Presidio reads."""
_ON_A_HUB = re.compile(r"[\w-][\w.-]*(?:/[\w.-]+)?", re.ASCII)
_RESERVED = 2
"""Positions of a model that some kinds (RoBERTa) do not use for a text."""


class TransformersNlp(Nlp):
    """One transformers model, with a spaCy pipeline for tokens and lemmas."""

    kind = "transformers"
    engine = TransformersNlpEngine

    def __init__(self, labeller: Any, model: Any) -> None:
        """`labeller` is a TokenClassificationPipeline, `model` the spaCy pipeline."""
        super().__init__(model)
        self._labeller = labeller

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the entities that the model can name."""
        return _labels(self._labeller.model.config)

    def entities(self, texts: Sequence[str], *, whole: bool = True) -> list[Any]:
        """Documents with named entities, which the model always finds whole."""
        documents = [self.tokens(text) for text in texts]
        found = self._labeller(list(texts)) if texts else []
        for document, labelled in zip(documents, found, strict=True):
            document.spans[_KEY] = SpanGroup(
                document,
                spans=[
                    document.char_span(each["start"], each["end"], each["entity_group"], alignment_mode="expand")
                    for each in labelled
                ],
                attrs={"scores": [float(each["score"]) for each in labelled]},
            )
        return documents


def load(name: str, words: Any) -> TransformersNlp:
    """The model in a folder, or by its name from the hub's cache on this machine; `words` is the spaCy pipeline.

    Raises ProxyGuardError where it is not there, or names no entity that there is.
    """
    folder = Path(name).is_dir()
    if not folder and not _ON_A_HUB.fullmatch(name):
        raise ProxyGuardError(f"there is no transformers model in the folder '{name}'")
    try:
        # With a name instead of a folder transformers asks the hub, whatever it is told.
        place = name if folder else snapshot_download(name, local_files_only=True)
        model = AutoModelForTokenClassification.from_pretrained(place, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    except (OSError, ValueError):
        if folder:
            raise ProxyGuardError(f"there is no transformers model that labels words in the folder '{name}'") from None
        raise ProxyGuardError(f"the transformers model '{name}' is not on this machine: hf download {name}") from None
    _check(name, model, tokenizer)
    longest = getattr(model.config, "max_position_embeddings", None)
    if longest and longest < tokenizer.model_max_length:
        tokenizer.model_max_length = longest - _RESERVED
    settings = NerModelConfiguration()
    labeller = pipeline(
        "token-classification",
        model=model,
        tokenizer=tokenizer,
        aggregation_strategy=settings.aggregation_strategy,
        stride=settings.stride,  # a text that is longer than the model can read is read in pieces that overlap
        device=device_detector.get_device(),
    )
    return TransformersNlp(labeller, words)


def _check(name: str, model: Any, tokenizer: Any) -> None:
    if not tokenizer.is_fast:
        raise ProxyGuardError(f"the transformers model '{name}' has no fast tokenizer, which tells where a word stands")
    labels = _labels(model.config)
    mapping = NerModelConfiguration().model_to_presidio_entity_mapping
    if not NER_LABELS.keys() & {mapping.get(label, label) for label in labels}:
        known = ", ".join(sorted(labels)[:20])
        raise ProxyGuardError(f"the transformers model '{name}' has no label for {', '.join(NER_LABELS)}, only {known}")


def _labels(config: Any) -> frozenset[str]:
    """Of entities, without the mark of their first and further tokens."""
    return frozenset(label.removeprefix("B-").removeprefix("I-") for label in config.id2label.values()) - {"O"}
