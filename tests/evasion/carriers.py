"""Places that a text can be sent in: every kind of field that an API has, and what lies beside the fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

CHAT = "/v1/chat/completions"
ANTHROPIC = "/v1/messages"
RESPONSES = "/v1/responses"
GEMINI = "/v1beta/models/gemini-2.5-pro:generateContent"
BEDROCK = "/model/anthropic.claude/converse"
OWN = "/own/messages"
ANY = "/any/thing"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"


Carrier = Callable[[str], Request]
User = dict[str, Any]


def dumps(value: Any, **options: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), **options).encode()


def user(content: Any, **more: Any) -> User:
    return {"role": "user", "content": content, **more}


def chat(*messages: User, **more: Any) -> Request:
    return Request(CHAT, dumps({"model": "m", "messages": list(messages), **more}))


def anthropic(*messages: User, **more: Any) -> Request:
    return Request(ANTHROPIC, dumps({"model": "m", "max_tokens": 9, "messages": list(messages), **more}))


def gemini(*parts: Any, **more: Any) -> Request:
    return Request(GEMINI, dumps({"contents": [{"role": "user", "parts": list(parts)}], **more}))


def _call(arguments: Any) -> User:
    function = {"name": "f", "arguments": dumps(arguments).decode()}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }


def _tool(description: str = "", parameter: str = "") -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"p": {"type": "string", "description": parameter}}}
    return {"type": "function", "function": {"name": "f", "description": description, "parameters": parameters}}


def _multipart(text: str) -> Request:
    body = f'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n{text}\r\n--b--\r\n'
    return Request(OWN, body.encode(), "multipart/form-data; boundary=b")


def _filename(text: str) -> Request:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{text}.txt"'
    return Request(
        OWN, f"{head}\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n".encode(), "multipart/form-data; boundary=b"
    )


HELLO = user("hello")

CARRIERS: dict[str, Carrier] = {
    "chat user": lambda t: chat(user(t)),
    "chat system": lambda t: chat({"role": "system", "content": t}, HELLO),
    "chat developer": lambda t: chat({"role": "developer", "content": t}, HELLO),
    "chat earlier turn": lambda t: chat(user(t), {"role": "assistant", "content": "I see"}, user("go on")),
    "chat assistant turn": lambda t: chat(HELLO, {"role": "assistant", "content": t}, user("go on")),
    "chat tool result": lambda t: chat(HELLO, {"role": "tool", "tool_call_id": "c1", "content": t}),
    "chat function result": lambda t: chat(HELLO, {"role": "function", "name": "f", "content": t}),
    "chat unknown role": lambda t: chat({"role": "critic", "content": t}, HELLO),
    "chat name": lambda t: chat(user("hello", name=t)),
    "chat part": lambda t: chat(user([{"type": "text", "text": t}])),
    "chat part of unknown type": lambda t: chat(user([{"type": "novel", "novel": {"inner": [t]}}])),
    "chat bare part": lambda t: chat(user([t])),
    "chat refusal": lambda t: chat(HELLO, {"role": "assistant", "refusal": t}),
    "chat reasoning": lambda t: chat(HELLO, {"role": "assistant", "content": "ok", "reasoning_content": t}),
    "chat tool argument": lambda t: chat(_call({"q": t})),
    "chat deep tool argument": lambda t: chat(_call({"a": [{"b": {"c": [t]}}]})),
    "chat tool argument key": lambda t: chat(_call({t: "x"})),
    "chat json in tool argument": lambda t: chat(_call({"q": dumps({"inner": t}).decode()})),
    "chat tool arguments that are no json": lambda t: chat(
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"q": "' + json.dumps(t)[1:-1]}}]}
    ),
    "chat function call": lambda t: chat(
        {"role": "assistant", "function_call": {"name": "f", "arguments": dumps([t]).decode()}}
    ),
    "chat custom tool input": lambda t: chat(
        {"role": "assistant", "tool_calls": [{"custom": {"name": "f", "input": t}}]}
    ),
    "chat tool description": lambda t: chat(HELLO, tools=[_tool(description=t)]),
    "chat parameter description": lambda t: chat(HELLO, tools=[_tool(parameter=t)]),
    "chat parameter enum": lambda t: chat(HELLO, tools=[{"function": {"name": "f", "parameters": {"enum": [t]}}}]),
    "chat user id": lambda t: chat(HELLO, user=t),
    "chat metadata": lambda t: chat(HELLO, metadata={"note": t}),
    "chat metadata key": lambda t: chat(HELLO, metadata={t: "x"}),
    "chat schema description": lambda t: chat(HELLO, response_format={"json_schema": {"name": "s", "description": t}}),
    "chat prediction": lambda t: chat(HELLO, prediction={"type": "content", "content": t}),
    "chat unknown member": lambda t: chat(HELLO, novelty={"deep": [{"text": t}]}),
    "chat unknown member key": lambda t: chat(HELLO, novelty={t: 1}),
    "chat text under a structural name": lambda t: chat(HELLO, id=t),
    "chat stop": lambda t: chat(HELLO, stop=[t]),
    "chat logit bias": lambda t: chat(HELLO, logit_bias={t: 1}),
    "chat streamed": lambda t: chat(user(t), stream=True),
    "completions prompt": lambda t: Request("/v1/completions", dumps({"model": "m", "prompt": t})),
    "completions prompts": lambda t: Request("/v1/completions", dumps({"model": "m", "prompt": ["hi", t]})),
    "completions suffix": lambda t: Request("/v1/completions", dumps({"model": "m", "prompt": "hi", "suffix": t})),
    "embeddings": lambda t: Request("/v1/embeddings", dumps({"model": "m", "input": ["hi", t]})),
    "moderations": lambda t: Request("/v1/moderations", dumps({"input": [{"type": "text", "text": t}]})),
    "speech": lambda t: Request("/v1/audio/speech", dumps({"model": "m", "input": t, "voice": "v"})),
    "images": lambda t: Request("/v1/images/generations", dumps({"prompt": t})),
    "responses input": lambda t: Request(RESPONSES, dumps({"model": "m", "input": t})),
    "responses input part": lambda t: Request(RESPONSES, dumps({"input": [user([{"type": "input_text", "text": t}])]})),
    "responses instructions": lambda t: Request(RESPONSES, dumps({"input": "hi", "instructions": t})),
    "responses function output": lambda t: Request(
        RESPONSES, dumps({"input": [{"type": "function_call_output", "call_id": "c", "output": t}]})
    ),
    "responses function arguments": lambda t: Request(
        RESPONSES, dumps({"input": [{"type": "function_call", "name": "f", "arguments": dumps({"q": t}).decode()}]})
    ),
    "responses prompt variable": lambda t: Request(RESPONSES, dumps({"prompt": {"id": "p", "variables": {"who": t}}})),
    "anthropic user": lambda t: anthropic(user(t)),
    "anthropic system": lambda t: anthropic(HELLO, system=t),
    "anthropic system part": lambda t: anthropic(HELLO, system=[{"type": "text", "text": t}]),
    "anthropic part": lambda t: anthropic(user([{"type": "text", "text": t}])),
    "anthropic tool input": lambda t: anthropic(
        user([{"type": "tool_use", "id": "t", "name": "f", "input": {"q": [t]}}])
    ),
    "anthropic tool input key": lambda t: anthropic(
        user([{"type": "tool_use", "id": "t", "name": "f", "input": {t: 1}}])
    ),
    "anthropic tool result": lambda t: anthropic(user([{"type": "tool_result", "tool_use_id": "t", "content": t}])),
    "anthropic tool result part": lambda t: anthropic(
        user([{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": t}]}])
    ),
    "anthropic document": lambda t: anthropic(
        user([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": t}}])
    ),
    "anthropic thinking": lambda t: anthropic(user([{"type": "thinking", "thinking": t, "signature": "AAAA"}])),
    "anthropic tool description": lambda t: anthropic(
        HELLO, tools=[{"name": "f", "description": t, "input_schema": {}}]
    ),
    "anthropic metadata": lambda t: anthropic(HELLO, metadata={"user_id": t}),
    "gemini text": lambda t: gemini({"text": t}),
    "gemini system": lambda t: gemini({"text": "hi"}, systemInstruction={"parts": [{"text": t}]}),
    "gemini system_instruction": lambda t: gemini({"text": "hi"}, system_instruction={"parts": [{"text": t}]}),
    "gemini functionCall": lambda t: gemini({"functionCall": {"name": "f", "args": {"q": t}}}),
    "gemini function_call": lambda t: gemini({"function_call": {"name": "f", "args": {t: "q"}}}),
    "gemini functionResponse": lambda t: gemini({"functionResponse": {"name": "f", "response": {"r": [t]}}}),
    "gemini function_response": lambda t: gemini({"function_response": {"name": "f", "response": {"r": [t]}}}),
    "gemini code": lambda t: gemini({"executableCode": {"language": "PYTHON", "code": t}}),
    "bedrock text": lambda t: Request(BEDROCK, dumps({"messages": [user([{"text": t}])]})),
    "bedrock system": lambda t: Request(
        BEDROCK, dumps({"system": [{"text": t}], "messages": [user([{"text": "hi"}])]})
    ),
    "bedrock tool input": lambda t: Request(
        BEDROCK, dumps({"messages": [user([{"toolUse": {"toolUseId": "t", "name": "f", "input": {"q": t}}}])]})
    ),
    "bedrock tool result": lambda t: Request(
        BEDROCK,
        dumps({"messages": [user([{"toolResult": {"toolUseId": "t", "content": [{"text": t}, {"json": {"q": t}}]}}])]}),
    ),
    "bedrock guard content": lambda t: Request(
        BEDROCK, dumps({"messages": [user([{"guardContent": {"text": {"text": t}}}])]})
    ),
    "cohere message": lambda t: Request("/v1/chat", dumps({"message": t})),
    "cohere history": lambda t: Request(
        "/v1/chat", dumps({"message": "hi", "chat_history": [{"role": "USER", "message": t}]})
    ),
    "cohere documents": lambda t: Request(
        "/v2/chat", dumps({"messages": [HELLO], "documents": [{"data": {"text": t}}]})
    ),
    "ollama": lambda t: Request("/api/generate", dumps({"model": "m", "prompt": t})),
    "telegram": lambda t: Request("/bot1:A/sendMessage", dumps({"chat_id": 1, "text": t})),
    "whatsapp caption": lambda t: Request("/v21.0/1/messages", dumps({"type": "document", "document": {"caption": t}})),
    "slack command": lambda t: Request("/slack/commands", urlencode({"command": "/w", "text": t}).encode(), FORM),
    "slack payload": lambda t: Request(
        "/slack/interactive", urlencode({"payload": dumps({"actions": [{"value": t}]}).decode()}).encode(), FORM
    ),
    "twilio body": lambda t: Request("/2010-04-01/Accounts/AC1/Messages.json", urlencode({"Body": t}).encode(), FORM),
    "twilio second body": lambda t: Request(
        "/2010-04-01/Accounts/AC1/Messages.json", urlencode({"Body": ["hi", t]}, doseq=True).encode(), FORM
    ),
    "mcp arguments": lambda t: Request(
        "/mcp", dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"arguments": {"q": t}}})
    ),
    "zendesk html": lambda t: Request("/own/messages", dumps({"text": f"<p>dear all,</p><div>{t}</div>"})),
    "query": lambda t: Request(f"{OWN}?q={quote(t, safe='')}", dumps({"text": "hi"})),
    "query twice": lambda t: Request(f"{OWN}?q=hi&q={quote(t, safe='')}", dumps({"text": "hi"})),
    "path": lambda t: Request(f"/own/users/{quote(t, safe='')}", dumps({"text": "hi"})),
    "header": lambda t: Request(OWN, dumps({"text": "hi"}), headers=(("x-user", t.encode().decode("latin-1")),)),
    "form": lambda t: Request(OWN, urlencode({"text": t}).encode(), FORM),
    "form name": lambda t: Request(OWN, urlencode({t: "x"}).encode(), FORM),
    "multipart": _multipart,
    "multipart file name": _filename,
    "plain text": lambda t: Request(OWN, t.encode(), "text/plain"),
    "html": lambda t: Request(OWN, f"<html><body><p>{t}</p></body></html>".encode(), "text/html"),
    "xml": lambda t: Request(OWN, f"<r><text>{t}</text></r>".encode(), "application/xml"),
    "ndjson": lambda t: Request(
        OWN, dumps({"text": "hi"}) + b"\n" + dumps({"text": t}) + b"\n", "application/x-ndjson"
    ),
    "graphql": lambda t: Request("/graphql", dumps({"query": f"mutation {{ send(text: {json.dumps(t)}) }}"})),
    "graphql variable": lambda t: Request("/graphql", dumps({"query": "mutation($t: String)", "variables": {"t": t}})),
    "any json": lambda t: Request(ANY, dumps({"a": [{"b": {"c": t}}]})),
    "any name": lambda t: Request(ANY, dumps({"a": [{t: {"c": 1}}]})),
    "any text under a structural name": lambda t: Request(ANY, dumps({"event": {"status": [t]}, "type": "x"})),
    "any json in a string in json": lambda t: Request(
        ANY, dumps({"a": dumps({"b": dumps([{"c": t}]).decode()}).decode()})
    ),
    "any string": lambda t: Request(ANY, dumps(t)),
    "any lines of json": lambda t: Request(ANY, dumps({"a": 1}) + b"\n" + dumps([t]) + b"\n", "application/x-ndjson"),
    "any form": lambda t: Request(ANY, urlencode({"a": "b", "c": t}).encode(), FORM),
    "any json in a form": lambda t: Request(ANY, urlencode({"payload": dumps({"a": [t]}).decode()}).encode(), FORM),
    "any plain text": lambda t: Request(ANY, t.encode(), "text/plain; charset=utf-8"),
    "any xml": lambda t: Request(ANY, f'<r a="1"><b><c>{t}</c></b></r>'.encode(), "application/xml"),
    "any attribute of xml": lambda t: Request(ANY, f'<r a="{t}"><b/></r>'.encode(), "application/xml"),
    "any multipart": lambda t: replace(_multipart(t), path=ANY),
    "any query": lambda t: Request(f"{ANY}?a=1&q={quote(t, safe='')}", dumps({"a": 1})),
    "any path": lambda t: Request(f"{ANY}/{quote(t, safe='')}/x", dumps({"a": 1})),
    "any method": lambda t: Request(ANY, dumps({"a": t}), method="PATCH"),
    "any json that says it is text": lambda t: Request(ANY, dumps({"a": [t]}), "text/plain"),
    "unknown path": lambda t: Request("/v2/novel/endpoint", dumps({"text": t})),
    "unknown method": lambda t: Request(CHAT, dumps({"messages": [user(t)]}), method="PUT"),
    "method override": lambda t: Request(
        CHAT, dumps({"messages": [user(t)]}), headers=(("x-http-method-override", "PUT"),)
    ),
}
