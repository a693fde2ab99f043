"""Secrets in rule files: `${env:NAME}` and `${file:PATH}`, resolved at load and shown as `***` everywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")


def resolve(text: object) -> object:
    """The secret that `text` refers to. Raises ValueError for anything but one whole reference that resolves."""
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("a secret never stands in a file: write ${env:NAME} or ${file:PATH}")
    kind, name = found.groups()
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
