"""Replies as servers send them: JSON, and streams in any pieces."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse


def pieces(text: str, most: int = 7) -> Iterator[str]:
    """`text` in pieces of one to `most` characters."""
    rng = random.Random(len(text))
    place = 0
    while place < len(text):
        size = rng.randint(1, most)
        yield text[place : place + size]
        place += size


def sse(events: Iterable[tuple[str | None, Any]], end: str | None = None) -> Response:
    """Named or nameless events, with `end` as the data of the last one."""

    def written() -> Iterator[bytes]:
        for name, data in events:
            named = f"event: {name}\n" if name else ""
            yield f"{named}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        if end is not None:
            yield f"data: {end}\n\n".encode()

    return stream(b"".join(written()), "text/event-stream; charset=utf-8")


def ndjson(lines: Iterable[Any]) -> Response:
    """One document a line."""
    return stream(b"".join(json.dumps(line).encode() + b"\n" for line in lines), "application/x-ndjson")


def stream(body: bytes, content_type: str) -> Response:
    """A body in chunks that are cut anywhere."""

    async def cut() -> AsyncIterator[bytes]:
        rng = random.Random(len(body))
        place = 0
        while place < len(body):
            size = rng.randint(1, 400)
            yield body[place : place + size]
            place += size

    return StreamingResponse(cut(), media_type=content_type)
