"""`proxy-guard apply`: one message through the core."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import anyio
import typer

from proxy_guard.errors import ProxyGuardError
from proxy_guard.guard import Guard
from proxy_guard.model import Headers, Message, Verdict


def apply(url: str, rules: Path | None, policy: str | None, method: str, response: bool, header: list[str]) -> None:
    """Prints the verdict; exit code 3 for a block."""
    guard = Guard.from_rules(rules, policy=policy)
    message = Message(
        direction="response" if response else "request",
        method=method,
        url=url,
        headers=_headers(header),
        body=sys.stdin.buffer.read(),
        status=200 if response else None,
    )
    verdict = anyio.run(guard.inspect, message)
    typer.echo(json.dumps(as_json(verdict), ensure_ascii=False))
    raise typer.Exit(3 if verdict.action == "block" else 0)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict in the form that the contract states."""
    shown: dict[str, Any] = {"action": verdict.action, "status": verdict.status}
    if verdict.url:
        shown["url"] = verdict.url
    try:
        shown["body"] = verdict.body.decode()
    except UnicodeDecodeError:
        shown |= {"body": base64.b64encode(verdict.body).decode(), "encoding": "base64"}
    shown["findings"] = [
        {
            "path": each.path,
            "entity": each.entity,
            "start": each.start,
            "end": each.end,
            "score": each.score,
            "operator": each.operator,
        }
        for each in verdict.findings
    ]
    return shown | {
        "reason": verdict.reason,
        "api": verdict.api,
        "policy": verdict.policy,
        "incident": verdict.incident,
    }


def _headers(lines: list[str]) -> Headers:
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ProxyGuardError("a header is written as 'Name: value'")
        headers.append((name.strip(), value.strip()))
    return tuple(headers)
