"""What the suites over HTTP have in common: a look that a setup works, and measuring two side by side."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from bench import bodies
from bench.load import Sample, load
from bench.model import Bench, BenchError, Report, Row, Settings
from bench.reply import TEXT

CHAT = "/v1/chat/completions"
_QUIET = 0.25  # seconds without a new request, after which there is none on its way


@dataclass(frozen=True)
class Setup:
    """A way to the chat API. `last` is the URL that tells the last body which came through."""

    label: str
    base: str
    last: str
    guarded: bool = False

    @property
    def url(self) -> str:
        """Where chats are posted to."""
        return self.base + CHAT


@dataclass(frozen=True)
class Chats:
    """The bodies of one kind, and the file that holds them for wrk."""

    kind: bodies.Kind
    all: list[bodies.Body]
    file: Path


def chats(bench: Bench) -> list[Chats]:
    """The bodies of each kind."""
    made = []
    for kind in bodies.KINDS:
        generated = bodies.generate(kind, bench.settings.bodies)
        made.append(Chats(kind, generated, bodies.write(generated, bench.workdir / f"{kind}.jsonl")))
    return made


def seconds(settings: Settings, setups: int) -> float:
    """How long it takes to measure so many setups, each with every kind of body."""
    return len(bodies.KINDS) * setups * (settings.warmup + settings.rounds * settings.seconds)


def alone(bench: Bench, suite: str, setup: Setup) -> Report:
    """Measures one setup."""
    report = Report()
    for sent in chats(bench):
        (samples,) = _rounds(bench, [setup], sent)
        row, values = _summary(setup, sent.kind, samples, f"{suite}.{sent.kind}.")
        report.rows.append(row)
        report.values |= values
    return report


def compare(bench: Bench, suite: str, base: Setup, guard: Setup) -> Report:
    """Measures two setups in turns. The ratio is the median of the rounds' own ratios, guard to base."""
    report = Report()
    for sent in chats(bench):
        key = f"{suite}.{sent.kind}."
        base_samples, guard_samples = _rounds(bench, [base, guard], sent)
        ratios = [ours.rps / theirs.rps for theirs, ours in zip(base_samples, guard_samples, strict=True)]
        ratio, spread = median(ratios), (min(ratios), max(ratios))
        base_row, base_values = _summary(base, sent.kind, base_samples, f"{key}base_")
        guard_row, guard_values = _summary(guard, sent.kind, guard_samples, f"{key}guard_", ratio, spread)
        report.rows += [base_row, guard_row]
        report.values |= base_values | guard_values
        report.values |= {
            f"{key}rps_ratio": ratio,
            f"{key}rps_ratio_min": spread[0],
            f"{key}rps_ratio_max": spread[1],
        }
    return report


def verify(setup: Setup, sent: Chats) -> None:
    """Sends one chat and looks at both ends. Raises BenchError unless it came through as it should."""
    body = sent.all[0]
    what = f"{setup.label}, {sent.kind}"
    try:
        with httpx.Client(timeout=30, trust_env=False) as client:
            answer = client.post(setup.url, content=body.text, headers={"content-type": "application/json"})
            if answer.status_code != 200:
                raise BenchError(f"{what}: the answer is {answer.status_code}: {answer.text[:300]}")
            if answer.json()["choices"][0]["message"]["content"] != TEXT:
                raise BenchError(f"{what}: the answer's text is not the one that was given")
            received = client.get(setup.last)
            messages = received.json()["messages"]
            if len(messages) != 8 or messages[0]["content"] != body.opening:
                raise BenchError(f"{what}: not the whole chat arrived")
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise BenchError(f"{what}: {type(error).__name__}: {error}") from error
    if setup.guarded and body.secrets:
        leaked = sum(secret in received.text for secret in body.secrets)
        if leaked:
            raise BenchError(f"{what}: {leaked} of {len(body.secrets)} pieces of personal data came through")
    elif received.text != body.text:
        raise BenchError(f"{what}: the body was changed on its way")


def _rounds(bench: Bench, setups: list[Setup], sent: Chats) -> list[list[Sample]]:
    """The samples of each setup, taken in turns after each was verified and warmed up."""
    for setup in setups:
        bench.say(f"{setup.label}, {sent.kind}: warm-up")
        verify(setup, sent)
        load(bench, setup.url, sent.file, bench.settings.warmup)
        _settle(setup)
    samples: list[list[Sample]] = [[] for _ in setups]
    for turn in range(bench.settings.rounds):
        for setup, taken in zip(setups, samples, strict=True):
            bench.say(f"{setup.label}, {sent.kind}: round {turn + 1} of {bench.settings.rounds}")
            taken.append(load(bench, setup.url, sent.file, bench.settings.seconds))
            _settle(setup)
    for setup in setups:
        verify(setup, sent)  # still so under load
    return samples


def _settle(setup: Setup) -> None:
    """Waits until what wrk left on its way has gone through, so that it takes no time from who is next."""
    with httpx.Client(timeout=30, trust_env=False) as client:
        before, now = None, client.get(setup.last).content
        while now != before:
            time.sleep(_QUIET)
            before, now = now, client.get(setup.last).content


def _summary(
    setup: Setup,
    kind: str,
    samples: list[Sample],
    key: str,
    ratio: float | None = None,
    spread: tuple[float, float] | None = None,
) -> tuple[Row, dict[str, float]]:
    rps = median(sample.rps for sample in samples)
    p50 = median(sample.p50_ms for sample in samples)
    p99 = median(sample.p99_ms for sample in samples)
    row = Row(setup.label, kind, rps, p50_ms=p50, p99_ms=p99, ratio=ratio, spread=spread)
    return row, {f"{key}rps": rps, f"{key}p50_ms": p50, f"{key}p99_ms": p99}
