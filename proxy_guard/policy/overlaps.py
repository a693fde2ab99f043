"""Overlapping findings are resolved here and nowhere else.

The rule: no character of any finding is left unedited, and none is edited twice.

1. Findings that the policy keeps, or that score below its threshold, take no part.
2. Of findings with the same span the highest score counts, then the one named first in the policy.
3. A finding inside a larger one is covered by it, whatever their scores.
4. Of two that overlap in part the earlier one is edited whole, the later one where it sticks out.
5. A finding that blocks counts even where another covers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from proxy_guard.model import Ask, Finding, PartFinding
from proxy_guard.operators.block import Block
from proxy_guard.operators.keep import Keep
from proxy_guard.policy import EntityRule, Policy

_NO_ANSWERS: Mapping[Ask, str] = MappingProxyType({})


class Piece(NamedTuple):
    """A stretch of a text to be edited, for a finding that it belongs to."""

    start: int
    end: int
    finding: Finding
    rule: EntityRule

    def ask(self, text: str) -> Ask | None:
        """What its operator needs from outside to edit `text`; None where it can do without."""
        return self.rule.operator.ask(self._value(text), self.finding.entity)

    def edited(self, text: str, answers: Mapping[Ask, str]) -> str:
        """What takes its place in `text`."""
        value, entity = self._value(text), self.finding.entity
        ask = self.rule.operator.ask(value, entity)
        new = answers[ask] if ask else self.rule.operator.operate(value, entity)
        if not isinstance(self.finding, PartFinding):
            return new
        first = self.finding.offset + self.start - self.finding.start
        if len(new) == len(value):
            return new[first : first + self.end - self.start]
        return new if first == 0 else ""  # it stands where the value began

    def _value(self, text: str) -> str:
        if isinstance(self.finding, PartFinding):
            return self.finding.whole
        return text[self.start : self.end]


def resolve(findings: Iterable[Finding], policy: Policy) -> list[Piece]:
    """The pieces of one text, from left to right, disjoint save for those that block."""
    pieces: list[Piece] = []
    blocking: list[Piece] = []
    for finding in findings:
        rule = policy.rule_for(finding.entity)
        if rule is None or isinstance(rule.operator, Keep) or finding.score < rule.min_score:
            continue
        piece = Piece(finding.start, finding.end, finding, rule)
        (blocking if isinstance(rule.operator, Block) else pieces).append(piece)
    pieces.sort(key=lambda p: (p.start, -p.end, -p.finding.score, p.rule.order, p.finding.entity))
    disjoint: list[Piece] = []
    covered = 0
    for piece in pieces:
        if piece.end > covered:
            disjoint.append(piece._replace(start=max(piece.start, covered)))
            covered = piece.end
    return sorted(disjoint + blocking, key=lambda p: (p.start, p.end)) if blocking else disjoint


def edit(text: str, pieces: Iterable[Piece], answers: Mapping[Ask, str] = _NO_ANSWERS) -> str:
    """`text` with every piece replaced by what its operator makes of it; `answers` are those to what it asks."""
    out: list[str] = []
    position = 0
    for piece in pieces:
        out.append(text[position : piece.start])
        out.append(piece.edited(text, answers))
        position = piece.end
    out.append(text[position:])
    return "".join(out)
