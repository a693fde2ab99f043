"""Twilio's X-Twilio-Signature: HMAC over the URL and the parameters of a form, by name.

Of a JSON body the URL holds the SHA-256, in `bodySHA256`. The hash is SHA-1, or what another header says.
https://www.twilio.com/docs/usage/security
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from proxy_guard.model import Message
from proxy_guard.signing import Secrets, Unverified, has_header, header_of, public, with_header

_HEADER = "x-twilio-signature"
_SETTINGS = "x-twilio-webhooks-signature-settings"
_HASHES = {"": "sha1", "HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_BODY_HASH = re.compile(r"(?<=[?&])bodySHA256=([0-9A-Fa-f]{64})(?=&|$|#)")
_PORT = re.compile(r":\d+$")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Twilio:
    """The scheme."""

    header: str = field(default=_HEADER, init=False)
    checked_first: bool = field(default=True, init=False)

    def carried(self, message: Message) -> bool:
        """Whether its header is there."""
        return has_header(message, _HEADER)

    def content(self, message: Message) -> tuple[Any, ...]:
        """URL, and the form's parameters or the body."""
        return message.url, _form(message) if _is_form(message) else message.body

    def bind(self, secrets: Secrets) -> _Bound:
        """With Auth Tokens."""
        return _Bound(secrets)


@dataclass(frozen=True, slots=True)
class _Bound:
    secrets: Secrets

    def verify(self, message: Message) -> tuple[str, bool]:
        """The Auth Token that signed, and whether Twilio wrote the port into the URL."""
        given = header_of(message, _HEADER)
        if not given:
            raise Unverified(f"it has no {_HEADER}")
        url = public(message.url, self.secrets.public_url)
        form = _form(message) if _is_form(message) else ""
        if not _is_form(message):
            _check_body(url, message.body)
        digest = _hash(message)
        for token in self.secrets.given:
            for port in (False, True):  # Twilio signs it for some URLs and leaves it out for others
                made = _signature(token, digest, _spelled(url, port=port), form)
                if hmac.compare_digest(made.encode(), given.encode("latin-1")):
                    return token, port
        raise Unverified(
            f"its {_HEADER} is not that of connection '{self.secrets.connection}' for this URL (see `public_url`)"
        )

    def due(self, message: Message) -> bool:
        """The application knows another token than Twilio."""
        return self.secrets.sign_with is not None

    def sign(self, message: Message, forwarded: Message, verified: Any) -> Message:
        """The hash of a body in the URL is made anew, too."""
        token, port = verified
        if not _is_form(forwarded):
            body_hash = hashlib.sha256(forwarded.body).hexdigest()
            forwarded = replace(forwarded, url=_BODY_HASH.sub(f"bodySHA256={body_hash}", forwarded.url))
        url = _spelled(public(forwarded.url, self.secrets.public_url), port=port)
        form = _form(forwarded) if _is_form(forwarded) else ""
        made = _signature(self.secrets.sign_with or token, _hash(forwarded), url, form)
        return with_header(forwarded, _HEADER, made)


def _signature(token: str, digest: str, url: str, form: str) -> str:
    return base64.b64encode(hmac.new(token.encode(), (url + form).encode(), digest).digest()).decode()


def _hash(message: Message) -> str:
    named = [part.partition("=") for part in header_of(message, _SETTINGS).split(",")]
    algorithm = next((value.strip() for name, _, value in named if name.strip() == "algorithm"), "")
    if algorithm not in _HASHES:
        raise Unverified(f"its {_SETTINGS} names an unknown algorithm")
    return _HASHES[algorithm]


def _is_form(message: Message) -> bool:
    named = [value for name, value in message.headers if name.lower() == "content-type"]
    return bool(named) and named[0].partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _form(message: Message) -> str:
    """Names and values in a row, sorted; a value that comes twice with a name counts once."""
    try:
        pairs = parse_qsl(message.body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise Unverified("its form can't be read") from None
    return "".join(name + value for name, value in sorted(set(pairs)))


def _check_body(url: str, body: bytes) -> None:
    """Raises Unverified for a body that the URL does not speak for."""
    found = _BODY_HASH.search(url)
    if found is None:
        if body:
            raise Unverified(f"its body is no form, and its URL has no bodySHA256: {_HEADER} does not speak for it")
        return
    if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), found[1].lower()):
        raise Unverified("its body is not the one of bodySHA256 in its URL")


def _spelled(url: str, *, port: bool) -> str:
    """The URL with its port, or without."""
    scheme, _, rest = url.partition("://")
    end = next((at for at, char in enumerate(rest) if char in "/?#"), len(rest))
    host, path = rest[:end], rest[end:]
    bare = _PORT.sub("", host)
    if not port:
        return f"{scheme}://{bare}{path}"
    return url if bare != host else f"{scheme}://{host}:{_PORTS.get(scheme, 80)}{path}"
