"""Credentials, as httpx auth flows: a flow is given a request, gives it back with credentials, and sees the reply."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from anyio.lowlevel import RunVar

from proxy_guard.errors import Unavailable
from proxy_guard.locate.jsonpath import compile_path
from proxy_guard.remote.settings import ApiKeyAuth, BasicAuth, BearerAuth, OAuth
from proxy_guard.secrets import Resolved

Fetch = Callable[[], Awaitable[Any]]
"""Asks the token endpoint; the decoded reply. Raises Unavailable."""


class HeaderAuth(httpx.Auth):
    """One header, always the same."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sets it."""
        request.headers[self._name] = self._value
        yield request


class QueryAuth(httpx.Auth):
    """One query parameter, always the same."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sets it."""
        request.url = request.url.copy_set_param(self._name, self._value)
        yield request


@dataclass(slots=True)
class _Token:
    value: str = field(repr=False)
    fresh_until: float
    valid_until: float


class OAuthFlow(httpx.Auth):
    """A token that is fetched when it is needed, before it expires, and once when the API turns it away.

    One fetch at a time: whoever needs the token meanwhile waits for it, and shares its failure, too.
    """

    def __init__(self, settings: OAuth, secrets: Resolved, fetch: Fetch) -> None:
        self._settings = settings
        self._secrets = secrets
        self._fetch = fetch
        self._token_at = compile_path(settings.token)
        self._lifetime_at = compile_path(settings.expires_in)
        self._token: _Token | None = None
        self._failure: tuple[float, Unavailable] | None = None
        self._lock: RunVar[anyio.Lock] = RunVar("token lock")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sets the token; where it is turned away, sets a new one, once."""
        token = await self._current(turned_away=None)
        self._set(request, token)
        response = yield request
        if response.status_code == 401:
            self._set(request, await self._current(turned_away=token))
            yield request

    def _set(self, request: httpx.Request, token: _Token) -> None:
        scheme = self._settings.scheme
        request.headers[self._settings.header] = f"{scheme} {token.value}" if scheme else token.value

    def _held(self, turned_away: _Token | None) -> _Token | None:
        token = self._token
        fresh = token is not None and token is not turned_away and time.monotonic() < token.fresh_until
        return token if fresh else None

    async def _current(self, turned_away: _Token | None) -> _Token:
        held = self._held(turned_away)
        if held is not None:
            return held
        asked = time.monotonic()
        lock = self._lock.get(None)
        if lock is None:
            lock = anyio.Lock()
            self._lock.set(lock)
        async with lock:
            held = self._held(turned_away)
            if held is not None:
                return held
            if self._failure and self._failure[0] > asked:
                # `from None` would not do: a raised exception collects the tracebacks of all who share it.
                raise _again(self._failure[1])
            return await self._renew(turned_away)

    async def _renew(self, turned_away: _Token | None) -> _Token:
        old = self._token
        try:
            self._token = self._read(await self._fetch())
        except Unavailable as error:
            if old is not None and old is not turned_away and time.monotonic() < old.valid_until:
                return old  # not at its end yet
            self._failure = (time.monotonic(), error)
            raise
        return self._token

    def _read(self, reply: Any) -> _Token:
        nodes = self._token_at(reply)
        if len(nodes) != 1 or not isinstance(nodes[0][0], str) or not nodes[0][0]:
            raise Unavailable(f"the token endpoint's reply has no token at {self._settings.token}")
        value = nodes[0][0]
        if any(not "!" <= c <= "~" for c in value):
            raise Unavailable("the token endpoint's token has characters that no header may have")
        self._secrets.add(value)
        lifetime = self._settings.lifetime
        told = [node[0] for node in self._lifetime_at(reply)]
        if told:
            try:
                lifetime = float(told[0])
            except (TypeError, ValueError):
                raise Unavailable("the token endpoint's reply tells a lifetime that is no number") from None
        now = time.monotonic()
        early = min(self._settings.early, lifetime / 2)  # a short-lived one is of use for half its life at least
        return _Token(value, now + lifetime - early, now + lifetime)


def _again(error: Unavailable) -> Unavailable:
    return type(error)(error.why, again=error.again, after=error.after, counts=error.counts)


def make_auth(settings: Any, secrets: Resolved, fetch: Fetch) -> httpx.Auth:
    """The flow for a connection's `auth`; `fetch` is for OAuth."""
    match settings:
        case BasicAuth():
            username, password = settings.username.get_secret_value(), settings.password.get_secret_value()
            secrets.add(f"{username}:{password}")
            return httpx.BasicAuth(username, password)
        case BearerAuth():
            return HeaderAuth("Authorization", f"Bearer {settings.token.get_secret_value()}")
        case ApiKeyAuth(place="query"):
            return QueryAuth(settings.name, settings.value.get_secret_value())
        case ApiKeyAuth():
            return HeaderAuth(settings.name, settings.value.get_secret_value())
        case OAuth():
            return OAuthFlow(settings, secrets, fetch)
        case _:
            return httpx.Auth()
