"""Personal data that no message of the guard's may hold on the other side, and how it is found there.

Each number gives values of its own, so that what arrives tells which message it was of. Requests and replies have
values of different kinds: those of a request must not reach the upstream, those of a reply not the client.
"""

from __future__ import annotations

import io
import re
from functools import cache

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

ASKED, ANSWERED = "asked", "answered"
_DOMAIN = {ASKED: "asked-canary.com", ANSWERED: "answered-canary.com"}
_PHONE = {ASKED: "+91981", ANSWERED: "+91992"}
_CARD = {ASKED: "411111", ANSWERED: "422222"}
LEAKS = {
    side: re.compile(
        "|".join(
            (
                rf"[a-z]+\.\d+@{re.escape(_DOMAIN[side])}",
                rf"{re.escape(_PHONE[side])}\d{{7}}",
                rf"{_CARD[side]}\d{{10}}",
            )
        ).encode()
    )
    for side in (ASKED, ANSWERED)
}


def mailbox(side: str, number: int) -> str:
    return f"ravi.{number}@{_DOMAIN[side]}"


def phone(side: str, number: int) -> str:
    return f"{_PHONE[side]}{number % 10**7:07d}"


def card(side: str, number: int) -> str:
    digits = f"{_CARD[side]}{number % 10**9:09d}"
    doubled = [int(each) * (2 - place % 2) for place, each in enumerate(digits)]
    total = sum(each - 9 if each > 9 else each for each in doubled)
    return f"{digits}{-total % 10}"


def sentence(side: str, number: int) -> str:
    return f"Call {phone(side, number)}, write to {mailbox(side, number)} or charge {card(side, number)}."


@cache
def picture(side: str, number: int) -> bytes:
    """A PNG with an address in its pixels, and all of the values in its metadata, where a search of the bytes finds them."""
    drawn = Image.new("RGB", (640, 120), "white")
    ImageDraw.Draw(drawn).text((20, 40), f"write to {mailbox(side, number)}", "black", ImageFont.load_default(28))
    info = PngInfo()
    info.add_text("Comment", sentence(side, number))
    out = io.BytesIO()
    drawn.save(out, "PNG", pnginfo=info)
    return out.getvalue()
