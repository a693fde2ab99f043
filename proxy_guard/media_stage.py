"""What becomes of the media of one message. Sans-IO like the engine, of which it is a part."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from proxy_guard.codecs import Limits
from proxy_guard.errors import Cause, Unreadable
from proxy_guard.locate.jsonpath import normalized
from proxy_guard.locate.media import MediaSlot
from proxy_guard.media import Redacted
from proxy_guard.media.asked import MediaScrubbed, Medium, Refused, ScrubMedia
from proxy_guard.model import Failed, LocatedFinding
from proxy_guard.policy import MediaRule, Policy
from proxy_guard.rules.compiled import Match
from proxy_guard.stages import Answer, Wish

FAILURES: dict[str, tuple[Cause, int]] = {
    "unsupported_media": ("unsupported_media", 415),
    "encrypted": ("unsupported_media", 415),
    "link": ("unsupported_media", 415),
    "unreadable": ("undecodable", 422),
    "too_large": ("too_large", 413),
    "timeout": ("timeout", 503),
    "unavailable": ("unavailable", 503),
}
"""What a policy's `on_error` calls it, and the status of a block. What is not here blocks whatever that says."""


@dataclass(slots=True)
class MediaOutcome:
    """What was found in media and what comes of it; `passed` names a rule whose medium goes on uninspected.

    `changed`: one of them is another one now.
    """

    findings: list[LocatedFinding] = field(default_factory=list)
    rejected: str = ""
    passed: str = ""
    changed: bool = False
    edits: list[tuple[MediaSlot, bytes, str]] = field(default_factory=list, repr=False)
    """Slots, and bytes and media types for their places."""

    def write(self) -> bool:
        """Writes them into the document; whether it is another one now."""
        written = [slot.write(data, media_type) for slot, data, media_type in self.edits]
        return any(written)


def uninspected(media: Sequence[MediaSlot], match: Match) -> MediaOutcome:
    """The outcome for those whose policy does not have media scrubbed. Raises Unreadable unless it lets such pass."""
    outcome = MediaOutcome()
    for slot in media:
        policy = _policy_of(slot, match)
        if policy.media is None:
            if not policy.passes("unsupported_media"):
                raise Unreadable(f"media can't be inspected ({slot.rule})", status=415, cause="unsupported_media")
            outcome.passed = outcome.passed or slot.rule
    return outcome


def scrubbed_media(
    media: Sequence[MediaSlot], match: Match, limits: Limits, outcome: MediaOutcome
) -> Generator[Wish, Answer, Failed | None]:
    """Adds what becomes of the others; gives the failure that ended it. Raises Unreadable for what may not pass."""
    if len(media) > limits.media_items:
        raise Unreadable(f"the message has more than {limits.media_items} media", status=413, cause="too_large")
    groups: dict[str, tuple[Policy, list[tuple[MediaSlot, Medium]]]] = {}
    for slot in media:
        policy = _policy_of(slot, match)
        if policy.media is not None:
            medium = _asked(slot, policy, policy.media, outcome)
            if medium is not None:
                groups.setdefault(policy.name, (policy, []))[1].append((slot, medium))
    for policy, asked in groups.values():
        answer = yield ScrubMedia(policy.name, [medium for _, medium in asked])
        if isinstance(answer, Failed):
            return answer
        assert isinstance(answer, MediaScrubbed)
        for (slot, medium), result in zip(asked, answer.results, strict=True):
            _take(outcome, policy, slot, medium, result)
    return None


def _policy_of(slot: MediaSlot, match: Match) -> Policy:
    return match.policies.get(slot.policy or "", match.policy)


def _asked(slot: MediaSlot, policy: Policy, rule: MediaRule, outcome: MediaOutcome) -> Medium | None:
    """What is to be asked about a medium; nothing where the policy lets it go on unseen."""
    if slot.form == "link":
        if rule.links == "fetch" and slot.inline is not None:
            return Medium(b"", "", str(slot.holder[slot.key]).strip(), normalized(slot.path))
        ignored = rule.links == "ignore"
        why = "a medium by link can't be inspected"
    elif slot.form == "reference":
        ignored = rule.references == "ignore"
        why = "a medium that the API has already can't be inspected"
    else:
        try:
            data, declared = slot.read()
        except Unreadable as error:
            if not policy.passes(error.cause):
                raise
            outcome.passed = outcome.passed or slot.rule
            return None
        return Medium(data, declared, path=normalized(slot.path))
    if ignored or policy.passes("unsupported_media"):
        outcome.passed = outcome.passed or slot.rule
        return None
    raise Unreadable(f"{why} ({slot.rule})", status=415, cause="unsupported_media")


def _take(outcome: MediaOutcome, policy: Policy, slot: MediaSlot, medium: Medium, result: Redacted | Refused) -> None:
    if isinstance(result, Refused):
        _refuse(outcome, policy, slot, result)
        return
    assert policy.media is not None
    path = normalized(slot.path)
    style = policy.media.settings.style
    for each in result.findings:
        blocks = style == "block" or policy.blocks(each.entity)
        operator = "block" if blocks else style
        outcome.findings.append(LocatedFinding(each.entity, 0, 0, each.score, operator, slot.rule, path))
        if blocks and not policy.observe:
            outcome.rejected = outcome.rejected or f"found {each.entity} in {slot.rule}"
    if not policy.observe:
        # One that was fetched goes on even if nothing was found: who serves the link may answer the next one otherwise.
        outcome.changed = outcome.changed or result.changed or bool(medium.link)
        media_type = result.media_type if result.changed or medium.link else medium.declared
        outcome.edits.append((slot, result.data, media_type))


def _refuse(outcome: MediaOutcome, policy: Policy, slot: MediaSlot, refused: Refused) -> None:
    why = f"{refused.why} ({slot.rule})"
    known = FAILURES.get(refused.cause)
    if known is None and not policy.observe:
        outcome.rejected = outcome.rejected or why
        return
    cause, status = known or ("unsupported_media", 415)
    if not policy.passes(cause):
        raise Unreadable(why, status=status, cause=cause)
    outcome.passed = outcome.passed or slot.rule
