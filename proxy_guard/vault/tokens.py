"""New pseudonyms, drawn from the system's random source: they tell nothing of the value and can't be guessed.

| style | looks like | random bits |
|---|---|---|
| `token` | `EMAIL_ADDRESS_` and 26 characters of lower-case base32 (RFC 4648) | 128 |
| `uuid` | a UUID of version 4 (RFC 9562) | 122 |
| `email` | 26 such characters at the configured domain | 128 |
| `phone` | `+999` and 12 digits: E.164 allows no more than 15, and gives 999 to nobody | 39 |
"""

from __future__ import annotations

import base64
import secrets
import uuid

from proxy_guard.vault import Style

PHONE_PREFIX = "+999"
SHORT = len(PHONE_PREFIX) + 12
"""The length of pseudonyms so short that one could be drawn twice: a vault remembers those that it erased."""


def draw(style: Style, entity: str, email_domain: str) -> str:
    """A new pseudonym."""
    match style:
        case "token":
            return f"{entity}_{_characters()}"
        case "uuid":
            return str(uuid.uuid4())
        case "email":
            return f"{_characters()}@{email_domain}"
        case "phone":
            return f"{PHONE_PREFIX}{secrets.randbelow(10**12):012d}"


def _characters() -> str:
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
