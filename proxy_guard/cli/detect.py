"""`proxy-guard detect`: what the local engine finds in a text."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import cast

import typer

from proxy_guard.detect import Detector, Finding
from proxy_guard.detect.catalogue import ENTITIES
from proxy_guard.detect.detector import Profile
from proxy_guard.errors import ProxyGuardError
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.reading import did_you_mean


def detect(
    profile: str,
    entities: str | None,
    language: str,
    min_score: float | None,
    model: str | None,
    jsonl: bool,
    rules: Path | None = None,
    phone_regions: str | None = None,
) -> None:
    """Prints findings as a JSON list; with `jsonl`, a list for each line of input.

    The custom recognizers of the folder `rules` take part.
    """
    if profile not in ("proxy-guard", "presidio"):
        raise ProxyGuardError("--profile is proxy-guard or presidio")
    if rules and profile == "presidio":
        raise ProxyGuardError(
            "--rules goes with --profile proxy-guard only: custom recognizers take no part in Presidio's"
        )
    if phone_regions is not None and profile == "presidio":
        raise ProxyGuardError("--phone-regions goes with --profile proxy-guard only: Presidio has regions of its own")
    regions = None if phone_regions is None else [each.strip() for each in phone_regions.split(",") if each.strip()]
    custom = tuple(load_rules(rules).recognizers.values()) if rules else ()
    known = ENTITIES | {each.entity for each in custom}
    wanted = [name.strip() for name in entities.split(",") if name.strip()] if entities else None
    for name in wanted or []:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ProxyGuardError(f"unknown entity {name}" + (f" ({hint})" if hint else ""))
    detector = Detector(
        wanted,
        language,
        cast(Profile, profile),
        model,
        min_score,
        recognizers=custom,
        phone_regions=regions,
    )
    text = sys.stdin.buffer.read().decode(errors="replace")
    if not jsonl:
        typer.echo(_line(detector.detect(text)))
        return
    # Only a line feed ends a line: a JSON string may hold other line ends as they are.
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], 1):
        try:
            value = json.JSONDecoder().decode(line)
        except ValueError:
            value = None
        if not isinstance(value, str):
            raise ProxyGuardError(f"line {number} is not a JSON string")
        typer.echo(_line(detector.detect(value)))


def _line(findings: list[Finding]) -> str:
    return json.dumps([asdict(each) for each in findings])
