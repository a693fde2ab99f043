from __future__ import annotations

from typing import Any

from tests.e2e.clients.planted import PNG_BASE64, SIGNATURE, TOOL, TOOL_TEXT, dumps
from tests.e2e.clients.sdks import Said, Sdk, Talk


def asked(talk: Talk) -> dict[str, Any]:
    """A conversation with all that it may have, of signed thoughts and marks for the cache."""
    cached = {"cache_control": {"type": "ephemeral"}}
    source = {"type": "base64", "media_type": "image/png", "data": PNG_BASE64}
    thought = {"type": "thinking", "thinking": "They want to know who it is.", "signature": SIGNATURE}
    hidden = {"type": "redacted_thinking", "data": SIGNATURE}
    call = {"type": "tool_use", "id": "toolu_0", "name": TOOL, "input": talk.found}
    result = {"type": "tool_result", "tool_use_id": "toolu_0", "content": [{"type": "text", "text": dumps(talk.found)}]}
    messages = [
        {"role": "user", "content": "Who is it?"},
        {"role": "assistant", "content": [thought, hidden, call]},
        {"role": "user", "content": [result, {"type": "image", "source": source}, {"type": "text", "text": talk.question, **cached}]},
    ]  # fmt: skip
    return {
        "model": "m",
        "system": [{"type": "text", "text": talk.system, **cached}],
        "messages": messages,
        "tools": [{"name": TOOL, "description": TOOL_TEXT, "input_schema": talk.parameters, **cached}],
    }


SPENT: dict[str, Any] = {"max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024}}


def _said(message: Any) -> Said:
    thought, text, call = message.content
    assert thought.signature == SIGNATURE, "what is signed passes as it came"
    assert message.stop_reason == "tool_use"
    return Said(text.text, call.input, message, image=True)


class Messages(Sdk):
    """Messages."""

    refusal = "anthropic.UnprocessableEntityError"
    broken = "anthropic.APIStatusError"

    def create(self, url: str, talk: Talk) -> Said:
        import anthropic

        with anthropic.Anthropic(base_url=url, api_key="k") as client:
            return _said(client.messages.create(**asked(talk), **SPENT))

    async def create_async(self, url: str, talk: Talk) -> Said:
        import anthropic

        async with anthropic.AsyncAnthropic(base_url=url, api_key="k") as client:
            return _said(await client.messages.create(**asked(talk), **SPENT))

    def beta(self, url: str, talk: Talk) -> Said:
        import anthropic

        with anthropic.Anthropic(base_url=url, api_key="k") as client:
            return _said(client.beta.messages.create(**asked(talk), **SPENT, betas=["files-api-2025-04-14"]))

    def stream(self, url: str, talk: Talk) -> Said:
        import anthropic

        with (
            anthropic.Anthropic(base_url=url, api_key="k") as client,
            client.messages.stream(**asked(talk), **SPENT) as stream,
        ):
            events = list(stream)
            said = _said(stream.get_final_message())
        return Said(said.text, said.arguments, [events, said.whole], image=True)

    async def stream_async(self, url: str, talk: Talk) -> Said:
        import anthropic

        async with (
            anthropic.AsyncAnthropic(base_url=url, api_key="k") as client,
            client.messages.stream(**asked(talk), **SPENT) as stream,
        ):
            text = "".join([piece async for piece in stream.text_stream])
            said = _said(await stream.get_final_message())
        return Said(text, said.arguments, said.whole, image=True)

    def count_tokens(self, url: str, talk: Talk) -> Said:
        import anthropic

        with anthropic.Anthropic(base_url=url, api_key="k") as client:
            return Said("", client.messages.count_tokens(**asked(talk)).input_tokens, image=True)

    def batches(self, url: str, talk: Talk) -> Said:
        import anthropic

        with anthropic.Anthropic(base_url=url, api_key="k", default_headers={"x-base": url}) as client:
            params: Any = {**asked(talk), "max_tokens": 9}
            batch = client.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
            [line] = client.messages.batches.results(batch.id)
        assert line.result.type == "succeeded"
        [text] = line.result.message.content
        return Said(text.text, whole=line, image=True)  # type: ignore[union-attr]
