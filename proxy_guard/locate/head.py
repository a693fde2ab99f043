"""Fields of a request's URL and headers: their slots, and the URL and headers that edited slots give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_to_bytes

from proxy_guard.codecs.form import Pairs, read_pairs
from proxy_guard.errors import Unreadable
from proxy_guard.locate.unreached import PLAIN_NAME
from proxy_guard.model import Headers, Message, Slot

_URL = re.compile(r"([^:/?#]+://[^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?", re.S)
_NAMED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SAFE = "!$&'()*+,:=@~"
"""What a path segment may hold as it is (RFC 3986 3.3), `;` but for, since some servers cut a segment there."""
_MOST_DECODINGS = 4
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
UNEDITABLE = frozenset(
    "host content-length content-type content-encoding transfer-encoding connection upgrade te trailer expect".split()
)
"""Headers that say how a message is read: no fields."""


@dataclass(frozen=True, slots=True)
class HeadFields:
    """What is inspected of a request besides its body. Headers are in lower case.

    `every_parameter`: all of the query. `every_segment`: all of the path, whatever its segments hold.
    """

    parameters: frozenset[str] = frozenset()
    every_parameter: bool = False
    segments: tuple[re.Pattern[str], ...] = field(default=(), repr=False)
    headers: frozenset[str] = frozenset()
    every_segment: bool = False

    def __bool__(self) -> bool:
        return bool(self.parameters or self.every_parameter or self.segments or self.headers or self.every_segment)


NO_HEAD = HeadFields()


def segment_pattern(glob: str) -> re.Pattern[str]:
    """`/users/{name}/**` as a pattern for decoded paths. Raises ValueError for one that names nothing, or twice."""
    names = _NAMED.findall(glob)
    if not glob.startswith("/") or not names or len(set(names)) < len(names):
        raise ValueError("a path that names segments, each once: '/users/{name}'")
    if any("{" in part and not _NAMED.fullmatch(part) for part in glob.split("/")):
        raise ValueError("a name stands for a whole segment: '/users/{name}'")
    pattern = re.escape(glob.rstrip("/")).replace(r"/\*\*", r"(?:/[^/]*)*").replace(r"\*", "[^/]*")
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]*)", pattern) + "/?", re.I)


@dataclass(slots=True)
class Head:
    """The slots of one request's URL and headers. Raises Unreadable for a URL that two servers may read as two."""

    slots: list[Slot] = field(default_factory=list)
    ambiguous: bool = False
    _url: tuple[str, str, str | None, str] = field(default=("", "", None, ""), repr=False)
    _query: Pairs | None = field(default=None, repr=False)
    _raw: list[str] = field(default_factory=list, repr=False)
    _segments: dict[int, str] = field(default_factory=dict, repr=False)
    _headers: dict[int, str] = field(default_factory=dict, repr=False)

    def write(self, message: Message, edits: Sequence[tuple[Slot, str]]) -> tuple[Headers, str | None]:
        """Headers and URL with the new texts of slots; no URL where it stays as it came.

        Raises Unreadable for a text that can't stand in a header.
        """
        for slot, text in edits:
            slot.holder[slot.key] = text
        slots = [slot for slot, _ in edits]
        return self._edited_headers(message, slots), self._edited_url(slots)

    def _edited_url(self, edits: Sequence[Slot]) -> str | None:
        touched = {id(slot.holder) for slot in edits}
        origin, path, query, rest = self._url
        changed = self.ambiguous
        if id(self._segments) in touched:
            places = {slot.key for slot in edits if slot.holder is self._segments}
            parts = [quote(self._segments[n], safe=_SAFE) if n in places else raw for n, raw in enumerate(self._raw)]
            path, changed = "/".join(parts), True
        if self._query and (self.ambiguous or any(id(values) in touched for values in self._query.value.values())):
            query, changed = self._query.write().decode(), True
        return origin + (path or "/") + (f"?{query}" if query is not None else "") + rest if changed else None

    def _edited_headers(self, message: Message, edits: Sequence[Slot]) -> Headers:
        places = {slot.key for slot in edits if slot.holder is self._headers}
        if not places:
            return message.headers
        return tuple(
            (name, _written(self._headers[n]) if n in places else value)
            for n, (name, value) in enumerate(message.headers)
        )


def locate_head(fields: HeadFields, message: Message) -> Head:
    """The slots that `fields` reach in a request's URL and headers."""
    head = Head()
    if fields.segments or fields.every_segment or fields.parameters or fields.every_parameter:
        _in_url(fields, message.url, head)
    for number, (name, value) in enumerate(message.headers if fields.headers else ()):
        lower = name.lower()
        if lower in fields.headers and value:
            head._headers[number] = _read(value)
            head.slots.append(Slot(head._headers[number], f"header {lower}", ("headers", lower), head._headers, number))
    return head


def _in_url(fields: HeadFields, url: str, head: Head) -> None:
    found = _URL.fullmatch(url)
    if not found:
        raise Unreadable("the URL can't be read")
    head._url = (found[1], found[2], found[3], found[4] or "")
    if fields.segments:
        _in_path(fields, found[2], head)
    elif fields.every_segment:
        _segments(found[2], head)
    if found[3] and (fields.parameters or fields.every_parameter):
        head._query = pairs = read_pairs(found[3].encode("latin-1", "replace"))
        head.ambiguous = pairs.ambiguous
        for name, values in pairs.value.items():
            if fields.every_parameter and not PLAIN_NAME.fullmatch(name):
                # Nobody could tell what a parameter by another name is: a finding in it blocks.
                head.slots.append(Slot(name, "query *", ("url", "query", name), None, None, signed=True))
            if fields.every_parameter or name in fields.parameters:
                rule = f"query {name if name in fields.parameters else '*'}"
                head.slots += [
                    Slot(value, rule, ("url", "query", name, n), values, n) for n, value in enumerate(values) if value
                ]


def _in_path(fields: HeadFields, path: str, head: Head) -> None:
    head._raw = path.split("/")
    decoded = [_segment(raw) for raw in head._raw]
    if "" in decoded[1:-1]:
        raise Unreadable("the path has an empty segment")
    whole = "/".join(decoded)
    for pattern in fields.segments:
        match = pattern.fullmatch(whole)
        for name in match.groupdict() if match else ():
            assert match is not None
            number = whole.count("/", 0, match.start(name))
            if match[name] and number not in head._segments:
                head._segments[number] = match[name]
                at = ("url", "segments", name)
                head.slots.append(Slot(match[name], f"segment {name}", at, head._segments, number))


def _segments(path: str, head: Head) -> None:
    head._raw = path.split("/")
    for number, raw in enumerate(head._raw):
        text = unquote(raw)
        if text:
            head._segments[number] = text
            head.slots.append(Slot(text, "segment *", ("url", "segments", str(number)), head._segments, number))


def _segment(raw: str) -> str:
    """A segment with its escapes undone, as often as a server may."""
    text = raw
    for _ in range(_MOST_DECODINGS):
        if "%" not in text:
            break
        try:
            text = unquote_to_bytes(text).decode()
        except UnicodeDecodeError:
            raise Unreadable("an escape in the path is not UTF-8") from None
    if text in (".", "..") or "/" in text or "\\" in text or ";" in text:
        raise Unreadable("the path can be read in several ways")
    return text


def _read(value: str) -> str:
    """A header's text: UTF-8 where it is such, else ISO-8859-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _written(text: str) -> str:
    if _CONTROL.search(text):
        raise Unreadable("a new text can't stand in a header", status=422)
    return text if text.isascii() else text.encode().decode("latin-1")
