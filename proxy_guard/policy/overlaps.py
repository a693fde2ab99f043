"""Overlapping findings are resolved here and nowhere else.

The rule: no character of any finding is left unedited, and none is edited twice.

1. Findings that the policy keeps, or that score below its threshold, take no part.
2. Of findings with the same span the highest score counts, then the one named first in the policy.
3. A finding inside a larger one is covered by it, whatever their scores.
4. Of two that overlap in part the earlier one is edited whole, the later one where it sticks out.
5. A finding that blocks counts even where another covers it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from proxy_guard.model import Finding
from proxy_guard.operators.block import Block
from proxy_guard.operators.keep import Keep
from proxy_guard.policy import EntityRule, Policy


class Piece(NamedTuple):
    """A stretch of a text to be edited, for a finding that it belongs to."""

    start: int
    end: int
    finding: Finding
    rule: EntityRule


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


def edit(text: str, pieces: Iterable[Piece]) -> str:
    """`text` with every piece replaced by what its operator makes of it."""
    out: list[str] = []
    position = 0
    for piece in pieces:
        out.append(text[position : piece.start])
        out.append(piece.rule.operator.operate(text[piece.start : piece.end], piece.finding.entity))
        position = piece.end
    out.append(text[position:])
    return "".join(out)
