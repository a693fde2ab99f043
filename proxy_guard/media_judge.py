"""One medium through one policy: what is read in it is judged as the texts of a message are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Never

from proxy_guard.media import Judged, MediaSettings, Redacted, Unscrubbable, scrub
from proxy_guard.media.asked import Refused
from proxy_guard.model import Failed, Finding, LocatedFinding, Slot
from proxy_guard.policy import Policy
from proxy_guard.stages import Answer, Outcome, Wish, scrubbed

Respond = Callable[[Wish], Answer]
"""What answers a wish of the inspection; blocks."""
_WHOLE = "sensitive data"
"""The entity of what a scrubber rewrote without a word on where."""


class _Unjudged(Exception):
    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.why)
        self.failure = failure


def scrub_by_policy(
    data: bytes, declared: str, settings: MediaSettings, policy: Policy, respond: Respond
) -> Redacted | Refused | Failed:
    """The medium without what the policy acts on, or why there is none. Whatever else is raised must block, too."""

    def judge(texts: Sequence[str]) -> list[Judged]:
        return _judged(texts, policy, respond)

    try:
        return scrub(data, declared, judge, settings)
    except Unscrubbable as error:
        return Refused(error.cause, error.why)
    except _Unjudged as error:
        return error.failure


def _judged(texts: Sequence[str], policy: Policy, respond: Respond) -> list[Judged]:
    # A number for a rule: an outcome tells findings of all slots together.
    slots = [Slot(text, str(number), (number,), None, None) for number, text in enumerate(texts)]
    stages = scrubbed(slots, policy, None, "", "request")
    answer: Answer | None = None
    try:
        while True:
            answer = respond(stages.send(answer))  # type: ignore[arg-type]  # None starts it
    except StopIteration as end:
        outcome: Outcome | Failed = end.value
    if isinstance(outcome, Failed):
        raise _Unjudged(outcome)
    if not policy.observe:
        if outcome.blocking:
            _blocked(sorted({each.entity for each in outcome.blocking}))
        if outcome.rejected:
            _blocked(["what its scrubber rejects"])
    of_slot: dict[str, list[LocatedFinding]] = {}
    for each in outcome.findings:
        of_slot.setdefault(each.rule, []).append(each)
    if policy.observe:  # findings are told of what would change, so something has to
        outcome.texts |= {int(n): _struck(texts[int(n)], found) for n, found in of_slot.items()}
    return [_one(text, outcome.texts.get(n, text), of_slot.get(str(n), [])) for n, text in enumerate(texts)]


def _struck(text: str, found: Sequence[LocatedFinding]) -> str:
    for each in found:
        text = text[: each.start] + "*" * (each.end - each.start) + text[each.end :]
    return text


def _one(text: str, after: str, found: list[LocatedFinding]) -> Judged:
    spans = tuple(Finding(each.entity, each.start, each.end, each.score) for each in found)
    if after != text and (not spans or any(each.operator == "rewrite" for each in found)):
        # Where it was rewritten is not told for sure: all of it counts.
        entity = spans[0].entity if spans else _WHOLE
        return Judged(after, (Finding(entity, 0, len(text), 1.0),))
    return Judged(after, tuple(sorted(spans, key=lambda each: (each.start, each.end))))


def _blocked(entities: Sequence[str]) -> Never:
    raise Unscrubbable("found", f"it holds {', '.join(entities)}")
