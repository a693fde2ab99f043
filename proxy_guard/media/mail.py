"""E-mail (RFC 5322, RFC 2045 to 2047): header fields, and each part by its type; the encoding of a part is kept."""

from __future__ import annotations

import quopri
import re
from base64 import encodebytes
from dataclasses import dataclass, field, replace
from email import errors, message_from_bytes, policy
from email.header import Header, decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from itertools import count

from proxy_guard.media import Judge, Judged, MediaSettings, Redacted, Unscrubbable
from proxy_guard.media.collected import Collected, Redact, Write
from proxy_guard.media.sniff import Kind

_DEEPEST = 8
_MOST_PARTS = 500
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_SEALED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})
_SIGNED_FIELDS = re.compile(r"dkim-|arc-|domainkey|x-google-|authentication-results|autocrypt", re.I)
"""Fields that vouch for a mail as it was: they would not hold any more, and hold traces of it."""
_FIELD_NAME = re.compile(r"[A-Za-z](?:[A-Za-z_-]*\d?){0,3}[A-Za-z_-]*")
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "quoted-printable", "base64"})
_WORDS = frozenset({"name", "filename", "start", "id"})
"""Parameters with people's words in them."""
_PARAMETERS = _WORDS | {"charset", "type", "format", "delsp", "method", "report-type", "reply-type"}
_PLAIN_VALUE = re.compile(r"[A-Za-z][A-Za-z0-9./+_-]{0,100}")
_HARMLESS = (errors.CloseBoundaryNotFoundDefect,)


def scrub_mail(data: bytes, kind: Kind, judge: Judge, settings: MediaSettings, redact: Redact) -> Redacted:
    """The mail, always written anew: what is between its parts is nobody's. Raises Unscrubbable, for a part, too."""
    if len(data) > settings.unpacked:
        raise Unscrubbable("too_large", f"a mail of more than {settings.unpacked} bytes")
    work = _Mail(judge, settings, redact)
    try:
        mail = message_from_bytes(data, policy=policy.compat32.clone(linesep="\r\n" if b"\r\n" in data else "\n"))
        work.message(mail, 0, "")
        written = mail.as_bytes()
    except (errors.MessageError, LookupError, UnicodeError, ValueError, TypeError, AttributeError, RecursionError):
        raise Unscrubbable("unreadable", "the mail can't be read") from None
    return Redacted(written, kind.media_type, tuple(work.texts.findings), changed=written != data)


@dataclass(slots=True)
class _Mail:
    """One mail while it is edited."""

    judge: Judge = field(repr=False)
    settings: MediaSettings
    redact: Redact = field(repr=False)
    texts: Collected = field(default_factory=Collected)
    parts: int = 0

    def message(self, mail: Message, depth: int, where: str) -> None:
        """Edits a mail, or a part of one, in place."""
        self.parts += 1
        if depth > _DEEPEST or self.parts > _MOST_PARTS:
            raise Unscrubbable("too_large", f"the mail has more than {_MOST_PARTS} parts, or {_DEEPEST} levels of them")
        if any(not isinstance(each, _HARMLESS) for each in mail.defects):
            raise Unscrubbable("unreadable", "the mail is not well-formed")
        named = mail.get_content_type()
        if named in _SEALED or named in ("message/partial", "message/external-body"):
            raise Unscrubbable("encrypted", "the mail, or a part of it, is not here to be read")
        encoding = str(mail.get("content-transfer-encoding", "")).strip().lower()
        if encoding not in _ENCODINGS:
            raise Unscrubbable("unreadable", "a part of the mail is in an unknown encoding")
        self._fields(mail, where)
        payload = mail.get_payload()
        if isinstance(payload, list):
            mail.preamble = mail.epilogue = None
            kept: list[Message | str] = [
                part for part in payload if isinstance(part, Message) and part.get_content_type() not in _SIGNATURES
            ]
            mail.set_payload(kept)
            for number, part in enumerate(mail.get_payload(), 1):
                assert isinstance(part, Message)
                self.message(part, depth + 1, f"{where}.{number}" if where else f"part {number}")
            if mail.get_content_maintype() == "multipart":
                _bound(mail)
        else:
            self._leaf(mail, named, encoding, where or "body")

    def _leaf(self, part: Message, named: str, encoding: str, where: str) -> None:
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            raise Unscrubbable("unreadable", "a part of the mail can't be read")
        if not data.strip():
            return
        charset = part.get_param("charset", "")
        declared = f"{named}; charset={charset}" if charset and named.startswith("text/") else named
        done = self.redact(data, declared, self.judge, self.settings)
        self.texts.findings += [replace(each, where=f"{where} {each.where}".strip()) for each in done.findings]
        if done.changed and "charset=" in done.media_type:
            part.set_param("charset", done.media_type.rpartition("charset=")[2])
        match encoding:
            case "base64":
                part.set_payload(encodebytes(done.data).decode())
            case "quoted-printable":
                part.set_payload(quopri.encodestring(done.data).decode())
            case _:
                part.set_payload(done.data.decode("ascii", "surrogateescape"))
                if encoding in ("", "7bit") and not done.data.isascii():
                    del part["content-transfer-encoding"]
                    part["Content-Transfer-Encoding"] = "8bit"

    # --- header fields ----------------------------------------------------------------------------------------

    def _fields(self, mail: Message, where: str) -> None:
        raw = [(name, str(value)) for name, value in mail.raw_items()]
        kept = [(name, value) for name, value in raw if _FIELD_NAME.fullmatch(name) and not _SIGNED_FIELDS.match(name)]
        names = [name for name, _ in kept]
        values = [value for _, value in kept]
        place = f"{where} header".strip()
        for index, (name, value) in enumerate(kept):
            if name.lower() not in ("content-type", "content-disposition"):
                self.texts.add(_decoded(value), _field(values, index, name), place, context=name)
        self.texts.settle(self.judge)
        multipart = mail.is_multipart() and mail.get_content_maintype() == "multipart"
        for name, _ in raw:
            del mail[name]
        for name, value in zip(names, values, strict=True):
            if name.lower() in ("content-type", "content-disposition"):
                self._parameters(mail, name, value, place, multipart=multipart)
            else:
                mail.set_raw(name, value)

    def _parameters(self, mail: Message, name: str, value: str, place: str, *, multipart: bool) -> None:
        """A Content-Type or Content-Disposition again, of what is known; the boundary is not, see `_bound`."""
        field_ = Message()
        field_.set_raw(name, value)
        pairs = field_.get_params([], header=name)
        kept: dict[str, str] = {}
        for given, value_ in pairs[1:]:
            key, text = given.lower(), _decoded(collapse_rfc2231_value(value_))
            if key in _WORDS:
                kept[key] = text
                # Judged without the ending of a file's name: `ann@example.com.csv` is no address.
                ending = match[0] if (match := re.search(r"\.[A-Za-z0-9]{1,5}$", text)) else ""
                self.texts.add(text.removesuffix(ending), _member(kept, key, ending), place)
            elif key in _PARAMETERS and _PLAIN_VALUE.fullmatch(text):
                kept[key] = text
        self.texts.settle(self.judge)
        first = pairs[0][0].lower() if pairs and _PLAIN_VALUE.fullmatch(pairs[0][0]) else "application/octet-stream"
        if name.lower() == "content-disposition" and first not in ("inline", "attachment"):
            first = "attachment"
        if first == "multipart/signed":
            first = "multipart/mixed"
        if multipart:
            kept.pop("charset", None)
        written = {key: text if text.isascii() else ("utf-8", "", text) for key, text in kept.items()}
        mail.add_header(name, first, **written)


def _bound(mail: Message) -> None:
    """Gives a mail a boundary that none of its parts holds: the same for the same parts, where `email` draws lots."""
    inside = b"\n".join(part.as_bytes() for part in mail.get_payload() if isinstance(part, Message))
    mail.set_boundary(next(each for n in count() if (each := f"=_{n}").encode() not in inside))


def _decoded(value: str) -> str:
    """A field as people read it: unfolded, its encoded words (RFC 2047) decoded."""
    raw = value.encode("utf-8", "surrogateescape")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = re.sub(r"\r?\n[ \t]*", " ", text)
    return str(make_header(decode_header(text))) if "=?" in text else text


def _field(values: list[str], index: int, name: str) -> Write:
    def write(_: str, judged: Judged) -> None:
        text = re.sub(r"[\x00-\x1f\x7f]+", " ", judged.text)
        values[index] = text if text.isascii() else Header(text, "utf-8", header_name=name).encode()

    return write


def _member(holder: dict[str, str], key: str, ending: str) -> Write:
    def write(_: str, judged: Judged) -> None:
        holder[key] = re.sub(r"[\x00-\x1f\x7f]+", " ", judged.text) + ending

    return write
