"""Recorded exchanges of more chat APIs, by the shipped rules: as they are, and with personal data planted in them.

Where text sits is said here anew, by hand, as patterns of places: the rule files are what is examined. Files and
pictures pass here, so that the text beside them can be looked at.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import anyio
import pytest

from proxy_guard import Guard, Message, Verdict, resources
from proxy_guard.model import Direction
from tests.conformance import data
from tests.conformance.test_recorded_traffic import CANARIES, MASKED, Path, at, differences, plant, put, read

FILES = {
    "openai-responses": "openai-responses",
    "bedrock-responses": "openai-responses",
    "openai-completions": "openai-completions",
    "openai-embeddings": "openai-embeddings",
    "gemini-generatecontent": "gemini",
    "gemini-streamgeneratecontent": "gemini",
    "gemini-completions": "openai-chat",
    "ollama": "openai-chat",
    "bedrock-completions": "openai-chat",
    "bedrock-converse": "bedrock-converse",
    "bedrock-converse-stream": "bedrock-converse",
    "bedrock-invoke": "bedrock-invoke",
    "bedrock-invoke-with-response-stream": "bedrock-invoke",
    "cohere": "cohere",
}
"""Recordings, and the API description that has to claim them."""

TEXTS = re.compile(
    r"\$(\[\*\])?\.("
    # requests
    r"input|input\[\*\]|input\[\*\]\.content(\[\*\]\.text)?|input\[\*\]\.output|instructions|prompt(\[\*\])?|message|"
    r"messages\[\*\]\.content(\[\*\]\.(text|thinking|guardContent\.text\.text))?|system(\[\*\]\.text)?|texts\[\*\]|inputText|"
    r"chat_history\[\*\]\.message|contents\[\*\]\.parts\[\*\]\.text|system_?[iI]nstruction\.parts\[\*\]\.text|"
    r"tools\[\*\](\.function)?\.description|tools\[\*\]\.function_?[dD]eclarations\[\*\]\.description|"
    r"contents\[\*\]\.parts\[\*\]\.function_?[rR]esponse\.response\..*|contents\[\*\]\.parts\[\*\]\.function_?[cC]all\.args\..*|"
    # responses
    r"output\[\*\]\.(content|summary)\[\*\]\.text|choices\[\*\]\.(text|message\.(content|reasoning))|generation|text|"
    r"candidates\[\*\]\.content\.parts\[\*\]\.text|candidates\[\*\]\.content\.parts\[\*\]\.functionCall\.args\..*|"
    r"candidates\[\*\]\.groundingMetadata\.groundingSupports\[\*\]\.segment\.text|"
    r"output\.message\.content\[\*\]\.text|content\[\*\]\.text|message\.content\[\*\]\.(text|thinking)|"
    r"message\.citations\[\*\]\.text|message\.citations\[\*\]\.sources\[\*\]\.tool_output\.content"
    r")"
)
ARGUMENTS = re.compile(r"\$\.(input|output|messages)\[\*\](\.tool_calls\[\*\]\.function)?\.arguments")


class Exchange(NamedTuple):
    """One JSON document of the recordings."""

    name: str
    api: str
    direction: Direction
    message: Message
    document: Any


def _exchanges() -> Iterator[Exchange]:
    for file, api in FILES.items():
        for number, line in enumerate(data.lines("traffic", f"{file}.jsonl")):
            for direction in ("request", "response"):
                body = line[direction]["body"]
                if isinstance(body, dict | list):
                    yield Exchange(f"{file}-{number}", api, direction, _message(line, direction, body), body)


def _message(line: Any, direction: Direction, document: Any) -> Message:
    headers = (("content-type", line[direction].get("content_type", "application/json")),)
    status = line["response"]["status"] if direction == "response" else None
    body = json.dumps(document, ensure_ascii=False).encode()
    return Message(direction, line["request"]["method"], line["request"]["url"], headers, body, status)


EXCHANGES = list(_exchanges())
each = pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: f"{exchange.name}-{exchange.direction}")
needed = pytest.mark.skipif(not EXCHANGES, reason=data.REASON)


def strings(value: Any, path: Path, place: str) -> Iterator[tuple[Path, str]]:
    """Every text with its path, and the pattern of its place."""
    if isinstance(value, str):
        yield path, place
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index), f"{place}[*]")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from strings(member, (*path, name), f"{place}.{name}")


def texts_of(document: Any) -> list[Path]:
    return [
        path for path, place in strings(document, (), "$") if TEXTS.fullmatch(place) and not _json(at(document, path))
    ]


def _json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[", '"')


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    folder: FilePath = tmp_path_factory.mktemp("recorded") / "rules"
    shutil.copytree(resources.rules_dir(), folder)
    policy = folder / "policies" / "mask.yaml"
    text = re.sub(r"(?m)^on_error:.*\n", "", policy.read_text(encoding="utf-8"))
    policy.write_text(text + "on_error: {unsupported_media: keep}\n", encoding="utf-8")
    return Guard.from_rules(folder)


def inspect(guard: Guard, exchange: Exchange, document: Any) -> Verdict:
    body = json.dumps(document, ensure_ascii=False).encode()
    message = exchange.message
    changed = Message(message.direction, message.method, message.url, message.headers, body, message.status)
    return anyio.run(guard.inspect, changed)


@data.needed
def test_there_are_recordings_of_every_api() -> None:
    assert {exchange.name.rpartition("-")[0] for exchange in EXCHANGES} == set(FILES)
    assert len(EXCHANGES) >= 130


@needed
@each
def test_a_recorded_message_is_claimed_read_and_not_refused(guard: Guard, exchange: Exchange) -> None:
    verdict = inspect(guard, exchange, exchange.document)
    assert verdict.api == exchange.api
    assert verdict.action in ("allow", "rewrite"), verdict.reason
    if verdict.action == "rewrite":
        assert verdict.findings


PLANTABLE = [exchange for exchange in EXCHANGES if texts_of(exchange.document)]


@pytest.mark.skipif(not PLANTABLE, reason=data.REASON)
@pytest.mark.parametrize("exchange", PLANTABLE, ids=lambda exchange: f"{exchange.name}-{exchange.direction}")
def test_what_is_planted_in_texts_is_masked_and_nothing_else_changes(guard: Guard, exchange: Exchange) -> None:
    document = copy.deepcopy(exchange.document)
    expected = read(inspect(guard, exchange, document).body)
    for path in texts_of(document):
        plant(document, path)
        put(expected, path, at(expected, path) + MASKED)
    verdict = inspect(guard, exchange, document)
    assert verdict.action == "rewrite", verdict.reason
    assert list(differences(expected, read(verdict.body))) == []
    assert [canary for canary in CANARIES if canary in verdict.body.decode()] == []


CALLING = [
    (exchange, path)
    for exchange in EXCHANGES
    for path, place in strings(exchange.document, (), "$")
    if ARGUMENTS.fullmatch(place)
]


@pytest.mark.skipif(not CALLING, reason=data.REASON)
@pytest.mark.parametrize(
    ("exchange", "path"), CALLING, ids=[f"{e.name}-{e.direction}-{n}" for n, (e, _) in enumerate(CALLING)]
)
def test_what_is_planted_in_the_arguments_of_tools_is_masked(guard: Guard, exchange: Exchange, path: Path) -> None:
    document = copy.deepcopy(exchange.document)
    arguments = read(at(document, path).encode())
    arguments["jane.roe@example.com"] = {"tel": 14155552671, "card": "4111 1111 1111 1111"}
    put(document, path, json.dumps(arguments))
    verdict = inspect(guard, exchange, document)
    assert verdict.action == "rewrite", verdict.reason
    made = read(at(read(verdict.body), path).encode())
    assert made["<EMAIL_ADDRESS>"] == {"tel": "XXXXXXXXX71", "card": "XXXXXXXXXXXXXXX1111"}
