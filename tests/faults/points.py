"""Where faults can be made to happen inside a guarded process, and of what kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.soak.values import ASKED, sentence

POINTS = {
    # where a message comes in
    "open": "proxy_guard.guard:Guard.open",
    "concerns": "proxy_guard.guard:Exchange.concerns",
    "asking": "proxy_guard.guard:Exchange.asking",
    "request": "proxy_guard.guard:Exchange.request",
    "inspect": "proxy_guard.guard:Exchange.inspect",
    "seal": "proxy_guard.guard:Exchange.seal",
    "stream": "proxy_guard.guard:Exchange.stream",
    "match": "proxy_guard.rules.compiled:Ruleset.match",
    # the engine
    "engine": "proxy_guard.engine:inspect",
    "advance": "proxy_guard.engine:advance",
    "decode": "proxy_guard.codecs.json:JsonCodec.decode",
    "encode": "proxy_guard.codecs.json:JsonCodec.encode",
    "locate": "proxy_guard.engine:locate",
    "operate": "proxy_guard.operators.mask:Mask.operate",
    "at_once": "proxy_guard.scrubbers.local:LocalScrubber.at_once",
    "scrub": "proxy_guard.scrubbers.local:LocalScrubber.scrub",
    "detect": "proxy_guard.detect.detector:Detector.detect_many",
    "model": "proxy_guard.detect.nlp:Nlp.entities",
    # streams
    "feed": "proxy_guard.stream:StreamInspection.feed",
    "close": "proxy_guard.stream:StreamInspection.close",
    # workers, and what is written down
    "workers": "proxy_guard.workers:Workers.inspect",
    "fork": "proxy_guard.workers:Workers._fork",
    "audit": "proxy_guard.audit:record",
    # the doors
    "headers": "proxy_guard.mitm:_headers",
    "fields": "proxy_guard.mitm:_fields",
    "rewrite": "proxy_guard.mitm:_rewrite",
    "pass": "proxy_guard.passage:Passage.feed_at_once",
    "rest": "proxy_guard.passage:Passage.rest",
    "proceed": "proxy_guard.mitm_stream:proceed",
    "from_wire": "proxy_guard.asgi:from_wire",
    "url_of": "proxy_guard.asgi:url_of",
    "read": "proxy_guard.asgi:_read",
    "response": "proxy_guard.asgi:_ResponseGuard._take",
    "take": "proxy_guard.asgi_stream:StreamedReply.take",
}
KINDS: dict[str, Callable[[], BaseException]] = {
    "error": lambda: RuntimeError(sentence(ASKED, 1)),
    "memory": lambda: MemoryError(sentence(ASKED, 2)),
    "cancelled": asyncio.CancelledError,
}
_OF_MITMPROXY = ("proxy_guard.mitm",)
_OF_ASGI = ("proxy_guard.asgi",)


def points_of(door: str) -> dict[str, str]:
    """The points that there are at a door."""
    others = _OF_ASGI if door == "mitmproxy" else _OF_MITMPROXY
    return {name: place for name, place in POINTS.items() if not place.startswith(others)}
