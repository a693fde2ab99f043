"""Recorded exchanges of real chat APIs, by the shipped rules: as they are, and with personal data planted in them.

Where text sits is said here anew, by hand: the rule files are what is examined.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import anyio
import pytest

from proxy_guard import Guard, Message, Verdict
from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.locate.jsonpath import normalized
from proxy_guard.model import Direction
from tests.conformance import data

CANARIES = ("jane.roe@example.com", "+14155552671", "4155552671", "4111 1111 1111 1111", "4111111111111111")
PLANTED = "\nmail jane.roe@example.com, call +14155552671, card 4111 1111 1111 1111."
MASKED = "\nmail <EMAIL_ADDRESS>, call XXXXXXXXXX71, card XXXXXXXXXXXXXXX1111."

# Files by their id count as media, too; so do the documents in Anthropic's tool results.
MEDIA = {
    "image",
    "image_url",
    "input_image",
    "input_audio",
    "audio",
    "file",
    "video_url",
    "document_url",
    "container_upload",
}

Path = tuple[str | int, ...]


class Exchange(NamedTuple):
    """One JSON document of the recordings."""

    name: str
    direction: Direction
    url: str
    status: int
    content_type: str
    document: Any

    def message(self, document: Any) -> Message:
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = (("content-type", self.content_type), ("x-other", "stays"))
        status = self.status if self.direction == "response" else None
        return Message(self.direction, "POST", self.url, headers, body, status)


def _exchanges(direction: Direction) -> Iterator[Exchange]:
    for api in ("openai-chat", "groq", "mistral", "openrouter", "azure", "anthropic-messages"):
        for number, line in enumerate(data.lines("traffic", f"{api}.jsonl")):
            request, part = line["request"], line[direction]
            if isinstance(part["body"], dict | list):
                content_type = part.get("content_type", "application/json")
                status = line["response"]["status"]
                # A fragment is a note of who recorded it: no client sends one.
                url = request["url"].partition("#")[0]
                yield Exchange(f"{api}-{number}", direction, url, status, content_type, part["body"])


def _webhooks() -> Iterator[Exchange]:
    for name, body in (data.load("traffic", "whatsapp-webhooks.json") or {}).items():
        url = "https://hooks.example.com/webhook"
        yield Exchange(f"whatsapp-{name}", "request", url, 200, "application/json; charset=utf-8", body)


REQUESTS = list(_exchanges("request"))
RESPONSES = list(_exchanges("response"))
WEBHOOKS = list(_webhooks())
ALL = REQUESTS + RESPONSES + WEBHOOKS
CHATS = [each for each in REQUESTS + RESPONSES if "/chat/completions" in each.url or "/v1/messages" in each.url]


def each(exchanges: list[Exchange]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exchange", exchanges, ids=lambda exchange: f"{exchange.name}-{exchange.direction}")


def needs(exchanges: list[Exchange]) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not exchanges, reason=data.REASON)


# --- where text sits -----------------------------------------------------------------------------------

# `thinking` has parts (Mistral), `stdout` and `stderr` are of tool results (Anthropic).
_TEXT_NAMES = ("text", "content", "thinking", "refusal", "title", "context", "stdout", "stderr", "cited_text")


def texts_in(content: Any, path: Path) -> Iterator[Path]:
    """The texts of a message's content: the whole of it, or those of its parts and of the parts in them."""
    if isinstance(content, str):
        yield path
    elif isinstance(content, list):
        for index, part in enumerate(content):
            yield from texts_in(part, (*path, index))
    elif isinstance(content, dict):
        if "signature" in content:
            return  # see `signed_texts`
        for name in _TEXT_NAMES:
            yield from texts_in(content.get(name), (*path, name))
        yield from strings_in(content.get("input"), (*path, "input"))
        source = content.get("source")
        if isinstance(source, dict) and source.get("type") == "text":
            yield (*path, "source", "data")


def strings_in(value: Any, path: Path) -> Iterator[Path]:
    """Every text in a value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings_in(item, (*path, index))
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from strings_in(member, (*path, name))


def messages_of(document: Any) -> list[tuple[Path, Any]]:
    """The messages of a chat request or response."""
    messages: list[tuple[Path, Any]] = [(("messages", i), each) for i, each in enumerate(document.get("messages", ()))]
    for index, choice in enumerate(document.get("choices", ())):
        if "message" in choice:
            messages.append((("choices", index, "message"), choice["message"]))
    if document.get("type") == "message":  # a reply of Anthropic's is a message itself
        messages.append(((), document))
    return messages


def texts_of(document: Any) -> Iterator[Path]:
    """Every text of them."""
    yield from texts_in(document.get("system"), ("system",))
    for path, message in messages_of(document):
        for name in ("content", "reasoning", "reasoning_content", "refusal"):
            yield from texts_in(message.get(name), (*path, name))
        for index, detail in enumerate(message.get("reasoning_details") or ()):
            if "signature" not in detail:
                for name in ("text", "summary"):
                    yield from texts_in(detail.get(name), (*path, "reasoning_details", index, name))


def arguments_of(document: Any) -> Iterator[Path]:
    """The arguments of tool calls, which are JSON in a string."""
    for path, message in messages_of(document):
        for index, _ in enumerate(message.get("tool_calls") or ()):
            yield (*path, "tool_calls", index, "function", "arguments")


def signed_texts_of(document: Any) -> Iterator[Path]:
    """The texts that their API has signed: the thinking of a model."""
    for path, message in messages_of(document):
        content = message.get("content")
        for index, part in enumerate(content if isinstance(content, list) else ()):
            if "signature" in part and "thinking" in part:
                yield (*path, "content", index, "thinking")


def texts_of_webhook(document: Any) -> Iterator[Path]:
    """What a customer wrote, or is called."""
    for i, entry in enumerate(document["entry"]):
        for j, change in enumerate(entry["changes"]):
            value, path = change["value"], ("entry", i, "changes", j, "value")
            for k, contact in enumerate(value.get("contacts", ())):
                if "profile" in contact:
                    yield (*path, "contacts", k, "profile", "name")
            for k, message in enumerate(value.get("messages", ())):
                here = (*path, "messages", k)
                places = [
                    ("text", "body"), ("image", "caption"), ("video", "caption"), ("document", "caption"),
                    ("document", "filename"), ("location", "name"), ("location", "address"), ("order", "text"),
                    ("referral", "headline"), ("referral", "body"),
                ]  # fmt: skip
                yield from ((*here, *place) for place in places if place[1] in message.get(place[0], {}))
                for n, contact in enumerate(message.get("contacts", ())):
                    yield from strings_in(contact.get("name"), (*here, "contacts", n, "name"))
                    for m, _ in enumerate(contact.get("phones", ())):
                        yield (*here, "contacts", n, "phones", m, "phone")


def media_in(value: Any) -> bool:
    """Whether a value holds a part that is an image, a recording, a film or a file."""
    if isinstance(value, list):
        return any(media_in(item) for item in value)
    return isinstance(value, dict) and (is_media(value) or any(media_in(member) for member in value.values()))


def is_media(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    if part.get("type") == "document" and "source" in part:
        return bool(part["source"]["type"] not in ("text", "content"))
    return part.get("type") in MEDIA


def without_media(value: Any) -> Any:
    """The same without those parts."""
    if isinstance(value, list):
        return [without_media(item) for item in value if not is_media(item)]
    if isinstance(value, dict):
        return {name: without_media(member) for name, member in value.items()}
    return value


# --- what is done with it ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard.from_rules()


def inspect(guard: Guard, message: Message) -> Verdict:
    return anyio.run(guard.inspect, message)


def read(body: bytes) -> Any:
    return JsonCodec().decode(body, Limits()).value


def at(document: Any, path: Path) -> Any:
    for part in path:
        document = document[part]
    return document


def put(document: Any, path: Path, value: Any) -> None:
    at(document, path[:-1])[path[-1]] = value


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[Path]:
    """The places where two documents differ."""
    if isinstance(before, dict) and isinstance(after, dict) and list(before) == list(after):
        for name in before:
            yield from differences(before[name], after[name], (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, item in enumerate(before):
            yield from differences(item, after[index], (*path, index))
    elif type(before) is not type(after) or str(before) != str(after):
        yield path


def plant(document: Any, path: Path) -> None:
    put(document, path, at(document, path) + PLANTED)


def plant_in_arguments(document: Any, path: Path) -> None:
    arguments = read(at(document, path).encode())
    for inner in list(strings_in(arguments, ())):
        plant(arguments, inner)
    arguments["planted"] = PLANTED
    arguments["jane.roe@example.com"] = {"tel": 14155552671}
    put(document, path, json.dumps(arguments))


def masked(document: Any) -> Any:
    """The document as it has to come out: every planted text masked, all else as it is."""
    text = json.dumps(document, ensure_ascii=False)
    return read(text.replace(json.dumps(PLANTED)[1:-1], json.dumps(MASKED)[1:-1]).encode())


# --- the recordings as they are ------------------------------------------------------------------------


@data.needed
def test_there_are_recordings_of_every_api() -> None:
    assert len(REQUESTS) >= 70
    assert len(RESPONSES) >= 50
    assert len(WEBHOOKS) == 23


@needs(ALL)
@each(ALL)
def test_a_recorded_message_passes_is_rewritten_or_is_refused_for_its_media(guard: Guard, exchange: Exchange) -> None:
    message = exchange.message(exchange.document)
    verdict = inspect(guard, message)
    if media_in(exchange.document) and exchange not in WEBHOOKS and exchange.direction == "request":
        assert (verdict.action, verdict.status) == ("block", 415), verdict.reason
        assert read(verdict.body)["error"]["message"]
    elif verdict.action == "allow":
        assert (verdict.body, verdict.headers, verdict.findings) == (message.body, message.headers, ())
    else:
        assert verdict.action == "rewrite", verdict.reason
        found = [finding.path for finding in verdict.findings]
        for path in differences(exchange.document, read(verdict.body)):
            assert any(place.startswith(normalized(path)) for place in found), normalized(path)


# --- the recordings with personal data in them ---------------------------------------------------------


# One recording holds "Background" and a panda, which is no PAN.
@needs(CHATS)
@each(CHATS)
def test_what_is_planted_in_the_texts_of_a_chat_is_masked_and_nothing_else_changes(
    guard: Guard, exchange: Exchange
) -> None:
    document = without_media(copy.deepcopy(exchange.document))
    before = inspect(guard, exchange.message(document))
    assert before.action in ("allow", "rewrite"), before.reason
    expected = read(before.body)
    places = list(texts_of(document))
    for path in places:
        plant(document, path)
        put(expected, path, at(expected, path) + MASKED)

    verdict = inspect(guard, exchange.message(document))
    assert verdict.action == ("rewrite" if places else before.action), verdict.reason
    assert [normalized(path) for path in differences(expected, read(verdict.body))] == []
    assert [canary for canary in CANARIES if canary in verdict.body.decode()] == []
    assert ("x-other", "stays") in verdict.headers


CALLING = [exchange for exchange in REQUESTS + RESPONSES if any(arguments_of(exchange.document))]


@needs(CALLING)
@each(CALLING)
def test_what_is_planted_in_the_arguments_of_tools_is_masked_and_nothing_else_changes(
    guard: Guard, exchange: Exchange
) -> None:
    document = without_media(copy.deepcopy(exchange.document))
    expected = read(inspect(guard, exchange.message(document)).body)
    for path in arguments_of(document):
        plant_in_arguments(document, path)
    verdict = inspect(guard, exchange.message(document))
    assert verdict.action == "rewrite", verdict.reason
    forwarded = read(verdict.body)
    assert [canary for canary in CANARIES if canary in verdict.body.decode()] == []
    for path in arguments_of(document):
        arguments = masked(read(at(document, path).encode()))
        del arguments["jane.roe@example.com"]
        arguments["<EMAIL_ADDRESS>"] = {"tel": "XXXXXXXXX71"}
        assert read(at(forwarded, path).encode()) == arguments
        put(forwarded, path, at(expected, path))
    assert [normalized(path) for path in differences(expected, forwarded)] == []


SIGNED = [exchange for exchange in REQUESTS + RESPONSES if any(signed_texts_of(exchange.document))]


@needs(SIGNED)
@each(SIGNED)
def test_what_is_planted_in_signed_thinking_blocks(guard: Guard, exchange: Exchange) -> None:
    document = without_media(copy.deepcopy(exchange.document))
    for path in list(signed_texts_of(document)):
        plant(document, path)
    verdict = inspect(guard, exchange.message(document))
    assert (verdict.action, verdict.status) == ("block", 422), verdict.reason
    assert {finding.entity for finding in verdict.findings} >= {"EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD"}
    assert [canary for canary in CANARIES if canary in verdict.body.decode() + verdict.reason] == []


WRITTEN = [exchange for exchange in WEBHOOKS if any(texts_of_webhook(exchange.document))]


@needs(WRITTEN)
@each(WRITTEN)
def test_what_is_planted_in_a_webhook_is_masked_and_nothing_else_changes(guard: Guard, exchange: Exchange) -> None:
    document = copy.deepcopy(exchange.document)
    expected = read(inspect(guard, exchange.message(document)).body)
    for path in texts_of_webhook(exchange.document):
        plant(document, path)
        put(expected, path, at(expected, path) + MASKED)
    verdict = inspect(guard, exchange.message(document))
    assert verdict.action == "rewrite", verdict.reason
    assert [normalized(path) for path in differences(expected, read(verdict.body))] == []
    assert [canary for canary in CANARIES if canary in verdict.body.decode()] == []
