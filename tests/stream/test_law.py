"""The law of streams: however a reply is cut, what the client puts together is what the whole would have become.

Cases are made from seeds by a plain generator, which takes a tenth of the time that hypothesis does; a failure tells the
seed. `python -m tests.stream.test_law FORMAT FIRST LAST` runs those of some seeds.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from proxy_guard.codecs import Limits
from proxy_guard.guard import Guard
from proxy_guard.stream import FRAMERS
from tests.evasion.values import VALUES
from tests.evasion.ways import WAYS
from tests.stream import replies
from tests.stream.apis import WIRES, Named, Wire
from tests.stream.conftest import guard_of
from tests.stream.replies import cut

MANY = 20_000
_LONGEST = 200
_KINDS = [kind for kind in VALUES if kind != "name"]  # for which it takes a model
_WAYS = list(WAYS.values())
_ENDS = ("\n", "\n", "\r\n", "\r")


def text_of(rng: random.Random) -> str:
    """A reply: talk and values, whole or cut, in any order."""
    out: list[str] = []
    for _ in range(rng.randint(1, 9)):
        piece = rng.choice(replies.VALUES if rng.randrange(3) == 0 else replies.TALK)
        if rng.randrange(8) == 0:
            piece = disguised(rng)
        if rng.randrange(10) == 0:
            piece = piece[: rng.randint(1, len(piece))]
        out += [piece, rng.choice(replies.SEPARATORS)]
    return "".join(out)


def disguised(rng: random.Random) -> str:
    """A value written so that a guard might not see it, no longer than what a stream holds."""
    while True:
        value = VALUES[rng.choice(_KINDS)]
        piece = rng.choice(_WAYS)(value.plain)
        piece = value.said.format(piece) if rng.randrange(2) else piece
        if len(piece) <= _LONGEST:
            return piece


def events_of(rng: random.Random, wire: Wire, texts: Sequence[str]) -> list[Named]:
    """The events of a reply: its texts in pieces, which take turns."""
    sizes = [rng.randint(1, 14) for _ in range(rng.randint(1, 6))]
    waiting = [list(cut(text, sizes)) for text in texts]
    events: list[Named] = []
    while any(waiting):
        lane = rng.choice([n for n, pieces in enumerate(waiting) if pieces])
        document = wire.delta(lane, waiting[lane].pop(0))
        events.append((wire.event or str(document.get("type", "")), document))
    return events + wire.end(texts)


def body_of(rng: random.Random, form: str, wire: Wire, events: Sequence[Named]) -> bytes:
    """Its bytes."""
    plain = rng.randrange(2) == 0
    data = [(name, json.dumps(document, ensure_ascii=plain).encode()) for name, document in events]
    if wire.mark:
        data.append(("", b"[DONE]"))
    body = FRAMERS[form].body(data)
    if form == "sse":
        body = body.replace(b"\n", rng.choice(_ENDS).encode())
    return body.replace(b"\n", b"\r\n") if form == "ndjson" and plain else body


def read(form: str, body: bytes) -> list[Any]:
    """The documents of a stream."""
    framer = FRAMERS[form](Limits())
    found = [*framer.feed(body), *framer.close()]
    return [json.loads(each.data) for each in found if each.data not in (None, b"[DONE]")]


async def whole(guard: Guard, text: str) -> tuple[str, int]:
    """What becomes of a text that does not stream, and the code points of the longest run of touching findings in it."""
    body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
    exchange = guard.open("POST", "http://test/v1/chat/completions")
    verdict = await exchange.inspect(exchange.response(200, (("content-type", "application/json"),), body))
    assert verdict.action != "block", verdict
    longest = start = end = 0
    for each in sorted(verdict.findings, key=lambda each: each.start):
        start, end = start if each.start <= end else each.start, max(end, each.end)
        longest = max(longest, end - start)
    return str(json.loads(verdict.body)["choices"][0]["message"]["content"]), longest


def events_as_they_come(form: str, body: bytes) -> list[bytes]:
    """The bytes of each event."""
    framer = FRAMERS[form](Limits())
    return [each.raw for each in [*framer.feed(body), *framer.close()]]


def chunks_of(rng: random.Random, form: str, body: bytes) -> list[bytes]:
    """The bytes of a reply as they come: an event at a time, as from most servers, or cut anywhere."""
    if rng.randrange(3) == 0:
        return events_as_they_come(form, body)
    most = rng.choice((3, 40, 400))
    return list(cut(body, [rng.randint(1, most) for _ in range(rng.randint(1, 4))]))


async def streamed(guard: Guard, form: str, url: str, chunks: Sequence[bytes], at_once: int) -> bytes:
    """What becomes of a streamed reply whose chunks come one by one, or some of them `at_once`."""
    exchange = guard.open("POST", url)
    head = exchange.response(200, (("content-type", FRAMERS[form].media_types[0]),))
    passage = exchange.stream(head)
    assert passage is not None
    out = [await passage.feed(*chunks[n : n + at_once]) for n in range(0, len(chunks), at_once)]
    return b"".join([*out, await passage.feed(last=True)])


async def check(guard: Guard, form: str, seed: int) -> bool:
    """One case; whether the law is about it, which it is not where a finding is longer than what a stream holds.

    Raises AssertionError, with the seed, where it breaks the law.
    """
    rng = random.Random(f"{form} {seed}")
    wire = rng.choice(WIRES[form])
    texts = [text_of(rng) for _ in range(rng.randint(1, wire.lanes))]
    body = body_of(rng, form, wire, events_of(rng, wire, texts))
    chunks = chunks_of(rng, form, body)
    assert b"".join(chunks) == body
    went = await streamed(guard, form, wire.url, chunks, rng.choice((1, 1, 2, 7)))
    events = read(form, went)
    changed = False
    found = [await whole(guard, text) for text in texts]
    if any(longest > Limits().stream_hold for _, longest in found):
        return False
    for lane, (text, (expected, _)) in enumerate(zip(texts, found, strict=True)):
        changed |= expected != text
        assert wire.pieces(events, lane) == expected, (seed, wire.url, text)
        for again in wire.told_again(events, lane):
            assert expected in again, (seed, wire.url, text)
    assert changed or went == body, (seed, wire.url)
    return True


async def check_some(guard: Guard, form: str, seeds: range) -> None:
    judged = [await check(guard, form, seed) for seed in seeds]
    assert sum(judged) > 0.99 * len(seeds)


@pytest.mark.parametrize("form", WIRES)
def test_any_split(guard: Guard, form: str) -> None:
    anyio.run(check_some, guard, form, range(100))


@pytest.mark.parametrize(
    "text",
    [
        "a-j a n e @ e x . c o mGB write to\t9 8 7 6 5 4 3 2 1 0(",
        "my card is four five three nine one four eight eight zero three four three six four six seven, of course",
        "it is b3Js YS5x dWls bGZl YXRo ZXJA ZXhh bXBs ZS5j b20 as you know",
        "passport 123456789-my card is 52 53 51 57 49 52 56 56 48 51 52 51 54 52 54 55. 5555-5555-5555-4444  account ",
        "write to orla • .quillfeather • @example • .com or to jane, .doe, @example, .com then",
        'my card is ๔๕๓๙ привет/OTP 4 - item"E1 6AN',
        "v1.2.3.4: o'neil@mail.example.co.uk-B4111111111111111^DOE/JANE^25121010000000000?\n\n192.168.1.77) driver license",
        "98765 43210 I - reach me(for a very long while indeed\n\nmy card is VGtSVmVrOVVSVEJQUkdkM1RYcFJlazVxVVRKT2R6MDk=: 9",
        "9 8 7 6 5 4 3 2 1 0943 476 59191. my number is) "
        + "\U000e0061".join("orla.quillfeather@example.com")
        + "\tOTP 482 913 ",
        "tel:+14155552671 my IBAN is GB29\nNWBK\n6016\n1331\n9268\n19 and 0x2b, 0x39, 0x31, 0x39, 0x38 (read it backwards)) ",
        "int, passport\te-mailof\n\nJiM1MjsmIzUzOyYjNTE7JiM1NzsmIzQ5OyYjNTI7JiM1NjsmIzU2OyYjNDg7JiM1MTsmIzUyOyYjNTE7JiM1NDsm"
        'IzUyOyYjNTQ7JiM1NTs=/well-known"at home dot 482913 is your code. tel:+14155552671 ',
        "1.\n\nat home dot bank-j a n e @ e x . c o m, ",
        "1EG4-TE5-MK73: \u202e76 - x be ad fa ce) 9876\u200b543210 do "
        + ", ".join(f"0x{ord(char):x}" for char in "orla.quillfeather@example.com")
        + "-+1 415 555 2671  ",
        "GB29\tNWBK\t6016\t1331\t9268\t19, my e-mail is "
        "WWpOS2MxbFROWGhrVjJ4ellrZGFiRmxZVW05YVdFcEJXbGhvYUdKWVFuTmFVelZxWWpJd1BRPT0=: OTP/is. 3.14 3.14 and so on ",
        "1.) "
        + "".join(f"\\U{ord(digit):08x}" for digit in "498273150145")
        + "  my Aadhaar number is 498273\xad150145 ",
        "order no./10:30 - card) your code is 4829 192.168.1.77 and then we will see what becomes of it all in the end, "
        'account 123456789012\nmy IBAN is <~E,9)oF(HJ3DffP5FD,*)+EV:2F!,1<+DGpY+@eaR3DNXB9/\\IY2DI!D0f_!I3&*E9/Keh?AT/c+F8~>"',
        "write to orla.quillfeather@example.com\u0301, or to jane.doe@example.co\u0301m\u0301 and then we will see",
    ],
)
def test_one_character_at_a_time(guard: Guard, text: str) -> None:
    wire = WIRES["sse"][0]

    async def run() -> None:
        body = body_of(random.Random(0), "sse", wire, [("", wire.delta(0, char)) for char in text] + wire.end([text]))
        went = await streamed(guard, "sse", wire.url, events_as_they_come("sse", body), 1)
        expected, _ = await whole(guard, text)
        assert wire.pieces(read("sse", went), 0) == expected != text

    anyio.run(run)


@pytest.mark.slow
@pytest.mark.parametrize("form", WIRES)
def test_any_split_20_000_times(guard: Guard, form: str) -> None:
    anyio.run(check_some, guard, form, range(MANY))


async def _main(form: str, first: int, last: int) -> int:
    failures = beyond = 0
    with tempfile.TemporaryDirectory() as folder:
        guard = guard_of(Path(folder))
        for seed in range(first, last):
            try:
                beyond += not await check(guard, form, seed)
            except AssertionError as error:
                failures += 1
                print(form, seed, str(error).replace("\n", " ")[:900], flush=True)
    print(f"{form}: {last - first} cases, {failures} failures, {beyond} with a finding beyond the hold", flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(bool(anyio.run(_main, sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
