"""Labelled sentences: templates filled with values. The halves share no template and few values."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.quality.values import ENTITY_OF, Values

Half = Literal["dev", "held_out"]
_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Label:
    """An entity that stands in a sentence, by code points."""

    entity: str
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    text: str
    labels: tuple[Label, ...]


def sentences(half: Half, count: int, seed: int = 1) -> list[Sentence]:
    """`count` sentences, the same ones each time."""
    lines = (Path(__file__).with_name(f"{half}.txt")).read_text(encoding="utf-8").splitlines()
    templates = [line for line in lines if line and not line.startswith("#")]
    chance = random.Random(f"{half} {seed}")
    return [_filled(templates[n % len(templates)], chance, int(half == "held_out")) for n in range(count)]


def _filled(template: str, chance: random.Random, half: int) -> Sentence:
    lower = template.startswith("~")
    values = Values(chance, half)
    text = ""
    labels: list[Label] = []
    place = 0
    pattern = template.removeprefix("~").replace(r"\n", "\n")
    for hole in _HOLE.finditer(pattern):
        text += pattern[place : hole.start()]
        value = values.of(hole[1])
        value = value.lower() if lower else value
        entity = ENTITY_OF[hole[1]]
        # A first and a last name side by side are one name.
        if entity == "PERSON" and labels and labels[-1].entity == "PERSON" and text[labels[-1].end :] == " ":
            first = labels.pop()
            labels.append(Label(entity, first.start, len(text) + len(value)))
        else:
            labels.append(Label(entity, len(text), len(text) + len(value)))
        text += value
        place = hole.end()
    return Sentence(text + pattern[place:], tuple(labels))
