"""The keys of a vault: what is sealed under them, and the hashes by which it is found.

From each key of `guard.yaml` three are derived by HKDF-SHA256 (RFC 5869), with the file's own salt: one seals
(AES-256-GCM, NIST SP 800-38D; nonces are random, so that 2^32 values may be sealed under a key), one hashes
(HMAC-SHA256), and one is shown in the file, so that a wrong key is told at start.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator, Sequence
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field

from proxy_guard.errors import VaultError
from proxy_guard.secrets import CipherKey, key_bytes

_NONCE = 12


class VaultKey(BaseModel):
    """A key and the name by which the file knows it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = Field(
        description="Its name in the file; never used again for another key."
    )
    key: CipherKey = Field(description="32 bytes in base64 or hexadecimal, as ${env:NAME} or ${file:PATH}.")


class Key:
    """One key, derived for one file."""

    def __init__(self, key: VaultKey, salt: bytes) -> None:
        secret = key_bytes(key.key, (32,))

        def derived(purpose: bytes) -> bytes:
            info = b"proxy-guard vault v1 " + purpose
            return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)

        self.id = key.id
        self.check = derived(b"check")
        self._cipher = AESGCM(derived(b"cipher"))
        self._hashes = derived(b"lookup")

    def lookup(self, scope: str, entity: str, form: str) -> bytes:
        """The hash that stands for a value in a scope."""
        return hmac.digest(self._hashes, packed("lookup", scope, entity, form), hashlib.sha256)

    def subject(self, form: str) -> bytes:
        """The hash that stands for a value in whatever scope and role: what it is forgotten by."""
        return hmac.digest(self._hashes, packed("subject", form), hashlib.sha256)

    def seal(self, token: str, entity: str, scope: str, value: str) -> bytes:
        """Scope and value, readable only as those of this row."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, packed(scope, value), packed(self.id, token, entity))

    def open(self, token: str, entity: str, sealed: bytes) -> tuple[str, str]:
        """Scope and value. Raises VaultError where the row is not as it was written."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], packed(self.id, token, entity))
        except (InvalidTag, ValueError):
            raise VaultError("an entry of the vault was changed by something else, or is damaged") from None
        scope, value = unpacked(plain)
        return scope, value


class KeyRing:
    """The keys of a vault; the first is the current one."""

    def __init__(self, vault: str, keys: Sequence[VaultKey], salt: bytes) -> None:
        self._vault = vault
        self._keys = {key.id: Key(key, salt) for key in keys}
        self.current = next(iter(self._keys.values()))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def __getitem__(self, key: str) -> Key:
        try:
            return self._keys[key]
        except KeyError:
            raise VaultError(
                f"the vault '{self._vault}' holds values under the key '{key}', which is not configured"
            ) from None

    def verify(self, checks: Sequence[tuple[str, bytes]]) -> None:
        """Raises VaultError where the file has a key that is not configured, or another one of that name."""
        for key, check in checks:
            if not hmac.compare_digest(self[key].check, check):
                raise VaultError(
                    f"the key '{key}' of the vault '{self._vault}' is not the one that its file was made with"
                )


def packed(*texts: str) -> bytes:
    """Texts as bytes, each with its length before it, so that no two lists of texts are the same bytes."""
    # A lone surrogate, which JSON can hold, has no UTF-8 otherwise.
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return b"".join(len(each).to_bytes(4, "big") + each for each in encoded)


def unpacked(data: bytes) -> list[str]:
    """The texts that were packed."""
    texts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        texts.append(data[4 : 4 + size].decode("utf-8", "surrogatepass"))
        data = data[4 + size :]
    return texts
