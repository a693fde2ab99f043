"""What OpenAI's client does beside chats."""

from __future__ import annotations

from typing import Any

from tests.e2e.clients.planted import PNG, WAV
from tests.e2e.clients.sdks import Said, Sdk, Talk


def _client(url: str) -> Any:
    import openai

    return openai.OpenAI(base_url=f"{url}/v1", api_key="k")


def _recording(talk: Talk) -> dict[str, Any]:
    return {"model": "whisper-1", "file": ("a.wav", WAV, "audio/wav"), "prompt": talk.question}


class OpenAi(Sdk):
    """Everything but chat completions and responses."""

    refusal = "openai.UnprocessableEntityError"
    broken = "openai.APIError"

    def completions(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.completions.create(model="m", prompt=[talk.question, talk.system])
        return Said(reply.choices[0].text, whole=reply)

    def stream_completions(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            chunks = list(client.completions.create(model="m", prompt=talk.question, stream=True))
        return Said("".join(chunk.choices[0].text for chunk in chunks), whole=chunks)

    def embeddings(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.embeddings.create(model="m", input=[talk.question, talk.system], user=talk.system)
        return Said("", [each.embedding for each in reply.data])

    def moderations(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.moderations.create(input=[{"type": "text", "text": talk.question}])
        return Said("", reply.results[0].flagged)

    def transcription(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.audio.transcriptions.create(**_recording(talk))
        return Said(reply.text, whole=reply)

    def transcription_verbose(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.audio.transcriptions.create(
                **_recording(talk), response_format="verbose_json", timestamp_granularities=["word", "segment"]
            )
        return Said(reply.text, [each.text for each in reply.segments], reply)

    def transcription_text(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            return Said(client.audio.transcriptions.create(**_recording(talk), response_format="text"))

    def stream_transcription(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            events = list(client.audio.transcriptions.create(**_recording(talk), stream=True))
        text = "".join(event.delta for event in events if event.type == "transcript.text.delta")
        return Said(text, events[-1].text, events)

    def translation(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.audio.translations.create(**_recording(talk))
        return Said(reply.text, whole=reply)

    def speech(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.audio.speech.create(
                model="tts-1", voice="alloy", input=talk.question, instructions=talk.system
            )
        assert reply.content == WAV
        return Said("")

    def files(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.files.create(file=(f"{talk.question}.png", PNG), purpose="user_data")
            assert client.files.content(reply.id).content == WAV
        return Said("", reply.purpose, reply, image=True)

    def uploads(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.uploads.create(filename=talk.question, purpose="assistants", bytes=9, mime_type="image/png")
            part = client.uploads.parts.create(reply.id, data=PNG)
        return Said("", part.id, reply, image=True)

    def batches(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.batches.create(
                input_file_id="file-1",
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={"for": talk.question},
            )
        return Said("", reply.status, reply)

    def image_edits(self, url: str, talk: Talk) -> Said:
        with _client(url) as client:
            reply = client.images.edit(model="m", image=("a.png", PNG, "image/png"), prompt=talk.question)
        return Said(reply.data[0].revised_prompt, whole=reply, image=True)
