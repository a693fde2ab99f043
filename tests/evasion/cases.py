"""The cases: every value in every disguise, in every place, split in every way; beside each attack its harmless twin.

In requests, in replies, whole and streamed, and over WebSockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

from tests.evasion.benign import BENIGN, DOCUMENTS
from tests.evasion.carriers import CARRIERS, HELLO, Carrier, Request, chat, dumps, user
from tests.evasion.replies import (
    ANSWERED_SPLITS,
    ANSWERS,
    STREAM_CUTS,
    STREAMS,
    TALKS,
    Answered,
    Reply,
    Talk,
    cut_every,
)
from tests.evasion.splits import CUTS, SPLITS
from tests.evasion.upstream import MESSAGES
from tests.evasion.values import VALUES, Value
from tests.evasion.ways import WAYS, Way


@dataclass(frozen=True)
class Case:
    """`shards` are what may not be read from what arrives; a twin, which has none, has to arrive as it was sent."""

    name: str
    request: Request
    shards: tuple[str, ...] = ()
    reply: Reply | None = None
    talk: Talk | None = None

    @property
    def answered(self) -> bool:
        """Whether it is the client that something arrives at."""
        return self.reply is not None or (self.talk is not None and bool(self.talk.told))

    @property
    def body(self) -> bytes:
        """What is on its way."""
        if self.talk:
            return MESSAGES.join(self.talk.told or self.talk.said).encode()
        return self.reply.body if self.reply else self.request.body


def _plain(text: str) -> str:
    return text


def _pair(name: str, value: Value, way: Way, carrier: Carrier) -> Iterator[Case]:
    if way is _plain or way(value.plain) != value.plain:
        yield Case(name, carrier(value.said.format(way(value.plain))), value.shards)
    if way is _plain or way(value.harmless) != value.harmless:
        yield Case(f"{name} (twin)", carrier(value.harmless_said.format(way(value.harmless))))


def _in_a_message(text: str) -> Request:
    return chat(user(text))


def disguised() -> list[Case]:
    """Every way, for every value it changes."""
    return [
        case
        for way in WAYS
        for value in VALUES.values()
        for case in _pair(f"{value.kind}, {way}", value, WAYS[way], _in_a_message)
    ]


def placed() -> list[Case]:
    """Every place, with every value as it is written plainly."""
    return [
        case
        for carrier in CARRIERS
        for value in VALUES.values()
        for case in _pair(f"{value.kind} in {carrier}", value, _plain, CARRIERS[carrier])
        if carrier not in REFUSED or case.shards
    ]


REFUSED = {"unknown path", "unknown method", "multipart file name"}
"""Places where nothing passes by these rules, whatever it is."""


def split() -> list[Case]:
    """Every way to take a text apart, cut in several ways."""
    return [
        case
        for name, spread in SPLITS.items()
        for cut_name, cut in CUTS.items()
        for value in VALUES.values()
        for case in (
            Case(
                f"{value.kind} in {cut_name}, {name}",
                spread(cut(value.said.format(value.plain), value.plain)),
                value.shards,
            ),
            Case(
                f"{value.kind} in {cut_name}, {name} (twin)",
                spread(cut(value.harmless_said.format(value.harmless), value.harmless)),
            ),
        )
    ]


_HELLO = chat(HELLO)


def _answered(answered: Answered) -> dict[str, Any]:
    return {"request": answered[0], "reply": answered[1]}


def answered() -> list[Case]:
    """Replies: every way in one place, every place and every split with what is written plainly."""
    found = [
        case
        for way in WAYS
        for value in VALUES.values()
        for case in _changed(
            f"{value.kind}, {way}, answered", lambda t, _: _answered(ANSWERS["chat answer"](t)), value, WAYS[way]
        )
    ]
    for place, answer in ANSWERS.items():
        for value in VALUES.values():
            found += _changed(f"{value.kind} in {place}", lambda t, _, a=answer: _answered(a(t)), value, _plain)
    for name, spread in ANSWERED_SPLITS.items():
        for cut_name, cut in CUTS.items():
            for value in VALUES.values():
                found += _changed(
                    f"{value.kind} in {cut_name}, {name}",
                    lambda t, v, s=spread, c=cut: _answered(s(c(t, v))),
                    value,
                    _plain,
                )
    return found


def streamed() -> list[Case]:
    """Streamed replies: every way in the text of a chat, every other place with what is written plainly, cut in all ways."""
    cuts = list(STREAM_CUTS.items())
    found: list[Case] = []
    for number, (way, value) in enumerate(product(WAYS, VALUES.values())):
        cut_name, cut = cuts[number % len(cuts)]
        found += _changed(
            f"{value.kind}, {way}, streamed in {cut_name}",
            lambda t, v, c=cut: _answered(STREAMS["streamed content"](c(t, v))),
            value,
            WAYS[way],
        )
    for (name, stream), (cut_name, cut), value in product(STREAMS.items(), cuts, VALUES.values()):
        found += _changed(
            f"{value.kind} in {cut_name}, {name}", lambda t, v, s=stream, c=cut: _answered(s(c(t, v))), value, _plain
        )
    return found


def talked() -> list[Case]:
    """WebSockets, in both directions."""
    cuts = list(STREAM_CUTS.items())
    found: list[Case] = []
    for number, (way, value) in enumerate(product(WAYS, VALUES.values())):
        name = ("said at once", "told in deltas")[number % 2]
        cut = cuts[number % len(cuts)][1]
        found += _changed(
            f"{value.kind}, {way}, {name}",
            lambda t, v, s=TALKS[name], c=cut: {"request": _HELLO, "talk": s(c(t, v))},
            value,
            WAYS[way],
        )
    for (name, talk), (cut_name, cut), value in product(TALKS.items(), cuts, VALUES.values()):
        found += _changed(
            f"{value.kind} in {cut_name}, {name}",
            lambda t, v, s=talk, c=cut: {"request": _HELLO, "talk": s(c(t, v))},
            value,
            _plain,
        )
    return found


def _changed(name: str, make: Callable[..., dict[str, Any]], value: Value, way: Way) -> Iterator[Case]:
    """An attack and its twin, each where the way changes its value; `make` takes a sentence and the value in it."""
    for plain, said, shards, more in (
        (value.plain, value.said, value.shards, ""),
        (value.harmless, value.harmless_said, (), " (twin)"),
    ):
        hidden = way(plain)
        if way is _plain or hidden != plain:
            yield Case(name + more, shards=shards, **make(said.format(hidden), hidden))


def benign() -> list[Case]:
    """Texts that hold nothing, by policy `mask`: in a request, and in a streamed reply."""
    found = []
    for number, text in enumerate(BENIGN):
        request = chat(user(text))
        found.append(Case(f"benign {number}", _plain_path(request)))
        asked, reply = STREAMS["streamed content"](cut_every(number % 7 + 1)(text, ""))
        found.append(Case(f"benign {number}, streamed", _plain_path(asked), reply=reply))
    for number, document in enumerate(DOCUMENTS):
        request = Request("/plain/any", dumps(document))
        found.append(Case(f"benign document {number}", request))
        found.append(Case(f"benign document {number}, answered", request, reply=Reply((dumps(document),))))
        found.append(Case(f"benign document {number}, as arguments", _plain_path(_call(document))))
    return found


def _plain_path(request: Request) -> Request:
    return replace(request, path=f"/plain{request.path}")


def _call(document: Any) -> Request:
    function = {"name": "f", "arguments": dumps(document).decode()}
    return chat({"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]})


def every() -> list[Case]:
    """In all."""
    return [*disguised(), *placed(), *split(), *answered(), *streamed(), *talked(), *benign()]


@cache
def sample() -> list[Case]:
    """Of every way, place and split some values, in turn, so that each value meets many of them; of twins fewer."""
    kinds = ((disguised(), 5), (placed(), 7), (split(), 17), (answered(), 29), (streamed(), 31), (talked(), 31))
    return [
        case
        for some, step in kinds
        for attack, every_nth in ((True, step), (False, 2 * step + 1))
        for case in [each for each in some if bool(each.shards) is attack][::every_nth]
    ] + benign()[::2]
