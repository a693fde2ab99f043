"""One request through a door: what the client gets, and what the chat API behind it received."""

from __future__ import annotations

import base64
import http.client
import json
import uuid
from dataclasses import dataclass
from typing import Any

from tests.e2e.corpus import Case
from tests.e2e.servers import Server

TOUCHED = {
    "content-type",
    "content-length",
    "content-encoding",
    "cache-control",
    "etag",
    "set-cookie",
    "content-digest",
}
"""Headers that the guard may touch; the rest belongs to the servers (date, connection, via…)."""


@dataclass(frozen=True)
class Seen:
    """`received` is None where nothing arrived behind the guard."""

    status: int
    body: bytes
    headers: list[tuple[str, str]]
    blocked: bool
    received: dict[str, Any] | None


def send(door: Server, upstream: Server, case: Case) -> Seen:
    ident = uuid.uuid4().hex
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=60)
    try:
        connection.putrequest(case.method, case.path, skip_accept_encoding=True)
        for name, value in [*case.headers, ("x-case", ident), ("x-answer", case.answer.header())]:
            connection.putheader(name, value)
        if case.method != "GET":
            connection.putheader("content-length", str(len(case.body)))
        connection.endheaders(case.body or None)
        response = connection.getresponse()
        body = response.read()
        headers = [(name.lower(), value) for name, value in response.getheaders()]
    finally:
        connection.close()
    return Seen(
        status=response.status,
        body=body,
        headers=sorted(pair for pair in headers if pair[0] in TOUCHED),
        blocked=any(name == "x-proxy-guard-incident" for name, _ in headers),
        received=_received(upstream, ident),
    )


def _received(upstream: Server, ident: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", upstream.port, timeout=60)
    try:
        connection.request("GET", f"/_received?{ident}")
        found: dict[str, Any] | None = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if found is not None:
        found["body"] = base64.b64decode(found["body"])
        found["headers"] = sorted(tuple(pair) for pair in found["headers"] if pair[0] in TOUCHED)
    return found
