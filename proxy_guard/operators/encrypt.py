"""`encrypt`: a token in place of the value, which the holder of the key turns back."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field, PrivateAttr

from proxy_guard.operators import Operator
from proxy_guard.secrets import CipherKey, key_bytes

PREFIX = "pge1_"
"""What every token starts with; the digit is the version of its form."""

_NONCE = 12
_TAG = 16


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _encoded(text: str) -> bytes:
    # A lone surrogate, which JSON can hold, has no UTF-8 otherwise.
    return text.encode("utf-8", "surrogatepass")


class Encrypt(Operator):
    """AES-256-GCM (NIST SP 800-38D) of the value, with the entity as associated data.

    The token is `pge1_` and the URL-safe base64 (RFC 4648, section 5, unpadded) of nonce, ciphertext and tag. Two keys,
    for the cipher and for nonces, are derived from `key` by HKDF-SHA256 (RFC 5869).

    `deterministic` takes as nonce the first 96 bits of an HMAC-SHA256 (RFC 2104) of entity and value, so that the same
    value has the same token as long as the key stays. The price: who sees two tokens sees whether their values are
    equal. Two values share a nonce by chance only, as with random ones, and then both would lie open, so SP 800-38D
    (section 8.3) allows 2^32 different values with one key. Without `deterministic` the nonce is drawn at random for
    each finding; that is the one thing here that is not a function of the settings and the value. Either way a token
    tells the length of its value.
    """

    key: CipherKey = Field(description="The key, 32 bytes in base64 or hexadecimal, as ${env:NAME} or ${file:PATH}.")
    deterministic: bool = Field(default=True, description="The same value has the same token.")

    _cipher: AESGCM = PrivateAttr()
    _nonces: bytes = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Derives the two keys."""
        secret = key_bytes(self.key, (32,))
        self._cipher = AESGCM(_derived(secret, b"proxy-guard encrypt v1 cipher"))
        self._nonces = _derived(secret, b"proxy-guard encrypt v1 nonce")

    def operate(self, value: str, entity: str) -> str:
        """The token of `value`."""
        plain, role = _encoded(value), _encoded(entity)
        nonce = self._nonce(plain, role)
        sealed = nonce + self._cipher.encrypt(nonce, plain, role)
        return PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def decrypt(self, token: str, entity: str) -> str:
        """The value that `token` was made of, as that entity. Raises ValueError for any other token."""
        if not token.startswith(PREFIX):
            raise ValueError("not a token of this operator")
        text = token.removeprefix(PREFIX)
        try:
            sealed = base64.b64decode(_padded(text), altchars=b"-_", validate=True)
        except ValueError:
            raise ValueError("the token is garbled") from None
        # One value, one spelling: base64 has several, by the bits that its last character leaves unused.
        if len(sealed) < _NONCE + _TAG or base64.urlsafe_b64encode(sealed).decode().rstrip("=") != text:
            raise ValueError("the token is garbled")
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _encoded(entity))
        except InvalidTag:
            raise ValueError("the token is of another key or entity, or was changed") from None
        return plain.decode("utf-8", "surrogatepass")

    def _nonce(self, plain: bytes, role: bytes) -> bytes:
        if self.deterministic:
            # The length in front, so that no two pairs of entity and value are hashed alike.
            counted = len(role).to_bytes(4, "big") + role + plain
            return hmac.digest(self._nonces, counted, hashlib.sha256)[:_NONCE]
        # The random source of `cryptography`, which is the system's.
        return AESGCM.generate_key(128)[:_NONCE]


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)
