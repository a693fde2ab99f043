"""What events have in common: read by shape or in full, an event says the same."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import anyio
import pytest

from proxy_guard.detect import pending as settling
from proxy_guard.guard import Guard
from proxy_guard.stream.framing import Event
from proxy_guard.stream.shape import Shapes, shape_of
from proxy_guard.stream.texts import Texts


def content(data: str) -> str | None:
    """The text of an event with one; None where anything else that counts is other than before."""
    event = json.loads(data)
    return event["text"] if event["kind"] == "delta" else None


def said(text: str, **others: Any) -> str:
    return json.dumps({"kind": "delta", "n": 1, "text": text, **others}, ensure_ascii=False)


def test_a_third_event_is_read_by_the_shape_of_two() -> None:
    shape = shape_of(said("one"), said("two"), content)
    assert shape is not None
    for text in ("three", ' "quoted"\n', "größe 👍", "\\", "x" * 1000):
        assert shape.text_in(said(text)) == text


def test_numbers_and_padding_that_no_one_reads_may_differ() -> None:
    shape = shape_of(said("one", n=7, pad="abc"), said("two", n=8, pad="ab"), content)
    assert shape is not None
    assert shape.text_in(said("three", n=123, pad="")) == "three"
    assert shape.text_in(said("three", n=1.5, pad="")) is None
    assert shape.text_in(said("three", n=True, pad="")) is None
    assert shape.text_in(said("three", n=1, pad=["x"])) is None


@pytest.mark.parametrize(
    "data",
    [
        said("three", kind="end"),
        said("three") + " ",
        said("three") + "{}",
        said("three")[:-1] + ', "text": "again"}',
        said(""),
        said("three").replace('"three"', "null"),
        said("three").replace('"three"', '["three"]'),
        said("three").replace("three", "th\nree"),
        said("three").replace("three", "\\ud83d"),
        said("three").replace("three", '3", "kind": "end", "x": "'),
        "[" * 5000,
        "",
    ],
)
def test_what_has_another_shape_is_read_in_full(data: str) -> None:
    shape = shape_of(said("one"), said("two"), content)
    assert shape is not None
    assert shape.text_in(data) is None


@pytest.mark.parametrize(
    ("before", "data"),
    [
        (said("one"), said("one")),  # no telling where the text stands
        (said("one", kind="x"), said("two")),  # what differs is looked at
        (said("one", a=1), said("two")),
        (said("one", a=1.25), said("two", a=1.75)),
        (said("one", a=-1), said("two", a=-2)),
        (said("one", a=1), said("two", a="1")),
        (said("one", x1=0), said("two", x2=0)),  # a name
    ],
)
def test_no_shape_is_seen_where_more_differs(before: str, data: str) -> None:
    assert shape_of(before, data, content) is None


def test_a_stream_without_a_shape_is_not_tried_for_ever() -> None:
    shapes: Shapes[str] = Shapes()
    tried: list[str] = []

    def reading(data: str) -> None:
        tried.append(data)

    for number in range(100):
        data = said(f"text {number}").encode()
        shapes.learn(Event(data, data), "", reading)
    assert len(tried) == 8


def test_most_events_of_a_reply_are_read_by_shape(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    full = Texts.take

    def counted(self: Texts, *given: Any) -> Any:
        read.append(given)
        return full(self, *given)

    monkeypatch.setattr(Texts, "take", counted)
    exchange = guard.open("POST", "http://test/v1/chat/completions")
    passage = exchange.stream(exchange.response(200, (("content-type", "text/event-stream"),)))
    assert passage is not None
    events = [
        b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}], "n": %d}\n\n' % (word.encode() + b" ", number)
        for number, word in enumerate("Meet me at the river, not at the lake.".split() * 10)
    ]
    out = b"".join([*(anyio.run(passage.feed, each) for each in events), anyio.run(partial(passage.feed, last=True))])
    assert out == b"".join(events)
    assert len(read) < 30  # of 90


WORDS = (
    "the a I on dot at Jane meet weather river pun punkt arro arroba café naïve you. it, we; do! reach com example mail b c"
    " po poi pointe dots atlas kuk ab12 9 10 jane@x x. é ö"
).split()


def test_prose_is_settled_as_it_is_word_for_word(monkeypatch: pytest.MonkeyPatch) -> None:
    from random import Random

    random = Random(1)
    texts: list[tuple[str, int]] = []
    for _ in range(3000):
        text = " ".join(random.choice(WORDS) for _ in range(random.randint(1, 14)))
        text = text[: random.randint(1, len(text))] + random.choice(["", "", " ", "\n", "."])
        texts.append((text, random.choice([0, *[n + 1 for n, char in enumerate(text) if char == " "]])))
    short = [settling.pending(*each) for each in texts]

    class Never:
        def match(self, *_: object) -> None: ...

    known = sum(settling._PROSE.match(*each) is not None for each in texts)
    assert known > 500
    monkeypatch.setattr(settling, "_PROSE", Never())
    assert [settling.pending(*each) for each in texts] == short
