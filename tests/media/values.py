"""Personal data made up for tests: each value passes the checks that recognizers make."""

from __future__ import annotations

import random
from dataclasses import dataclass

from stdnum import iban, luhn, verhoeff

FIRST = "Ravi Anita John Maria Lukas Sofia Peter Laura Karim Elena".split()
LAST = "Kumar Sharma Miller Rossi Weber Novak Brown Keller Haddad Petrova".split()


@dataclass(frozen=True, slots=True)
class Value:
    """A value with the word that people write before it."""

    kind: str
    label: str
    text: str


def phone(draw: random.Random) -> Value:
    digits = f"{draw.choice('6789')}{draw.randrange(10**9):09d}"
    return Value("phone", "Phone", draw.choice([f"+91 {digits[:5]} {digits[5:]}", f"+91{digits}", f"+91-{digits}"]))


def card(draw: random.Random) -> Value:
    body = "4" + "".join(str(draw.randrange(10)) for _ in range(14))
    digits = body + luhn.calc_check_digit(body)
    shown = " ".join(digits[at : at + 4] for at in range(0, 16, 4)) if draw.random() < 0.6 else digits
    return Value("card", "Card number", shown)


def aadhaar(draw: random.Random) -> Value:
    body = f"{draw.randrange(2, 10)}{draw.randrange(10**10):010d}"
    digits = body + verhoeff.calc_check_digit(body)
    return Value("aadhaar", "Aadhaar", f"{digits[:4]} {digits[4:8]} {digits[8:]}" if draw.random() < 0.6 else digits)


def pan(draw: random.Random) -> Value:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    text = "".join(draw.choices(letters, k=3)) + "P" + draw.choice(letters) + f"{draw.randrange(1, 10000):04d}"
    return Value("pan", "PAN", text + draw.choice(letters))


def iban_(draw: random.Random) -> Value:
    body = f"37040044{draw.randrange(10**10):010d}"
    text = f"DE{iban.calc_check_digits('DE00' + body)}{body}"
    return Value("iban", "IBAN", iban.format(text) if draw.random() < 0.5 else text)


def email(draw: random.Random) -> Value:
    name = f"{draw.choice(FIRST)}.{draw.choice(LAST)}{draw.randrange(100, 999)}".lower()
    return Value("email", "E-mail", f"{name}@{draw.choice(['example.com', 'mail.example.org'])}")


MAKERS = (phone, card, aadhaar, pan, iban_, email)


class Planted:
    """Values for one document; what was drawn is the truth."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.values: list[Value] = []

    def value(self) -> Value:
        made = self.draw.choice(MAKERS)(self.draw)
        self.values.append(made)
        return made

    def of(self, maker: object) -> Value:
        made: Value = maker(self.draw)  # type: ignore[operator]
        self.values.append(made)
        return made

    def line(self) -> str:
        """A sentence with a value in it."""
        made = self.value()
        return self.draw.choice([f"{made.label}: {made.text}", f"My {made.label} is {made.text}, please note."])

    def halves(self) -> tuple[str, str, str]:
        """The beginning of a sentence, and two halves of a value."""
        made = self.value()
        cut = self.draw.randrange(2, len(made.text) - 2)
        return f"{made.label}: ", made.text[:cut], made.text[cut:]
