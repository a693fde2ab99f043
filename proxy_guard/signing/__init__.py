"""Signatures over requests: verified before a request is inspected, made anew where what is forwarded differs.

A `Scheme` is what an API description names; bound to the secrets of a connection it is a `Signer`. Sans-IO: the time
that a timestamp is compared with is the message's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from proxy_guard.model import Message, Verdict


class Unverified(Exception):
    """A signature that is missing, stale or wrong. `why` holds nothing of the message."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Unsignable(Unverified):
    """What would be forwarded needs a signature that can't be made."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a connection holds for a scheme: any of `given` verifies, `sign_with` signs (None: the one that verified).

    `public_url` is what stands before the path where the sender's URL is another than the guard's.
    """

    connection: str
    given: tuple[str, ...]
    sign_with: str | None = None
    public_url: str | None = None

    def __repr__(self) -> str:
        return f"Secrets({self.connection!r})"


class Signer(Protocol):
    """A scheme with secrets."""

    def verify(self, message: Message) -> Any:
        """What is to be known when it is signed anew. Raises Unverified."""
        ...

    def due(self, message: Message) -> bool:
        """Whether even an untouched message has to be signed anew."""
        ...

    def sign(self, message: Message, forwarded: Message, verified: Any) -> Message:
        """`forwarded`, in place of `message`, with its signature. Raises Unsignable."""
        ...


class Scheme(Protocol):
    """One way to sign requests."""

    @property
    def header(self) -> str:
        """The header that carries the signature, in lower case."""
        ...

    @property
    def checked_first(self) -> bool:
        """Whether the signature is verified before a message is inspected, rather than when it is signed anew."""
        ...

    def carried(self, message: Message) -> bool:
        """Whether a request is signed in this way."""
        ...

    def content(self, message: Message) -> tuple[Any, ...]:
        """What the signature speaks about. Raises Unverified."""
        ...

    def bind(self, secrets: Secrets) -> Signer:
        """This scheme with secrets. Raises ValueError for those that are none."""
        ...


@dataclass(frozen=True, slots=True)
class Signing:
    """How the requests of one API are signed, on one route. Of several schemes the first has to be there.

    There are no `signers` where the route has no connection for it; `breaking` says what becomes of a rewrite then.
    """

    api: str
    schemes: tuple[Scheme, ...]
    signers: tuple[Signer, ...] = ()
    breaking: Literal["block", "keep"] = "block"

    @property
    def verifies(self) -> bool:
        """Whether a request without a good signature is refused."""
        return bool(self.signers) and any(scheme.checked_first for scheme in self.schemes)

    def verify(self, message: Message) -> list[Any]:
        """What each signer has to know to sign anew. Raises Unverified."""
        found: list[Any] = []
        for number, (scheme, signer) in enumerate(zip(self.schemes, self.signers, strict=False)):
            asked = scheme.checked_first and (number == 0 or scheme.carried(message))
            found.append(signer.verify(message) if asked else None)
        return found

    def look(self, head: Message) -> None:
        """Raises Unverified where the head alone shows that a signature is missing."""
        scheme = self.schemes[0]
        if self.signers and scheme.checked_first and not scheme.carried(head):
            raise Unverified(f"it has no {scheme.header}")

    def renewed(self, message: Message, verdict: Verdict, verified: list[Any]) -> Verdict:
        """A verdict that forwards, with the signatures that its message needs. Raises Unsignable."""
        forwarded = replace(message, headers=verdict.headers, body=verdict.body, url=verdict.url or message.url)
        before = forwarded
        for number, scheme in enumerate(self.schemes):
            if not scheme.carried(message):
                continue
            signer = self.signers[number] if self.signers else None
            touched = verdict.action == "rewrite" and scheme.content(message) != scheme.content(forwarded)
            if signer is not None and (touched or signer.due(message)):
                forwarded = signer.sign(message, forwarded, verified[number])
            elif touched and self.breaking == "block":
                raise Unsignable(
                    f"a rewrite would break {scheme.header}: name a connection for '{self.api}' "
                    "under `signatures` of the route"
                )
        if forwarded is before:
            return verdict
        reason = verdict.reason or "signed anew"
        url = forwarded.url if forwarded.url != message.url else None
        return replace(verdict, action="rewrite", headers=forwarded.headers, url=url, reason=reason)


def header_of(message: Message, name: str) -> str:
    """The value of a header, named in lower case; nothing without it. Raises Unverified where there are two."""
    found = [value for each, value in message.headers if each.lower() == name]
    if len(found) > 1:
        raise Unverified(f"it has more than one {name}")
    return found[0].strip() if found else ""


def has_header(message: Message, name: str) -> bool:
    """Whether a header is there, be it empty."""
    return any(each.lower() == name for each, _ in message.headers)


def with_header(message: Message, name: str, value: str) -> Message:
    """`message` with another value in a header that it has."""
    headers = tuple((each, value if each.lower() == name else old) for each, old in message.headers)
    return replace(message, headers=headers)


def public(url: str, public_url: str | None) -> str:
    """The URL that a sender asked, given what stands before the path there."""
    if public_url is None:
        return url
    _, _, rest = url.partition("://")[2].partition("/")
    return f"{public_url.rstrip('/')}/{rest}"
