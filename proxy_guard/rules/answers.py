"""How a block answers a message by its identifier: what rule files say of it, and that compiled."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from proxy_guard.locate.jsonpath import PathFault, compile_path
from proxy_guard.model import Direction
from proxy_guard.policy.decide import Answering, Id
from proxy_guard.rules.matching import path_pattern
from proxy_guard.rules.reading import FileModel

_MOST = 2**53
"""Integers from here on are not read alike everywhere (RFC 8259, 6)."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def _path(text: str) -> str:
    try:
        compile_path(text)
    except PathFault as fault:
        raise ValueError(f"no JSONPath: {fault}") from None
    return text


Path = Annotated[str, AfterValidator(_path)]


class BlockIdRule(FileModel):
    """Where the identifier is by which a message is answered, and what becomes of a block then."""

    path: Path = Field(description="JSONPath to it. Integers and short identifiers are told again, others are not.")
    asks: Path = Field(
        description="JSONPath to what a message has that is to be answered: of requests, those with it have the "
        "identifier told; of replies, those without it."
    )
    status: Annotated[int, Field(ge=200, le=499)] = Field(
        default=200, description="The status of a block that tells the identifier; the others have that of the policy."
    )
    paths: list[str] = Field(default=["/**"], min_length=1, description="Only at these paths; globs as in `match`.")


def answering(rule: BlockIdRule) -> tuple[re.Pattern[str], Answering]:
    """At which paths a block answers so, and how."""
    path, asks = compile_path(rule.path), compile_path(rule.asks)

    def id_of(document: Any, direction: Direction) -> Id:
        found = path(document)
        if len(found) != 1 or bool(asks(document)) != (direction == "request"):
            return None
        value = found[0][0]
        if isinstance(value, str):
            return value if _IDENTIFIER.fullmatch(value) else None
        return value if type(value) is int and abs(value) < _MOST else None

    return path_pattern(rule.paths), Answering(rule.status, id_of)
