"""Small folders of rules with one connection in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from proxy_guard import Guard, Message
from proxy_guard.remote.connection import Connection
from proxy_guard.rules.connections import load_connection
from proxy_guard.rules.reading import SourceFile

PHONE = "9876543210"
TEXT = f"My phone number is {PHONE}"
API = """\
version: 1
name: chat
match: {paths: ["/chat"]}
request: [{path: "$.messages[*].content"}]
response: [{path: "$.answer"}]
"""
FINDS: dict[str, Any] = {
    "version": 1,
    "name": "api",
    "kind": "scrubber",
    "batch": 100,
    "request": {"items": "{items}"},
    "item": {"id": "{id}", "text": "{text}"},
    "reply": {
        "items": "$.items[*]",
        "item": {
            "id": "$.id",
            "findings": {"path": "$.findings[*]", "entity": "$.entity", "start": "$.start", "end": "$.end"},
        },
    },
}


def connection(tmp_path: Path, url: str, *, in_use: bool = True, **settings: Any) -> Connection:
    """A connection by itself. JSON is YAML."""
    path = tmp_path / "api.yaml"
    path.write_text(json.dumps({**FINDS, "url": url, **settings}))
    return load_connection(SourceFile(path, "api.yaml"), in_use=in_use)


def guard(tmp_path: Path, url: str, *, policy: str = "", time: float = 5, **settings: Any) -> Guard:
    """A guard whose one policy asks that connection."""
    for name in ("apis", "policies", "connections"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "apis" / "chat.yaml").write_text(API)
    (tmp_path / "connections" / "api.yaml").write_text(json.dumps({**FINDS, "url": url, **settings}))
    (tmp_path / "policies" / "asks.yaml").write_text(
        "version: 1\nname: asks\nscrubber: api\nentities: {PHONE_NUMBER: {action: mask, char: X, keep_last: 2}}\n"
        + policy
    )
    (tmp_path / "guard.yaml").write_text(f"version: 1\nroutes: [{{policy: asks}}]\nlimits: {{time: {time}}}\n")
    return Guard.from_rules(tmp_path)


def message(*texts: str) -> Message:
    body = json.dumps({"messages": [{"content": text} for text in texts or (TEXT,)]}).encode()
    return Message("request", "POST", "http://chat.example/chat", (("content-type", "application/json"),), body)


def found(items: list[dict[str, Any]]) -> dict[str, Any]:
    """What a right API answers to `FINDS`."""
    return {
        "items": [
            {
                "id": item["id"],
                "findings": [
                    {"entity": "PHONE_NUMBER", "start": at, "end": at + len(PHONE)}
                    for at in [item["text"].find(PHONE)]
                    if at >= 0
                ],
            }
            for item in items
        ]
    }
