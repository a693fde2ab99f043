from __future__ import annotations

import json
from typing import Any

from tests.e2e.clients.planted import PNG_BASE64, TOOL, TOOL_TEXT, dumps
from tests.e2e.clients.sdks import Said, Sdk, Talk


def messages(talk: Talk) -> list[Any]:
    """A conversation with all that it may have."""
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG_BASE64}"}}
    call = {"id": "call_0", "type": "function", "function": {"name": TOOL, "arguments": dumps(talk.found)}}
    return [
        {"role": "system", "content": talk.system},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_0", "content": dumps(talk.found)},
        {"role": "user", "content": [{"type": "text", "text": talk.question}, picture]},
    ]


def tools(talk: Talk) -> list[Any]:
    function = {"name": TOOL, "description": TOOL_TEXT, "parameters": talk.parameters}
    return [{"type": "function", "function": function}]


def _said(completion: Any) -> Said:
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    assert completion.usage.total_tokens == 3
    [call] = choice.message.tool_calls
    assert call.function.name == TOOL
    return Said(choice.message.content, json.loads(call.function.arguments), completion, image=True)


class Chat(Sdk):
    """Chat completions."""

    refusal = "openai.UnprocessableEntityError"
    broken = "openai.APIError"

    def create(self, url: str, talk: Talk) -> Said:
        import openai

        with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client:
            return _said(client.chat.completions.create(model="m", messages=messages(talk), tools=tools(talk)))

    async def create_async(self, url: str, talk: Talk) -> Said:
        import openai

        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client:
            return _said(await client.chat.completions.create(model="m", messages=messages(talk), tools=tools(talk)))

    def create_aiohttp(self, url: str, talk: Talk) -> Any:
        import openai

        async def ask() -> Said:
            client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", http_client=openai.DefaultAioHttpClient())
            async with client:
                return _said(
                    await client.chat.completions.create(model="m", messages=messages(talk), tools=tools(talk))
                )

        return ask()

    def logprobs(self, url: str, talk: Talk) -> Said:
        import openai

        with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client:
            asked: list[Any] = [{"role": "user", "content": talk.question}]
            completion = client.chat.completions.create(model="m", messages=asked, logprobs=True)
        return Said(str(completion.choices[0].message.content), whole=completion)

    def parse(self, url: str, talk: Talk) -> Said:
        import openai
        import pydantic

        class Mail(pydantic.BaseModel):
            to: str = pydantic.Field(description=talk.description)
            urgent: bool
            n: float

        with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client:
            asked: list[Any] = [{"role": "user", "content": talk.question}]
            completion = client.chat.completions.parse(model="m", messages=asked, response_format=Mail)
        message = completion.choices[0].message
        assert message.parsed
        return Said(str(message.content), message.parsed.model_dump(), completion)

    def stream(self, url: str, talk: Talk) -> Said:
        import openai

        text = arguments = ""
        chunks = []
        with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client:
            for chunk in client.chat.completions.create(
                model="m",
                messages=messages(talk),
                tools=tools(talk),
                stream=True,
                stream_options={"include_usage": True},
            ):
                chunks.append(chunk)
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    for call in choice.delta.tool_calls or []:
                        arguments += (call.function and call.function.arguments) or ""
        assert chunks[-1].usage
        return Said(text, json.loads(arguments), chunks, image=True)

    async def stream_async(self, url: str, talk: Talk) -> Said:
        import openai

        async with (
            openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client,
            client.chat.completions.stream(model="m", messages=messages(talk), tools=tools(talk)) as stream,
        ):
            events = [event async for event in stream]
            said = _said(await stream.get_final_completion())
        return Said(said.text, said.arguments, [said.whole, events], image=True)


def _input(talk: Talk) -> list[Any]:
    call = {"type": "function_call", "call_id": "call_0", "name": TOOL, "arguments": dumps(talk.found)}
    picture = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG_BASE64}"}
    return [
        call,
        {"type": "function_call_output", "call_id": "call_0", "output": dumps(talk.found)},
        {"role": "user", "content": [{"type": "input_text", "text": talk.question}, picture]},
    ]


def _asked(talk: Talk) -> dict[str, Any]:
    function = {
        "type": "function",
        "name": TOOL,
        "description": TOOL_TEXT,
        "parameters": talk.parameters,
        "strict": False,
    }
    return {"model": "m", "instructions": talk.system, "input": _input(talk), "tools": [function], "metadata": {"q": talk.question}}  # fmt: skip


def _answered(response: Any) -> Said:
    [call] = [item for item in response.output if item.type == "function_call"]
    return Said(response.output_text, json.loads(call.arguments), response, image=True)


class Responses(Sdk):
    """Responses."""

    refusal = "openai.UnprocessableEntityError"
    broken = "openai.APIError"

    def create(self, url: str, talk: Talk) -> Said:
        import openai

        with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client:
            return _answered(client.responses.create(**_asked(talk)))

    async def create_async(self, url: str, talk: Talk) -> Said:
        import openai

        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client:
            return _answered(await client.responses.create(**_asked(talk)))

    def parse(self, url: str, talk: Talk) -> Said:
        import openai
        import pydantic

        class Mail(pydantic.BaseModel):
            to: str = pydantic.Field(description=talk.description)
            urgent: bool
            n: float

        with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client:
            response = client.responses.parse(model="m", input=talk.question, text_format=Mail)
        assert response.output_parsed
        return Said(response.output_text, response.output_parsed.model_dump(), response)

    def stream(self, url: str, talk: Talk) -> Said:
        import openai

        with (
            openai.OpenAI(base_url=f"{url}/v1", api_key="k") as client,
            client.responses.stream(**_asked(talk)) as stream,
        ):
            events = list(stream)
            said = _answered(stream.get_final_response())
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        return Said(text, said.arguments, [events, said.whole], image=True)

    async def stream_async(self, url: str, talk: Talk) -> Said:
        import openai

        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client:
            events = [event async for event in await client.responses.create(**_asked(talk), stream=True)]
        said = _answered(events[-1].response)
        return Said(said.text, said.arguments, events, image=True)
