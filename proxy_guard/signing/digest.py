"""Signatures in a header over the body and what stands before it: HMAC (RFC 2104), or RSA with PKCS #1 v1.5 padding."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from proxy_guard.model import Message
from proxy_guard.signing import Secrets, Unsignable, Unverified, has_header, header_of, public, with_header

Algorithm = Literal["hmac-sha1", "hmac-sha256", "hmac-sha512", "rsa-sha256"]
Encoding = Literal["hex", "base64"]
KeyForm = Literal["text", "hex", "base64"]
_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = ("body", "timestamp", "url", "method")
_PREHASHED = utils.Prehashed(hashes.SHA256())
_MILLISECONDS = 1e11  # no clock of today tells so many seconds


@dataclass(frozen=True, slots=True)
class Digest:
    """One such scheme. `signed` has `{body}`, `{timestamp}`, `{url}`, `{method}` and `{header:NAME}` filled in.

    A request whose `timestamp` header is more than `max_age` seconds away from now is stale.
    """

    header: str
    algorithm: Algorithm = "hmac-sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    signed: str = "{body}"
    timestamp: str | None = None
    max_age: float | None = None
    key: KeyForm = "text"
    checked_first: bool = field(default=True, init=False)

    def faults(self) -> str:
        """What is wrong with `signed`, or nothing."""
        names = _PLACE.findall(self.signed)
        for name in names:
            if name not in _PLACES and not name.startswith("header:"):
                return f"unknown placeholder {{{name}}}; known: {', '.join(_PLACES)}, header:NAME"
        if "body" not in names:
            return "what is signed has no {body}"
        if (self.timestamp is None) == ("timestamp" in names):
            return "`timestamp` names a header, and {timestamp} in `signed` is its value: it takes both"
        return ""

    def carried(self, message: Message) -> bool:
        """Whether its header is there."""
        return has_header(message, self.header)

    def content(self, message: Message) -> tuple[bytes, ...]:
        """The pieces that are signed."""
        return self.pieces(message, None)

    def pieces(self, message: Message, public_url: str | None) -> tuple[bytes, ...]:
        """The same for a request that was sent to `public_url`."""
        parts: list[bytes] = []
        for number, part in enumerate(_PLACE.split(self.signed)):
            if number % 2 == 0:
                parts.append(part.encode())
            elif part == "body":
                parts.append(message.body)
            elif part == "url":
                parts.append(public(message.url, public_url).encode())
            elif part == "method":
                parts.append(message.method.encode())
            else:
                name = self.timestamp or "" if part == "timestamp" else part.removeprefix("header:").lower()
                parts.append(header_of(message, name).encode("latin-1"))
        return tuple(parts)

    def bind(self, secrets: Secrets) -> _Bound:
        """With the keys that the secrets write."""
        if self.algorithm == "rsa-sha256":
            verifiers = [_rsa_verifier(text) for text in secrets.given]
            makers: list[_Make | None] = [None for _ in verifiers]
            own = _rsa_maker(secrets.sign_with) if secrets.sign_with else None
        else:
            found = [self._hmac(text) for text in secrets.given]
            verifiers, makers = [_comparing(make) for make in found], list(found)
            own = self._hmac(secrets.sign_with) if secrets.sign_with else None
        return _Bound(self, secrets, tuple(zip(verifiers, makers, strict=True)), own)

    def _hmac(self, text: str) -> _Make:
        key = _key(text, self.key)
        digest = self.algorithm.removeprefix("hmac-")

        def make(pieces: tuple[bytes, ...]) -> bytes:
            mac = hmac.new(key, digestmod=digest)
            for piece in pieces:
                mac.update(piece)
            return mac.digest()

        return make

    def write(self, signature: bytes) -> str:
        """A signature as its header has it."""
        return self.prefix + (signature.hex() if self.encoding == "hex" else base64.b64encode(signature).decode())

    def read(self, value: str) -> bytes:
        """The signature in its header. Raises Unverified."""
        text = value.removeprefix(self.prefix)
        try:
            if not value.startswith(self.prefix):
                raise ValueError
            return bytes.fromhex(text) if self.encoding == "hex" else base64.b64decode(text, validate=True)
        except ValueError:
            raise Unverified(f"its {self.header} is not of the form that the API gives it") from None

    def check_age(self, message: Message) -> None:
        """Raises Unverified for a request that is not of now."""
        if self.timestamp is None:
            return
        at = _seconds(header_of(message, self.timestamp))
        if at is None:
            raise Unverified(f"its {self.timestamp} is no time")
        if self.max_age is not None and (message.at is None or abs(message.at - at) > self.max_age):
            raise Unverified(f"its {self.timestamp} is more than {self.max_age:g} s away from now")


_Make = Callable[[tuple[bytes, ...]], bytes]
_Verify = Callable[[tuple[bytes, ...], bytes], bool]


@dataclass(frozen=True, slots=True)
class _Bound:
    scheme: Digest
    secrets: Secrets = field(repr=False)
    keys: tuple[tuple[_Verify, _Make | None], ...] = field(repr=False)
    own: _Make | None = field(repr=False)

    def verify(self, message: Message) -> _Make | None:
        """What made the signature, as far as it can make another."""
        scheme = self.scheme
        value = header_of(message, scheme.header)
        if not value:
            raise Unverified(f"it has no {scheme.header}")
        signature = scheme.read(value)
        scheme.check_age(message)
        pieces = scheme.pieces(message, self.secrets.public_url)
        for verify, make in self.keys:
            if verify(pieces, signature):
                return make
        raise Unverified(f"its {scheme.header} is not that of connection '{self.secrets.connection}'")

    def due(self, message: Message) -> bool:
        """The application knows another secret than the provider."""
        return self.own is not None

    def sign(self, message: Message, forwarded: Message, verified: Any) -> Message:
        """With the same timestamp."""
        make = self.own or verified
        if make is None:
            raise Unsignable(
                f"a rewrite would break {self.scheme.header}: "
                f"connection '{self.secrets.connection}' has no `sign_with`, a private key"
            )
        signature = make(self.scheme.pieces(forwarded, self.secrets.public_url))
        return with_header(forwarded, self.scheme.header, self.scheme.write(signature))


def _comparing(make: _Make) -> _Verify:
    return lambda pieces, signature: hmac.compare_digest(make(pieces), signature)


def _key(text: str, form: KeyForm) -> bytes:
    try:
        key = text.encode() if form == "text" else bytes.fromhex(text) if form == "hex" else base64.b64decode(text)
    except ValueError:
        raise ValueError(f"the secret is not in {form}") from None
    if not key:
        raise ValueError("the secret is empty")
    return key


def _hashed(pieces: tuple[bytes, ...]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _rsa_verifier(text: str) -> _Verify:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the secret is no public RSA key in PEM")  # noqa: TRY004 - a mistake in a rule file

    def verify(pieces: tuple[bytes, ...], signature: bytes) -> bool:
        try:
            key.verify(signature, _hashed(pieces), padding.PKCS1v15(), _PREHASHED)
        except InvalidSignature:
            return False
        return True

    return verify


def _rsa_maker(text: str) -> _Make:
    try:
        key = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("`sign_with` is no private RSA key in PEM")  # noqa: TRY004 - likewise
    return lambda pieces: key.sign(_hashed(pieces), padding.PKCS1v15(), _PREHASHED)


def _seconds(text: str) -> float | None:
    """A time in seconds or milliseconds since 1970, or as ISO 8601 has it with its offset."""
    if text.isascii() and text.isdigit() and len(text) < 20:
        number = float(text)
        return number / 1000 if number > _MILLISECONDS else number
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when.timestamp() if when.tzinfo else None
