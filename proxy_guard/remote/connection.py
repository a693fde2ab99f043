"""A connection as compiled from its file: immutable, ready to be used by any number of calls."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from proxy_guard.locate.jsonpath import PathFault, compile_path
from proxy_guard.remote import template
from proxy_guard.remote.mapping import Judge, one_value
from proxy_guard.remote.settings import Before, ConnectionFile, OAuth
from proxy_guard.remote.template import Fill, UnknownPlaceholder, compile_template, compile_text
from proxy_guard.secrets import Resolved

Place = tuple[str | int, ...]
_PATHS = (
    *(("reply", name) for name in ("errors", "items", "value")),
    *(("reply", name, part) for name in ("ok", "action") for part in ("path", "code")),
    *(("reply", "item", name) for name in ("id", "text", "data")),
    *(("reply", "item", "action", part) for part in ("path", "code")),
    *(
        ("reply", "item", "findings", part)
        for part in ("path", "entity", "start", "end", "length", "score", "operator")
    ),
    ("auth", "token"),
    ("auth", "expires_in"),
)


class ConnectionFault(ValueError):
    """What is wrong with a connection, and where in its file."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Step:
    """One request: where it goes and what is in it."""

    method: str
    url: Callable[[Mapping[str, Any]], str] = field(repr=False)
    body: Fill | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one remote API. `secrets` is None where references have not been resolved: it can't be used."""

    name: str
    kind: str
    title: str
    origin: str
    settings: ConnectionFile = field(repr=False)
    secrets: Resolved | None = field(repr=False)
    before: Step | None = field(repr=False)
    main: Step = field(repr=False)
    item: Fill | None = field(repr=False)
    judge: Judge | None = field(repr=False)
    value: Callable[[Any], str | None] | None = field(repr=False)
    tls: ssl.SSLContext | None = field(repr=False)
    names: frozenset[str]
    """The entities that it names in ways of ours."""


def compile_connection(file: ConnectionFile, secrets: Resolved | None) -> Connection:
    """The connection of a file. With `secrets`, references have been resolved. Raises ConnectionFault."""
    for place in _PATHS:
        path: Any = file
        for part in place:
            path = getattr(path, part, None)
        if isinstance(path, str):
            try:
                compile_path(path)
            except PathFault as error:
                raise ConnectionFault(place, str(error)) from None
    known, in_item = _known(file)
    main = _step(file, known, resolved=secrets is not None)
    before = None
    if file.before:
        before = _step(file.before, known - {"before"}, resolved=secrets is not None, at=("before",))
    if isinstance(file.auth, OAuth):
        _url(file.auth.token_url.get_secret_value(), ("auth", "token_url"), resolved=secrets is not None)
    findings = file.reply.item.findings if file.reply.item else None
    return Connection(
        name=file.name,
        kind=file.kind,
        title=file.title,
        origin=_origin(file.url.get_secret_value()) if secrets else "",
        settings=file,
        secrets=secrets,
        before=before,
        main=main,
        item=_template(file.item, in_item, ("item",)) if file.item is not None else None,
        judge=Judge(file.reply) if file.kind == "scrubber" else None,
        value=one_value(file.reply.value) if file.reply.value else None,
        tls=_tls(file) if secrets else None,
        names=frozenset(findings.names.values()) if findings else frozenset(),
    )


def _known(file: ConnectionFile) -> tuple[frozenset[str], frozenset[str]]:
    """The placeholders that the request, and an item of it, may have."""
    if file.kind == "lookup":
        return template.REFERENCE, frozenset()
    if file.kind == "store":
        return template.PAIR, frozenset()
    asked = template.placeholders([file.request, file.before.request if file.before else None])
    if "items" in asked and file.item is None:
        raise ConnectionFault(("request",), "{items} needs `item`, which says what stands for one of them")
    single = sorted(asked & template.ITEM - template.MESSAGE)
    if single and file.batch > 1:
        raise ConnectionFault(
            ("batch",), f"{{{single[0]}}} is about one item, so that there is one item in a call", "use {items}"
        )
    if not single and "items" not in asked:
        raise ConnectionFault(("request",), "the request has neither {items} nor {text}")
    before = frozenset({"before"}) if file.before else frozenset()
    return (template.MESSAGE - {"before"}) | template.ITEM | before, template.ITEM


def _step(file: ConnectionFile | Before, known: frozenset[str], *, resolved: bool, at: Place = ()) -> Step:
    url = file.url.get_secret_value()
    _url(url, (*at, "url"), resolved=resolved)
    for name in sorted(template.placeholders(url)):
        if name not in template.REFERENCE or name not in known:
            raise ConnectionFault((*at, "url"), f"unknown placeholder {{{name}}}", "only a lookup has {reference}")
    body = _template(file.request, known, (*at, "request")) if file.request is not None else None
    return Step(file.method, compile_text(url, in_url=True), body)


def _template(part: Any, known: frozenset[str], place: Place) -> Fill:
    try:
        return compile_template(part, known)
    except UnknownPlaceholder as error:
        raise ConnectionFault(place, str(error), f"known: {', '.join(error.known)}") from None


def _url(url: str, place: Place, *, resolved: bool) -> None:
    """Requests go to the host that stands here and to no other: nothing of a message can be part of it."""
    if not resolved and "${" in url:
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConnectionFault(place, "is no URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConnectionFault(place, "is a URL of the form https://host[:port]/path")
    if parts.username or parts.password:
        raise ConnectionFault(place, "credentials don't stand in a URL: use `auth`")
    if "{" in parts.netloc:
        raise ConnectionFault(place, "a placeholder may stand in the path only")
    if parts.query or parts.fragment:
        raise ConnectionFault(place, "has no query and no fragment: use `query`")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _tls(file: ConnectionFile) -> ssl.SSLContext | None:
    tls = file.tls
    urls = [file.url, *([file.auth.token_url] if isinstance(file.auth, OAuth) else [])]
    urls += [file.before.url] if file.before else []
    if not any(url.get_secret_value().startswith("https:") for url in urls):
        return None
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except OSError:
        raise ConnectionFault(("tls", "ca"), "is no readable file of certificates") from None
    if tls.cert:
        password = tls.password.get_secret_value() if tls.password else ""
        try:
            # A text, even an empty one, keeps OpenSSL from asking at the terminal.
            context.load_cert_chain(tls.cert, tls.key, password)
        except OSError:
            raise ConnectionFault(("tls", "cert"), "certificate and key can't be read, or don't fit") from None
    return context
