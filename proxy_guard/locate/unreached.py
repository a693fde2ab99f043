"""The strings of a message that no field reached: what an API added since its description was written, say.

They are seen in one walk over the document that passes by what the fields have seen. Names of members are not
looked at, nor what keeps a message together: identifiers, models, enumerations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from proxy_guard.locate.jsonpath import Node, Query, root_nodes

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


@dataclass(frozen=True, slots=True)
class Remainder:
    """What becomes of unreached strings, and which are left alone: members by their names, places by paths."""

    mode: Unreached
    skip: frozenset[str] = field(default=frozenset(), repr=False)
    paths: tuple[Query, ...] = field(default=(), repr=False)

    def nodes(self, document: Any, seen: set[tuple[Any, ...]]) -> list[Node]:
        """The strings of `document`; `seen` holds (id of the holder, key) of all places that fields have reached."""
        found = self._walk(document, seen)
        if found and self.paths:  # most messages have nothing that the paths could take out
            left = {(id(holder), key) for query in self.paths for _, _, holder, key in query(document)}
            found = self._walk(document, seen | left) if left else found
        return found

    def _walk(self, document: Any, seen: set[tuple[Any, ...]]) -> list[Node]:
        found: list[Node] = []
        pending = root_nodes(document)
        while pending:
            value, path, _, _ = pending.pop()
            here = id(value)
            if isinstance(value, dict):
                for name, member in value.items():
                    if isinstance(member, str):
                        if (
                            member
                            and (here, name) not in seen
                            and name not in self.skip
                            and not (name in STRUCTURAL and IDENTIFIER.fullmatch(member))
                        ):
                            found.append((member, (*path, name), value, name))
                    elif isinstance(member, _CONTAINERS) and (here, name) not in seen and name not in self.skip:
                        pending.append((member, (*path, name), value, name))
            else:
                for index, member in enumerate(value):
                    if isinstance(member, _TEXTS_AND_CONTAINERS) and (here, index) not in seen:
                        if not isinstance(member, str):
                            pending.append((member, (*path, index), value, index))
                        elif member:
                            found.append((member, (*path, index), value, index))
        return found


_CONTAINERS = (dict, list)
_TEXTS_AND_CONTAINERS = (str, dict, list)
