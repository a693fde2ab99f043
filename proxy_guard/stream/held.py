"""Texts of a stream that are judged whole: JSON in pieces, what remote scrubbers judge, and those of whole events."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from proxy_guard.codecs import Document, Limits
from proxy_guard.locate.fields import Field, FieldTree, Kind, Located, locate
from proxy_guard.locate.jsonpath import compile_path
from proxy_guard.media_stage import scrubbed_media, uninspected
from proxy_guard.model import Direction, Failed, Slot
from proxy_guard.policy import Policy
from proxy_guard.rules.compiled import Match
from proxy_guard.stages import Answer, Wish, scrubbed
from proxy_guard.stream.running import Edit, Found, Running

_ROOT = compile_path("$.arguments")


class Held(Running):
    """A text that is decided on when it ends, all of it: JSON in pieces, and what other scrubbers are asked about.

    `tool` is the name of the tool that the text is the arguments of; None where it is no JSON.
    """

    def __init__(
        self, slot: Slot, policy: Policy, found: Found, limits: Limits, tool: str | None = None, *, kept: bool = False
    ) -> None:
        super().__init__(slot, policy, limits.body, found, kept=kept)
        self._limits = limits
        self._tool = tool

    @property
    def json(self) -> bool:
        """Whether it is JSON."""
        return self._tool is not None

    def advance(self) -> bool:
        """Nothing is decided before the end."""
        return True

    def decide(self, *, final: bool) -> Generator[Wish, Answer, Failed | None]:
        """Decides on what has come since the text last ended, once it ends."""
        if not final or self.decided == self.length:
            return None
        slot, policy = self._slot, self._policy
        kind: Kind = "json" if self.json else "text"
        only = Field(slot.rule, _ROOT, kind, slot.signed, entity=slot.entity, direction=slot.direction)
        document = Document({"name": self._tool, "arguments": self._text})
        located, match = locate(FieldTree([only]), document, self._limits), Match(policy, None, False)
        outcome = yield from scrub_located(located, located.slots, match, document.value, slot.direction, self._limits)
        if isinstance(outcome, Failed):
            return outcome
        if self._found.take(outcome):
            self.edit([Edit(self.decided, self.length, str(document.value["arguments"]))])
        self.decided = self.length
        self._text = ""
        return None


def scrub_located(
    located: Located,
    own: list[Slot],
    match: Match,
    document: Any,
    direction: Direction,
    limits: Limits,
) -> Generator[Wish, Answer, Found | Failed]:
    """What there is in those slots of a document that stand by themselves, its `own`; what is to be edited is.

    `direction` is that of the HTTP message, which slots that no field reached do not tell. Media are scrubbed within
    the `limits`. Raises Unreadable for those that may not pass.
    """
    found = Found()
    about_media = uninspected(located.media, match)
    failed = yield from scrubbed_media(located.media, match, limits, about_media)
    if failed:
        return failed
    found.findings += about_media.findings
    found.rejected = about_media.rejected
    edits = [(slot, text) for slot, text in located.known if text != slot.text]
    groups: dict[str, tuple[Policy, list[Slot]]] = {}
    for slot in own:
        policy = match.policies.get(slot.policy or "", match.policy)
        groups.setdefault(policy.name, (policy, []))[1].append(slot)
    speaker = match.api.speaker if match.api else ""
    for policy, slots in groups.values():
        outcome = yield from scrubbed(slots, policy, document, speaker, direction)
        if isinstance(outcome, Failed):
            return outcome
        found.findings += outcome.findings
        found.blocking += outcome.blocking
        if outcome.rejected and not policy.observe:
            found.rejected = outcome.rejected
        if not policy.observe:
            edits += [(slots[n], text) for n, text in outcome.texts.items() if text != slots[n].text]
    if not found.ends:
        found.edited = located.apply(edits) | about_media.write()
    return found
