"""The formats of streams by their names in rule files, and which of them a reply is in."""

from __future__ import annotations

from proxy_guard.model import Message
from proxy_guard.rules.compiled import Api
from proxy_guard.rules.matching import split_url
from proxy_guard.rules.streams import StreamRule
from proxy_guard.stream.array import ArrayFramer
from proxy_guard.stream.aws import AwsBytesFramer, AwsFramer
from proxy_guard.stream.framing import Framer
from proxy_guard.stream.ndjson import NdjsonFramer
from proxy_guard.stream.sse import SseFramer

FRAMERS: dict[str, type[Framer]] = {
    "sse": SseFramer,
    "ndjson": NdjsonFramer,
    "json": ArrayFramer,
    "aws": AwsFramer,
    "aws-bytes": AwsBytesFramer,
}
STREAMED = frozenset(name for framer in FRAMERS.values() for name in framer.media_types)
"""The media types of streams. Some are those of whole bodies, too."""


def stream_of(head: Message, api: Api) -> StreamRule | None:
    """How a message streams, by its API description; None for one that does not."""
    if not api.streams or head.direction != "response" or head.method == "HEAD" or head.status == 206:
        return None
    types = [value for name, value in head.headers if name.lower() == "content-type"]
    if len(types) != 1:
        return None
    named = types[0].partition(";")[0].strip().lower()
    for rule in api.streams:
        if named in FRAMERS[rule.format].media_types and (
            rule.paths is None or rule.paths.fullmatch(split_url(head.url)[1])
        ):
            return rule
    return None
