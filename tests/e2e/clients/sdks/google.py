from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.e2e.clients.planted import PNG, TOOL, TOOL_TEXT
from tests.e2e.clients.sdks import Ended, Said, Sdk, Talk


def _client(url: str) -> Any:
    from google import genai

    return genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url))


@asynccontextmanager
async def _aio(url: str) -> AsyncIterator[Any]:
    client = _client(url)
    try:
        yield client.aio
    finally:
        await client._api_client._async_httpx_client.aclose()  # it has no other way


def _asked(talk: Talk) -> dict[str, Any]:
    from google.genai import types

    call = types.Part.from_function_call(name=TOOL, args=talk.found)
    result = types.Part.from_function_response(name=TOOL, response=talk.found)
    declared = types.FunctionDeclaration.model_validate(
        {"name": TOOL, "description": TOOL_TEXT, "parameters": talk.parameters}
    )
    picture = types.Part.from_bytes(data=PNG, mime_type="image/png")
    return {
        "model": "gemini-2.5-flash",
        "contents": [
            types.Content(role="model", parts=[call]),
            types.Content(role="user", parts=[result, types.Part.from_text(text=talk.question), picture]),
        ],
        "config": types.GenerateContentConfig(
            system_instruction=talk.system,
            tools=[types.Tool(function_declarations=[declared])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        ),
    }


def _said(replies: list[Any]) -> Said:
    if replies[-1].candidates is None:
        raise Ended  # an error as an event comes to no more than that here
    parts = [part for reply in replies for part in reply.candidates[0].content.parts]
    [call] = [part for part in parts if part.function_call]
    assert call.function_call.name == TOOL
    text = "".join(part.text for part in parts if part.text)
    return Said(text, call.function_call.args, replies, image=True)


class Gemini(Sdk):
    """generateContent."""

    refusal = "google.genai.errors.ClientError"
    broken = "tests.e2e.clients.sdks.Ended"
    mute = True

    def generate(self, url: str, talk: Talk) -> Said:
        return _said([_client(url).models.generate_content(**_asked(talk))])

    async def generate_async(self, url: str, talk: Talk) -> Said:
        async with _aio(url) as client:
            return _said([await client.models.generate_content(**_asked(talk))])

    def chat(self, url: str, talk: Talk) -> Said:
        chat = _client(url).chats.create(model="gemini-2.5-flash")
        reply = chat.send_message(talk.question)
        return Said(reply.text, whole=[reply, chat.get_history()])

    def stream(self, url: str, talk: Talk) -> Said:
        return _said(list(_client(url).models.generate_content_stream(**_asked(talk))))

    async def stream_async(self, url: str, talk: Talk) -> Said:
        async with _aio(url) as client:
            return _said([each async for each in await client.models.generate_content_stream(**_asked(talk))])

    def count_tokens(self, url: str, talk: Talk) -> Said:
        counted = _client(url).models.count_tokens(model="gemini-2.5-flash", contents=talk.question)
        return Said("", counted.total_tokens, counted)

    def embed(self, url: str, talk: Talk) -> Said:
        embedded = _client(url).models.embed_content(model="e", contents=[talk.question, talk.system])
        return Said("", [each.values for each in embedded.embeddings], embedded)
