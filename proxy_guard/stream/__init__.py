"""Streamed replies: framed, scrubbed as they pass, framed again. Sans-IO like the engine."""

from __future__ import annotations

from collections.abc import Generator

from proxy_guard.codecs import Limits
from proxy_guard.model import Message, Verdict
from proxy_guard.rules.compiled import Match
from proxy_guard.rules.streams import StreamRule
from proxy_guard.stages import Answer, Wish
from proxy_guard.stream.formats import FRAMERS, STREAMED, stream_of
from proxy_guard.stream.inspection import Passing, StreamInspection
from proxy_guard.stream.packed import PackedInspection

__all__ = ["FRAMERS", "STREAMED", "PackedInspection", "Passing", "StreamInspection", "stream_of", "whole"]


def whole(
    message: Message, body: bytes, match: Match, rule: StreamRule, limits: Limits
) -> Generator[Wish, Answer, Verdict]:
    """The verdict on a streamed reply that is there in one piece; `body` is without its Content-Encoding."""
    inspection = StreamInspection(message, match, rule, limits)
    out = yield from inspection.feed(body)
    out += yield from inspection.close()
    return inspection.whole(out)
