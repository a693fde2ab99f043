"""The places where texts meet that a reader may put together: a value may be split there.

Parts of one message, and messages of one speaker, are strung together as their reader would see them, nothing between
them, and looked at around each seam. So are all other neighbours, messages of two speakers or strings of a list, but
there less is believed: numbers that have nothing to do with each other make a third one by chance.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from proxy_guard.detect.separators import NAMED
from proxy_guard.model import Finding, PartFinding, Path, Slot

REACH = 96
"""Code points on either side of a seam that are looked at: as long as a value and the words that make it one."""
_WORD = 32
"""Code points more, so as not to begin or end in the middle of a word."""
_END = REACH + _WORD
"""Code points of either end of a text that matter; the middle of a long one is as if it were not there."""

_SPLIT = re.compile(r"[0-9A-Z@](?:(?<=@)|(?<!@)[A-Z0-9]{3}|(?<=[0-9])\D{0,4}(?:[0-9]\D{0,4}){5}[0-9])")
"""What there has to be around a seam between neighbours for it to be looked at, unless names are looked for, and a
digit or `@` somewhere with it: no number, address or key is without.

It begins with a set of characters, so that it passes by others quickly.
"""
_AWAY = re.compile(r"(?:\s[^\W\d_]{2,},?){3}\s")
"""Words in a row between such a thing and the seam: no value goes on beyond them."""
_SURE = frozenset({"EMAIL_ADDRESS", "IBAN_CODE", "PERSON", "API_KEY", "JWT", "PRIVATE_KEY"})
"""Entities that chance makes of two neighbours once in a hundred times at most."""
_TOLD = frozenset(
    (
        "CREDIT_CARD PHONE_NUMBER IN_AADHAAR IN_PAN IN_GSTIN IN_BANK_ACCOUNT US_SSN US_ITIN US_BANK_NUMBER UK_NHS "
        "UK_NINO"
    ).split()
)
"""Entities that words before them may tell."""


_TELLING = re.compile(r"@|[A-Z]{2} ?[0-9]")
"""What an address or an IBAN has."""
_ODD_NAME = re.compile(r"[\s@]|[0-9]{3}")
"""What the name of a member has when it is part of a text."""


class Part(NamedTuple):
    """What a joint has of a slot: `text[start : start + size]` of it from `place` of the joint on."""

    number: int
    start: int
    place: int
    size: int


@dataclass(frozen=True, slots=True)
class Joint:
    """A text around one or more seams. `slot` is what a scrubber gets to see.

    What lies between mere neighbours is not `believed` at once: a finding counts where its entity is a sure one, or
    words before it say what it is, and where none of them has one of its own there: in `hello` and `ann@example.com`
    nothing is split.
    """

    slot: Slot = field(repr=False)
    parts: tuple[Part, ...]
    believed: bool = True

    def within_word(self, part: PartFinding) -> bool:
        """Whether what a part holds of a name goes on in the middle of a word, or comes from there."""
        place = part.offset or part.end - part.start
        return part.whole[place - 1].isalpha() and part.whole[place : place + 1].islower()

    def split(self, findings: Iterable[Finding]) -> list[list[tuple[int, PartFinding]]]:
        """For each finding that lies across a seam: the index of each slot, and what it holds of the value."""
        found: list[list[tuple[int, PartFinding]]] = []
        text = self.slot.text
        for each in findings:
            if not self.believed and not (
                each.entity in _SURE
                or (each.entity in _TOLD and NAMED.search(text, max(0, each.start - REACH), each.start))
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


class Seams:
    """The joints of `slots`, in the order of their places in the document."""

    def __init__(self, slots: Sequence[Slot], document: Any, speaker: str, *, names: bool = False) -> None:
        """`speaker` is the member of a message that says who speaks: messages with the same are strung together.

        `names` says that words which are split matter, too, not only numbers and addresses.
        """
        self._slots = slots
        self._names = names
        self._of: dict[int, Any] = {}
        self._plain = [index for index, slot in enumerate(slots) if not slot.is_name]
        self._joined = [index for index in self._plain if slots[index].join]
        if len({slots[index].rule for index in self._joined}) > 1:  # those of one field come in order
            self._joined.sort(key=lambda index: _place(slots[index].path))
        streams: dict[Any, list[int]] = {}
        for index in self._joined:
            self._of[index] = stream = _stream(slots[index], document, speaker)
            streams.setdefault(stream, []).append(index)
        self._mixed = len(self._plain) > 1 and (len(streams) != 1 or len(self._joined) < len(self._plain))
        """Whether there are neighbours that are not of one stream."""
        self._runs = [_Run(stream, slots) for stream in streams.values() if len(stream) > 1]

    @cached_property
    def _apart(self) -> list[_Run]:
        """The runs of mere neighbours."""
        if not self._mixed:
            return []
        order = iter(self._joined)
        everything = [next(order) if index in self._of else index for index in self._plain]
        apart = [_Run(run, self._slots) for run in _neighbours(everything, self._of, self._slots)]
        if any(run.holds_any for run in apart):
            others = (*_columns(self._plain, self._slots), _of_url(self._plain, self._slots))
            more = [_Run(some, self._slots) for some in others if len(some) > 1]
            apart += [run for run in more if self._names or run.tells]
        return apart

    def texts(self) -> list[str] | None:
        """Texts in which there is something to be found wherever there is in a joint; None where none can say so."""
        if self._names or (len(self._plain) < len(self._slots) and self._odd_names):
            return None
        # Without a sign no seam of mere neighbours is looked at, and nothing behind one spoils what is before it.
        if holds_any("".join([self._slots[index].text for index in self._plain])) and any(
            run.seams for run in (*self._runs, *self._apart)
        ):
            return None
        return [run.whole for run in self._runs]

    def joints(self) -> list[Joint]:
        """All of them."""
        found = [joint for run in self._runs for joint in run.joints()]
        found += [joint for run in self._apart for joint in run.joints(run.likely(names=self._names))]
        found += self._with_names() if len(self._plain) < len(self._slots) else []
        runs = (*self._runs, *self._apart)
        return found + [joint for run in runs if len(run.order) > 2 for joint in run.apart()]

    @cached_property
    def _odd_names(self) -> list[int]:
        """The member names that no program would have."""
        return [index for index, slot in enumerate(self._slots) if slot.is_name and _ODD_NAME.search(slot.text)]

    def _with_names(self) -> list[Joint]:
        """The joints of odd names: with what stands behind them, and of all names among themselves."""
        if not self._odd_names:
            return []
        order = [index for index, slot in enumerate(self._slots) if slot.is_name]
        runs = [_Run([index, index + 1], self._slots) for index in self._odd_names if index + 1 < len(self._slots)]
        runs += [_Run(order, self._slots)] if len(order) > 1 else []
        return [joint for run in runs for joint in run.joints(run.likely(names=self._names))]


def holds_any(text: str) -> bool:
    """Whether there is any character that a number or an address can't do without."""
    data = text.encode("utf-8", "surrogatepass")
    return len(data.translate(None, b"0123456789@")) < len(data)  # a scan in C


def _of_url(texts: Sequence[int], slots: Sequence[Slot]) -> list[int]:
    """What stands in the URL: a body that follows would spoil what ends there."""
    found = [index for index in texts if slots[index].path[:1] == ("url",)]
    return found if len(found) < len(texts) else []


def _columns(texts: Sequence[int], slots: Sequence[Slot]) -> Iterator[list[int]]:
    """The members of one name in the objects of a list, where there is something between them."""
    columns: dict[tuple[str | None, ...], list[int]] = {}
    for place, index in enumerate(texts):
        slot = slots[index]
        if not slot.join and len(slot.path) > 1 and isinstance(slot.key, str):
            key = tuple([None if isinstance(step, int) else step for step in slot.path])
            columns.setdefault(key, []).append(place)
    for places in columns.values():
        if places[-1] - places[0] >= len(places):
            yield [texts[place] for place in places]


class _Run:
    """Texts that follow each other; places in it do not count the middles of long ones."""

    def __init__(self, order: list[int], slots: Sequence[Slot]) -> None:
        """`order` holds indices of `slots`."""
        self.order = order
        self.slots = slots
        self.texts = [slots[index].text for index in order]
        self.starts = [0, *accumulate([min(len(text), 2 * _END) for text in self.texts])]

    def joints(self, seams: Collection[int] | None = None, *, spaced: bool = False) -> Iterator[Joint]:
        """The joints around all seams, or around these, which are not `believed` then; windows that touch are one.

        `spaced` puts a space between a number and a word.
        """
        believed = seams is None
        if not (believed or seams):
            return
        begin = end = 0
        wanted = False
        for seam in self.starts[1:-1]:
            if seam - REACH > end or not end:
                if wanted:
                    yield self._joint(begin, end, believed, spaced)
                begin, wanted = max(0, seam - REACH), False
            end = seam + REACH
            wanted = wanted or seams is None or seam in seams
        if wanted:
            yield self._joint(begin, end, believed, spaced)

    @cached_property
    def whole(self) -> str:
        """The texts strung together."""
        return "".join([text if len(text) <= 2 * _END else text[:_END] + text[-_END:] for text in self.texts])

    @cached_property
    def holds_any(self) -> bool:
        """Whether there is such a character in it."""
        return holds_any(self.whole)

    @property
    def tells(self) -> bool:
        """Whether anything in it would be believed: numbers alone, those of a table say, are not."""
        return _TELLING.search(self.whole) is not None or NAMED.search(self.whole) is not None

    @cached_property
    def seams(self) -> set[int]:
        """The seams that a number or an address may lie across by what is around them."""
        whole = self.whole
        found: set[int] = set()
        if not self.holds_any:
            return found
        seams = self.starts[1:-1]
        for sign in _SPLIT.finditer(whole):
            first, last = sign.span()
            for seam in seams[bisect_left(seams, first - _END) : bisect_right(seams, last + _END)]:
                if not _AWAY.search(whole, min(last, seam), max(first, seam)):
                    found.add(seam)
        return found

    def likely(self, *, names: bool) -> set[int]:
        """These, and where `names` matter the seams where a word goes on."""
        if not names:
            return self.seams
        pairs = zip(self.starts[1:], pairwise(self.texts), strict=False)
        return self.seams | {seam for seam, (one, two) in pairs if one[-1:].isalpha() and two[:1].islower()}

    def apart(self) -> Iterator[Joint]:
        """What follows may spoil what some make together: `…@example.com` and `hello`, `…6467` and `hello`."""
        if not self.seams:
            return
        ends = [(text[:1], text[-1:]) for text in self.texts]
        for place in range(len(ends) - 1):
            behind = place and ends[place - 1][1].isdigit() and ends[place][0].isdigit()
            ahead = place + 2 < len(ends) and ends[place + 1][1].isdigit() and ends[place + 2][0].isdigit()
            if self.starts[place + 1] in self.seams and not (behind or ahead or self._alone(place + 1)):
                pair = _Run(self.order[place : place + 2], self.slots)
                yield from pair.joints(pair.starts)
        if any(one[1].isdigit() and two[0].isalpha() for one, two in pairwise(ends)):
            yield from self.joints(self.seams, spaced=True)

    def _alone(self, number: int) -> bool:
        """Whether no other seam is in reach of this one, so that its joint is of two texts as it is."""
        seams = self.starts[1:-1]
        return all(
            abs(other - self.starts[number]) > 2 * REACH for other in (*seams[: number - 1][-1:], *seams[number:][:1])
        )

    def _joint(self, begin: int, end: int, believed: bool, spaced: bool) -> Joint:
        first = bisect_right(self.starts, begin) - 1
        parts: list[Part] = []
        texts: list[str] = []
        place = 0
        for number in range(first, len(self.order)):
            if self.starts[number] >= end:
                break
            text = self.texts[number]
            middle = max(0, len(text) - 2 * _END)
            start = begin - self.starts[number]
            start = _word_start(text, start + middle) if start > 0 else 0
            stop = len(text) if self.starts[number + 1] <= end else _word_end(text, end - self.starts[number])
            if spaced and texts and texts[-1][-1:].isdigit() and text[start : start + 1].isalpha():
                texts.append(" ")
                place += 1
            parts.append(Part(self.order[number], start, place, stop - start))
            texts.append(text[start:stop])
            place += stop - start
        rule = self.slots[self.order[first]].rule
        return Joint(Slot("".join(texts), rule, (), None, None), tuple(parts), believed)


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


def _place(path: Path) -> tuple[tuple[bool, str | int], ...]:
    # Names and indices do not compare; members of an object keep the order of their fields.
    return tuple((False, step) if isinstance(step, int) else (True, "") for step in path)


def _stream(slot: Slot, document: Any, speaker: str) -> Any:
    above = slot.path[: slot.join - 1]
    node = slot.holder
    if len(slot.path) != slot.join + 1:
        node = document
        for step in slot.path[: slot.join]:
            node = node[step]
    who = node.get(speaker) if isinstance(node, dict) else None
    return above, who if isinstance(who, str) else None


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
