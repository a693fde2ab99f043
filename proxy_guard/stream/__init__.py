"""Streamed replies: framed, scrubbed as they pass, framed again. Sans-IO like the engine."""

from __future__ import annotations

from collections.abc import Generator

from proxy_guard.codecs import Limits
from proxy_guard.model import Message, Verdict
from proxy_guard.rules.compiled import Api, Match
from proxy_guard.stages import Answer, Wish
from proxy_guard.stream.inspection import FRAMERS, Passing, StreamInspection, in_pieces

__all__ = ["Passing", "StreamInspection", "in_pieces", "streams", "whole"]


def streams(head: Message, api: Api) -> bool:
    """Whether a message is a reply that streams, in the format that its API description tells."""
    if api.stream is None or head.direction != "response":
        return False
    types = [value for name, value in head.headers if name.lower() == "content-type"]
    return len(types) == 1 and types[0].partition(";")[0].strip().lower() == FRAMERS[api.stream.format].media_type


def whole(message: Message, body: bytes, match: Match, limits: Limits) -> Generator[Wish, Answer, Verdict]:
    """The verdict on a streamed reply that is there in one piece; `body` is without its Content-Encoding."""
    inspection = StreamInspection(message, match, limits)
    out = yield from inspection.feed(body)
    out += yield from inspection.close()
    return inspection.whole(out)
