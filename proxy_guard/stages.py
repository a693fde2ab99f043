"""What becomes of the slots of one policy: its scrubbers one after the other, each on what the one before left.

Sans-IO like the engine, of which it is a part.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from proxy_guard.locate.joints import Joint, Seams
from proxy_guard.locate.jsonpath import normalized
from proxy_guard.media.asked import MediaScrubbed, ScrubMedia
from proxy_guard.model import (
    Ask,
    Consult,
    Consulted,
    Direction,
    Failed,
    Finding,
    Judgement,
    LocatedFinding,
    Rejected,
    Rewritten,
    Screened,
    Screening,
    Scrub,
    Scrubbed,
    Slot,
)
from proxy_guard.operators.block import Block
from proxy_guard.policy import Policy, Restore
from proxy_guard.policy.overlaps import Piece, edit, resolve

Wish = Screening | Scrub | Consult | ScrubMedia
Answer = Screened | Scrubbed | Consulted | MediaScrubbed | Failed
Stages = Generator[Wish, Answer, "Outcome | Failed"]


_SOMETHING = Finding("sensitive data", 0, 0, 1)
"""For a scrubber that rewrites without a word on what it found."""


@dataclass(slots=True)
class Outcome:
    """What was found and what comes of it. `texts` are the new texts of slots that were edited, by their number."""

    findings: list[LocatedFinding] = field(default_factory=list)
    blocking: list[LocatedFinding] = field(default_factory=list)
    rejected: str = ""
    texts: dict[int, str] = field(default_factory=dict, repr=False)


def scrubbed(slots: Sequence[Slot], policy: Policy, document: Any, speaker: str, direction: Direction) -> Stages:
    """The outcome for `slots`, or the failure that ended it."""
    outcome = Outcome()
    current = list(slots)
    if direction == "response":
        for slot in current:
            slot.direction = direction
    names = policy.wanted.entities is None or "PERSON" in policy.wanted.entities
    declared = any(slot.entity for slot in slots)
    for number, name in enumerate(policy.scrubbers):
        last = number == len(policy.scrubbers) - 1
        meeting = Seams(current, document, speaker, names=names)
        if not declared and (yield from _clean(name, policy, current, meeting)):
            continue
        seams = meeting.joints()
        answer = yield from _judged(name, policy.fallback if last else None, policy, current, seams)
        if isinstance(answer, Failed):
            return answer
        if not (declared or any(answer.judgements) or any(answer.joints)):
            continue
        stage = _Stage(name, current, policy, outcome)
        stage.judge(answer.judgements)
        stage.join(seams, answer.joints)
        if number == 0:
            stage.declare()
        pieces = stage.settle()
        if outcome.rejected or outcome.blocking:
            return outcome
        failed = yield from stage.edit(pieces)
        if failed:
            return failed
        if not last:
            current = [replace(slot, text=outcome.texts.get(n, slot.text)) for n, slot in enumerate(current)]
    if policy.restore and direction == "response" and not policy.observe:
        failed = yield from _restored(slots, policy.restore, outcome.texts)
        if failed:
            return failed
    return outcome


def _clean(name: str, policy: Policy, slots: list[Slot], meeting: Seams) -> Generator[Wish, Answer, bool]:
    """Whether there is nothing in any of these, nor where they meet, as one look at all of it tells."""
    texts = meeting.texts()
    if texts is None:
        return False
    answer = yield Screening(name, policy.wanted, [*(slot.text for slot in slots), *texts])
    return isinstance(answer, Screened) and answer.clean


def _judged(
    name: str, fallback: str | None, policy: Policy, slots: list[Slot], seams: Sequence[Joint]
) -> Generator[Wish, Answer, Scrubbed | Failed]:
    answer = yield Scrub(name, policy.wanted, slots, [seam.slot for seam in seams])
    if isinstance(answer, Failed) and fallback:
        answer = yield Scrub(fallback, policy.wanted, slots, [seam.slot for seam in seams])
    assert isinstance(answer, Scrubbed | Failed)
    return answer


class _Stage:
    """One scrubber's say on the slots of one policy."""

    def __init__(self, name: str, slots: Sequence[Slot], policy: Policy, outcome: Outcome) -> None:
        self._name = name
        self._slots = slots
        self._policy = policy
        self._outcome = outcome
        self._found: dict[int, list[Finding]] = {}
        self._rewritten: dict[int, str] = {}

    def judge(self, judgements: Sequence[Judgement]) -> None:
        """Takes what the scrubber says of each slot."""
        for index, (slot, judgement) in enumerate(zip(self._slots, judgements, strict=True)):
            if slot.unreached == "observe" and not isinstance(judgement, list):
                seen = judgement.findings if isinstance(judgement, Rewritten) else (_SOMETHING,)
                self._outcome.findings += [located(slot, each, "observe") for each in seen]
            elif isinstance(judgement, Rejected):
                self._outcome.rejected = f"{self._name} rejected {slot.rule}: {judgement.code}"
            elif isinstance(judgement, Rewritten):
                found = [located(slot, each, "rewrite") for each in judgement.findings]
                self._outcome.findings += found
                if judgement.text != slot.text:
                    self._rewritten[index] = judgement.text
                    if slot.signed:
                        self._outcome.blocking += found or [
                            located(slot, Finding("sensitive data", 0, 0, 1), "rewrite")
                        ]
            elif judgement:
                self._found[index] = list(judgement)

    def join(self, seams: Sequence[Joint], findings: Sequence[Sequence[Finding]]) -> None:
        """Takes what lies across the seams between slots."""
        own = {index: list(found) for index, found in self._found.items()}
        for seam, across in zip(seams, findings, strict=False):
            for pieces in seam.split(across):
                if not seam.believed and any(
                    _has_its_own(own.get(index, ()), part) and not (part.entity == "PERSON" and seam.within_word(part))
                    for index, part in pieces
                ):
                    continue
                for index, part in pieces:
                    self._found.setdefault(index, []).append(part)

    def declare(self) -> None:
        """Takes what fields are known to hold."""
        for index, slot in enumerate(self._slots):
            if slot.entity:
                self._found.setdefault(index, []).append(Finding(slot.entity, 0, len(slot.text), 1.0))

    def settle(self) -> list[tuple[int, list[Piece]]]:
        """The pieces to be edited in each slot that has any."""
        resolved = [
            (index, pieces)
            for index, findings in sorted(self._found.items())
            if index not in self._rewritten and (pieces := resolve(findings, self._policy))
        ]
        for index, pieces in resolved:
            slot = self._slots[index]
            observed = slot.unreached == "observe"
            for piece in pieces:
                found = located(slot, piece.finding, "observe" if observed else piece.rule.action)
                self._outcome.findings.append(found)
                if observed:
                    continue
                if slot.signed or isinstance(piece.rule.operator, Block):
                    self._outcome.blocking.append(found)
        return [(index, pieces) for index, pieces in resolved if self._slots[index].unreached != "observe"]

    def edit(self, resolved: list[tuple[int, list[Piece]]]) -> Generator[Wish, Answer, Failed | None]:
        """Edits the texts, and asks for what operators need from outside; gives the failure to get it."""
        asks = [ask for index, pieces in resolved for piece in pieces if (ask := piece.ask(self._slots[index].text))]
        answers = yield from consulted([] if self._policy.observe else asks)
        if isinstance(answers, Failed):
            return answers
        self._outcome.texts |= self._rewritten
        if not self._policy.observe:
            for index, pieces in resolved:
                self._outcome.texts[index] = edit(self._slots[index].text, pieces, answers)
        return None


def _has_its_own(found: Iterable[Finding], part: Finding) -> bool:
    return any(each.entity == part.entity and each.start < part.end and part.start < each.end for each in found)


REFERENCE = re.compile(
    r"(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{1,63}_[a-z2-7]{26}(?![A-Za-z0-9_])"
    r"|(?<![0-9A-Za-z-])[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![0-9A-Za-z-])"
    r"|(?<![0-9A-Za-z._-])[a-z2-7]{26}@[a-z0-9.-]{1,200}[a-z0-9]|\+999[0-9]{12}(?![0-9])"
)
"""What a vault's references look like, of each style."""


def _restored(slots: Sequence[Slot], restore: Restore, texts: dict[int, str]) -> Generator[Wish, Answer, Failed | None]:
    """Puts the values in place of references, in `texts` or those of the slots; gives the failure to get them."""
    read = {n: texts.get(n, slot.text) for n, slot in enumerate(slots) if restore.covers(slot)}
    found = {n: some for n, text in read.items() if (some := REFERENCE.findall(text))}
    if not found:
        return None
    values = yield from values_of([each for some in found.values() for each in some], restore)
    if isinstance(values, Failed):
        return values
    for n in found:
        texts[n] = REFERENCE.sub(lambda match: values[match.group()] or match.group(), read[n])
    return None


def consulted(asks: Iterable[Ask]) -> Generator[Wish, Answer, dict[Ask, str] | Failed]:
    """The answer to each of `asks`; a failure where one has none. Nobody is asked for nothing."""
    distinct = list(dict.fromkeys(asks))
    if not distinct:
        return {}
    answer = yield Consult(distinct)
    if isinstance(answer, Failed):
        return answer
    assert isinstance(answer, Consulted)
    answers: dict[Ask, str] = {}
    for ask, text in zip(distinct, answer.texts, strict=True):
        if text is None:
            return Failed("unavailable", f"{ask.source} has no answer for an {ask.entity}")
        answers[ask] = text
    return answers


def values_of(references: Iterable[str], restore: Restore) -> Generator[Wish, Answer, dict[str, str | None] | Failed]:
    """The value behind each of `references`; None for what is no reference of that vault and scope."""
    distinct = list(dict.fromkeys(references))
    answer = yield Consult([Ask("restore", restore.vault, "", each, scope=restore.scope) for each in distinct])
    if isinstance(answer, Failed):
        return answer
    assert isinstance(answer, Consulted)
    return dict(zip(distinct, answer.texts, strict=True))


def located(slot: Slot, finding: Finding, operator: str) -> LocatedFinding:
    """A finding in a slot, as verdicts have it."""
    return LocatedFinding(
        entity=finding.entity,
        start=finding.start,
        end=finding.end,
        score=finding.score,
        operator=operator,
        rule=slot.rule,
        path=normalized(slot.path),
    )
