"""The chats that are sent: many, and no two messages alike, so that no cache of texts can help.

The words come from a seeded generator: every run sends the same bytes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["clean", "pii"]
KINDS: tuple[Kind, ...] = ("clean", "pii")
CARD = "4111 1111 1111 1111"

_ROLES = ("system", "user", "assistant", "user", "assistant", "user", "assistant", "user")
_LEAST = 190  # characters of a message; eight of them make about 2 KB of JSON
_SEED = 20
_WITH_DATA = {1: ("phone", "email"), 3: ("card",), 5: ("email",), 7: ("phone",)}
"""The messages of a pii chat that hold personal data, and which: all are the user's."""

_CHOICES = {
    "thing": "garden|kitchen|bicycle|bookshelf|window|curtain|kettle|workshop|lamp|carpet|guitar|tent",
    "part": "handle|corner|surface|frame|cover|edge|hinge|lining|base|middle",
    "quality": "loose|bright|heavy|quiet|narrow|smooth|dusty|uneven|warm|fragile|plain|sturdy",
    "verb": "repair|clean|move|paint|measure|replace|polish|lower|straighten|cover|store",
    "manner": "slowly|carefully|by hand|in small steps|without a hurry|before it rains|with a soft cloth",
    "reason": "the wood has started to swell|the neighbours like it that way|there is little room left"
    "|the light is better there|nobody else has the time|it would save some money|the old one is worn out",
}
_WORDS = {name: words.split("|") for name, words in _CHOICES.items()}
_TEMPLATES = (
    "I would like to {verb} the {quality} {thing} {manner}.",
    "The {part} of my {thing} is {quality}, and {reason}.",
    "Could you tell me how to {verb} the {part} of a {thing} {manner}?",
    "It helps to {verb} the {part} first, because {reason}.",
    "A {quality} {thing} is easier to {verb} when {reason}.",
    "Please explain why the {part} looks so {quality} even though {reason}.",
    "Most people {verb} their {thing} {manner} and then look at the {part}.",
    "If the {thing} stays {quality}, leave the {part} alone and {verb} the rest {manner}.",
)
_DATA_TEMPLATES = {
    "phone": (
        "Please call me back on {} about the {thing}.",
        "My number is {} if the {thing} arrives early.",
    ),
    "email": ("Send the plan for the {thing} to {} instead.", "My address for the {thing} is {} as before."),
    "card": (
        "Charge the {quality} {thing} to my card {} please.",
        "I paid for the {thing} with {} last time.",
    ),
}


@dataclass(frozen=True)
class Body:
    """One request body, its first message (which never holds personal data), and the personal data in it."""

    text: str
    opening: str
    secrets: tuple[str, ...] = ()


def generate(kind: Kind, count: int) -> list[Body]:
    """`count` different chats of that kind."""
    rng = random.Random(f"{_SEED} {kind}")
    seen: set[str] = set()
    return [_chat(rng, kind, seen) for _ in range(count)]


def sentences(rng: random.Random, count: int) -> list[str]:
    """`count` sentences of ordinary talk, without personal data."""
    return [_sentence(rng, rng.choice(_TEMPLATES)) for _ in range(count)]


def write(bodies: list[Body], file: Path) -> Path:
    """Writes one body per line, as the load generator reads them."""
    file.write_text("".join(f"{body.text}\n" for body in bodies))
    return file


def _chat(rng: random.Random, kind: Kind, seen: set[str]) -> Body:
    secrets: list[str] = []
    messages: list[dict[str, str]] = []
    for place, role in enumerate(_ROLES):
        wanted = _WITH_DATA.get(place, ()) if kind == "pii" else ()
        data = [(each, _DATA[each](rng)) for each in wanted]
        secrets += [value for _, value in data]
        text = _message(rng, data)
        while text in seen:
            text = _message(rng, data)
        seen.add(text)
        messages.append({"role": role, "content": text})
    chat = {"model": "gpt-4o-mini", "temperature": 0.7, "messages": messages}
    return Body(json.dumps(chat, separators=(",", ":")), messages[0]["content"], tuple(secrets))


def _message(rng: random.Random, data: list[tuple[str, str]]) -> str:
    sentences = [_sentence(rng, rng.choice(_DATA_TEMPLATES[name]), value) for name, value in data]
    while sum(map(len, sentences)) + len(sentences) < _LEAST:
        sentences.insert(rng.randint(0, len(sentences)), _sentence(rng, rng.choice(_TEMPLATES)))
    return " ".join(sentences)


def _sentence(rng: random.Random, template: str, *values: str) -> str:
    return template.format(*values, **{name: rng.choice(words) for name, words in _WORDS.items()})


def _phone(rng: random.Random) -> str:
    # All from ranges that are kept for films and examples.
    us, uk = f"{rng.randint(0, 99):02}", f"{rng.randint(0, 999):03}"
    return rng.choice((f"+1 415-555-01{us}", f"(212) 555-01{us}", f"+44 20 7946 0{uk}"))


def _email(rng: random.Random) -> str:
    first = rng.choice(("mira", "jonas", "elena", "omar", "ruth"))
    last = rng.choice(("hill", "weber", "rossi", "khan"))
    host = rng.choice(("example.com", "example.org", "mail.example.net"))
    return f"{first}.{last}{rng.randint(10, 999)}@{host}"


_DATA: dict[str, Callable[[random.Random], str]] = {"phone": _phone, "email": _email, "card": lambda _: CARD}
