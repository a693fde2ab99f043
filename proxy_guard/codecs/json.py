"""JSON (RFC 8259), read so that no other reader can see another message in what is forwarded.

- Numbers keep their digits: those that Python would write otherwise (`1.10`, `1e5`, `-0`) are kept as text.
- Duplicate names are legal JSON and read differently by different parsers: the last one counts, and the
  document is marked ambiguous, so that only that reading is forwarded.
- NaN, Infinity, raw control characters, lone surrogates and trailing data are refused.
- A body in UTF-16 or another charset is written in the same one; what that lacks is escaped.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from json.encoder import encode_basestring
from typing import Any

from proxy_guard.codecs import UNNAMED, ContentType, Document, Limits, Written
from proxy_guard.codecs.charset import JSON_ESCAPES, UTF8, Charset, read_text
from proxy_guard.errors import Unreadable

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class ExactNumber(float):
    """A JSON number whose own spelling, `digits`, Python would not give back."""

    __slots__ = ("digits",)
    digits: str

    def __new__(cls, digits: str) -> ExactNumber:  # noqa: D102
        made = super().__new__(cls, digits)
        made.digits = digits
        return made

    def __str__(self) -> str:
        return self.digits


class _Reader:
    """The plain JSON decoder, and what it does not tell by itself. Dear to make, so it is used again."""

    def __init__(self) -> None:
        self.ambiguous = False
        self.exact = False
        options: dict[str, Any] = {
            "object_pairs_hook": self._pairs,
            "parse_float": self._real,
            "parse_constant": self._refuse,
        }
        self._plain = json.JSONDecoder(**options)
        # A Python call per integer is dear in arrays of token ids: only where it can matter.
        self._careful = json.JSONDecoder(**options, parse_int=self._integer)

    def read(self, text: str) -> Any:
        """The value that `text` holds; `ambiguous` and `exact` are of this text then."""
        self.ambiguous = self.exact = False
        return (self._careful if "-0" in text else self._plain).decode(text)

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self.ambiguous = True
        return made

    def _real(self, digits: str) -> float | ExactNumber:
        number = float(digits)
        return number if repr(number) == digits else self._keep(digits)

    def _integer(self, digits: str) -> int | ExactNumber:
        return self._keep(digits) if digits == "-0" else int(digits)

    def _keep(self, digits: str) -> ExactNumber:
        self.exact = True
        return ExactNumber(digits)

    def _refuse(self, name: str) -> Any:
        raise Unreadable(f"the body is not valid JSON: {name} is no JSON value")


_FREE: list[_Reader] = []
"""Readers that no one uses right now; a list's pop and append are each one step, so threads may share it."""


class JsonCodec:
    """The codec of `application/json` and `+json` bodies, and of JSON held in a string."""

    media_types = ("application/json", "application/*+json")

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """The document in `body`; a byte order mark of UTF-8, which RFC 8259 8.1 has not, is dropped."""
        text, charset = read_text(body, content_type.charset, sniff=True)
        document = self.decode_text(text, limits)
        if charset is UTF8:
            return document
        marked = charset.codec == "utf-8"
        return replace(document, ambiguous=document.ambiguous or marked, source=UTF8 if marked else charset)

    def decode_text(self, text: str, limits: Limits) -> Document:
        """The document in a string."""
        most = limits.nodes
        if len(text) > most and text.count(",") + text.count("[") + text.count("{") >= most:
            # By the signs that part values, those in texts among them, before anything is made of the body.
            raise Unreadable(f"the body has more than {most} values", status=413, cause="too_large")
        reader = _FREE.pop() if _FREE else _Reader()
        try:
            return self._read(reader, text, limits)
        finally:
            _FREE.append(reader)

    def _read(self, reader: _Reader, text: str, limits: Limits) -> Document:
        try:
            value = reader.read(text)
        except json.JSONDecodeError as error:
            # `error.msg` names what was expected; the text itself stays out.
            raise Unreadable(f"the body is not valid JSON: {error.msg} (character {error.pos})") from None
        except RecursionError:
            raise Unreadable(f"the body is nested deeper than {limits.depth} levels", status=400) from None
        except ValueError:
            raise Unreadable("the body is not valid JSON: a number has too many digits") from None
        if text.count("[") + text.count("{") > limits.depth and _deeper_than(value, limits.depth):
            raise Unreadable(f"the body is nested deeper than {limits.depth} levels", status=400)
        if "\\u" in text and _ESCAPED_SURROGATE.search(text.encode()) and _has_lone_surrogate(value):
            raise Unreadable("the body is not valid JSON: a string holds half a surrogate pair")
        return Document(value, reader.ambiguous, reader.exact)

    def encode(self, document: Document) -> Written:
        """Compact, in the charset that it came in, nothing escaped that need not be."""
        charset: Charset = document.source or UTF8
        return charset.write(self.encode_text(document), JSON_ESCAPES)

    def encode_text(self, document: Document) -> str:
        """The same, as text."""
        if not document.exact:
            return _FAST.encode(document.value)
        parts: list[str] = []
        _write(document.value, parts)
        return "".join(parts)


_FAST = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


def _write(value: Any, out: list[str]) -> None:
    if isinstance(value, dict):
        out.append("{")
        for index, (name, member) in enumerate(value.items()):
            out.append("," if index else "")
            out.append(encode_basestring(name))
            out.append(":")
            _write(member, out)
        out.append("}")
    elif isinstance(value, list):
        out.append("[")
        for index, item in enumerate(value):
            out.append("," if index else "")
            _write(item, out)
        out.append("]")
    elif isinstance(value, ExactNumber):
        out.append(value.digits)
    else:
        out.append(_FAST.encode(value))


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _has_lone_surrogate(value: Any) -> bool:
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            try:
                current.encode()
            except UnicodeEncodeError:
                return True
        else:
            pending.extend(_children(current))
            if isinstance(current, dict):
                pending.extend(current)
    return False
