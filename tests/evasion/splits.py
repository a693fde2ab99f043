"""Ways to cut a text in two or more, so that no part has the whole value, and whoever puts them together does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from tests.evasion.carriers import (
    ANTHROPIC,
    ANY,
    BEDROCK,
    FORM,
    GEMINI,
    HELLO,
    OWN,
    RESPONSES,
    Request,
    anthropic,
    chat,
    dumps,
    gemini,
    user,
)

Split = Callable[[Sequence[str]], Request]


def _parts(texts: Sequence[str], kind: str = "text") -> list[dict[str, Any]]:
    return [{"type": kind, "text": text} for text in texts]


def _says(texts: Sequence[str], *roles: str) -> list[dict[str, Any]]:
    return [{"role": roles[n % len(roles)], "content": text} for n, text in enumerate(texts)]


def _between(texts: Sequence[str], other: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for text in texts for each in (user(text), other)]


ANSWER = {"role": "assistant", "content": "I see, go on."}
PICTURE = {"type": "novel_separator"}


def _called(arguments: Any) -> dict[str, Any]:
    function = {"name": "f", "arguments": dumps(arguments).decode()}
    return {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}


def _nested(texts: Sequence[str]) -> Any:
    return {texts[0]: _nested(texts[1:])} if texts else 1


SPLITS: dict[str, Split] = {
    "chat parts": lambda t: chat(user(_parts(t))),
    "chat bare parts": lambda t: chat(user(list(t))),
    "chat parts with another between": lambda t: chat(user([each for part in _parts(t) for each in (part, PICTURE)])),
    "chat parts of two kinds": lambda t: chat(
        user([{"type": "text" if n % 2 else "input_text", "text": x} for n, x in enumerate(t)])
    ),
    "chat messages of the user": lambda t: chat(*_says(t, "user")),
    "chat messages with an answer between": lambda t: chat(*_between(t, ANSWER)),
    "chat user and assistant": lambda t: chat(*_says(t, "user", "assistant")),
    "chat system and user": lambda t: chat(*_says(t, "system", "user")),
    "chat system messages": lambda t: chat(*_says(t, "system"), HELLO),
    "chat user and tool": lambda t: chat(*_says(t, "user", "tool")),
    "chat a message and parts": lambda t: chat(user(t[0]), user(_parts(t[1:]))),
    "chat parts of messages": lambda t: chat(*(user(_parts([text])) for text in t)),
    "chat list in a tool argument": lambda t: chat(
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": dumps({"q": list(t)}).decode()}}]}
    ),
    "chat members of a tool argument": lambda t: chat(
        {
            "role": "assistant",
            "tool_calls": [
                {"function": {"name": "f", "arguments": dumps({f"part{n}": text for n, text in enumerate(t)}).decode()}}
            ],
        }
    ),
    "chat tool calls": lambda t: chat(
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": "f", "arguments": dumps({"q": x}).decode()}} for x in t],
        }
    ),
    "chat unknown members": lambda t: chat(HELLO, novelty=list(t)),
    "chat metadata": lambda t: chat(HELLO, metadata={f"note{n}": text for n, text in enumerate(t)}),
    "completions prompts": lambda t: Request("/v1/completions", dumps({"model": "m", "prompt": list(t)})),
    "embeddings inputs": lambda t: Request("/v1/embeddings", dumps({"model": "m", "input": list(t)})),
    "responses parts": lambda t: Request(RESPONSES, dumps({"input": [user(_parts(t, "input_text"))]})),
    "responses messages": lambda t: Request(RESPONSES, dumps({"input": _says(t, "user")})),
    "responses instructions and input": lambda t: Request(
        RESPONSES, dumps({"instructions": t[0], "input": "".join(t[1:])})
    ),
    "anthropic parts": lambda t: anthropic(user(_parts(t))),
    "anthropic messages": lambda t: anthropic(*_says(t, "user", "assistant")),
    "anthropic system parts": lambda t: Request(ANTHROPIC, dumps({"system": _parts(t), "messages": [HELLO]})),
    "anthropic tool result parts": lambda t: anthropic(
        user([{"type": "tool_result", "tool_use_id": "t", "content": _parts(t)}])
    ),
    "anthropic tool input list": lambda t: anthropic(
        user([{"type": "tool_use", "id": "t", "name": "f", "input": {"q": list(t)}}])
    ),
    "gemini parts": lambda t: gemini(*({"text": text} for text in t)),
    "gemini contents": lambda t: Request(
        GEMINI, dumps({"contents": [{"role": "user", "parts": [{"text": text}]} for text in t]})
    ),
    "bedrock parts": lambda t: Request(BEDROCK, dumps({"messages": [user([{"text": text} for text in t])]})),
    "bedrock messages": lambda t: Request(BEDROCK, dumps({"messages": [user([{"text": text}]) for text in t]})),
    "chat name and value of an argument": lambda t: chat(_called({t[0]: "".join(t[1:])})),
    "chat names of arguments": lambda t: chat(_called({text: n for n, text in enumerate(t)})),
    "chat names of nested arguments": lambda t: chat(_called(_nested(t))),
    "chat json in strings": lambda t: chat(
        _called({f"part{n}": dumps({"inner": text}).decode() for n, text in enumerate(t)})
    ),
    "chat list in a list": lambda t: chat(_called({"q": [[text] for text in t]})),
    "anthropic text and tool result": lambda t: anthropic(
        user([{"type": "text", "text": t[0]}, {"type": "tool_result", "tool_use_id": "t", "content": "".join(t[1:])}])
    ),
    "anthropic tool results": lambda t: anthropic(
        user([{"type": "tool_result", "tool_use_id": f"t{n}", "content": text} for n, text in enumerate(t)])
    ),
    "anthropic tool input members": lambda t: anthropic(
        user([{"type": "tool_use", "id": "t", "name": "f", "input": {f"part{n}": x for n, x in enumerate(t)}}])
    ),
    "gemini arguments": lambda t: gemini({"functionCall": {"name": "f", "args": {"q": list(t)}}}),
    "any members": lambda t: Request(ANY, dumps({f"part{n}": text for n, text in enumerate(t)})),
    "any list": lambda t: Request(ANY, dumps({"a": {"b": list(t)}})),
    "any objects": lambda t: Request(ANY, dumps({"a": [{"text": text, "n": n} for n, text in enumerate(t)]})),
    "any names": lambda t: Request(ANY, dumps({"a": {text: n for n, text in enumerate(t)}})),
    "any form fields": lambda t: Request(ANY, urlencode({"a": list(t)}, doseq=True).encode(), FORM),
    "any lines of json": lambda t: Request(ANY, b"".join(dumps({"a": x}) + b"\n" for x in t), "application/x-ndjson"),
    "any elements of xml": lambda t: Request(
        ANY, "<r>{}</r>".format("".join(f"<a>{x}</a>" for x in t)).encode(), "application/xml"
    ),
    "form fields": lambda t: Request(OWN, urlencode({"text": list(t)}, doseq=True).encode(), FORM),
    "lines of ndjson": lambda t: Request(OWN, b"".join(dumps({"text": x}) + b"\n" for x in t), "application/x-ndjson"),
    "elements of html": lambda t: Request(
        OWN, "<p>{}</p>".format("".join(f"<b>{x}</b>" for x in t)).encode(), "text/html"
    ),
    "elements of xml": lambda t: Request(
        OWN, "<r>{}</r>".format("".join(f"<text>{x}</text>" for x in t)).encode(), "application/xml"
    ),
    "query values": lambda t: Request(f"{OWN}?" + urlencode({"q": list(t)}, doseq=True), dumps({"text": "hi"})),
}


def halves(sentence: str, value: str) -> list[str]:
    """Cut in the middle of the value."""
    place = sentence.index(value) + len(value) // 2
    return [sentence[:place], sentence[place:]]


def thirds(sentence: str, value: str) -> list[str]:
    """Cut in three, twice within the value."""
    place, size = sentence.index(value), len(value) // 3
    return [sentence[: place + size], sentence[place + size : place + 2 * size], sentence[place + 2 * size :]]


def pieces(sentence: str, value: str) -> list[str]:
    """The value in pieces of four."""
    place = sentence.index(value)
    cut = [value[n : n + 4] for n in range(0, len(value), 4)]
    return [sentence[:place] + cut[0], *cut[1:-1], cut[-1] + sentence[place + len(value) :]]


CUTS = {"halves": halves, "thirds": thirds, "pieces": pieces}
