"""The limits that an operator writes; their defaults are in `codecs.Limits`."""

from __future__ import annotations

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from proxy_guard.rules.reading import FileModel


class LimitsRule(FileModel):
    """What a message may be, at most."""

    body: PositiveInt | None = Field(default=None, description="Bytes on the wire.")
    decoded: PositiveInt | None = Field(default=None, description="Bytes after Content-Encoding is taken off.")
    ratio: PositiveInt | None = Field(default=None, description="Decoded bytes per byte on the wire.")
    depth: PositiveInt | None = Field(default=None, description="Levels of nesting of JSON.")
    nodes: PositiveInt | None = Field(default=None, description="Values in JSON, by its commas and opening brackets.")
    strings: PositiveInt | None = Field(
        default=None, description="Texts of a message that are inspected, numbers and names among them."
    )
    parts: PositiveInt | None = Field(default=None, description="Parts of a multipart body.")
    headers: PositiveInt | None = Field(default=None, description="Header fields of a message.")
    findings: PositiveInt | None = Field(default=None, description="Findings in a message.")
    in_flight: PositiveInt | None = Field(default=None, description="Messages that are inspected at a time.")
    stream_hold: PositiveInt | None = Field(
        default=None, description="Characters of a streamed text that are held while they may be part of a finding."
    )
    time: PositiveFloat | None = Field(default=None, description="Seconds for the scrubbing of one message.")
    large: PositiveInt | None = Field(
        default=None, description="Bytes of a body, decoded, above which a worker process inspects the message."
    )
    workers: NonNegativeInt | None = Field(default=None, description="Worker processes; 0: threads in their place.")
    queue: NonNegativeInt | None = Field(default=None, description="Large messages that may wait for a worker.")
    worker_memory: PositiveInt | None = Field(
        default=None, description="Bytes that a worker may take beyond what it starts with."
    )
    media_items: PositiveInt | None = Field(default=None, description="Media in one message.")
    media_size: PositiveInt | None = Field(default=None, description="Bytes of one medium, its base64 taken off.")
    media_time: PositiveFloat | None = Field(default=None, description="Seconds for one medium.")
    media_workers: NonNegativeInt | None = Field(
        default=None, description="Processes that scrub media; 0: threads in their place, without a bound on memory."
    )
    media_queue: NonNegativeInt | None = Field(default=None, description="Media that may wait for one of them.")
    media_memory: PositiveInt | None = Field(
        default=None, description="Bytes that such a process may take beyond what it starts with."
    )
    media_cache: NonNegativeInt | None = Field(
        default=None, description="Bytes of scrubbed media that are kept for when they come again; 0: none."
    )
