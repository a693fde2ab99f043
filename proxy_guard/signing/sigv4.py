"""AWS Signature Version 4 in the Authorization header: over method, path, query, named headers and the body's hash.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Written here, since
botocore signs as of now and with the headers that it chooses, and verifies nothing: a request that is signed anew keeps
its own date, scope and list of signed headers, and is taken only from who could have signed it himself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

from proxy_guard.model import Headers, Message
from proxy_guard.signing import Secrets, Unsignable, header_of, with_header

_HEADER = "authorization"
_ALGORITHM = "AWS4-HMAC-SHA256"
_PART = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_CONTENT = "x-amz-content-sha256"
_TOKEN = "x-amz-security-token"  # noqa: S105 - a header's name
_UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class Credentials(Secrets):
    """Of an AWS connection. With `verify`, only requests that were signed with them are signed anew."""

    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str | None = None
    verify: bool = True

    def __repr__(self) -> str:
        return f"Credentials({self.connection!r})"


@dataclass(frozen=True, slots=True)
class SigV4:
    """The scheme. AWS verifies signatures itself: here one is looked at only where another has to be made."""

    header: str = field(default=_HEADER, init=False)
    checked_first: bool = field(default=False, init=False)

    def carried(self, message: Message) -> bool:
        """Whether a request is signed, in its header or its URL. One with a bearer token is not."""
        given = any(name.lower() == _HEADER and value.startswith("AWS4-") for name, value in message.headers)
        return given or "x-amz-signature=" in message.url.partition("?")[2].lower()

    def content(self, message: Message) -> tuple[Any, ...]:
        """The canonical request; all there is where that can't be told."""
        signed = _read(message)
        if signed is None:
            return message.url, message.headers, message.body
        body = b"" if header_of(message, _CONTENT) == _UNSIGNED else message.body
        return _canonical(message, signed.headers), body

    def bind(self, secrets: Secrets) -> _Bound:
        """With the credentials of a connection."""
        if not isinstance(secrets, Credentials):
            raise ValueError("AWS signatures need a connection of `kind: aws`")  # noqa: TRY004 - a mistake in a rule file
        return _Bound(secrets)


@dataclass(frozen=True, slots=True)
class _Signed:
    """What the Authorization header says."""

    access_key: str
    scope: str
    headers: tuple[str, ...]
    signature: str


@dataclass(frozen=True, slots=True)
class _Bound:
    credentials: Credentials

    def verify(self, message: Message) -> None:
        """AWS does."""

    def due(self, message: Message) -> bool:
        """Clients that reach the guard by a name of its own sign for that one."""
        return self.credentials.public_url is not None and _read(message) is not None

    def sign(self, message: Message, forwarded: Message, verified: Any) -> Message:
        """With the request's own date and scope."""
        signed = _read(message)
        if signed is None:
            raise Unsignable("a rewrite would break its AWS signature, which is not one that can be made anew")
        if header_of(message, _CONTENT).startswith("STREAMING-"):
            raise Unsignable("a rewrite would break its AWS signature, which is one for each chunk of the body")
        if self.credentials.verify:
            self._check(message, signed)
        credentials = self.credentials
        forwarded = _with_token(forwarded, credentials.session_token)
        names = {*signed.headers, _TOKEN} if credentials.session_token else {*signed.headers} - {_TOKEN}
        if header_of(forwarded, _CONTENT) not in ("", _UNSIGNED):
            forwarded = with_header(forwarded, _CONTENT, hashlib.sha256(forwarded.body).hexdigest())
        made = self._signature(forwarded, signed.scope, sorted(names))
        value = (
            f"{_ALGORITHM} Credential={credentials.access_key_id}/{signed.scope}, "
            f"SignedHeaders={';'.join(sorted(names))}, Signature={made}"
        )
        return with_header(forwarded, _HEADER, value)

    def _check(self, message: Message, signed: _Signed) -> None:
        """Raises Unsignable for a request that these credentials did not sign."""
        other = f"connection '{self.credentials.connection}' has other credentials than those that signed it"
        if signed.access_key != self.credentials.access_key_id:
            raise Unsignable(f"a rewrite would break its AWS signature: {other} (see `verify`)")
        host = urlsplit(self.credentials.public_url).netloc if self.credentials.public_url else None
        given = replace(message, headers=_with_host(message.headers, host)) if host else message
        if header_of(given, _CONTENT) not in ("", _UNSIGNED, hashlib.sha256(given.body).hexdigest()):
            raise Unsignable("its AWS signature is for another body")
        if not hmac.compare_digest(self._signature(given, signed.scope, signed.headers), signed.signature):
            raise Unsignable("its AWS signature is wrong, so that it is not signed anew")

    def _signature(self, message: Message, scope: str, names: Iterable[str]) -> str:
        canonical = hashlib.sha256(_canonical(message, names).encode()).hexdigest()
        date = header_of(message, "x-amz-date")
        key = b"AWS4" + self.credentials.secret_access_key.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, f"{_ALGORITHM}\n{date}\n{scope}\n{canonical}".encode(), "sha256").hex()


def _read(message: Message) -> _Signed | None:
    """What is signed, and by whom; None where that is not in the Authorization header, or can't be read."""
    algorithm, _, rest = header_of(message, _HEADER).partition(" ")
    parts = dict(_PART.findall(rest))
    access_key, _, scope = parts.get("Credential", "").partition("/")
    if algorithm != _ALGORITHM or len(parts) < 3 or scope.count("/") != 3 or not header_of(message, "x-amz-date"):
        return None
    return _Signed(access_key, scope, tuple(parts["SignedHeaders"].split(";")), parts["Signature"])


def _canonical(message: Message, names: Iterable[str]) -> str:
    names = list(names)
    parts = urlsplit(message.url)
    values = [f"{name}:{_value(message, name)}\n" for name in names]
    payload = header_of(message, _CONTENT) or hashlib.sha256(message.body).hexdigest()
    query = "&".join(f"{name}={value}" for name, value in sorted(_pairs(parts.query)))
    return "\n".join((message.method, _path(parts.path), query, "".join(values), ";".join(names), payload))


def _path(path: str) -> str:
    """Without dot segments and empty ones, and escaped once more than on the wire (as for all services but S3)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return quote("/" + "/".join(kept) + end, safe="/~")


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)]


def _value(message: Message, name: str) -> str:
    found = [" ".join(value.split()) for each, value in message.headers if each.lower() == name]
    return ",".join(found) if found or name != "host" else urlsplit(message.url).netloc


def _with_host(headers: Headers, host: str) -> Headers:
    return (*((name, value) for name, value in headers if name.lower() != "host"), ("host", host))


def _with_token(message: Message, token: str | None) -> Message:
    headers = tuple((name, value) for name, value in message.headers if name.lower() != _TOKEN)
    return replace(message, headers=(*headers, (_TOKEN, token)) if token else headers)
