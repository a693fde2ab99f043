"""The values that attacks carry, and beside each a harmless one of the same look.

`said` is a sentence in which a value is found when it stands there plainly. Of a value that is masked some characters may
stay readable; `shards` are what gives it away: once a text is folded to letters and digits, none may be in it.
"""

from __future__ import annotations

from dataclasses import dataclass


def _windows(text: str, size: int) -> tuple[str, ...]:
    return tuple(text[start : start + size] for start in range(len(text) - size + 1))


@dataclass(frozen=True)
class Value:
    kind: str
    plain: str
    said: str
    shards: tuple[str, ...]
    harmless: str
    harmless_said: str


VALUES = {
    each.kind: each
    for each in (
        Value(
            "email",
            "orla.quillfeather@example.com",
            "my e-mail is {}",
            ("quillfeather",),
            "nightly-snapshots",  # in threes, too, none of its parts is a name
            "the branch is called {}",
        ),
        Value(
            "card",
            "4539148803436467",
            "my card is {}",
            _windows("4539148803436467", 9),
            "4539148803436468",
            "the order number is {}",
        ),
        Value(
            "phone",
            "+919876543210",
            "my phone number is {}",
            _windows("9876543210", 7),
            "700411022118450",
            "the tracking number is {}",
        ),
        Value(
            "aadhaar",
            "498273150145",
            "my Aadhaar number is {}",
            _windows("498273150145", 8),
            "498273150114",
            "the serial number is {}",
        ),
        Value(
            "iban",
            "GB29NWBK60161331926819",
            "my IBAN is {}",
            _windows("gb29nwbk60161331926819", 12),
            "QX07NWBK60161331928571",
            "the product key is {}",
        ),
        Value(
            "name",
            "Maria Gonzalez",
            "My name is {}.",
            ("gonzalez",),
            "plain omelette",
            "I would like a {}.",
        ),
    )
}
