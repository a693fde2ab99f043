"""The wire of each API that streams: the events of its replies, and what a client puts together from them.

Shapes as in the vendors' references: OpenAI (chat, completions, responses), Anthropic (messages), Google (Gemini),
Amazon (Bedrock ConverseStream, InvokeModelWithResponseStream), Cohere (v1, v2), Mistral, Ollama.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from proxy_guard.proof_streams import assembled

Named = tuple[str, dict[str, Any]]
"""An event: its name, where the format has one, and its document."""


def _unnamed(*events: dict[str, Any]) -> list[Named]:
    return [(str(each.get("type", "")), each) for each in events]


@dataclass(frozen=True)
class Wire:
    """One API. `delta` is a piece of text number `lane`; `end` comes after all, given the whole texts.

    `read` are JSONPaths with `{lane}` to the pieces of a text, `again` to where it is told again. `lanes` is how many
    texts may take turns.
    """

    url: str
    delta: Callable[[int, str], dict[str, Any]]
    end: Callable[[Sequence[str]], list[Named]]
    read: str
    again: Sequence[str] = ()
    lanes: int = 1
    mark: bool = False
    event: str = ""
    turns: str = ""

    def pieces(self, events: Sequence[Any], lane: int) -> str:
        """What a client puts together of one text."""
        if self.turns:  # the member that tells texts apart is beside the path
            events = [each for each in events if isinstance(each, dict) and each.get(self.turns) == lane]
        return assembled(self.read.format(lane=lane), events)

    def told_again(self, events: Sequence[Any], lane: int) -> list[str]:
        """The text where it is told again."""
        return [assembled(path.format(lane=lane), events) for path in self.again]


def _responses_end(texts: Sequence[str]) -> list[Named]:
    done = [{"type": "response.output_text.done", "output_index": n, "content_index": 0, "text": text} for n, text in enumerate(texts)]  # fmt: skip
    output = [{"type": "message", "id": f"msg_{n}", "content": [{"type": "output_text", "text": text}]} for n, text in enumerate(texts)]  # fmt: skip
    return _unnamed(*done, {"type": "response.completed", "response": {"id": "resp_1", "output": output}})


_CHAT = "$.choices[?@.index == {lane}]"
_HOST = "https://api.example.com"
OPENAI_CHAT = Wire(
    f"{_HOST}/v1/chat/completions",
    lambda lane, text: {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": lane, "delta": {"content": text}}],
    },
    lambda texts: _unnamed(
        {"id": "c", "choices": [{"index": n, "delta": {}, "finish_reason": "stop"} for n in range(len(texts))]}
    ),
    f"{_CHAT}.delta.content",
    lanes=3,
    mark=True,
)
OPENAI_COMPLETIONS = Wire(
    f"{_HOST}/v1/completions",
    lambda lane, text: {"id": "c", "choices": [{"index": lane, "text": text, "logprobs": None}]},
    lambda texts: _unnamed(
        *({"choices": [{"index": n, "text": "", "finish_reason": "stop"}]} for n in range(len(texts)))
    ),
    f"{_CHAT}.text",
    lanes=3,
    mark=True,
)
OPENAI_RESPONSES = Wire(
    f"{_HOST}/v1/responses",
    lambda lane, text: {
        "type": "response.output_text.delta",
        "item_id": f"msg_{lane}",
        "output_index": lane,
        "content_index": 0,
        "delta": text,
    },
    _responses_end,
    "$.delta",
    ["$.text", "$.response.output[{lane}].content[*].text"],
    lanes=2,
    turns="output_index",
)
ANTHROPIC = Wire(
    f"{_HOST}/v1/messages",
    lambda lane, text: {"type": "content_block_delta", "index": lane, "delta": {"type": "text_delta", "text": text}},
    lambda texts: _unnamed(
        *({"type": "content_block_stop", "index": n} for n in range(len(texts))), {"type": "message_stop"}
    ),
    "$.delta.text",
    lanes=2,
    turns="index",
)
GEMINI = Wire(
    f"{_HOST}/v1beta/models/gemini:streamGenerateContent?alt=sse",
    lambda lane, text: {"candidates": [{"index": lane, "content": {"role": "model", "parts": [{"text": text}]}}]},
    lambda texts: _unnamed({"candidates": [{"index": n, "finishReason": "STOP"} for n in range(len(texts))]}),
    "$.candidates[?@.index == {lane}].content.parts[*].text",
    lanes=2,
)
GEMINI_ARRAY = Wire(
    f"{_HOST}/v1beta/models/gemini:streamGenerateContent", GEMINI.delta, GEMINI.end, GEMINI.read, lanes=2
)
COHERE_2 = Wire(
    f"{_HOST}/v2/chat",
    lambda lane, text: {"type": "content-delta", "index": lane, "delta": {"message": {"content": {"text": text}}}},
    lambda texts: _unnamed(
        {"type": "content-end", "index": 0}, {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}
    ),
    "$.delta.message.content.text",
)
COHERE_1 = Wire(
    f"{_HOST}/v1/chat",
    lambda lane, text: {"is_finished": False, "event_type": "text-generation", "text": text},
    lambda texts: _unnamed({"is_finished": True, "event_type": "stream-end", "response": {"text": texts[0]}}),
    "$.text",
    ["$.response.text"],
)
MISTRAL = Wire(
    "https://api.mistral.ai/v1/conversations",
    lambda lane, text: {"type": "message.output.delta", "output_index": lane, "content_index": 0, "content": text},
    lambda texts: _unnamed({"type": "conversation.response.done", "usage": {"total_tokens": 1}}),
    "$.content",
    lanes=2,
    turns="output_index",
)
OLLAMA_CHAT = Wire(
    f"{_HOST}/api/chat",
    lambda lane, text: {"model": "m", "message": {"role": "assistant", "content": text}, "done": False},
    lambda texts: _unnamed({"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}),
    "$.message.content",
)
OLLAMA_GENERATE = Wire(
    f"{_HOST}/api/generate",
    lambda lane, text: {"model": "m", "response": text, "done": False},
    lambda texts: _unnamed({"model": "m", "response": "", "done": True, "context": [1, 2]}),
    "$.response",
)
CONVERSE = Wire(
    f"{_HOST}/model/m/converse-stream",
    lambda lane, text: {"contentBlockIndex": lane, "delta": {"text": text}, "p": "abcde"},
    lambda texts: [
        *(("contentBlockStop", {"contentBlockIndex": n}) for n in range(len(texts))),
        ("messageStop", {"stopReason": "end_turn"}),
    ],
    "$.delta.text",
    lanes=2,
    event="contentBlockDelta",
    turns="contentBlockIndex",
)
_INVOKE = f"{_HOST}/model/m/invoke-with-response-stream"
INVOKE_ANTHROPIC = Wire(_INVOKE, ANTHROPIC.delta, ANTHROPIC.end, ANTHROPIC.read, lanes=2, event="chunk", turns="index")
INVOKE_LLAMA = Wire(
    _INVOKE,
    lambda lane, text: {"generation": text, "stop_reason": None},
    lambda texts: [("chunk", {"generation": "", "stop_reason": "stop"})],
    "$.generation",
    event="chunk",
)
WIRES: dict[str, list[Wire]] = {
    "sse": [OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_RESPONSES, ANTHROPIC, GEMINI, COHERE_2, MISTRAL],
    "ndjson": [OLLAMA_CHAT, OLLAMA_GENERATE, COHERE_1],
    "json": [GEMINI_ARRAY],
    "aws": [CONVERSE],
    "aws-bytes": [INVOKE_ANTHROPIC, INVOKE_LLAMA],
}
