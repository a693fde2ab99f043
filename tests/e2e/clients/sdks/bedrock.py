from __future__ import annotations

import json
from typing import Any

from tests.e2e.clients.planted import PNG, TOOL, TOOL_TEXT, dumps
from tests.e2e.clients.sdks import Said, Sdk, Talk
from tests.e2e.clients.sdks.anthropic import asked

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


def _client(url: str) -> Any:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    config = Config(signature_version=UNSIGNED)
    return boto3.client("bedrock-runtime", region_name="eu-west-1", endpoint_url=url, config=config)


def _asked(talk: Talk) -> dict[str, Any]:
    tool = {"name": TOOL, "description": TOOL_TEXT, "inputSchema": {"json": talk.parameters}}
    result = {"toolUseId": "t0", "content": [{"json": talk.found}, {"text": dumps(talk.found)}]}
    picture = {"format": "png", "source": {"bytes": PNG}}
    return {
        "modelId": MODEL,
        "system": [{"text": talk.system}],
        "messages": [
            {"role": "user", "content": [{"text": "Who is it?"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t0", "name": TOOL, "input": talk.found}}]},
            {"role": "user", "content": [{"toolResult": result}, {"text": talk.question}, {"image": picture}]},
        ],
        "toolConfig": {"tools": [{"toolSpec": tool}]},
    }


def _body(talk: Talk) -> bytes:
    conversation = {name: member for name, member in asked(talk).items() if name != "model"}
    return dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, **conversation}).encode()


class Bedrock(Sdk):
    """The runtime."""

    refusal = "botocore.exceptions.ClientError"
    broken = "botocore.exceptions.EventStreamError"

    def converse(self, url: str, talk: Talk) -> Said:
        reply = _client(url).converse(**_asked(talk))
        text, call = reply["output"]["message"]["content"]
        return Said(text["text"], call["toolUse"]["input"], reply, image=True)

    def converse_stream(self, url: str, talk: Talk) -> Said:
        events = list(_client(url).converse_stream(**_asked(talk))["stream"])
        deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
        text = "".join(delta.get("text", "") for delta in deltas)
        arguments = "".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta)
        assert events[-1]["metadata"]["usage"]["totalTokens"] == 3
        return Said(text, json.loads(arguments), events, image=True)

    def invoke(self, url: str, talk: Talk) -> Said:
        reply = json.loads(_client(url).invoke_model(modelId=MODEL, body=_body(talk))["body"].read())
        text, call = reply["content"]
        return Said(text["text"], call["input"], reply, image=True)

    def invoke_stream(self, url: str, talk: Talk) -> Said:
        reply = _client(url).invoke_model_with_response_stream(modelId=MODEL, body=_body(talk))
        events = [json.loads(event["chunk"]["bytes"]) for event in reply["body"]]
        deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
        text = "".join(delta.get("text", "") for delta in deltas)
        return Said(text, json.loads("".join(delta.get("partial_json", "") for delta in deltas)), events, image=True)
