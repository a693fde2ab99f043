"""Whether a pattern is too generic: how much of ordinary talk and of ordinary values it takes for findings.

A pattern may match 0.5 % of the lines of ordinary talk that are shipped in `data/ordinary_chat.txt`, and 2 % of the
values of each kind: numbers of 3 to 20 digits by their length, order ids, dates, times, UUIDs, hashes, versions,
prices, IP-like and measured values. More is noise: every fiftieth order number masked makes a chat useless, and
people switch off what cries wolf. The values come from a fixed seed, so the same pattern always has the same answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple
from uuid import UUID

from proxy_guard.detect.custom import ordinary_talk

LINES = 0.005
"""The share of lines of ordinary talk that a pattern may match."""
VALUES = 0.02
"""The share of the values of one kind that it may match."""
_SAMPLES = 3
_LONGEST_SAMPLE = 48
_NUMBERS, _OTHERS = 50, 100
TALK = "lines of ordinary talk"


class TooGeneric(NamedTuple):
    """What a pattern matches too much of: the share of it, the kind, and up to three of it."""

    rate: float
    kind: str
    samples: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(f"'{sample}'" for sample in self.samples)
        return f"too generic: it matches {self.rate * 100:.3g} % of {self.kind}, such as {shown}"


def too_generic(matches: Callable[[str], bool]) -> TooGeneric | None:
    """What is matched too much of, the worst of it; None where all is within bounds."""
    found = [_share(matches, TALK, ordinary_talk(), LINES)]
    found += [_share(matches, kind, values, VALUES) for kind, values in ordinary_values().items()]
    return max((each for each in found if each is not None), key=lambda each: each.rate, default=None)


def _share(matches: Callable[[str], bool], kind: str, texts: Iterable[str], most: float) -> TooGeneric | None:
    texts = list(texts)
    hits = [text for text in texts if matches(text)]
    if len(hits) <= most * len(texts):
        return None
    samples = (hit if len(hit) <= _LONGEST_SAMPLE else hit[: _LONGEST_SAMPLE - 1] + "…" for hit in hits[:_SAMPLES])
    return TooGeneric(len(hits) / len(texts), kind, tuple(samples))


@cache
def ordinary_values() -> dict[str, tuple[str, ...]]:
    """Two thousand values that are all over ordinary talk, by their kinds."""
    source = random.Random(20)  # noqa: S311 - the same values always, and nothing secret
    kinds: dict[str, tuple[str, ...]] = {}
    for digits in range(3, 21):
        first, last = 10 ** (digits - 1), 10**digits - 1
        kinds[f"numbers of {digits} digits"] = tuple(str(source.randint(first, last)) for _ in range(_NUMBERS))
    makers = {
        "order ids": _order,
        "dates": _date,
        "times": _time,
        "UUIDs": _uuid,
        "hashes of commits and files": _sha,
        "versions": _version,
        "prices": _price,
        "measures and counts": _measure,
        "tracking numbers": _tracking,
        "file names": _file,
        "grouped numbers": _grouped,
    }
    for kind, make in makers.items():
        kinds[kind] = tuple(make(source) for _ in range(_OTHERS))
    return kinds


def _order(source: random.Random) -> str:
    n = source.randint
    forms = (
        "ORD-{a:05d}",
        "#{a:06d}",
        "INV-2024-{b:04d}",
        "PO {c:07d}",
        "TKT-{b:04d}",
        "{l}{m}{d}-{b:04d}",
        "SO{c:07d}",
    )
    a, b, c, d = n(0, 99999), n(0, 9999), n(0, 9999999), n(0, 9)
    return source.choice(forms).format(a=a, b=b, c=c, d=d, l=_letter(source), m=_letter(source))


def _letter(source: random.Random) -> str:
    return source.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")


def _date(source: random.Random) -> str:
    y, m, d = source.randint(1990, 2030), source.randint(1, 12), source.randint(1, 28)
    forms = (
        "{y}-{m:02d}-{d:02d}",
        "{d:02d}/{m:02d}/{y}",
        "{m}/{d}/{s:02d}",
        "{d:02d}.{m:02d}.{y}",
        "{y}{m:02d}{d:02d}",
    )
    return source.choice(forms).format(y=y, m=m, d=d, s=y % 100)


def _time(source: random.Random) -> str:
    h, m, s = source.randint(0, 23), source.randint(0, 59), source.randint(0, 59)
    return source.choice(
        ("{h:02d}:{m:02d}", "{h:02d}:{m:02d}:{s:02d}", "{k}:{m:02d} pm", "{h:02d}:{m:02d}:{s:02d}Z")
    ).format(h=h, m=m, s=s, k=h % 12 + 1)


def _uuid(source: random.Random) -> str:
    return str(UUID(int=source.getrandbits(128), version=4))


def _sha(source: random.Random) -> str:
    size = source.choice((28, 160, 256))
    return f"{source.getrandbits(size):0{size // 4}x}"


def _version(source: random.Random) -> str:
    a, b, c = source.randint(0, 20), source.randint(0, 40), source.randint(0, 99)
    return source.choice(
        ("{a}.{b}.{c}", "v{a}.{b}.{c}", "{a}.{b}", "{a}.{b}.{c}-rc.1", "{a}.{b}.{c}+build.{c}")
    ).format(a=a, b=b, c=c)


def _price(source: random.Random) -> str:
    whole, cents = source.randint(1, 99999), source.randint(0, 99)
    forms = ("${w:,}.{c:02d}", "{w}.{c:02d} EUR", "₹{w:,}", "£{w}.{c:02d}", "USD {w}", "{w:,}.{c:02d}", "Rs. {w}")
    return source.choice(forms).format(w=whole, c=cents)


def _measure(source: random.Random) -> str:
    forms = ("{n} kg", "{n}ms", "{n} %", "{n} GB", "{n}x{m}", "{n} km", "{n}px", "{n} items", "{n}/{m}", "-{n}°C")
    return source.choice(forms).format(n=source.randint(0, 4000), m=source.randint(1, 4000))


def _tracking(source: random.Random) -> str:
    n, l, m = source.randint(10**8, 10**9 - 1), _letter(source), _letter(source)  # noqa: E741
    return source.choice(("1Z{n}{n}", "{l}{m}{n}GB", "JD0{n}{n}", "{l}{n}")).format(n=n, l=l, m=m)


def _file(source: random.Random) -> str:
    names = ("IMG_{n}.jpg", "report-{n}.pdf", "screenshot_{n}.png", "backup-{n}.tar.gz", "log.{n}", "v{n}_final.docx")
    return source.choice(names).format(n=source.randint(1, 99999999))


def _grouped(source: random.Random) -> str:
    a, b, c = source.randint(100, 999), source.randint(100, 999), source.randint(1000, 9999)
    return source.choice(("{a} {b} {c}", "{a}-{b}-{c}", "{c} {c} {c}", "{a},{b},{a}", "{a}.{b}")).format(a=a, b=b, c=c)
