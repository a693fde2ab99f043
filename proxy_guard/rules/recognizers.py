"""Recognizer files, compiled: patterns that are safe to run and say something, examples that hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.rules.files import PolicyFile, RecognizerFile
from proxy_guard.rules.reading import Loc, SourceFile, did_you_mean

if TYPE_CHECKING:
    from proxy_guard.detect.custom import CustomRecognizer

_BRACES = re.compile(r"\{\d+(,\d*)?\}")
_GENERIC = (
    "say more of its form, as in ID-\\d{8}; or give it a `context`, `context_required: true` and `allow_generic: true`"
)
_REFUSED = {
    "zero-width": "lookaround takes more than linear time: use \\b, or `context` words",
    "back-reference": "write out what it may be",
    "atomic": "a plain group does",
    "possessive": "a plain quantifier does",
    "too large": "ask for fewer repetitions",
}
"""What Hyperscan says of patterns that it can't run, and what helps."""


def compile_recognizer(source: SourceFile, known: Iterable[str]) -> CustomRecognizer:
    """The recognizer of a file. Raises RulesError with every mistake.

    `known` are the entities that there are already.
    """
    from proxy_guard.detect import custom, generic  # noqa: PLC0415 - dear to import, and not every folder has one

    file = source.validate(RecognizerFile)
    faults = list(_names(source, file, frozenset(known), custom.CHECKSUMS))
    for index, pattern in enumerate(file.patterns):
        fault = pattern_fault(pattern.regex)
        if fault:
            faults.append(source.fault(("patterns", index, "regex"), *fault))
    if faults:
        raise RulesError(faults)
    made = custom.CustomRecognizer(
        file.name,
        file.entity,
        [(pattern.regex, pattern.score) for pattern in file.patterns],
        context=file.context,
        context_required=file.context_required,
        deny_list=file.deny_list,
        allow_list=file.allow_list,
        checksum=file.checksum,
        parts=file.allow_generic,
    )
    if not file.allow_generic:
        for index in range(len(file.patterns)):
            found = generic.too_generic(partial(made.matches, index))
            if found:
                faults.append(source.fault(("patterns", index, "regex"), str(found), _GENERIC))
    faults += _unmet(source, file, made)
    if faults:
        raise RulesError(faults)
    return made


def _names(
    source: SourceFile, file: RecognizerFile, known: frozenset[str], checksums: Iterable[str]
) -> Iterator[RuleFault]:
    if file.entity in known and not file.extends:
        hint = "say `extends: true` to add to it, or choose another name"
        yield source.fault(("entity",), f"there is an entity {file.entity} already", hint)
    if file.extends and file.entity not in known:
        yield source.fault(
            ("extends",), f"there is no entity {file.entity} to add to", did_you_mean(file.entity, known)
        )
    if file.checksum is not None and file.checksum not in checksums:
        hint = did_you_mean(file.checksum, checksums) or f"known: {', '.join(checksums)}"
        yield source.fault(("checksum",), f"unknown checksum '{file.checksum}'", hint)


def _unmet(source: SourceFile, file: RecognizerFile, made: CustomRecognizer) -> Iterator[RuleFault]:
    least: float = PolicyFile.model_fields["min_score"].default
    for index, text in enumerate(file.examples):
        best = max((each.score for each in made.analyze(text, [file.entity])), default=0)
        if best < least:
            loc: Loc = ("examples", index)
            hint = "with a context word near it, or a higher score, it would be" if best else ""
            how = f"with score {best:.2g} only, and policies look from {least:g} on" if best else "not at all"
            yield source.fault(loc, f"must be found, and is found {how}", hint)
    for index, text in enumerate(file.counter_examples):
        if any(each.score >= least for each in made.analyze(text, [file.entity])):
            yield source.fault(("counter_examples", index), "must not be found, and is")


def pattern_fault(pattern: str) -> tuple[str, str] | None:
    """Why a pattern can't be run in linear time, or can't be read, with a hint; None for one that can."""
    import hyperscan  # noqa: PLC0415
    import regex  # noqa: PLC0415

    from proxy_guard.detect import custom  # noqa: PLC0415

    position = 0
    for char, in_class in custom.characters(pattern):
        # Fuzzy matching and the like: what one engine reads as a count is text for the other.
        before = pattern[max(0, position - 2) : position]
        if (
            char == "{"
            and not in_class
            and before not in ("\\p", "\\P", "\\x")
            and not _BRACES.match(pattern, position)
        ):
            return "a brace that is no count {n}, {n,} or {n,m}", "write {0,m} for {,m}, and \\{ for the character"
        position += len(char)
    try:
        regex.compile(pattern, regex.IGNORECASE | regex.DOTALL | regex.MULTILINE)
    except regex.error as error:
        return f"not a regular expression: {error.msg}", ""
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE
    database = hyperscan.Database()
    try:
        database.compile(expressions=[custom.in_groups(pattern).encode()], ids=[0], flags=[flags])
    except hyperscan.error as error:
        told = str(error).casefold()
        if "empty buffer" in told:
            return "matches the empty text", "ask for one character at least"
        hint = next((hint for sign, hint in _REFUSED.items() if sign in told), "")
        return f"can't be run in linear time: {error}", hint
    return None
