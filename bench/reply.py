"""The answer that both kinds of servers give: a chat completion of about 600 bytes, without personal data."""

from __future__ import annotations

from typing import Any

TEXT = (
    "Start with the loose part and work slowly. Clean the surface with a soft cloth, let it dry, and look at "
    "the frame from below before anything is moved. If the hinge still sticks, a drop of oil is usually "
    "enough. Should the wood be uneven, sand it lightly and put the cover back on."
)


def completion(model: str, prompt_tokens: int) -> dict[str, Any]:
    """The completion as a JSON object."""
    words = len(TEXT.split())
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": words,
            "total_tokens": prompt_tokens + words,
        },
    }
