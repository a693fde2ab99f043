"""The strings of a message that no field reached: what an API added since its description was written, say.

They are seen in one walk over the document that passes by what the fields have seen. What keeps a message together is
not looked at: identifiers, models, enumerations, names of members that look like such. Long integers are, which may
be numbers of a card or a telephone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from proxy_guard.locate.jsonpath import Node, Query, root_nodes
from proxy_guard.model import Path

Unreached = Literal["scan", "observe", "block"]
RULE = "unreached"
"""What stands in place of a JSONPath in the rule of such a slot."""

STRUCTURAL = frozenset(
    "id type role model object status event kind format mime_type media_type mimeType mediaType contentType "
    "content_type service_tier system_fingerprint finish_reason finishReason stop_reason stopReason done_reason "
    "tool_call_id tool_use_id toolUseId toolCallId call_id callId response_id responseId request_id requestId "
    "encoding_format created_at updated_at createTime created modelVersion tool_choice version $schema $ref".split()
)
"""Members that every chat API has for its own sake, whatever it calls them."""
IDENTIFIER = re.compile(r"[A-Za-z0-9_.:/-]{0,256}")
"""What their values look like. Others under such a name are seen: nothing hides in a `type` of three words."""


PLAIN_NAME = re.compile(r"(?!(?:[^0-9]*[0-9]){7})@?[A-Za-z0-9_.:$/\[\]-]{0,64}")
"""Names of members that an API may have."""
LONG = 10**10
"""Integers from here on are looked at."""


class MemberName(str):
    """The key of a node that is the name of a member, not its value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Remainder:
    """What becomes of unreached strings, and which are left alone: members by their names, places by paths."""

    mode: Unreached
    skip: frozenset[str] = field(default=frozenset(), repr=False)
    paths: tuple[Query, ...] = field(default=(), repr=False)

    def nodes(self, document: Any, seen: set[tuple[Any, ...]]) -> list[Node]:
        """The strings of `document`; `seen` holds the paths that fields have reached, and (path, name) for names."""
        found = self._walk(document, seen)
        if found and self.paths:  # most messages have nothing that the paths could take out
            left = {path for query in self.paths for _, path, _, _ in query(document)}
            found = self._walk(document, seen | left) if left else found
        return found

    def _walk(self, document: Any, seen: set[tuple[Any, ...]]) -> list[Node]:
        found: list[Node] = []
        pending = root_nodes(document)
        while pending:
            value, path, _, _ = pending.pop()
            if isinstance(value, dict):
                self._members(value, path, seen, found, pending)
            else:
                _items(value, path, seen, found, pending)
        return found

    def _members(
        self, value: dict[str, Any], path: Path, seen: set[tuple[Any, ...]], found: list[Node], pending: list[Node]
    ) -> None:
        for name, member in value.items():
            if name in STRUCTURAL:
                if _is_structural(member):
                    continue
            elif not (name.isalpha() or PLAIN_NAME.fullmatch(name)) and (path, name) not in seen:
                found.append((name, (*path, name), value, MemberName(name)))
            if isinstance(member, _TEXTS_AND_CONTAINERS):
                if member and (at := (*path, name)) not in seen and name not in self.skip:
                    into = found if isinstance(member, str) else pending
                    into.append((member, at, value, name))
            elif _is_long(member) and (at := (*path, name)) not in seen and name not in self.skip:
                found.append((member, at, value, name))


def _items(value: list[Any], path: Path, seen: set[tuple[Any, ...]], found: list[Node], pending: list[Node]) -> None:
    for index, member in enumerate(value):
        if isinstance(member, _TEXTS_AND_CONTAINERS):
            if member and (at := (*path, index)) not in seen:
                into = found if isinstance(member, str) else pending
                into.append((member, at, value, index))
        elif _is_long(member) and (at := (*path, index)) not in seen:
            found.append((member, at, value, index))


def _is_structural(member: Any) -> bool:
    """Whether such a member is what its name says it is."""
    if isinstance(member, str):
        return IDENTIFIER.fullmatch(member) is not None
    return not isinstance(member, _CONTAINERS)


def _is_long(member: Any) -> bool:
    return type(member) is int and member >= LONG


_CONTAINERS = (dict, list)
_TEXTS_AND_CONTAINERS = (str, dict, list)
