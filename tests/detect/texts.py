"""Texts for comparisons: values of every kind, near misses and noise, among words that matter and words that don't."""

from __future__ import annotations

import random

VALUES = [
    "9876543210", "+1 415-555-2671", "(212) 555-0134", "+91 98765 43210", "020 7946 0018", "4111 1111 1111 1111",
    "378282246310005", "6011-1111-1111-1117", "ravi@example.com", "a.b@c.co.uk", "192.168.1.1", "2001:db8::1", "::1",
    "DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "856-45-6789", "078-05-1120", "912-70-1234",
    "943 476 5919", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "A1234567", "X12345678", "123456789", "12345678901234",
    "2024-10-05", "10/05/2024", "5 Oct 2024", "https://www.example.com/a?b=c", "example.com", "dinner.ms",
    "AB1234563", "00:1A:2B:3C:4D:5E", "H1234567890123", "S12345678", "1.2.3.4", "$12.99", "ABCPE1234F", "BB1388568",
    "https://x.io", "John Smith", "Maria Gonzalez", "London", "New York City", "yesterday", "last Friday", "Indian",
]  # fmt: skip
WORDS = (
    "my phone number is call me the card account bank passport driver license social security ssn nhs ip address url "
    "website visit email us please I am he was licenses cards numbers calling called date birthday on wallet bitcoin "
    "iban medical certificate mac check routing taxpayer itin Mr. Smith permits identification: acct: US States it's "
    "don't you'd and of a to better ran phones numbering drove licensed lives in met who said that they will go"
).split()
OTHER_SCRIPTS = (
    "मेरा फ़ोन नंबर है ９８７６５４３２１０ ٩٨٧٦٥٤٣٢١٠ мой номер телефона 我的电话号码是 電話番号 전화번호 שלום מספר τηλέφωνο โทร é ñ ü ß İ ı ſ K "
    "👩‍👩‍👧 “quoted” – — … \u200b \u00a0 \u00ad ﬁ Å café naïve ４１１１ १२३४"
).split()
_NOISE = "0123456789-./: ABCxyz@()+"
_ENDS = [" "] * 6 + [", ", ": ", ":", "\n", ". ", "-", "(", ")", "; ", "  ", "\t"]


def generate(rng: random.Random, *, scripts: bool = False) -> str:
    """One text of up to thirty words."""
    out: list[str] = []
    for _ in range(rng.randint(1, 30)):
        kind = rng.random()
        if kind < 0.25:
            word = rng.choice(VALUES)
        elif kind < 0.3:
            word = "".join(rng.choice(_NOISE) for _ in range(rng.randint(3, 20)))
        elif scripts and kind < 0.6:
            word = rng.choice(OTHER_SCRIPTS)
        else:
            word = rng.choice(WORDS)
        out.append(word + rng.choice(_ENDS))
    return "".join(out)
