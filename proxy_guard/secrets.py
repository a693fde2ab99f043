"""Secrets in rule files: `${env:NAME}` and `${file:PATH}`, resolved at load and shown as `***` everywhere.

A file of connections is read twice: once for its form, when what it refers to need not be there, and once more
when the connection is in use. The second reading has a `Resolved` as its validation context.
"""

from __future__ import annotations

import base64
import json
import os
import re
import resource
from collections.abc import Container
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")
_ORIGIN = re.compile(r"https?://[^/?#]*/?")
_NEVER = "a secret never stands in a file: write ${env:NAME} or ${file:PATH}"
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def keep_off_disk() -> None:
    """Has the system write no core file of this process, nor of those that it starts: it would hold messages."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def resolve(text: object) -> object:
    """The secret that `text` refers to. Raises ValueError for anything but one whole reference that resolves."""
    return _value(*_reference(text).groups())


def _reference(text: object) -> re.Match[str]:
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(_NEVER)
    return found


def _value(kind: str, name: str) -> str:
    if kind == "env":
        secret = os.environ.get(name, "")
    else:
        try:
            secret = Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"the file {name} can't be read") from None
    if not secret:
        raise ValueError(f"the {'environment variable' if kind == 'env' else 'file'} {name} is not set or empty")
    return secret


Secret = Annotated[SecretStr, BeforeValidator(resolve)]
"""A pydantic type: written as a reference, held as a SecretStr."""


_LEAST_KEY = 16


def _long_enough(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().encode()) < _LEAST_KEY:
        raise ValueError(f"the key has fewer than {_LEAST_KEY} bytes")
    return key


Key = Annotated[Secret, AfterValidator(_long_enough)]
"""A secret that keys a hash: 16 bytes or more."""


class Resolved:
    """The context of a reading that resolves references, and the values it came upon, so that they can be hidden."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._shapes: list[str] = []

    def __repr__(self) -> str:
        return "Resolved(***)"

    def add(self, secret: str) -> None:
        """Hides `secret` from now on, in each of the shapes that it may take on a wire."""
        if secret and secret not in self._secrets:
            self._secrets.add(secret)
            shapes = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], _base64(secret)}
            self._shapes = sorted({*self._shapes, *shapes}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """`text` with `***` in place of every secret."""
        for shape in self._shapes:
            text = text.replace(shape, "***")
        return text


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _late(text: object, info: ValidationInfo) -> object:
    found = _reference(text)
    if not isinstance(info.context, Resolved):
        return text
    secret = _value(*found.groups())
    info.context.add(secret)
    return secret


def fill(text: object, info: ValidationInfo) -> Any:
    """`text` with the references in it resolved, where the reading is one that does so."""
    if not isinstance(text, str):
        raise ValueError("must be a text")  # noqa: TRY004 - pydantic takes ValueError for a mistake
    if "${" in _REFERENCE.sub("", text):
        raise ValueError("a reference is ${env:NAME} or ${file:PATH}")
    resolved = info.context
    if not isinstance(resolved, Resolved):
        return text

    def value(found: re.Match[str]) -> str:
        secret = _value(*found.groups())
        # Where a request goes is no secret, and has to be seen by whoever tests it.
        resolved.add(_ORIGIN.sub("", secret, count=1) if info.field_name in ("url", "token_url") else secret)
        return secret

    return _REFERENCE.sub(value, text)


def refers(text: str) -> bool:
    """Whether there is a reference in `text`."""
    return _REFERENCE.search(text) is not None


LateSecret = Annotated[SecretStr, BeforeValidator(_late)]
"""A secret of a connection: resolved when the connection is in use."""
Filled = Annotated[SecretStr, BeforeValidator(fill)]
"""A text of a connection that may hold references; hidden as a whole, since it may hold secrets."""


def key_bytes(key: SecretStr, sizes: Container[int]) -> bytes:
    """The key that a secret writes in hexadecimal or base64 (RFC 4648, either alphabet, padded or not).

    Raises ValueError, without the key, where it is neither or has none of `sizes` in bytes.
    """
    text = key.get_secret_value()
    try:
        if _HEX.fullmatch(text):
            made = bytes.fromhex(text)
        else:
            text = text.rstrip("=").replace("-", "+").replace("_", "/")
            made = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise ValueError("the key is neither hexadecimal nor base64") from None
    if len(made) not in sizes:
        raise ValueError(f"the key has {len(made)} bytes")
    return made


def _of_32_bytes(key: SecretStr) -> SecretStr:
    try:
        key_bytes(key, (32,))
    except ValueError as error:
        raise ValueError(f"{error}; it takes 32 bytes in base64 or hexadecimal") from None
    return key


CipherKey = Annotated[Secret, AfterValidator(_of_32_bytes)]
"""A secret of 32 bytes, in hexadecimal or base64."""
