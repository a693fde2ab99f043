"""The places where texts meet that a reader may put together: a value may be split there.

Parts of one message, and messages of one speaker, are strung together as their reader would see them, nothing between
them, and looked at around each seam. So are all other neighbours, messages of two speakers or strings of a list, but
there less is believed: numbers that have nothing to do with each other make a third one by chance.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from proxy_guard.model import Finding, PartFinding, Slot

REACH = 96
"""Code points on either side of a seam that are looked at: as long as a value and the words that make it one."""
_WORD = 32
"""Code points more, so as not to begin or end in the middle of a word."""


_SPLIT = re.compile(r"(?:[0-9]\D{0,4}){6}[0-9]|@|[A-Z0-9]{4}")
"""What a text around a seam between neighbours has to hold to be looked at, unless names are looked for."""
_SURE = frozenset({"EMAIL_ADDRESS", "IBAN_CODE", "PERSON", "API_KEY", "JWT", "PRIVATE_KEY"})
"""Entities that chance makes of two neighbours once in a hundred times at most."""
_TOLD = frozenset(
    (
        "CREDIT_CARD PHONE_NUMBER IN_AADHAAR IN_PAN IN_GSTIN IN_BANK_ACCOUNT US_SSN US_ITIN US_BANK_NUMBER UK_NHS "
        "UK_NINO"
    ).split()
)
"""Entities that words before them may tell."""
_NAMED = re.compile(
    r"\b(?:cards?|visa|master ?card|amex|rupay|account|a/c|acct?|aadh?aa?r|uidai|phone|mobile|cell|whatsapp|tel|call|"
    r"ssn|social security|nhs|passport|pan|tax|number)\b|आधार|कार्ड|फ़ोन|फोन|मोबाइल",
    re.IGNORECASE,
)


class Part(NamedTuple):
    """What a joint has of a slot: `text[start : start + size]` of it from `place` of the joint on."""

    number: int
    start: int
    place: int
    size: int


@dataclass(frozen=True, slots=True)
class Joint:
    """A text around one or more seams. `slot` is what a scrubber gets to see.

    Between mere `neighbours` a finding counts where its entity is a sure one, or words before it say what it is, and
    where none of them has one of its own there: in `hello` and `ann@example.com` nothing is split.
    """

    slot: Slot = field(repr=False)
    parts: tuple[Part, ...]
    neighbours: bool = False

    def within_word(self, part: PartFinding) -> bool:
        """Whether what a part holds of a name goes on in the middle of a word, or comes from there."""
        place = part.offset or part.end - part.start
        return part.whole[place - 1].isalpha() and part.whole[place : place + 1].islower()

    def split(self, findings: Iterable[Finding]) -> list[list[tuple[int, PartFinding]]]:
        """For each finding that lies across a seam: the index of each slot, and what it holds of the value."""
        found: list[list[tuple[int, PartFinding]]] = []
        text = self.slot.text
        for each in findings:
            if self.neighbours and not (
                each.entity in _SURE
                or (each.entity in _TOLD and _NAMED.search(text, max(0, each.start - REACH), each.start))
            ):
                continue
            whole = text[each.start : each.end]
            pieces = []
            for part in self.parts:
                first, last = max(each.start, part.place), min(each.end, part.place + part.size)
                if first < last:
                    at = part.start - part.place
                    pieces.append(
                        (
                            part.number,
                            PartFinding(each.entity, first + at, last + at, each.score, whole, first - each.start),
                        )
                    )
            if len(pieces) > 1:
                found.append(pieces)
        return found


def joints(slots: Sequence[Slot], document: Any, speaker: str, *, names: bool = False) -> list[Joint]:
    """The joints of `slots`, in the order of their places in the document.

    `speaker` is the member of a message that says who speaks: messages with the same are strung together. `names` says
    that words which are split matter, too, not only numbers and addresses.
    """
    texts = [index for index, slot in enumerate(slots) if not slot.is_name]
    if len(texts) < 2:
        return []
    joined = [(slots[index].path, index) for index in texts if slots[index].join]
    if len({slots[index].rule for _, index in joined}) > 1:  # those of one field come in order
        joined.sort(key=_place)
    streams: dict[Any, list[int]] = {}
    of: dict[int, Any] = {}
    for _, index in joined:
        of[index] = _stream(slots[index], document, speaker)
        streams.setdefault(of[index], []).append(index)
    runs = [stream for stream in streams.values() if len(stream) > 1]
    found = [joint for run in runs for joint in _along(run, slots)]
    if len(streams) != 1 or len(joined) < len(texts):
        order = iter(joined)
        everything = [next(order)[1] if index in of else index for index in texts]
        apart = list(_neighbours(everything, of, slots))
        runs += apart
        found += [
            joint for run in apart for joint in _along(run, slots, neighbours=True) if _may_hold(joint, names=names)
        ]
    others = (joint for run in runs if len(run) > 2 for joint in _apart(run, slots))
    return found + [joint for joint in others if _may_hold(joint, names=False)]


def _apart(run: list[int], slots: Sequence[Slot]) -> Iterable[Joint]:
    """What follows may spoil what some make together: `…@example.com` and `hello`, `…6467` and `hello`."""
    texts = [slots[index].text for index in run]
    for place in range(len(run) - 1):
        before = place and texts[place - 1][-1:].isdigit() and texts[place][:1].isdigit()
        after = texts[place + 1][-1:].isdigit() and place + 2 < len(run) and texts[place + 2][:1].isdigit()
        if not (before or after):
            yield from _along(run[place : place + 2], slots, neighbours=True)
    if any(one[-1:].isdigit() and two[:1].isalpha() for one, two in pairwise(texts)):
        yield from _along(run, slots, neighbours=True, spaced=True)


def _neighbours(order: list[int], of: dict[int, Any], slots: Sequence[Slot]) -> Iterable[list[int]]:
    """The runs of `order` in which no two that are next to each other are of one stream."""
    run: list[int] = []
    for index in order:
        if run and run[-1] in of and of.get(index) == of[run[-1]]:
            if len(run) > 1:
                yield run
            run = []
        elif run and len(slots[run[-1]].path) == len(slots[index].path) == 1:
            yield [index, run[-1]]  # two members of the message itself: who knows which is read first
        run.append(index)
    if len(run) > 1:
        yield run


def _may_hold(joint: Joint, *, names: bool) -> bool:
    if _SPLIT.search(joint.slot.text):
        return True
    text = joint.slot.text
    return names and any(
        0 < part.place < len(text) and text[part.place - 1].isalpha() and text[part.place].islower()
        for part in joint.parts[1:]
    )


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


def _along(
    stream: list[int], slots: Sequence[Slot], *, neighbours: bool = False, spaced: bool = False
) -> Iterable[Joint]:
    """The joints of the parts of one stream; windows that touch are one."""
    starts = [0, *accumulate(len(slots[index].text) for index in stream)]
    begin, end = max(0, starts[1] - REACH), starts[1] + REACH
    for seam in starts[2:-1]:
        if seam - REACH > end:
            yield _joint(stream, slots, starts, (begin, end), neighbours, spaced)
            begin = seam - REACH
        end = seam + REACH
    yield _joint(stream, slots, starts, (begin, end), neighbours, spaced)


def _joint(
    stream: list[int], slots: Sequence[Slot], starts: list[int], window: tuple[int, int], neighbours: bool, spaced: bool
) -> Joint:
    begin, end = window
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
        if spaced and texts and texts[-1][-1:].isdigit() and text[start : start + 1].isalpha():
            texts.append(" ")
            place += 1
        parts.append(Part(stream[number], start, place, stop - start))
        texts.append(text[start:stop])
        place += stop - start
    rule = slots[stream[first]].rule
    return Joint(Slot("".join(texts), rule, (), None, None), tuple(parts), neighbours)


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
