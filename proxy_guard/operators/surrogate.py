"""`surrogate`: a made-up value that looks like the real one."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from pydantic import Field, PrivateAttr, field_validator

from proxy_guard.errors import MissingExtra
from proxy_guard.operators import Operator
from proxy_guard.operators.fpe import luhn
from proxy_guard.secrets import Key

type _Fake = Any
"""Faker's generator, whose methods come from its providers at run time."""

_TRIES = 16
_FAMILY_FIRST = frozenset({"hu", "ja", "ko", "vi", "zh"})
_CARD = re.compile(r"(?:[0-9][ -]?){15}[0-9]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_ALIKE = frozenset({"example", "org", "https", "http", "www"})
"""Words that stand-ins share with many values and that tell nothing."""

_PHONES = {"DE": "+49 30 23125 ###", "FR": "+33 6 39 98 ## ##", "GB": "+44 7700 900###"}
_AREAS = tuple(100 * n + m for n in range(2, 10) for m in (*range(1, 10), *range(12, 20)))
"""Area codes of North America, the older ones."""


def _person(fake: _Fake, value: str, locale: str) -> str:
    if locale[:2] in _FAMILY_FIRST:
        return str(fake.name())
    return f"{fake.first_name()} {fake.last_name()}" if len(value.split()) > 1 else str(fake.first_name())


def _email(fake: _Fake, value: str, locale: str) -> str:
    return f"{fake.user_name()}@example.org"


def _phone(fake: _Fake, value: str, locale: str) -> str:
    draw = fake.random
    form = _PHONES.get(locale[-2:]) or f"+1 {draw.choice(_AREAS)}-555-01##"
    return re.sub("#", lambda _: str(draw.randrange(10)), form)


def _location(fake: _Fake, value: str, locale: str) -> str:
    return str(fake.city())


def _card(fake: _Fake, value: str, locale: str) -> str:
    body = f"400000{fake.random.randrange(10**9):09}"
    number = next(body + check for check in "0123456789" if luhn([int(digit) for digit in body + check]))
    if not _CARD.fullmatch(value):
        return number
    digits = iter(number)
    return re.sub("[0-9]", lambda _: next(digits), value)


def _iban(fake: _Fake, value: str, locale: str) -> str:
    account = f"{fake.random.randrange(10**14):014}"
    number = "".join(str(int(char, 36)) for char in f"TEST{account}GB00")
    return f"GB{98 - int(number) % 97:02}TEST{account}"


def _ip(fake: _Fake, value: str, locale: str) -> str:
    draw = fake.random
    if ":" in value:
        return f"2001:db8::{draw.randrange(1, 1 << 16):x}:{draw.randrange(1, 1 << 16):x}"
    return f"{draw.choice(('192.0.2', '198.51.100', '203.0.113'))}.{draw.randrange(1, 255)}"


def _mac(fake: _Fake, value: str, locale: str) -> str:
    mark = "-" if "-" in value else ":"
    return mark.join(("00", "00", "5E", "00", "53", f"{fake.random.randrange(256):02X}"))


def _domain(fake: _Fake, value: str, locale: str) -> str:
    return f"{fake.domain_word()}.example.org"


def _url(fake: _Fake, value: str, locale: str) -> str:
    return f"https://{fake.domain_word()}.example.org/"


def _ssn(fake: _Fake, value: str, locale: str) -> str:
    draw = fake.random
    return f"9{draw.randrange(100):02}-{draw.randrange(1, 50):02}-{draw.randrange(1, 10000):04}"


_PROVIDERS: dict[str, Callable[[_Fake, str, str], str]] = {
    "CREDIT_CARD": _card,
    "DOMAIN_NAME": _domain,
    "EMAIL_ADDRESS": _email,
    "IBAN_CODE": _iban,
    "IP_ADDRESS": _ip,
    "LOCATION": _location,
    "MAC_ADDRESS": _mac,
    "PERSON": _person,
    "PHONE_NUMBER": _phone,
    "URL": _url,
    "US_SSN": _ssn,
}
ENTITIES = frozenset(_PROVIDERS)
"""The entities that have stand-ins."""

_WRITTEN_IN_GROUPS = frozenset({"CREDIT_CARD", "IBAN_CODE", "MAC_ADDRESS", "PHONE_NUMBER", "US_SSN"})


class Surrogate(Operator):
    """A stand-in made by Faker, drawn from HMAC-SHA256 (RFC 2104) of entity and value.

    The same value has the same stand-in in every message under one key, whatever its case, width (Unicode NFKC) and
    spacing, and for numbers whatever separates their groups. Names and places are those of the installed Faker: another
    version of it may give others. Two values can have the same stand-in; there is no way back.

    What could belong to someone comes from what is set aside for examples: e-mail, domain and URL under example.org
    (RFC 2606), IP addresses of RFC 5737 and RFC 3849, MAC addresses of RFC 7042, phone numbers of the ranges kept for
    fiction in North America (555-0100 to 0199), Great Britain, France and Germany, cards that pass the Luhn check under
    4000 00, IBANs (ISO 13616) of a bank TEST, numbers of the form of a US_SSN that are given to nobody.

    A stand-in that repeats the value or a word of it is drawn anew. An entity without stand-ins, and a value for which
    none is found, is replaced by the entity's name in angle brackets.
    """

    key: Key = Field(description="The key, 16 bytes or more, as ${env:NAME} or ${file:PATH}.")
    locale: str = Field(
        default="en_US", description="The locale of names, places and phone numbers, as Faker names it."
    )

    _fakes: SimpleQueue[_Fake] = PrivateAttr()

    @field_validator("locale")
    @classmethod
    def _known(cls, locale: str) -> str:
        _factory()
        from faker.config import AVAILABLE_LOCALES  # noqa: PLC0415

        if locale not in AVAILABLE_LOCALES:
            raise ValueError(f"unknown locale '{locale}'")
        return locale

    def model_post_init(self, context: Any, /) -> None:
        """Makes the one generator, which is handed from call to call: seeding and drawing have to be one step."""
        self._fakes = SimpleQueue()
        self._fakes.put(_factory().create(self.locale, use_weighting=False))

    def operate(self, value: str, entity: str) -> str:
        """The stand-in for `value`."""
        provider = _PROVIDERS.get(entity)
        if provider is None:
            return f"<{entity}>"
        seed = self._seed(value, entity)
        fake = self._fakes.get()
        try:
            fake.seed_instance(seed)
            drawn = (provider(fake, value, self.locale) for _ in range(_TRIES))
            return next((each for each in drawn if not _repeats(value, each)), f"<{entity}>")
        finally:
            self._fakes.put(fake)

    def _seed(self, value: str, entity: str) -> int:
        plain = _compact(value) if entity in _WRITTEN_IN_GROUPS else _folded(value)
        key = self.key.get_secret_value().encode()
        seeded = f"surrogate\0{entity}\0{plain}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hmac.digest(key, seeded, hashlib.sha256), "big")


def _factory() -> Any:
    try:
        from faker import Factory  # noqa: PLC0415
    except ImportError:
        raise MissingExtra("the operator 'surrogate'", "surrogate") from None
    return Factory


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _compact(text: str) -> str:
    return "".join(char for char in _folded(text) if char.isalnum())


def _repeats(value: str, made: str) -> bool:
    """Whether a stand-in gives the value away, whole or in part."""
    folded, compact, stand_in = _folded(value), _compact(value), _folded(made)
    if value in made or folded in stand_in or (compact and compact in _compact(made)):
        return True
    return any(word in stand_in for word in set(_WORD.findall(folded)) - _ALIKE)
