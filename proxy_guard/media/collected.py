"""The texts of a document: gathered first, judged in one call, and then written back where they stood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from proxy_guard.media import Judge, Judged, MediaFinding, MediaSettings, Redacted
from proxy_guard.model import Finding

Redact = Callable[[bytes, str, Judge, MediaSettings], Redacted]
"""The way into all redactors, `proxy_guard.media.scrub`: what is in a document may be of any kind."""

Write = Callable[[str, Judged], None]
"""Puts what became of a text in its place; called only where something was found or changed."""


def stretches(text: str, judged: Judged) -> list[tuple[int, int, str]]:
    """What was put where: start and end in `text`, and the replacement, in order.

    Operators only touch findings, so what lies between them is found again in the judged text. Where the same words
    occur in a replacement, the border between two neighbours may be told wrong; their whole never is.
    """
    edits: list[tuple[int, int, str]] = []
    done = place = 0
    for index, each in enumerate(judged.findings):
        start = place + each.start - done
        last = index + 1 == len(judged.findings)
        following = text[each.end :] if last else text[each.end : judged.findings[index + 1].start]
        stop = len(judged.text) - len(following) if last else judged.text.find(following, start)
        if (
            judged.text[place:start] != text[done : each.start]
            or stop < start
            or not judged.text.startswith(following, stop)
        ):
            return [(0, len(text), judged.text)]
        edits.append((each.start, each.end, judged.text[start:stop]))
        done, place = each.end, stop
    return edits if edits or text == judged.text else [(0, len(text), judged.text)]


@dataclass(slots=True)
class Collected:
    """Texts waiting for the judge. What is the same is judged once, and changed alike."""

    findings: list[MediaFinding] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict, repr=False)
    """Numbers and addresses that were found, and what stands for them: they may not stand anywhere else either."""
    _places: dict[tuple[str, str], list[tuple[str, int, Write]]] = field(default_factory=dict, repr=False)

    def add(self, text: str, write: Write, where: str = "", page: int = 0, *, context: str = "") -> None:
        """A text, and what to do with its judgement; blank ones are left out. `context` heads its column."""
        if text and not text.isspace():
            self._places.setdefault((context, text), []).append((where, page, write))

    def settle(self, judge: Judge) -> None:
        """Judges all that was added, writes it back, and forgets it."""
        places, self._places = self._places, {}
        for ((_, text), wanted), judged in zip(places.items(), _judged(list(places), judge), strict=True):
            if not judged.findings and judged.text == text:
                continue
            self.values |= {
                text[start:end]: new for start, end, new in stretches(text, judged) if _is_telling(text[start:end])
            }
            for where, page, write in wanted:
                self.findings += [
                    MediaFinding(each.entity, each.score, page, where=where) for each in judged.findings if each.entity
                ]
                if judged.text != text:
                    write(text, judged)

    def known(self, texts: Sequence[str]) -> list[Judged]:
        """A judge who finds again what was found, without words around it: whole values only."""
        if not self.values:
            return [Judged(text) for text in texts]
        longest_first = sorted(self.values, key=len, reverse=True)
        pattern = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in longest_first))
        return [self._again(text, pattern) for text in texts]

    def _again(self, text: str, pattern: re.Pattern[str]) -> Judged:
        found = tuple(Finding("", each.start(), each.end(), 1.0) for each in pattern.finditer(text))
        return Judged(pattern.sub(lambda each: self.values[each[0]], text), found)


def _is_telling(value: str) -> bool:
    """Whether a value says by itself whose it is, wherever it stands; a name that is also a word does not."""
    return "@" in value or sum(map(str.isdigit, value)) >= 6 or re.fullmatch(r"[A-Z]{5}\d{4}[A-Z]", value) is not None


def _judged(texts: list[tuple[str, str]], judge: Judge) -> list[Judged]:
    """Judgements of texts behind their contexts, or of the texts alone where the context itself is touched."""
    prefixes = [f"{context}: " if context else "" for context, _ in texts]
    judged = list(judge([prefix + text for prefix, (_, text) in zip(prefixes, texts, strict=True)]))
    alone: list[int] = []
    for index, (prefix, each) in enumerate(zip(prefixes, judged, strict=True)):
        size = len(prefix)
        if not size:
            continue
        if not each.text.startswith(prefix) or any(finding.start < size for finding in each.findings):
            alone.append(index)
            continue
        moved = (replace(one, start=one.start - size, end=one.end - size) for one in each.findings)
        judged[index] = Judged(each.text[size:], tuple(moved))
    if alone:
        for index, again in zip(alone, judge([texts[index][1] for index in alone]), strict=True):
            judged[index] = again
    return judged
