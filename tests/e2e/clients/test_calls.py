"""Every call of every client, through both doors."""

from __future__ import annotations

import json

import pytest

from tests.e2e.clients.conftest import Ask, Direct
from tests.e2e.clients.doors import Door
from tests.e2e.clients.planted import PNG, PNG_BASE64, SENT, TOLD, leaks, masked
from tests.e2e.clients.sdks import HARMLESS, PLANTED, Sdk
from tests.e2e.clients.sdks.anthropic import Messages
from tests.e2e.clients.sdks.bedrock import Bedrock
from tests.e2e.clients.sdks.frameworks import LangChain, LiteLlm
from tests.e2e.clients.sdks.google import Gemini
from tests.e2e.clients.sdks.messaging import Slack, Twilio
from tests.e2e.clients.sdks.openai import Chat, Responses
from tests.e2e.clients.sdks.openai_more import OpenAi
from tests.e2e.clients.sdks.others import Cohere, Mistral, Ollama

SDKS: list[type[Sdk]] = [
    Chat,
    Responses,
    OpenAi,
    Messages,
    Gemini,
    Bedrock,
    Cohere,
    Mistral,
    Ollama,
    Slack,
    Twilio,
    LangChain,
    LiteLlm,
]
CALLS = [pytest.param(sdk, name, id=f"{sdk.__name__}.{name}") for sdk in SDKS for name in sdk.calls()]
DOORS = ("mitmproxy", "asgi")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("sdk", "name"), CALLS)
def test_values_stay_behind_and_clients_go_on(
    sdk: type[Sdk], name: str, door: str, doors: dict[str, Door], client: Ask, direct: Direct
) -> None:
    plain, sent = direct(sdk, name)
    doors[door].received()
    outcome = client(sdk, name, doors[door].url, PLANTED)
    requests = doors[door].received()
    assert outcome.error == ""
    assert [leaks(each.raw, SENT) for each in requests] == [[]] * len(sent)
    for before, after in zip(sent, requests, strict=True):
        if before[:1] == b"{":
            assert json.loads(after.body) == json.loads(masked(before.decode())), "nothing else is other than it was"
    assert leaks(outcome.shown, TOLD) == []
    assert outcome.said.text == masked(plain.said.text)
    assert outcome.said.arguments == json.loads(masked(json.dumps(plain.said.arguments)))
    if plain.said.image:
        assert any(PNG_BASE64.encode() in each.body or PNG in each.body for each in requests)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("sdk", "name"), CALLS)
def test_a_block_is_the_clients_own_error_and_is_not_retried(
    sdk: type[Sdk], name: str, door: str, doors: dict[str, Door], client: Ask, direct: Direct
) -> None:
    _, sent = direct(sdk, name)
    at = doors[door]
    at.received()
    before = at.blocks()
    outcome = client(sdk, name, at.blocking, PLANTED)
    assert "may not be sent" in outcome.error
    assert sdk.refusal in outcome.kinds, outcome.error
    assert leaks(outcome.shown, SENT) == []
    assert at.blocks() == before + 1, "one request, and no other"
    harmless = [bool(leaks(each, SENT)) for each in sent].index(True)
    assert len(at.received()) == harmless, "the first of its requests that has values is its last"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("sdk", "name"), CALLS)
def test_a_blocked_reply_is_an_error_and_is_not_asked_for_again(
    sdk: type[Sdk], name: str, door: str, doors: dict[str, Door], client: Ask, direct: Direct
) -> None:
    plain, sent = direct(sdk, name)
    if not leaks(plain.shown, TOLD):
        return  # of numbers only
    at = doors[door]
    at.received()
    outcome = client(sdk, name, at.blocking, HARMLESS)
    ended = "stream" in name and sdk.broken in outcome.kinds  # else nothing had gone out yet
    assert ended or sdk.refusal in outcome.kinds, outcome.error
    assert "may not be sent" in outcome.error or (ended and sdk.mute)
    assert leaks(outcome.shown, TOLD) == []
    assert len(at.received()) == len(sent)
