"""Which span lies within which, told for many spans at once: texts can be made of thousands of findings."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from proxy_guard.detect.patterns import Hit
from proxy_guard.model import Finding


class Covering:
    """Spans by entity and score, of which there are few, to be asked what covers another span."""

    def __init__(self, spans: Iterable[Hit | Finding]) -> None:
        groups: dict[tuple[str, float], list[tuple[int, int]]] = {}
        for each in spans:
            groups.setdefault((each.entity, each.score), []).append((each.start, each.end))
        self._groups = [(*key, *_reach(spans)) for key, spans in groups.items()]

    def over(self, start: int, end: int) -> Iterator[tuple[str, float, bool]]:
        """The entity and score of those that cover `start` to `end`, each once, and whether one of them is longer."""
        for entity, score, starts, reach in self._groups:
            within = bisect_right(starts, start)
            if within and (furthest := reach[within - 1]) >= end:
                before = bisect_left(starts, start, hi=within)
                yield entity, score, furthest > end or (before > 0 and reach[before - 1] >= end)


def _reach(spans: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The starts in order, and how far those up to each of them reach."""
    spans.sort()
    return [start for start, _ in spans], list(accumulate((end for _, end in spans), max))
