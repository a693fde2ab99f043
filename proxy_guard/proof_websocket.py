"""Cases of proofs whose messages go over a WebSocket."""

from __future__ import annotations

import json
from typing import Any

from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.guard import Guard
from proxy_guard.model import WEBSOCKET, Verdict
from proxy_guard.rules.proof_file import Case
from proxy_guard.websocket import Close, Frame


async def fault(guard: Guard, case: Case, api: str | None) -> str:
    """Why what becomes of the messages is not what the case says, or nothing. `api` is who has to be met."""
    headers = tuple(case.headers.items())
    exchange = guard.open(WEBSOCKET, case.url, headers)
    opening = exchange.request(headers)
    if exchange.concerns("request") and (verdict := await exchange.inspect(opening)).action != "allow":
        return _of_opening(case, verdict)
    if api not in (None, exchange.api):
        return f"met the API description {exchange.api}"
    client = case.request is not None or (case.messages is not None and case.direction == "request")
    messages = case.messages or [message for message in (case.request, case.response) if message is not None]
    lane = exchange.lane(opening if client else exchange.response(101, ()))
    if lane is None:
        return "" if case.unchanged else "messages of this direction are not looked at"
    became: list[Frame] = []
    for message in messages:
        passed = await lane.feed(Frame(json.dumps(message, ensure_ascii=False).encode()))
        became += passed.frames
        if passed.close:
            return _of_close(case, passed.close)
    became += (await lane.end()).frames
    if case.blocked is not None:
        return "not blocked"
    got = [_read(frame) for frame in became]
    expected = messages if case.unchanged else case.becomes if isinstance(case.becomes, list) else [case.becomes]
    return "" if got == expected else f"became {json.dumps(got, ensure_ascii=False)}"


def _read(frame: Frame) -> Any:
    return JsonCodec().decode(frame.data, Limits()).value


def _of_opening(case: Case, verdict: Verdict) -> str:
    if verdict.action == "block":
        return "" if case.blocked is not None else f"not opened: {verdict.status}"
    if case.becomes_url is not None or case.becomes_headers:
        headers = {name.lower(): value for name, value in verdict.headers}
        same = all(headers.get(name.lower()) == value for name, value in case.becomes_headers.items())
        return "" if same and case.becomes_url in (None, verdict.url) else "was opened otherwise"
    return "was opened otherwise"


def _of_close(case: Case, close: Close) -> str:
    if case.blocked is None:
        return f"closed: {close.code}"
    entities = [] if case.blocked is True else case.blocked.entities
    missing = [entity for entity in entities if entity not in close.reason]
    return f"not found: {', '.join(missing)}" if missing else ""
