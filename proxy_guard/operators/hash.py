"""`hash`: a keyed hash, the same for the same value, useless to who lacks the key."""

from __future__ import annotations

import hmac
from typing import Literal

from pydantic import Field

from proxy_guard.operators import Operator
from proxy_guard.secrets import Key


class Hash(Operator):
    """HMAC (RFC 2104) of entity and value in hexadecimal.

    Keyed, since a plain hash of a phone number is reversed by trying them all; over the entity too, so that
    one value has unrelated hashes in different roles.
    """

    key: Key = Field(description="The key, 16 bytes or more, as ${env:NAME} or ${file:PATH}.")
    algorithm: Literal["sha256", "sha512"] = "sha256"
    length: int = Field(default=64, ge=16, le=128, description="Hexadecimal digits to keep, at most.")

    def operate(self, value: str, entity: str) -> str:
        """The hash of `value`."""
        key = self.key.get_secret_value().encode()
        return hmac.new(key, f"{entity}\0{value}".encode(), self.algorithm).hexdigest()[: self.length]
