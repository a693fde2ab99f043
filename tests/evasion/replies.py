"""Replies that hold a text in every place that an API has for it: whole, split over parts, streamed, or over a WebSocket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.evasion.carriers import ANTHROPIC, BEDROCK, CHAT, GEMINI, HELLO, JSON, OWN, RESPONSES, Request, dumps

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
REALTIME = "/v1/realtime?model=m"


@dataclass(frozen=True)
class Reply:
    """What the upstream answers: `pieces` go out one after the other."""

    pieces: tuple[bytes, ...]
    content_type: str = JSON
    status: int = 200

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@dataclass(frozen=True)
class Talk:
    """The messages of a WebSocket: what the client says, and what the server says."""

    path: str
    said: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


Answered = tuple[Request, Reply]
Answer = Callable[[str], Answered]
Streamed = Callable[[Sequence[str]], Answered]
Spoken = Callable[[Sequence[str]], Talk]

_CHAT = Request(CHAT, dumps({"model": "m", "messages": [HELLO]}))
_STREAMED_CHAT = Request(CHAT, dumps({"model": "m", "messages": [HELLO], "stream": True}))
_RESPONSES = Request(RESPONSES, dumps({"model": "m", "input": "hello"}))
_ANTHROPIC = Request(ANTHROPIC, dumps({"model": "m", "max_tokens": 9, "messages": [HELLO]}))
_GEMINI = Request(GEMINI, dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}))
_BEDROCK = Request(BEDROCK, dumps({"messages": [{"role": "user", "content": [{"text": "hello"}]}]}))
_OWN = Request(OWN, dumps({"text": "hello"}))
_ANY = Request("/any/thing", dumps({"text": "hello"}))
_OLLAMA = Request("/api/chat", dumps({"model": "m", "messages": [HELLO]}))
_MCP = Request("/mcp", dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "f"}}))


def _json(value: Any, status: int = 200) -> Reply:
    return Reply((dumps(value),), JSON, status)


def _choice(**message: Any) -> Answered:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return _CHAT, _json({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


def _call(arguments: Any) -> Answered:
    function = {"name": "f", "arguments": dumps(arguments).decode()}
    return _choice(content=None, tool_calls=[{"id": "c1", "type": "function", "function": function}])


def _output(*items: Any) -> Answered:
    return _RESPONSES, _json({"id": "r", "object": "response", "status": "completed", "output": list(items)})


def _spoken(*parts: Any) -> dict[str, Any]:
    return {"id": "m", "type": "message", "role": "assistant", "content": list(parts)}


def _content(*blocks: Any) -> Answered:
    return _ANTHROPIC, _json({"id": "m", "type": "message", "role": "assistant", "model": "m", "content": list(blocks)})


def _candidate(*parts: Any) -> Answered:
    return _GEMINI, _json({"candidates": [{"index": 0, "content": {"role": "model", "parts": list(parts)}}]})


def _converse(*blocks: Any) -> Answered:
    return _BEDROCK, _json({"output": {"message": {"role": "assistant", "content": list(blocks)}}})


ANSWERS: dict[str, Answer] = {
    "chat answer": lambda t: _choice(content=t),
    "chat answer part": lambda t: _choice(content=[{"type": "text", "text": t}]),
    "chat answered refusal": lambda t: _choice(refusal=t),
    "chat answered reasoning": lambda t: _choice(content="ok", reasoning_content=t),
    "chat called argument": lambda t: _call({"q": t}),
    "chat called argument name": lambda t: _call({t: "q"}),
    "chat deep called argument": lambda t: _call({"a": [{"b": dumps({"c": t}).decode()}]}),
    "chat citation": lambda t: _choice(
        content="ok", annotations=[{"type": "url_citation", "url_citation": {"title": t, "url": "https://a.b"}}]
    ),
    "chat transcript": lambda t: _choice(content=None, audio={"id": "a", "transcript": t}),
    "chat answered unknown member": lambda t: _choice(content="ok", novelty={"deep": [t]}),
    "chat error": lambda t: (_CHAT, _json({"error": {"message": t, "type": "invalid_request_error"}}, 400)),
    "chat logprobs": lambda t: (
        _CHAT,
        _json(
            {
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": t},
                        "logprobs": {"content": [{"token": t[n : n + 3], "logprob": -1} for n in range(0, len(t), 3)]},
                    }
                ]
            }
        ),
    ),
    "completions text": lambda t: (
        Request("/v1/completions", dumps({"model": "m", "prompt": "hi"})),
        _json({"choices": [{"index": 0, "text": t}]}),
    ),
    "responses text": lambda t: _output(_spoken({"type": "output_text", "text": t, "annotations": []})),
    "responses annotation": lambda t: _output(
        _spoken({"type": "output_text", "text": "ok", "annotations": [{"type": "file_citation", "quote": t}]})
    ),
    "responses arguments": lambda t: _output(
        {"type": "function_call", "name": "f", "call_id": "c", "arguments": dumps({"q": t}).decode()}
    ),
    "responses reasoning": lambda t: _output({"type": "reasoning", "summary": [{"type": "summary_text", "text": t}]}),
    "anthropic answered text": lambda t: _content({"type": "text", "text": t}),
    "anthropic input": lambda t: _content({"type": "tool_use", "id": "t", "name": "f", "input": {"q": [t]}}),
    "anthropic citation": lambda t: _content(
        {"type": "text", "text": "ok", "citations": [{"type": "char_location", "cited_text": t}]}
    ),
    "gemini answered text": lambda t: _candidate({"text": t}),
    "gemini arguments": lambda t: _candidate({"functionCall": {"name": "f", "args": {"q": t}}}),
    "bedrock answered text": lambda t: _converse({"text": t}),
    "bedrock input": lambda t: _converse({"toolUse": {"toolUseId": "t", "name": "f", "input": {"q": t}}}),
    "mcp result": lambda t: (
        _MCP,
        _json({"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": t}]}}),
    ),
    "own text": lambda t: (_OWN, _json({"text": t})),
    "any answered json": lambda t: (_ANY, _json({"a": [{"b": {"c": t}}]})),
    "any answered name": lambda t: (_ANY, _json({"a": [{t: 1}]})),
    "any answered json in a string": lambda t: (_ANY, _json({"a": dumps({"b": t}).decode()})),
    "any answered plain text": lambda t: (_ANY, Reply((t.encode(),), "text/plain")),
    "any answered xml": lambda t: (_ANY, Reply((f"<r><a>{t}</a></r>".encode(),), "application/xml")),
    "any answered form": lambda t: (_ANY, Reply((f"a={t}".encode(),), "text/plain")),
}

ANSWERED_SPLITS: dict[str, Streamed] = {
    "answered parts": lambda t: _choice(content=[{"type": "text", "text": x} for x in t]),
    "answered list of arguments": lambda t: _call({"q": list(t)}),
    "answered members of arguments": lambda t: _call({f"part{n}": x for n, x in enumerate(t)}),
    "answered responses parts": lambda t: _output(
        _spoken(*({"type": "output_text", "text": x, "annotations": []} for x in t))
    ),
    "answered responses messages": lambda t: _output(*(_spoken({"type": "output_text", "text": x}) for x in t)),
    "answered anthropic blocks": lambda t: _content(*({"type": "text", "text": x} for x in t)),
    "answered anthropic input": lambda t: _content(
        {"type": "tool_use", "id": "t", "name": "f", "input": {"q": list(t)}}
    ),
    "answered gemini parts": lambda t: _candidate(*({"text": x} for x in t)),
    "answered bedrock blocks": lambda t: _converse(*({"text": x} for x in t)),
    "answered list": lambda t: (_ANY, _json({"texts": list(t)})),
    "answered members": lambda t: (_ANY, _json({f"part{n}": x for n, x in enumerate(t)})),
}


def _sse(request: Request, events: Iterable[Any], names: bool = False, done: bool = True) -> Answered:
    pieces = [
        (f"event: {event['type']}\n" if names else "").encode() + b"data: " + dumps(event) + b"\n\n" for event in events
    ]
    return request, Reply((*pieces, b"data: [DONE]\n\n") if done else tuple(pieces), SSE)


def _delta(stop: str | None = None, **delta: Any) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": stop}],
    }


def _deltas(texts: Sequence[str], member: str) -> Answered:
    first = _delta(role="assistant", content="" if member == "content" else None)
    return _sse(_STREAMED_CHAT, [first, *(_delta(**{member: x}) for x in texts), _delta("stop")])


def _streamed_call(texts: Sequence[str]) -> Answered:
    begun = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"q":"'}}
    quoted = [json.dumps(x, ensure_ascii=False)[1:-1] for x in texts]
    more = [{"index": 0, "function": {"arguments": x}} for x in [*quoted, '"}']]
    events = [_delta(tool_calls=[each]) for each in [begun, *more]]
    return _sse(_STREAMED_CHAT, [*events, _delta("tool_calls")])


def _blocks(texts: Sequence[str], kind: str) -> Answered:
    tool = kind == "input_json_delta"
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {}} if tool else {"type": "text", "text": ""}
    member = "partial_json" if tool else "text"
    quoted = ['{"q":"', *(json.dumps(x, ensure_ascii=False)[1:-1] for x in texts), '"}'] if tool else texts
    return _sse(
        _ANTHROPIC,
        [
            {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": []}},
            {"type": "content_block_start", "index": 0, "content_block": block},
            *({"type": "content_block_delta", "index": 0, "delta": {"type": kind, member: x}} for x in quoted),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_stop"},
        ],
        names=True,
        done=False,
    )


def _output_text(texts: Sequence[str]) -> Answered:
    place = {"item_id": "i", "output_index": 0, "content_index": 0}
    whole = "".join(texts)
    return _sse(
        _RESPONSES,
        [
            *({"type": "response.output_text.delta", **place, "delta": x} for x in texts),
            {"type": "response.output_text.done", **place, "text": whole},
            {"type": "response.completed", "response": {"id": "r", "output": [_spoken({"text": whole})]}},
        ],
        names=True,
        done=False,
    )


def _lines(request: Request, values: Iterable[Any]) -> Answered:
    return request, Reply(tuple(dumps(value) + b"\n" for value in values), NDJSON)


STREAMS: dict[str, Streamed] = {
    "streamed content": lambda t: _deltas(t, "content"),
    "streamed reasoning": lambda t: _deltas(t, "reasoning_content"),
    "streamed arguments": _streamed_call,
    "streamed anthropic text": lambda t: _blocks(t, "text_delta"),
    "streamed anthropic input": lambda t: _blocks(t, "input_json_delta"),
    "streamed responses text": _output_text,
    "streamed gemini": lambda t: _sse(
        Request("/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", _GEMINI.body),
        [{"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": x}]}}]} for x in t],
        done=False,
    ),
    "streamed ollama": lambda t: _lines(
        _OLLAMA,
        [
            *({"model": "m", "message": {"role": "assistant", "content": x}, "done": False} for x in t),
            {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True},
        ],
    ),
    "streamed by nobody known": lambda t: _sse(_ANY, [_delta(content=x) for x in t]),
    "streamed lines by nobody known": lambda t: _lines(_ANY, [{"response": x, "done": False} for x in t]),
}


def _item(texts: Sequence[str]) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": x} for x in texts]}


def _realtime_deltas(texts: Sequence[str]) -> Talk:
    place = {"event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    whole = "".join(texts)
    events: list[dict[str, Any]] = [{"type": "response.output_text.delta", **place, "delta": x} for x in texts]
    events += [{"type": "response.output_text.done", **place, "text": whole}, {"type": "response.done", "response": {}}]
    return Talk(REALTIME, told=tuple(dumps(event).decode() for event in events))


def _frames(path: str, events: Iterable[Any]) -> Talk:
    return Talk(path, said=tuple(dumps(event).decode() for event in events))


TALKS: dict[str, Spoken] = {
    "said in parts": lambda t: _frames(REALTIME, [{"type": "conversation.item.create", "item": _item(t)}]),
    "said at once": lambda t: _frames(REALTIME, [{"type": "conversation.item.create", "item": _item(["".join(t)])}]),
    "said as instructions": lambda t: _frames(
        REALTIME, [{"type": "session.update", "session": {"type": "realtime", "instructions": "".join(t)}}]
    ),
    "said as the output of a tool": lambda t: _frames(
        REALTIME,
        [
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "c", "output": dumps({"q": "".join(t)}).decode()},
            }
        ],
    ),
    "said to nobody known": lambda t: _frames("/any/socket", [{"a": {"b": ["".join(t)]}}]),
    "said plainly to nobody known": lambda t: Talk("/any/socket", said=("".join(t),)),
    "told in deltas": _realtime_deltas,
    "told at once": lambda t: Talk(
        REALTIME,
        told=(
            dumps({"type": "conversation.item.done", "item": {**_item(["".join(t)]), "role": "assistant"}}).decode(),
        ),
    ),
    "told by nobody known": lambda t: Talk("/any/socket", told=(dumps({"a": {"b": ["".join(t)]}}).decode(),)),
    "told plainly by nobody known": lambda t: Talk("/any/socket", told=("".join(t),)),
}


def cut_every(size: int) -> Callable[[str, str], list[str]]:
    """In pieces of so many characters, wherever the value is."""
    return lambda sentence, _: [sentence[n : n + size] for n in range(0, len(sentence), size)]


def cut_at_value(sentence: str, value: str) -> list[str]:
    """Cut right before, in the middle and right behind the value."""
    first = sentence.index(value)
    places = [0, first, first + len(value) // 2, first + len(value), len(sentence)]
    return [sentence[a:b] for a, b in pairwise(places) if a < b]


STREAM_CUTS: dict[str, Callable[[str, str], list[str]]] = {
    "single characters": cut_every(1),
    "threes": cut_every(3),
    "sevens": cut_every(7),
    "seams of the value": cut_at_value,
}
