"""`application/x-www-form-urlencoded` (WHATWG URL 5), which is also the form of a URL's query.

An object of lists: `$.Body[*]` is every `Body`, in order. Escapes are undone once. What another reader may take for
something else makes it ambiguous: `;`, which separates pairs for some, an escape that is none, a raw letter beyond
ASCII; such a form is forwarded with all of that escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote_plus, unquote_to_bytes

from proxy_guard.codecs import UNNAMED, ContentType, Document, Limits, Written
from proxy_guard.codecs.charset import known
from proxy_guard.errors import Unreadable

_ODD = re.compile(rb";|%(?![0-9A-Fa-f]{2})|[\x80-\xff]|[\x00-\x20]")


@dataclass(slots=True)
class Entries[T]:
    """Named things in their order, some with the same name, and the object of lists that shows them."""

    value: dict[str, list[T]] = field(default_factory=dict)
    _order: list[list[T]] = field(default_factory=list)

    def add(self, name: str, item: T) -> None:
        """One more, after the others."""
        items = self.value.setdefault(name, [])
        items.append(item)
        self._order.append(items)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """Names and things as they are now, edits included."""
        names = {id(items): name for name, items in self.value.items()}
        pending = {id(items): iter(items) for items in self.value.values()}
        for items in self._order:
            yield names[id(items)], next(pending[id(items)])


@dataclass(slots=True)
class Pairs:
    """The pairs of a form or a query. `value` is the object of lists, which may be edited."""

    entries: Entries[str]
    ambiguous: bool
    charset: str
    _raw: list[tuple[bytes, tuple[str, str] | None]] = field(repr=False)

    @property
    def value(self) -> dict[str, list[str]]:
        """Names to their values."""
        return self.entries.value

    def write(self) -> bytes:
        """The form; pairs as they came, but for those that were edited, or all if it was ambiguous.

        Raises UnicodeEncodeError where the charset lacks a letter.
        """
        now = iter(self.entries)
        out: list[bytes] = []
        for raw, was in self._raw:
            pair = next(now) if was is not None else None
            out.append(raw if pair is None or (pair == was and not self.ambiguous) else self._pair(pair, raw))
        return b"&".join(out)

    def _pair(self, pair: tuple[str, str], raw: bytes) -> bytes:
        name, value = (quote_plus(text, safe="*", encoding=self.charset, errors="strict") for text in pair)
        return name.encode() if b"=" not in raw and not value else f"{name}={value}".encode()


def read_pairs(text: bytes, charset: str = "utf-8") -> Pairs:
    """The pairs in the bytes of a form. Raises Unreadable."""
    entries: Entries[str] = Entries()
    raws: list[tuple[bytes, tuple[str, str] | None]] = []
    for raw in text.split(b"&"):
        if not raw:
            raws.append((raw, None))
            continue
        name, _, value = (_text(part, charset) for part in raw.partition(b"="))
        entries.add(name, value)
        raws.append((raw, (name, value)))
    return Pairs(entries, _ODD.search(text) is not None, charset, raws)


def _text(part: bytes, charset: str) -> str:
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode(charset)
    except UnicodeDecodeError:
        raise Unreadable("an escape in a form or a query is not in its charset") from None


class FormCodec:
    """Fields are `$.name[*]`; a JSON document in one is reached by `kind: json`."""

    media_types = ("application/x-www-form-urlencoded",)

    def decode(self, body: bytes, limits: Limits, content_type: ContentType = UNNAMED) -> Document:
        """Names to lists of their values."""
        charset = known(content_type.charset) if content_type.charset else "utf-8"
        if charset.startswith(("utf-16", "utf-32")):
            raise Unreadable("a form can't be in this charset", status=415)
        if body.lstrip()[:1] in (b"{", b"["):
            raise Unreadable("the body is no form, its Content-Type says otherwise")
        pairs = read_pairs(body, charset)
        named = {value.lower() for value in pairs.value.get("_charset_", ()) if value}
        if any(known(name) != charset for name in named):
            raise Unreadable("the form is said to be in two charsets")
        return Document(pairs.value, ambiguous=pairs.ambiguous, source=pairs)

    def encode(self, document: Document) -> Written:
        """The form in the charset that it came in, or all of it in UTF-8."""
        pairs: Pairs = document.source
        try:
            return Written(pairs.write())
        except UnicodeEncodeError:
            pairs.charset, pairs.ambiguous = "utf-8", True
            return Written(pairs.write(), "utf-8")
