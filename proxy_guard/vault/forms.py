"""The normal form of a value: what tells whether two ways of writing are the same value.

It decides which pseudonym a value gets and what is erased with it. It merges only what cannot be two: another person's
value must never come back. What comes back is the value as first written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SPACING = re.compile(r"[\s\-\u2010-\u2015]")
_DIALLING = re.compile(r"[\s\-\u2010-\u2015().\/]")


def _address(value: str) -> str:
    # RFC 5321, section 2.4: the domain has no case. A local part may have one, but no mail system in use tells
    # two people apart by it, and an erasure that missed "John@" for "john@" would be none.
    return value.lower()


def _phone(value: str) -> str:
    # The plus sign stays, and letters do: "+1 555…" is not "1555…" everywhere, nor an extension a part of the number.
    return _DIALLING.sub("", value)


def _number(value: str) -> str:
    return _SPACING.sub("", value).upper()


def _exact(value: str) -> str:
    return value


_FORMS: dict[str, Callable[[str], str]] = {
    "EMAIL_ADDRESS": _address,
    "PHONE_NUMBER": _phone,
    "CREDIT_CARD": _number,
    "IBAN_CODE": _number,
    "IN_AADHAAR": _number,
    "IN_PAN": _number,
    "US_SSN": _number,
}


def normal(entity: str, value: str) -> str:
    """The normal form of `value` as that entity."""
    return _FORMS.get(entity, _exact)(value)


def every_normal(value: str) -> set[str]:
    """The normal forms of `value` as whatever entity."""
    return {form(value) for form in (_exact, *_FORMS.values())}
