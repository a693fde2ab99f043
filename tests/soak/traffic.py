"""Messages of every kind, and a client that sends them through a door and judges what comes back."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.soak.answers import ID
from tests.soak.values import ANSWERED, ASKED, LEAKS, card, picture, sentence

CHAT = "/v1/chat/completions"
REALTIME = "/v1/realtime?model=m"
SOCKET = "WEBSOCKET"
"""What stands for the method of a message that goes over a WebSocket."""
_PICTURES = 4
"""Different pictures: to read one takes a second."""
_ids = itertools.count(1)
_PROSE = "Could you explain in a few short sentences how plants live on light and air? "
EXPECTED = {"blocked": {422}, "malformed": {400}, "leaving": {0}}
"""Statuses by kind; 200 for the others. 0: the client has left."""


@dataclass(frozen=True)
class Sent:
    """A request of a kind: what goes out."""

    number: int
    kind: str
    method: str
    path: str
    body: bytes


def sent(number: int, kind: str) -> Sent:
    text = f"ref-{number}-{kind}: {_PROSE}"
    streams = kind in ("streamed", "leaving")
    match kind:
        case "personal" | "streamed" | "leaving":
            text += sentence(ASKED, number)
        case "large":
            text += f"{_PROSE * 900}{sentence(ASKED, number)} {_PROSE * 900}"  # past `limits.large`
        case "document":
            table = f"name,phone\nMr Rao,{sentence(ASKED, number)}\n"
            data = f"data:text/csv;base64,{base64.b64encode(table.encode()).decode()}"
            text = [  # type: ignore[assignment]
                {"type": "text", "text": text},
                {"type": "file", "file": {"filename": "a.csv", "file_data": data}},
            ]
        case "picture":
            url = f"data:image/png;base64,{base64.b64encode(picture(ASKED, number % _PICTURES)).decode()}"
            text = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]  # type: ignore[assignment]
        case "socket":
            part = {"type": "input_text", "text": text + sentence(ASKED, number)}
            item = {"type": "message", "role": "user", "content": [part]}
            said = json.dumps({"type": "conversation.item.create", "item": item}).encode()
            return Sent(number, kind, SOCKET, REALTIME, said)
        case "blocked":
            text += f"charge {card(ASKED, number)}"
    path = {"blocked": f"/block{CHAT}", "document": f"/media{CHAT}", "picture": f"/media{CHAT}"}.get(kind, CHAT)
    body = json.dumps({"model": "m", "stream": streams, "messages": [{"role": "user", "content": text}]}).encode()
    if kind == "models":
        return Sent(number, kind, "GET", "/v1/models", b"")
    return Sent(number, kind, "POST", path, body[:-2] if kind == "malformed" else body)


def mix(weights: dict[str, int], start: int = 0, texts: int = 10**9) -> Iterator[Sent]:
    """Endless requests of kinds by their weights, in an order that has all kinds near each other.

    There are so many different texts: chat clients send the same ones again with every turn.
    """
    largest = max(weights.values())
    order = [kind for turn in range(largest) for kind, weight in weights.items() if turn * weight % largest < weight]
    for number, kind in enumerate(itertools.cycle(order), start):
        yield sent(number % texts, kind)


@dataclass
class Tally:
    """How messages ended. `wrong` are told by kind and reason, and hold no text of them."""

    ends: Counter[tuple[str, int | str]] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    @property
    def messages(self) -> int:
        return sum(self.ends.values())

    def add(self, kind: str, end: int | str, wrong: Sequence[str] = (), seconds: float = 0.0) -> None:
        self.ends[kind, end] += 1
        self.wrong.update(f"{kind}: {why}" for why in wrong)
        self.slowest = max(self.slowest, seconds)


async def exchange(session: aiohttp.ClientSession, url: str, request: Sent, tally: Tally, patience: float = 30) -> None:
    """Sends one request, and notes how it ended."""
    began = time.monotonic()
    if request.method == SOCKET:
        await _converse(session, url, request, tally, patience)
        return
    own = str(next(_ids))
    headers = {ID: own, **({"content-type": "application/json"} if request.body else {})}
    end: int | str = 0
    wrong: list[str] = []
    try:
        async with (
            asyncio.timeout(patience),
            session.request(request.method, url + request.path, data=request.body or None, headers=headers) as answer,
        ):
            end = answer.status
            if request.kind == "leaving" and end == 200:
                await answer.content.readany()
                end = 0  # the connection is closed, for there is more to come
                answer.close()
            else:
                wrong = _judge(request, end, await answer.read(), tally)
                if end == 200 and answer.headers.get(ID) != own:
                    wrong.append("the answer to another request")
    except TimeoutError:
        end, wrong = "no answer", ["no answer in time"]
    except (aiohttp.ClientError, OSError) as error:
        end = "broken off"
        wrong = [f"broken off ({type(error).__name__})"]
    tally.add(request.kind, end, wrong, time.monotonic() - began)


async def _converse(session: aiohttp.ClientSession, url: str, request: Sent, tally: Tally, patience: float) -> None:
    """Says something over a WebSocket twice, and takes what is told in deltas each time."""
    began = time.monotonic()
    end: int | str = 101
    wrong: list[str] = []
    try:
        async with asyncio.timeout(patience), session.ws_connect(url + request.path, max_msg_size=0) as socket:
            for _ in range(2):
                await socket.send_str(request.body.decode())
                told = ""
                while (event := await socket.receive_json())["type"] != "response.done":
                    told += event.get("delta", "")
                if LEAKS[ANSWERED].search(told.encode()):
                    tally.leaks[request.kind] += 1
                if f"ref-{request.number}-{request.kind}:" not in told:
                    wrong.append("the text of another answer")
    except TimeoutError:
        end, wrong = "no answer", ["no answer in time"]
    except (aiohttp.ClientError, OSError, TypeError) as error:  # TypeError: it was closed
        end, wrong = "broken off", [f"broken off ({type(error).__name__})"]
    tally.add(request.kind, end, wrong, time.monotonic() - began)


def _judge(request: Sent, status: int, body: bytes, tally: Tally) -> list[str]:
    """What is wrong with an answer, where the guard is well."""
    text = body
    if body.startswith(b"data: "):
        events = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
        if any("choices" not in event for event in events):
            return ["an error in the stream"]
        text = "".join(e["choices"][0]["delta"].get("content", "") for e in events).encode()
        if not body.endswith(b"data: [DONE]\n\n"):
            return ["the end of the stream is missing"]
    if LEAKS[ANSWERED].search(text) or LEAKS[ANSWERED].search(body):
        tally.leaks[request.kind] += 1
    if status not in EXPECTED.get(request.kind, {200}):
        return [f"status {status}"]
    if status == 200 and request.kind != "models" and f"ref-{request.number}-{request.kind}:".encode() not in text:
        return ["the text of another answer"]
    return []


async def drive(
    url: str, requests: Iterator[Sent], tally: Tally, going: Callable[[], bool], *, width: int = 8, patience: float = 30
) -> None:
    """Sends requests, `width` at a time, as long as `going`."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def one() -> None:
            while going():
                await exchange(session, url, next(requests), tally, patience)

        await asyncio.gather(*[one() for _ in range(width)])
