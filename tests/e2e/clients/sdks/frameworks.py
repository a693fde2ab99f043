"""LangChain and LiteLLM, over the APIs of others."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.clients.planted import TOOL
from tests.e2e.clients.sdks import Said, Sdk, Talk
from tests.e2e.clients.sdks.openai import messages, tools


def _model(url: str) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="m", base_url=f"{url}/v1", api_key="k")


def _chain_said(message: Any) -> Said:
    [call] = message.tool_calls
    assert call["name"] == TOOL
    return Said(message.text if isinstance(message.text, str) else message.text(), call["args"], message, image=True)


class LangChain(Sdk):
    """ChatOpenAI."""

    refusal = "openai.UnprocessableEntityError"
    broken = "openai.APIError"

    def invoke(self, url: str, talk: Talk) -> Said:
        return _chain_said(_model(url).bind_tools(tools(talk)).invoke(messages(talk)))

    async def invoke_async(self, url: str, talk: Talk) -> Said:
        return _chain_said(await _model(url).bind_tools(tools(talk)).ainvoke(messages(talk)))

    def structured(self, url: str, talk: Talk) -> Said:
        schema = {"title": TOOL, "description": talk.description, **talk.parameters}
        model = _model(url).with_structured_output(schema, method="json_schema", include_raw=True)
        reply = model.invoke(talk.question)
        return Said(reply["raw"].content, reply["parsed"], reply)

    def responses(self, url: str, talk: Talk) -> Said:
        from langchain_openai import ChatOpenAI

        model = ChatOpenAI(model="m", base_url=f"{url}/v1", api_key="k", use_responses_api=True)
        return _chain_said(model.bind_tools(tools(talk)).invoke(messages(talk)))

    def stream(self, url: str, talk: Talk) -> Said:
        chunks = list(_model(url).bind_tools(tools(talk)).stream(messages(talk)))
        return _chain_said(_sum(chunks))

    async def stream_async(self, url: str, talk: Talk) -> Said:
        chunks = [each async for each in _model(url).bind_tools(tools(talk)).astream(messages(talk))]
        return _chain_said(_sum(chunks))


def _sum(chunks: list[Any]) -> Any:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


def _lite_said(reply: Any) -> Said:
    [choice] = reply.choices
    [call] = choice.message.tool_calls
    return Said(choice.message.content, json.loads(call.function.arguments), reply.model_dump(), image=True)


class LiteLlm(Sdk):
    """Completions, to OpenAI and to Anthropic."""

    refusal = broken = "openai.APIError"  # it makes a connection's error of Anthropic's 422

    def openai(self, url: str, talk: Talk) -> Said:
        return _lite_said(self._completion(f"{url}/v1", talk, "openai/m"))

    def anthropic(self, url: str, talk: Talk) -> Said:
        return _lite_said(self._completion(url, talk, "anthropic/claude-3-5-haiku-latest"))

    async def openai_async(self, url: str, talk: Talk) -> Said:
        import litellm

        return _lite_said(await litellm.acompletion(**self._asked(f"{url}/v1", talk, "openai/m")))

    def stream_openai(self, url: str, talk: Talk) -> Said:
        return self._streamed(list(self._completion(f"{url}/v1", talk, "openai/m", stream=True)), talk)

    def stream_anthropic(self, url: str, talk: Talk) -> Said:
        chunks = list(self._completion(url, talk, "anthropic/claude-3-5-haiku-latest", stream=True))
        return self._streamed(chunks, talk)

    def _completion(self, base: str, talk: Talk, model: str, **more: Any) -> Any:
        import litellm

        return litellm.completion(**self._asked(base, talk, model), **more)

    def _asked(self, base: str, talk: Talk, model: str) -> dict[str, Any]:
        return {"model": model, "api_base": base, "api_key": "k", "messages": messages(talk), "tools": tools(talk)}

    def _streamed(self, chunks: list[Any], talk: Talk) -> Said:
        import litellm

        said = _lite_said(litellm.stream_chunk_builder(chunks, messages=messages(talk)))
        return Said(said.text, said.arguments, [said.whole, [chunk.model_dump() for chunk in chunks]], image=True)
