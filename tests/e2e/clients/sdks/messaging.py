"""Slack and Twilio."""

from __future__ import annotations

from typing import Any

from tests.e2e.clients.planted import PNG
from tests.e2e.clients.sdks import Said, Sdk, Talk


def _posted(talk: Talk) -> dict[str, Any]:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": talk.question}}
    event = {"event_type": "asked", "event_payload": talk.found}
    return {
        "channel": "C123",
        "text": talk.question,
        "blocks": [section],
        "attachments": [{"text": talk.system}],
        "metadata": event,
    }


def _slack_said(reply: Any) -> Said:
    assert reply["ok"]
    return Said(reply["message"]["text"], reply["channel"], reply.data)


class Slack(Sdk):
    """The web client."""

    refusal = broken = "slack_sdk.errors.SlackApiError"

    def post(self, url: str, talk: Talk) -> Said:
        import slack_sdk

        return _slack_said(slack_sdk.WebClient("xoxb-1", base_url=f"{url}/api/").chat_postMessage(**_posted(talk)))

    async def post_async(self, url: str, talk: Talk) -> Said:
        from slack_sdk.web.async_client import AsyncWebClient

        return _slack_said(await AsyncWebClient("xoxb-1", base_url=f"{url}/api/").chat_postMessage(**_posted(talk)))

    def upload(self, url: str, talk: Talk) -> Said:
        import slack_sdk

        client = slack_sdk.WebClient("xoxb-1", base_url=f"{url}/api/", headers={"x-base": url})
        reply: Any = client.files_upload_v2(
            channel="C123", filename="a.png", content=PNG, title="A picture", initial_comment=talk.question
        )
        return Said(reply["files"][0]["title"], whole=reply.data, image=True)


class Twilio(Sdk):
    """Messages."""

    refusal = broken = "twilio.base.exceptions.TwilioRestException"

    def create(self, url: str, talk: Talk) -> Said:
        from twilio.http.http_client import TwilioHttpClient

        return _twilio_said(self._client(url, TwilioHttpClient()).messages.create(**self._sms(talk)))

    async def create_async(self, url: str, talk: Talk) -> Said:
        from twilio.http.async_http_client import AsyncTwilioHttpClient

        async with AsyncTwilioHttpClient() as http:
            return _twilio_said(await self._client(url, http).messages.create_async(**self._sms(talk)))

    def _client(self, url: str, http: Any) -> Any:
        from twilio.rest import Client

        client = Client("AC" + "0" * 32, "token", http_client=http)
        client.api.base_url = url
        return client

    def _sms(self, talk: Talk) -> dict[str, Any]:
        return {
            "to": "+15005550006",
            "from_": "+15005550001",
            "body": talk.question,
            "media_url": ["https://example.com/a.png", "https://example.com/b.png"],
        }


def _twilio_said(message: Any) -> Said:
    return Said(message.body, [message.to, message.status], vars(message))
