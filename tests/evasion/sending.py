"""All cases through a door, one after the other over one connection, and what became of each."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.servers import Server, mitmdump, uvicorn
from tests.evasion.cases import Case
from tests.evasion.rules import make_rules

_OWN = {
    "host",
    "x-case",
    "content-length",
    "content-type",
    "user-agent",
    "accept-encoding",
    "connection",
    "via",
    "transfer-encoding",
}
"""Headers that hold nothing of a case."""


@dataclass(frozen=True)
class Arrived:
    """A request as the upstream got it."""

    target: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def pieces(self) -> list[bytes | str]:
        return [self.body, self.target, *(text for pair in self.headers for text in pair)]


@dataclass(frozen=True)
class Outcome:
    """The status of the reply, whether the guard wrote it, and what arrived behind it."""

    status: int
    blocked: bool
    arrived: Arrived | None


def through_both_doors(folder: Path, cases: Sequence[Case]) -> dict[str, dict[str, Outcome]]:
    """The outcome of each case, by door and by the case's name."""
    rules = make_rules(folder)
    logs = {door: folder / f"{door}.jsonl" for door in ("mitmproxy", "asgi")}
    with ExitStack() as servers, ThreadPoolExecutor() as threads:
        upstream = servers.enter_context(
            uvicorn("tests.evasion.upstream:app", folder / "upstream.log", EVASION_LOG=str(logs["mitmproxy"]))
        )
        starting = [
            threads.submit(servers.enter_context, mitmdump(upstream.url, rules, folder / "mitmdump.log")),
            threads.submit(
                servers.enter_context,
                uvicorn(
                    "tests.evasion.upstream:guarded",
                    folder / "asgi.log",
                    "--factory",
                    EVASION_LOG=str(logs["asgi"]),
                    GUARD_RULES=str(rules),
                ),
            ),
        ]
        doors = dict(zip(logs, [each.result() for each in starting], strict=True))
        answers = {door: threads.submit(_answers, server, cases) for door, server in doors.items()}
        replies = {door: each.result() for door, each in answers.items()}
    return {
        door: {name: Outcome(status, blocked, arrived.get(name)) for name, (status, blocked) in replies[door].items()}
        for door, arrived in ((door, _written(log)) for door, log in logs.items())
    }


def _answers(door: Server, cases: Sequence[Case]) -> dict[str, tuple[int, bool]]:
    answers: dict[str, tuple[int, bool]] = {}
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=60)
    for case in cases:
        request = case.request
        connection.putrequest(request.method, request.path, skip_accept_encoding=True)
        for name, value in (("content-type", request.content_type), *request.headers, ("x-case", case.name)):
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("content-length", str(len(request.body)))
        connection.endheaders(request.body)
        response = connection.getresponse()
        response.read()
        answers[case.name] = response.status, response.getheader("x-proxy-guard-incident") is not None
    connection.close()
    return answers


def _written(log: Path) -> dict[str, Arrived]:
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return {
        line["case"]: Arrived(
            line["target"],
            tuple(sorted((name, value) for name, value in line["headers"] if name not in _OWN)),
            base64.b64decode(line["body"]),
        )
        for line in lines
    }
