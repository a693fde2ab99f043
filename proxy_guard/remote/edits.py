"""Spans with operators: what a Security API orders to be done to a text, done here.

Only operators that need no key may be ordered: settings of the others are references into our environment,
which is not for a remote to read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from proxy_guard.model import Finding
from proxy_guard.operators import Operator
from proxy_guard.operators.mask import Mask
from proxy_guard.operators.redact import Redact
from proxy_guard.operators.replace import Replace

_ALLOWED: dict[str, type[Operator]] = {"mask": Mask, "redact": Redact, "replace": Replace}


def prepare() -> None:
    """Imports what the operators need, which takes a second, before the first message does."""
    for operator in _ALLOWED.values():
        operator().prepare()


@lru_cache(maxsize=256)
def _operator(order: str) -> Operator:
    settings = json.loads(order)  # noqa: TID251 - it was made below
    operator = _ALLOWED.get(settings.pop("action", None))
    if operator is None:
        raise ValueError(f"the operator of a finding is none of {', '.join(_ALLOWED)}")
    try:
        return operator.model_validate(settings)
    except ValidationError:
        raise ValueError("an operator's settings are not such as it knows") from None


def edit_by_order(text: str, findings: Sequence[Finding], orders: Sequence[Any]) -> str:
    """`text` with each finding edited as ordered. Raises ValueError for overlaps and unknown orders."""
    out: list[str] = []
    position = 0
    for finding, order in sorted(zip(findings, orders, strict=True), key=lambda pair: pair[0].start):
        if finding.start < position:
            raise ValueError("findings with operators overlap")
        if not isinstance(order, dict):
            raise ValueError("the operator of a finding is no object")  # noqa: TRY004 - one kind of error for a reply
        operator = _operator(json.dumps(order, sort_keys=True, default=str))
        out += text[position : finding.start], operator.operate(text[finding.start : finding.end], finding.entity)
        position = finding.end
    return "".join([*out, text[position:]])
