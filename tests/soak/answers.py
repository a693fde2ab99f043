"""What the upstream does with a request: it counts it, looks for what should not be in it, and answers.

The text of a request holds `ref-NUMBER-KIND`; the answer tells that number again, and the kind says what else is in it.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from dataclasses import dataclass, field

from tests.soak.values import ANSWERED, ASKED, LEAKS, sentence

ID = "x-soak-id"
_REF = re.compile(rb"ref-(\d+)-([a-z]+)")
_PACKED = re.compile(rb";base64,([A-Za-z0-9+/=]+)")
_WORDS = "Plants turn light into sugar, water and air being all they need besides. "


@dataclass
class Ledger:
    """What the upstream has received so far. `leaks`: what of it held personal data of a request, by kind."""

    received: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    inside: int = 0

    def enter(self, path: str, body: bytes) -> tuple[int, str]:
        """The number and kind of a request."""
        found = _REF.search(body)
        kind = found[2].decode() if found else "other"
        self.received[kind] += 1
        inside = b"".join(base64.b64decode(each) for each in _PACKED.findall(body))
        if any(LEAKS[ASKED].search(each) for each in (body, path.encode(), inside)):
            self.leaks[kind] += 1
        return (int(found[1]) if found else 0), kind

    def told(self) -> bytes:
        return json.dumps({"received": self.received, "leaks": self.leaks, "inside": self.inside}).encode()


@dataclass(frozen=True)
class Reply:
    """`pieces` of a body, and seconds between them; `whole`: it has a length."""

    status: int
    kind: str
    pieces: list[bytes]
    pause: float = 0.0
    whole: bool = True


def reply(number: int, kind: str) -> Reply:
    """The answer to a request of that number and kind."""
    ref = f"ref-{number}-{kind}"
    match kind:
        case "socket":
            said = f"{ref}: {_WORDS}{sentence(ANSWERED, number)} {_WORDS}"
            deltas = [said[at : at + 7] for at in range(0, len(said), 7)]
            place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
            events = [{"type": "response.output_text.delta", **place, "delta": delta} for delta in deltas]
            ends = [{"type": "response.output_text.done", **place}, {"type": "response.done", "response": {"id": "r"}}]
            return Reply(101, "", [json.dumps(event).encode() for event in (*events, *ends)], 0.001)
        case "streamed" | "leaving":
            said = f"{ref}: {_WORDS}{sentence(ANSWERED, number)} {_WORDS * (20 if kind == 'leaving' else 1)}"
            deltas = [said[at : at + 7] for at in range(0, len(said), 7)]
            pieces = [_event(number, {"content": delta}) for delta in deltas]
            end = _event(number, {}, "stop") + b"data: [DONE]\n\n"
            return Reply(200, "text/event-stream", [*pieces, end], 0.001, whole=False)
        case "large":
            said = f"{ref}: {_WORDS * 1000}{sentence(ANSWERED, number)} {_WORDS * 1000}"
        case "personal":
            said = f"{ref}: {_WORDS}{sentence(ANSWERED, number)}"
        case _:
            said = f"{ref}: {_WORDS}"
    message = {"role": "assistant", "content": said}
    whole = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    return Reply(200, "application/json", [json.dumps(whole).encode()])


def _event(number: int, delta: dict[str, str], reason: str | None = None) -> bytes:
    chunk = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"
