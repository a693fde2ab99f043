"""What an API description says of a message around its fields: its media types, with a codec for each, and its head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proxy_guard import plugins
from proxy_guard.codecs import Codec, ContentType
from proxy_guard.codecs.file import FileCodec
from proxy_guard.errors import RulesError, Unreadable
from proxy_guard.locate.head import HeadFields, segment_pattern
from proxy_guard.rules.files import ApiFile
from proxy_guard.rules.matching import name_pattern
from proxy_guard.rules.reading import SourceFile

_JSON, _TEXT = "application/json", "text/plain"
_BEFORE_JSON = b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"
"""White space and byte order marks, and a first zero of wider characters."""


class Formats:
    """The body formats of one API description."""

    def __init__(self, media_types: Sequence[str], *, files: bool = False) -> None:
        """`media_types` may hold `*`; `files` says that every body is one, of whatever type.

        Raises ValueError for a media type that no codec reads.
        """
        self._always = FileCodec() if files else None
        codecs = [plugins.load("codecs", name)() for name in sorted(plugins.available("codecs"))]
        self._taken = name_pattern(media_types)
        self._readers: list[tuple[Any, Codec]] = [(name_pattern(codec.media_types), codec) for codec in codecs]
        named = [each.lower() for each in media_types]
        unread = [each for each in named if "*" not in each and self._reader(each) is None]
        if unread:
            known = sorted(each for codec in codecs for each in codec.media_types)
            raise ValueError(f"nothing reads '{unread[0]}'; known: {', '.join(known)}")
        self._exact: dict[str, Codec] = {each: codec for each in named if (codec := self._reader(each))}
        whole = {id(codec): codec for each in named if (codec := self._of_glob(each))}
        self._only = next(iter(whole.values())) if len(whole) == 1 else None
        alone = {codec.media_types[0]: codec for codec in whole.values()}
        self._json_or_text = (alone[_JSON], alone[_TEXT]) if set(alone) == {_JSON, _TEXT} else None

    def codec(self, content_type: ContentType, body: bytes = b"") -> Codec:
        """The codec of a message. Raises Unreadable.

        Without a Content-Type it is the only one there is; or of JSON and text the first where `body` begins as an
        object or array does, which no reader takes for anything else.
        """
        if self._always:
            return self._always
        name = content_type.name
        if not name:
            if self._json_or_text:
                json, text = self._json_or_text
                return json if body.lstrip(_BEFORE_JSON)[:1] in (b"{", b"[") else text
            if self._only is None:
                raise Unreadable("a body without a Content-Type can't be inspected", status=415)
            return self._only
        codec = self._exact.get(name) or (self._reader(name) if self._taken.fullmatch(name) else None)
        if codec is None:
            # Not named in full: what a client sends there is not ours to repeat.
            known = name if name == "text/event-stream" else "this media type"
            raise Unreadable(f"a body of {known} can't be inspected", status=415)
        return codec

    def _reader(self, name: str) -> Codec | None:
        return next((codec for pattern, codec in self._readers if pattern.fullmatch(name)), None)

    def _of_glob(self, glob: str) -> Codec | None:
        """The codec of a media type or of a codec's own glob."""
        return self._exact.get(glob) or next((codec for _, codec in self._readers if glob in codec.media_types), None)


def formats(source: SourceFile, file: ApiFile) -> Formats:
    """The body formats of an API description. Raises RulesError."""
    try:
        return Formats(file.match.content_types, files=file.match.files)
    except ValueError as error:
        raise RulesError([source.fault(("match", "content_types"), str(error))]) from None


def head_fields(file: ApiFile) -> HeadFields:
    """What it has inspected of URLs and headers."""
    return HeadFields(
        parameters=frozenset(file.url.query) - {"*"},
        every_parameter="*" in file.url.query,
        segments=tuple(segment_pattern(glob) for glob in file.url.segments),
        headers=frozenset(name.lower() for name in file.headers),
    )
