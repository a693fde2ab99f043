"""The places where parts of one message meet, and messages of one speaker: a value may be split there.

Parts are strung together as their reader would see them, nothing between them, and looked at around each seam.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from proxy_guard.model import Finding, PartFinding, Slot

REACH = 96
"""Code points on either side of a seam that are looked at: as long as a value and the words that make it one."""
_WORD = 32
"""Code points more, so as not to begin or end in the middle of a word."""


class Part(NamedTuple):
    """What a joint has of a slot: `text[start:]` of it from `place` of the joint on."""

    number: int
    start: int
    place: int


@dataclass(frozen=True, slots=True)
class Joint:
    """A text around one or more seams. `slot` is what a scrubber gets to see."""

    slot: Slot = field(repr=False)
    parts: tuple[Part, ...]

    def split(self, findings: Iterable[Finding]) -> list[tuple[int, PartFinding]]:
        """For each finding that lies across a seam: the index of each slot, and what it holds of the value."""
        found: list[tuple[int, PartFinding]] = []
        text = self.slot.text
        for each in findings:
            whole = text[each.start : each.end]
            pieces = []
            for part, following in zip(self.parts, [*self.parts[1:], None], strict=True):
                end = following.place if following else len(text)
                first, last = max(each.start, part.place), min(each.end, end)
                if first < last:
                    at = part.start - part.place
                    pieces.append(
                        (
                            part.number,
                            PartFinding(each.entity, first + at, last + at, each.score, whole, first - each.start),
                        )
                    )
            if len(pieces) > 1:
                found += pieces
        return found


def joints(slots: Sequence[Slot], document: Any, speaker: str) -> list[Joint]:
    """The joints of `slots`, in the order of their places in the document.

    `speaker` is the member of a message that says who speaks: messages with the same are strung together.
    """
    joined = [(slot.path, index) for index, slot in enumerate(slots) if slot.join and not slot.is_name]
    if len(joined) < 2:
        return []
    if len({slots[index].rule for _, index in joined}) > 1:  # those of one field come in order
        joined.sort(key=_place)
    streams: dict[Any, list[int]] = {}
    for _, index in joined:
        streams.setdefault(_stream(slots[index], document, speaker), []).append(index)
    return [joint for stream in streams.values() if len(stream) > 1 for joint in _along(stream, slots)]


def _place(joined: tuple[tuple[str | int, ...], int]) -> tuple[tuple[bool, str | int], ...]:
    # Names and indices do not compare; members of an object keep the order of their fields.
    return tuple((False, step) if isinstance(step, int) else (True, "") for step in joined[0])


def _stream(slot: Slot, document: Any, speaker: str) -> Any:
    above = slot.path[: slot.join - 1]
    node = document
    for step in slot.path[: slot.join]:
        node = node[step]
    who = node.get(speaker) if isinstance(node, dict) else None
    return above, who if isinstance(who, str) else None


def _along(stream: list[int], slots: Sequence[Slot]) -> Iterable[Joint]:
    """The joints of the parts of one stream; windows that touch are one."""
    starts = [0, *accumulate(len(slots[index].text) for index in stream)]
    begin, end = max(0, starts[1] - REACH), starts[1] + REACH
    for seam in starts[2:-1]:
        if seam - REACH > end:
            yield _joint(stream, slots, starts, begin, end)
            begin = seam - REACH
        end = seam + REACH
    yield _joint(stream, slots, starts, begin, end)


def _joint(stream: list[int], slots: Sequence[Slot], starts: list[int], begin: int, end: int) -> Joint:
    first = bisect_right(starts, begin) - 1
    parts: list[Part] = []
    texts: list[str] = []
    place = 0
    for number in range(first, len(stream)):
        if starts[number] >= end:
            break
        text = slots[stream[number]].text
        start = _word_start(text, max(0, begin - starts[number]))
        stop = _word_end(text, min(len(text), end - starts[number]))
        parts.append(Part(stream[number], start, place))
        texts.append(text[start:stop])
        place += stop - start
    rule = slots[stream[first]].rule
    return Joint(Slot("".join(texts), rule, (), None, None), tuple(parts))


def _word_start(text: str, start: int) -> int:
    before = text[max(0, start - _WORD) : start]
    if not before or before[-1].isspace():
        return start
    return start - len(before.rsplit(None, 1)[-1])


def _word_end(text: str, end: int) -> int:
    behind = text[end : end + _WORD]
    if not behind or behind[0].isspace():
        return end
    return end + len(behind.split(None, 1)[0])
