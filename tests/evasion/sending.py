"""All cases through a door, one after the other over one connection, and what became of each."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e.servers import Server, mitmdump, uvicorn
from tests.evasion.cases import Case
from tests.evasion.replies import Talk
from tests.evasion.rules import make_rules
from tests.evasion.upstream import MESSAGES

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
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
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
    replies = folder / "replies.json"
    replies.write_text(_replies(cases))
    with ExitStack() as servers, ThreadPoolExecutor() as threads:
        upstream = servers.enter_context(
            uvicorn(
                "tests.evasion.upstream:app",
                folder / "upstream.log",
                EVASION_LOG=str(logs["mitmproxy"]),
                EVASION_REPLIES=str(replies),
            )
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
                    EVASION_REPLIES=str(replies),
                    GUARD_RULES=str(rules),
                ),
            ),
        ]
        doors = dict(zip(logs, [each.result() for each in starting], strict=True))
        answers = {door: threads.submit(_answers, server, cases) for door, server in doors.items()}
        outcomes = {door: each.result() for door, each in answers.items()}
    return {
        door: {
            case.name: outcomes[door][case.name]
            if case.answered
            else replace(outcomes[door][case.name], arrived=arrived.get(case.name))
            for case in cases
        }
        for door, arrived in ((door, _written(log)) for door, log in logs.items())
    }


def _answers(door: Server, cases: Sequence[Case]) -> dict[str, Outcome]:
    """What the client gets, case by case; of a reply or what a server says, that is what arrives."""
    outcomes: dict[str, Outcome] = {}
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=60)
    for case in cases:
        if case.talk:
            connection.close()  # by the next request the server may have given up on it
            outcomes[case.name] = _talked(door, case.name, case.talk)
            continue
        request = case.request
        connection.putrequest(request.method, request.path, skip_accept_encoding=True)
        for name, value in (("content-type", request.content_type), *request.headers, ("x-case", case.name)):
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("content-length", str(len(request.body)))
        connection.endheaders(request.body)
        response = connection.getresponse()
        body = response.read()
        blocked = response.getheader("x-proxy-guard-incident") is not None
        outcomes[case.name] = Outcome(response.status, blocked, Arrived("", (), body) if case.reply else None)
    connection.close()
    return outcomes


def _talked(door: Server, name: str, talk: Talk) -> Outcome:
    got: list[str] = []
    url = f"ws://127.0.0.1:{door.port}{talk.path}"
    headers = {"x-case": name}
    with connect(url, additional_headers=headers, open_timeout=30) as socket, suppress(ConnectionClosed):
        for text in talk.said:
            socket.send(text)
        while talk.told:
            got.append(str(socket.recv(timeout=30)))
    arrived = Arrived("", (), MESSAGES.join(got).encode()) if talk.told else None
    return Outcome(200, bool(got and not talk.told) or socket.close_code != 1000, arrived)


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


def _replies(cases: Sequence[Case]) -> str:
    """What the upstream reads (upstream.py)."""
    replies: dict[str, dict[str, Any]] = {}
    for case in cases:
        if case.talk:
            replies[case.name] = {"told": case.talk.told}
        elif case.reply:
            pieces = [base64.b64encode(piece).decode() for piece in case.reply.pieces]
            replies[case.name] = {"status": case.reply.status, "type": case.reply.content_type, "pieces": pieces}
    return json.dumps(replies)
