"""The running text of one position of a stream: what of it is decided, and what becomes of it.

Text is held while it may still be part of a finding (`detect.pending`), and never more than the limit; a finding
that outgrows it is edited from its start on. What is decided is final: `edits` are in order and disjoint, in code
points from the start of the whole text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from proxy_guard.detect.catalogue import NER_LABELS
from proxy_guard.detect.pending import pending
from proxy_guard.model import (
    Failed,
    Finding,
    LocatedFinding,
    Rejected,
    Rewritten,
    Scrub,
    Scrubbed,
    Slot,
    unshown,
)
from proxy_guard.operators.block import Block
from proxy_guard.policy import Policy
from proxy_guard.policy.overlaps import Piece, resolve
from proxy_guard.scrubbers import Screen
from proxy_guard.stages import REFERENCE, Answer, Wish, consulted, located, values_of

_CONTEXT = 600
"""Code points before what is decided that recognizers get to see."""
_SEAMLESS = 4 * _CONTEXT
"""Code points after which a text without a seam is let go of all the same."""
_EDGE = 4
"""Code points before a word that tell how it begins."""
_OPEN = 64
"""Times the limit that a finding may be long; past it the stream ends."""
_SENTENCE = re.compile(r"(?:[.!?।。！？…][\"'”’)\]]*\s+|[。！？]|\n)(?=\S)")


@unshown
class Edit(NamedTuple):
    """`text[start:end]` of the whole text becomes `new`."""

    start: int
    end: int
    new: str


Deciding = Generator[Wish, Answer, Failed | None]


_SAMPLE = 1000
"""Findings of a stream that are kept. A stream need not end, so those beyond are only counted."""


@dataclass(slots=True)
class Found:
    """What was found in a stream so far. `blocking` or `rejected` end it; `more` counts what is in no list any more."""

    findings: list[LocatedFinding] = field(default_factory=list)
    blocking: list[LocatedFinding] = field(default_factory=list)
    more: Counter[str] = field(default_factory=Counter)
    rejected: str = ""
    observe: bool = False
    edited: bool = False
    """Whether the document that all this was found in has changed."""

    @property
    def ends(self) -> bool:
        """Whether the stream ends here."""
        return bool(self.blocking or self.rejected) and not self.observe

    def take(self, other: Found) -> bool:
        """Adds what was found elsewhere; whether it has changed something there."""
        self.note(other.findings, other.blocking)
        self.rejected = self.rejected or other.rejected
        return other.edited

    def note(self, findings: Sequence[LocatedFinding], blocking: Sequence[LocatedFinding]) -> None:
        """Adds findings, and those of them that block."""
        room = max(0, _SAMPLE - len(self.findings))
        self.findings += findings[:room]
        self.more.update(each.kind for each in findings[room:])
        self.blocking += blocking[: max(0, _SAMPLE - len(self.blocking))]

    def clear(self) -> None:
        """Has found nothing yet."""
        self.findings.clear()
        self.blocking.clear()
        self.more.clear()
        self.rejected = ""


@dataclass(slots=True)
class Kept:
    """The whole of a text from `start` on, and what is edited in it."""

    start: int = 0
    texts: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)

    def became(self) -> str:
        """What it became."""
        start = self.start
        moved = [Edit(e.start - start, e.end - start, e.new) for e in self.edits]
        text = "".join(self.texts)
        return applied(text, moved, 0, len(text))


class Running:
    """One position's text. `decided` is up to where it may go on; `length` is how much there is."""

    def __init__(
        self,
        slot: Slot,
        policy: Policy,
        bound: int,
        found: Found,
        *,
        kept: bool = False,
        screen: Screen | None = None,
    ) -> None:
        self.decided = 0
        self.length = 0
        self.edits: list[Edit] = []
        self._slot = slot
        self._policy = policy
        self._bound = bound
        self._found = found
        self._settled = _settled(policy)
        self._screen = None if slot.entity or policy.restore else screen
        self._text = ""
        self._base = 0
        """Where `_text` begins in the whole text."""
        self._seams = [0]
        """Places that no finding reaches over, the last ones first decided upon."""
        self._at_seam = True
        """Whether what is decided ends at such a place."""
        self._swallowing: int | None = None
        """Where a finding begins that has outgrown the limit."""
        self._looked_at = 0
        """How much of the text there was when it was last looked at."""
        self._cut: int | None = None
        """Up to where of `_text` can then be decided that takes asking; None where nothing does."""
        self._kept: Kept | None = Kept() if kept else None

    def add(self, delta: str) -> None:
        """Takes what follows."""
        self._text += delta
        self.length += len(delta)
        if self._kept:
            self._kept.texts.append(delta)

    def ended(self) -> tuple[tuple[str | None, str], str] | None:
        """Once it has ended: the field's policy and the text since it last had, and what that became; if it is kept."""
        kept = self._kept
        if kept is None or not kept.texts or self._slot.signed:
            return None
        self._kept = Kept(self.length)
        return (self._slot.policy, "".join(kept.texts)), kept.became()

    def edit(self, edits: list[Edit]) -> None:
        """Takes what is to be edited in what is decided."""
        self.edits += edits
        if self._kept:
            self._kept.edits += edits

    def advance(self) -> bool:
        """Decides what can be where nothing is to be found; False where it takes asking to tell."""
        if self._looked_at != self.length:
            self._looked_at = self.length
            self._cut = self._advance()
        return self._cut is None

    def _advance(self) -> int | None:
        text = self._text
        done = self.decided - self._base
        cut = self._settled(text, done)
        if len(text) - cut > self._bound:
            return cut
        if cut <= done:
            return None
        # What comes before a seam is context alone, of which a screen needs but the edge.
        if not (self._screen and self._at_seam and self._screen(text[max(0, done - _EDGE) :])):
            return cut
        self._move(cut, seam=True)
        return None

    def decide(self, *, final: bool) -> Deciding:
        """Decides what can be, after `advance` left it to this; with `final`, all there is."""
        if self.decided == self.length:
            return None
        done = self.decided - self._base
        cut, self._cut = (len(self._text) if final else self._cut or done), None
        seam = cut > done and not final
        if len(self._text) - done > self._bound and cut < len(self._text) - self._bound:
            cut, seam = len(self._text) - self._bound, False
        if cut <= done:
            return None
        pieces = yield from self._pieces()
        if isinstance(pieces, Failed):
            return pieces
        return (yield from self._settle(pieces, done, cut, seam=seam))

    def _pieces(self) -> Generator[Wish, Answer, list[Piece] | Failed]:
        """What is to be edited in the text at hand, by what is known of it now."""
        slot = Slot(self._text, self._slot.rule, self._slot.path, None, None, signed=self._slot.signed)
        slot.direction = self._slot.direction
        answer = yield Scrub(self._policy.scrubbers[0], self._policy.wanted, [slot])
        if isinstance(answer, Failed):
            return answer
        assert isinstance(answer, Scrubbed)
        (judgement,) = answer.judgements
        assert not isinstance(judgement, Rejected | Rewritten)
        if self._slot.entity:
            judgement = [*judgement, Finding(self._slot.entity, 0, len(self._text), 1.0)]
        return resolve(judgement, self._policy)

    def _settle(self, pieces: list[Piece], done: int, cut: int, *, seam: bool) -> Deciding:
        asks: list[tuple[Piece, str | None]] = []
        for piece in pieces:
            start, end = piece.start, piece.end
            if end <= done or start >= cut:
                continue
            if start < done:  # what of it came before is gone
                swallowed = self._swallowing is not None
                asks.append((piece._replace(start=done), "" if swallowed else None))
                cut = max(cut, end)
                continue
            if end > cut:
                if len(self._text) - start <= self._bound:
                    cut = start
                    continue
                self._swallowing = self._base + start
                cut, seam = end, False
            asks.append((piece, None))
        kept = [(piece, new) for piece, new in asks if piece.start < cut]
        if self._swallowing is not None and self._base + done - self._swallowing > _OPEN * self._bound:
            return Failed("unavailable", f"a finding is longer than {_OPEN * self._bound} characters")
        self._note([piece for piece, new in kept if new is None])
        if self._found.ends:
            return None
        edits = yield from self._edited(kept)
        if isinstance(edits, Failed):
            return edits
        restored = yield from self._restored(edits, done, cut)
        if isinstance(restored, Failed):
            return restored
        self.edit([Edit(e.start + self._base, e.end + self._base, e.new) for e in restored])
        self._move(cut, seam=seam)
        return None

    def _note(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            span = self._base + piece.start, self._base + piece.end
            found = located(self._slot, Finding(piece.finding.entity, *span, piece.finding.score), piece.rule.action)
            blocks = self._slot.signed or isinstance(piece.rule.operator, Block)
            self._found.note([found], [found] if blocks else [])

    def _edited(self, pieces: list[tuple[Piece, str | None]]) -> Generator[Wish, Answer, list[Edit] | Failed]:
        text = self._text
        if self._policy.observe:
            return []
        answers = yield from consulted(ask for piece, new in pieces if new is None and (ask := piece.ask(text)))
        if isinstance(answers, Failed):
            return answers
        return [Edit(p.start, p.end, p.edited(text, answers) if new is None else new) for p, new in pieces]

    def _restored(self, edits: list[Edit], done: int, cut: int) -> Generator[Wish, Answer, list[Edit] | Failed]:
        """`edits` with references turned into values again, where the policy has that."""
        restore = self._policy.restore
        if restore is None or self._policy.observe or not restore.covers(self._slot):
            return edits
        text = applied(self._text, edits, done, cut)
        matches = list(REFERENCE.finditer(text))
        if not matches:
            return edits
        values = yield from values_of([match.group() for match in matches], restore)
        if isinstance(values, Failed):
            return values
        known = [match for match in matches if values[match.group()] is not None]
        return merged(self._text, edits, done, [(m.start(), m.end(), values[m.group()] or "") for m in known])

    def _move(self, cut: int, *, seam: bool) -> None:
        """What is before `cut` is decided; lets go of what no recognizer needs to see again."""
        self.decided = self._base + cut
        self._at_seam = seam
        if self._swallowing is not None:
            if cut < len(self._text):
                self._swallowing = None
            return
        if seam or self.decided - self._seams[-1] > _SEAMLESS:
            self._seams.append(self.decided)
        while len(self._seams) > 1 and self._seams[1] <= self.decided - _CONTEXT:
            del self._seams[0]
        if self._seams[0] > self._base:
            self._text = self._text[self._seams[0] - self._base :]
            self._base = self._seams[0]

    def rendered(self, start: int, end: int, original: str) -> str:
        """What becomes of `original`, which is `[start, end)` of the text. To be asked in order, once for each."""
        if not self.edits or self.edits[0].start >= end:
            return original
        out: list[str] = []
        place = start
        for edit in self.edits:
            if edit.start >= end:
                break
            if edit.end > place:
                out.append(original[place - start : max(0, edit.start - start)])
                place = max(place, edit.end)
            if start <= edit.start < end:
                out.append(edit.new)
        if place < end:
            out.append(original[place - start :])
        while self.edits and self.edits[0].end <= end:
            del self.edits[0]
        return "".join(out)


def applied(text: str, edits: list[Edit], start: int, end: int) -> str:
    """`text[start:end]` with `edits` made, which lie in it."""
    out: list[str] = []
    for edit in edits:
        out += [text[start : edit.start], edit.new]
        start = edit.end
    return "".join([*out, text[start:end]])


def merged(text: str, edits: list[Edit], start: int, news: list[tuple[int, int, str]]) -> list[Edit]:
    """`edits` of `text` from `start` on, and on top of them `news`, whose places are those of the edited text."""
    out: list[Edit] = []
    shift = start  # a place of the edited text, plus this, is one of the text
    rest = list(edits)
    for first, last, new in news:
        while rest and rest[0].start - shift + len(rest[0].new) <= first:
            out.append(rest.pop(0))
            shift += out[-1].end - out[-1].start - len(out[-1].new)
        begin, before = first + shift, ""
        if rest and rest[0].start < begin:
            begin, before = rest[0].start, rest[0].new[: first - (rest[0].start - shift)]
        after = ""
        end = last + shift
        while rest and rest[0].start - shift < last:
            edit = rest.pop(0)
            place = edit.start - shift
            shift += edit.end - edit.start - len(edit.new)
            end, after = last + shift, ""
            if place + len(edit.new) > last:
                end, after = edit.end, edit.new[last - place :]
        out.append(Edit(begin, end, before + new + after))
    return [*out, *rest]


def _settled(policy: Policy) -> Callable[[str, int], int]:
    """Up to where a text that goes on is settled, by what the policy looks for."""
    wanted = policy.wanted
    if wanted.recognizers:
        return lambda text, done: done  # whatever they look for: the limit alone decides
    if wanted.entities is None or wanted.entities & NER_LABELS.keys():
        return _sentence
    return pending


def _sentence(text: str, done: int) -> int:
    """The end of the last sentence that is settled."""
    settled = pending(text, done)
    ends = [match.end() for match in _SENTENCE.finditer(text, done, settled)]
    return ends[-1] if ends else done
