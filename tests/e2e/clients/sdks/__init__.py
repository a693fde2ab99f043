"""The vendors' own clients: a class for each, whose public methods are calls.

A call takes the address of a door and the conversation to have, and gives what the client made of the reply. What it
imports is imported when it is called: some clients take seconds.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from tests.e2e.clients.planted import MAIL, PHONE


class Talk(NamedTuple):
    """What a client has to say: `found` is what a tool was called with, and what it gave back."""

    system: str
    question: str
    found: dict[str, Any]
    description: str
    """Of the tool's argument."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The tool's arguments as a JSON Schema."""
        to = {"type": "string", "description": self.description}
        return {"type": "object", "properties": {"to": to}, "required": ["to"]}


PLANTED = Talk(
    f"You are kind. The customer is {MAIL}.",
    f"My number is {PHONE}. Whom do I ask?",
    {"owner": MAIL, "open": True, "visits": 1.10},
    f"Its address, say {MAIL}.",
)
HARMLESS = Talk("You are kind.", "How do I cook rice?", {"open": True, "visits": 1.10}, "Its address.")


@dataclass
class Said:
    """What a client made of a reply: its text, the arguments of its tool call, and all of it.

    `image` says that the request held the picture.
    """

    text: str
    arguments: Any = None
    whole: Any = None
    image: bool = False


class Sdk:
    """A vendor's client. It raises `refusal` for a block, and `broken` where a stream that has begun ends with one."""

    refusal: ClassVar[str]
    broken: ClassVar[str] = ""
    mute: ClassVar[bool] = False
    """Its `broken` does not say why."""

    @classmethod
    def calls(cls) -> list[str]:
        """The names of its calls."""
        return [name for name in vars(cls) if not name.startswith("_") and inspect.isfunction(vars(cls)[name])]


class Ended(Exception):
    """What a caller makes of an event that tells of an error, where the client only hands it on."""


class Outcome(NamedTuple):
    """What came of a call: what the client said, with `shown` for all that it was given; or what it raised."""

    said: Said
    shown: bytes
    error: str = ""
    kinds: tuple[str, ...] = ()
    """Which of the client's two exceptions that was."""


def run(sdk: type[Sdk], name: str, url: str, talk: Talk) -> Outcome:
    """What comes of a call."""
    try:
        said = getattr(sdk(), name)(url, talk)
        found: Said = _loop().run(said) if inspect.iscoroutine(said) else said
    except Exception as error:  # noqa: BLE001 - which one it is, is what is asked
        kinds = tuple(each for each in (sdk.refusal, sdk.broken) if each and isinstance(error, _named(each)))
        shown = f"{error}\n{error!r}"
        return Outcome(Said(""), shown.encode(), f"{type(error).__name__}: {error}", kinds)
    shown = f"{found.text}\n{found.arguments}\n{found.whole}\n{found.whole!r}"
    return Outcome(replace(found, whole=None), shown.encode())


@functools.cache
def _loop() -> asyncio.Runner:
    """One for all calls: some clients keep connections for the next one."""
    return asyncio.Runner()


def _named(name: str) -> type[Exception]:
    module, _, name = name.rpartition(".")
    found: type[Exception] = getattr(importlib.import_module(module), name)
    return found
