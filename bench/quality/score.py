"""Precision, recall and F2 of findings against labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.quality.corpus import Label, Sentence


@dataclass
class Counts:
    """Of one entity, or of all. `found` of `labelled` labels, and `right` of `given` findings."""

    labelled: int = 0
    found: int = 0
    given: int = 0
    right: int = 0
    exact: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.labelled if self.labelled else 0.0

    @property
    def precision(self) -> float:
        return self.right / self.given if self.given else 0.0

    @property
    def f2(self) -> float:
        """Recall counts four times as much as precision. A label is found where a finding of its entity touches it."""
        return _f2(self.precision, self.recall)

    @property
    def exact_f2(self) -> float:
        """The same, where only a finding with the label's own ends counts."""
        if not self.given or not self.labelled:
            return 0.0
        return _f2(self.exact / self.given, self.exact / self.labelled)

    def add(self, other: Counts) -> None:
        self.labelled += other.labelled
        self.found += other.found
        self.given += other.given
        self.right += other.right
        self.exact += other.exact


@dataclass
class Score:
    """The counts of each entity."""

    entities: dict[str, Counts] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        """All entities together, each label counting once."""
        whole = Counts()
        for each in self.entities.values():
            whole.add(each)
        return whole


def score(sentences: Sequence[Sentence], findings: Iterable[Sequence[Label]]) -> Score:
    """How well the findings of each sentence match its labels."""
    result = Score()
    for sentence, found in zip(sentences, findings, strict=True):
        given = set(found)
        for entity in {each.entity for each in (*sentence.labels, *given)}:
            wanted = [each for each in sentence.labels if each.entity == entity]
            ours = [each for each in given if each.entity == entity]
            counts = Counts(
                labelled=len(wanted),
                found=sum(any(_touch(label, each) for each in ours) for label in wanted),
                given=len(ours),
                right=sum(any(_touch(label, each) for label in wanted) for each in ours),
                exact=len(set(wanted) & set(ours)),
            )
            result.entities.setdefault(entity, Counts()).add(counts)
    return result


def _touch(one: Label, other: Label) -> bool:
    return one.start < other.end and other.start < one.end


def _f2(precision: float, recall: float) -> float:
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0
