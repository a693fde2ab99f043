"""Proof cases of streamed replies: their events as bytes, and what a client makes of what comes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Unreadable
from proxy_guard.exchange import Exchange
from proxy_guard.locate.jsonpath import compile_path
from proxy_guard.model import Message
from proxy_guard.rules.compiled import Api
from proxy_guard.rules.matching import split_url
from proxy_guard.rules.proof_file import Case
from proxy_guard.rules.streams import StreamRule
from proxy_guard.stream import FRAMERS

_CHUNK = 7


def section(case: Case, api: Api | None) -> StreamRule | None:
    """How the reply of a case streams: by its Content-Type, if it names one, and its path."""
    named = {name.lower(): value for name, value in case.headers.items()}.get("content-type")
    for rule in api.streams if api else ():
        if named not in (None, *FRAMERS[rule.format].media_types):
            continue
        if rule.paths is None or rule.paths.fullmatch(split_url(case.url)[1]):
            return rule
    return None


def message(case: Case, rule: StreamRule) -> Message:
    """The reply of a case."""
    framer = FRAMERS[rule.format]
    headers = {"content-type": framer.media_types[0]} | {name.lower(): value for name, value in case.headers.items()}
    body = framer.body([_event(each) for each in case.stream or ()])
    return Message("response", case.method, case.url, tuple(headers.items()), body, 200)


def _event(event: dict[str, Any] | str) -> tuple[str, bytes]:
    """The name and the data of an event."""
    if isinstance(event, dict) and event.keys() == {"event", "data"}:
        return str(event["event"]), _event(event["data"])[1]
    return "", event.encode() if isinstance(event, str) else json.dumps(event, ensure_ascii=False).encode()


async def in_chunks(exchange: Exchange, whole: Message) -> bytes:
    """What comes out where the reply comes in small pieces."""
    passage = exchange.stream(exchange.response(200, whole.headers))
    assert passage is not None
    pieces = [whole.body[n : n + _CHUNK] for n in range(0, len(whole.body), _CHUNK)]
    return b"".join([*[await passage.feed(piece) for piece in pieces], await passage.feed(b"", last=True)])


def fault(case: Case, rule: StreamRule, body: bytes) -> str:
    """Why what came out is not what the case says, or nothing."""
    framer = FRAMERS[rule.format](Limits())
    found = [_read(each.data) for each in [*framer.feed(body), *framer.close()] if each.data is not None]
    if case.becomes is not None:
        wanted = [_read(_event(each)[1]) for each in case.becomes if isinstance(case.becomes, list)]
        return "" if found == wanted else f"became {json.dumps(found, ensure_ascii=False)}"
    for path, text in case.assembles.items():
        got = assembled(path, found)
        if got != text:
            return f"{path} became {json.dumps(got, ensure_ascii=False)}"
    return ""


def assembled(path: str, events: Sequence[Any]) -> str:
    """The texts of all events at a path, strung together."""
    query = compile_path(path)
    documents = [each for each in events if isinstance(each, dict | list)]
    return "".join(str(value) for each in documents for value, _, _, _ in query(each) if value is not None)


def _read(data: bytes) -> Any:
    try:
        return JsonCodec().decode(data, Limits()).value
    except Unreadable:
        return data.decode()
