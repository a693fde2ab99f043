"""Plays a recorded exchange: what a connection would send, and what it takes from the reply. No network, no secrets.

Policies are told apart by what they look for; here it is PERSON and PHONE_NUMBER, in English, from score 0.4.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proxy_guard.model import Judgement, Rejected, Rewritten
from proxy_guard.remote.connection import Connection
from proxy_guard.remote.mapping import Garbled, Item
from proxy_guard.remote.scrubber import request_values
from proxy_guard.remote.settings import Exchange

ASKED = {"language": "en", "entities": ["PERSON", "PHONE_NUMBER"], "min_score": 0.4}


def fault(connection: Connection, case: Exchange) -> str:
    """Why the connection does not do what the case says, or nothing."""
    items = [Item(str(number), text, path=f"$[{number}]") for number, text in enumerate(case.texts)]
    values: dict[str, Any] = {"reference": case.reference, "entity": case.entity, "value": case.value}
    if connection.judge:
        values = {**request_values(connection, items, ASKED), "before": case.before}
    step = connection.main
    url = step.url(values)
    if case.path is not None and not url.endswith(case.path):
        return f"asked {url}"
    sends = step.body(values) if step.body else None
    if case.sends is not None and sends != case.sends:
        return f"sent {sends}"
    if case.answer is None:
        return ""
    try:
        gives: Any = connection.judge(case.answer, items) if connection.judge else _value(connection, case.answer)
    except Garbled as error:
        return "" if case.fails else f"failed: {error}"
    if connection.value:
        met = (gives is None) if case.fails else (gives == case.value)
        return "" if met else f"took {gives}"
    if case.fails:
        return "not a failure"
    gave = [shown(each) for each in gives]
    return "" if gave == [each.model_dump(exclude_none=True) for each in case.gives] else f"gave {gave}"


def _value(connection: Connection, answer: Any) -> str | None:
    return connection.value(answer) if connection.value else None


def shown(judgement: Judgement) -> dict[str, Any]:
    """A judgement as `gives` of a proof has it."""
    match judgement:
        case Rejected():
            return {"rejected": judgement.code}
        case Rewritten():
            return {"text": judgement.text}
        case []:
            return {"allowed": True}
        case _:
            return {"findings": [asdict(each) for each in judgement]}
