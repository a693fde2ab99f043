"""Cohere, Mistral and Ollama."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.clients.planted import PNG, PNG_BASE64, TOOL, TOOL_TEXT, dumps
from tests.e2e.clients.sdks import Ended, Said, Sdk, Talk
from tests.e2e.clients.sdks.openai import messages, tools


def _cohere_asked(talk: Talk) -> dict[str, Any]:
    system, call, result, user = messages(talk)
    del call["content"]
    document = {"type": "document", "document": {"id": "d1", "data": {"text": talk.system}}}
    return {
        "model": "command-a",
        "messages": [system, call, {**result, "content": [document]}, user],
        "tools": tools(talk),
        "documents": [{"id": "d0", "data": {"text": dumps(talk.found)}}],
    }


def _cohere_said(reply: Any) -> Said:
    message = reply.message
    [part] = message.content
    [call] = message.tool_calls
    return Said(part.text, json.loads(call.function.arguments), reply, image=True)


def _cohere_streamed(events: list[Any]) -> Said:
    text = "".join(each.delta.message.content.text for each in events if each.type == "content-delta")
    calls = [each.delta.message.tool_calls.function for each in events if each.type == "tool-call-delta"]
    plan = "".join(each.delta.message.tool_plan for each in events if each.type == "tool-plan-delta")
    assert events[-1].type == "message-end"
    if events[-1].delta.finish_reason == "ERROR":
        raise Ended(events[-1].delta.error)
    return Said(text, json.loads("".join(call.arguments for call in calls)), [events, plan], image=True)


class Cohere(Sdk):
    """Version 2."""

    refusal = "cohere.UnprocessableEntityError"
    broken = "tests.e2e.clients.sdks.Ended"

    def chat(self, url: str, talk: Talk) -> Said:
        import cohere

        return _cohere_said(cohere.ClientV2("k", base_url=url).chat(**_cohere_asked(talk)))

    async def chat_async(self, url: str, talk: Talk) -> Said:
        import cohere

        async with cohere.AsyncClientV2("k", base_url=url) as client:
            return _cohere_said(await client.chat(**_cohere_asked(talk)))

    def stream(self, url: str, talk: Talk) -> Said:
        import cohere

        return _cohere_streamed(list(cohere.ClientV2("k", base_url=url).chat_stream(**_cohere_asked(talk))))

    async def stream_async(self, url: str, talk: Talk) -> Said:
        import cohere

        async with cohere.AsyncClientV2("k", base_url=url) as client:
            return _cohere_streamed([each async for each in client.chat_stream(**_cohere_asked(talk))])

    def chat_v1(self, url: str, talk: Talk) -> Said:
        import cohere

        reply = cohere.Client("k", base_url=url).chat(
            message=talk.question,
            preamble=talk.system,
            chat_history=[{"role": "USER", "message": talk.system}],
            tools=[{"name": TOOL, "description": TOOL_TEXT, "parameter_definitions": {"to": {"type": "str", "description": talk.description}}}],
            tool_results=[{"call": {"name": TOOL, "parameters": talk.found}, "outputs": [talk.found]}],
        )  # fmt: skip
        return Said(reply.text, reply.tool_calls[0].parameters, reply)

    def stream_v1(self, url: str, talk: Talk) -> Said:
        import cohere

        events = list(cohere.Client("k", base_url=url).chat_stream(message=talk.question, preamble=talk.system))
        text = "".join(each.text for each in events if each.event_type == "text-generation")
        if events[-1].finish_reason == "ERROR":
            raise Ended(events[-1].error)
        return Said(text, events[-1].response.text, events)

    def embed(self, url: str, talk: Talk) -> Said:
        import cohere

        client = cohere.ClientV2("k", base_url=url)
        texts = [talk.question, talk.system]
        reply = client.embed(model="e", texts=texts, input_type="search_document", embedding_types=["float"])
        return Said("", reply.embeddings.float_)

    def rerank(self, url: str, talk: Talk) -> Said:
        import cohere

        reply = cohere.ClientV2("k", base_url=url).rerank(model="r", query=talk.question, documents=[talk.system])
        return Said("", [each.index for each in reply.results])


def _mistral_asked(talk: Talk) -> dict[str, Any]:
    return {"model": "m", "messages": messages(talk), "tools": tools(talk)}


def _mistral_said(reply: Any) -> Said:
    [choice] = reply.choices
    [call] = choice.message.tool_calls
    return Said(choice.message.content, json.loads(call.function.arguments), reply, image=True)


def _mistral_streamed(events: list[Any]) -> Said:
    deltas = [choice.delta for event in events for choice in event.data.choices]
    text = "".join(delta.content for delta in deltas if delta.content)
    arguments = "".join(call.function.arguments for delta in deltas for call in delta.tool_calls or [])
    return Said(text, json.loads(arguments), events, image=True)


class Mistral(Sdk):
    """Chats and fill in the middle."""

    refusal = "mistralai.models.HTTPValidationError"
    broken = "pydantic.ValidationError"  # it knows of no error in a stream
    mute = True

    def chat(self, url: str, talk: Talk) -> Said:
        import mistralai

        with mistralai.Mistral("k", server_url=f"{url}/mistral") as client:
            return _mistral_said(client.chat.complete(**_mistral_asked(talk)))

    async def chat_async(self, url: str, talk: Talk) -> Said:
        import mistralai

        async with mistralai.Mistral("k", server_url=f"{url}/mistral") as client:
            return _mistral_said(await client.chat.complete_async(**_mistral_asked(talk)))

    def stream(self, url: str, talk: Talk) -> Said:
        import mistralai

        with mistralai.Mistral("k", server_url=f"{url}/mistral") as client:
            return _mistral_streamed(list(client.chat.stream(**_mistral_asked(talk))))

    async def stream_async(self, url: str, talk: Talk) -> Said:
        import mistralai

        async with mistralai.Mistral("k", server_url=f"{url}/mistral") as client:
            events = await client.chat.stream_async(**_mistral_asked(talk))
            return _mistral_streamed([each async for each in events])

    def fim(self, url: str, talk: Talk) -> Said:
        import mistralai

        with mistralai.Mistral("k", server_url=f"{url}/mistral") as client:
            reply = client.fim.complete(model="m", prompt=f"# {talk.question}", suffix=f"# {talk.system}")
        return Said(str(reply.choices[0].message.content), whole=reply)

    def embed(self, url: str, talk: Talk) -> Said:
        import mistralai

        with mistralai.Mistral("k", server_url=f"{url}/mistral") as client:
            reply = client.embeddings.create(model="m", inputs=[talk.question, talk.system])
        return Said("", [each.embedding for each in reply.data])


def _ollama_asked(talk: Talk) -> dict[str, Any]:
    call = {"function": {"name": TOOL, "arguments": talk.found}}
    return {
        "model": "m",
        "messages": [
            {"role": "system", "content": talk.system},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_name": TOOL, "content": dumps(talk.found)},
            {"role": "user", "content": talk.question, "images": [PNG]},
        ],
        "tools": tools(talk),
    }


def _ollama_said(replies: list[Any]) -> Said:
    text = "".join(reply.message.content for reply in replies)
    [call] = replies[-1].message.tool_calls
    return Said(text, dict(call.function.arguments), replies, image=True)


class Ollama(Sdk):
    """Its own API."""

    refusal = "ollama.ResponseError"
    broken = "ollama.ResponseError"

    def chat(self, url: str, talk: Talk) -> Said:
        import ollama

        return _ollama_said([ollama.Client(url).chat(**_ollama_asked(talk))])

    async def chat_async(self, url: str, talk: Talk) -> Said:
        import ollama

        client = ollama.AsyncClient(url)
        try:
            return _ollama_said([await client.chat(**_ollama_asked(talk))])
        finally:
            await client._client.aclose()  # it has no other way

    def stream(self, url: str, talk: Talk) -> Said:
        import ollama

        return _ollama_said(list(ollama.Client(url).chat(**_ollama_asked(talk), stream=True)))

    async def stream_async(self, url: str, talk: Talk) -> Said:
        import ollama

        client = ollama.AsyncClient(url)
        try:
            return _ollama_said([each async for each in await client.chat(**_ollama_asked(talk), stream=True)])
        finally:
            await client._client.aclose()

    def generate(self, url: str, talk: Talk) -> Said:
        import ollama

        reply = ollama.Client(url).generate("m", talk.question, system=talk.system, images=[PNG_BASE64])
        return Said(reply.response, whole=reply, image=True)

    def stream_generate(self, url: str, talk: Talk) -> Said:
        import ollama

        replies = list(ollama.Client(url).generate("m", talk.question, system=talk.system, stream=True))
        return Said("".join(reply.response for reply in replies), whole=replies)

    def embed(self, url: str, talk: Talk) -> Said:
        import ollama

        return Said("", ollama.Client(url).embed("m", [talk.question, talk.system]).embeddings)
