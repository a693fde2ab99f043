"""Calls over one connection, and all that is done about failure.

A call has the time that is left of whoever waits for it (the nearest deadline around it, `limits.time` of a
message), and within it several attempts of `timeout` seconds each. A call waits for its turn, then for the
circuit breaker's leave.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import anyio
import anyio.to_thread
import httpx
from anyio.lowlevel import RunVar
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from proxy_guard.codecs.content_encoding import ACCEPTED
from proxy_guard.errors import Late, NotFound, ProxyGuardError, Unavailable
from proxy_guard.remote.auth import make_auth
from proxy_guard.remote.breaker import CircuitBreaker
from proxy_guard.remote.connection import Connection, Step
from proxy_guard.remote.mapping import Garbled
from proxy_guard.remote.settings import OAuth
from proxy_guard.remote.wire import Observe, Reply, Wire, check, decode

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_HEADERS = {
    "accept": "application/json",
    "accept-encoding": ACCEPTED,
    "user-agent": f"proxy-guard/{importlib.metadata.version('proxy-guard')}",
}
_SAFE_METHODS = ("GET", "PUT")
_BACKOFF = wait_random_exponential(multiplier=0.05, max=1)  # full jitter


class Client:
    """A connection at work. Safe to share between tasks."""

    def __init__(self, connection: Connection, observe: Observe | None = None) -> None:
        if connection.secrets is None:
            raise ProxyGuardError(f"the connection '{connection.name}' is not in use by these rules")
        settings = connection.settings
        self.connection = connection
        self._settings = settings
        self._wire = Wire(
            connection.tls,
            http2=settings.http2,
            connections=settings.concurrency,
            max_reply=settings.max_reply,
            observe=observe,
        )
        self._auth = make_auth(settings.auth, connection.secrets, self._fetch_token)
        self.breaker = CircuitBreaker(settings.breaker.failures, settings.breaker.recovery)
        self._turns: RunVar[anyio.CapacityLimiter] = RunVar("turns")
        self._query = {name: value.get_secret_value() for name, value in settings.query.items()}
        self._headers = _HEADERS | {name: value.get_secret_value() for name, value in settings.headers.items()}
        self._repeatable = settings.retries.idempotent
        if self._repeatable is None:
            self._repeatable = settings.kind != "store" or settings.method in _SAFE_METHODS
        self._retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and error.again),
            wait=_wait,
            stop=_any_of(stop_after_attempt(settings.retries.times + 1), _no_time_left),
            sleep=anyio.sleep,
            reraise=True,
        )

    async def aclose(self) -> None:
        """Closes the connections of this event loop."""
        await self._wire.aclose()

    async def call[T](
        self,
        step: Step,
        values: Mapping[str, Any],
        take: Callable[[Any], T],
        seconds: float | None = None,
        *,
        large: bool = False,
    ) -> T:
        """What `take` makes of the reply's JSON. Raises Unavailable, NotFound for a 404 of a lookup.

        `take` raises Garbled where the reply is not what it should be. `seconds` for one attempt, where it is not the
        connection's `timeout`; a `large` body is written and read in a thread.
        """
        within = seconds or self._settings.timeout
        url = step.url(values)
        body = None if step.body is None else await at_leisure(partial(_encoded, step.body, values), large)

        async def attempt() -> T:
            async with self._turn():
                return await self._attempt(self._request(step.method, url, body), within, take, large)

        if self._settings.retries.times == 0:
            return await attempt()
        return await self._retrying.copy()(attempt)

    def _turn(self) -> anyio.CapacityLimiter:
        turns = self._turns.get(None)
        if turns is None:
            turns = anyio.CapacityLimiter(self._settings.concurrency)
            self._turns.set(turns)
        return turns

    async def _attempt[T](self, request: httpx.Request, seconds: float, take: Callable[[Any], T], large: bool) -> T:
        on_trial = self.breaker.enter()
        try:
            reply = await self._authorized(request, seconds)
            taken = await at_leisure(lambda: take(self._value(reply)), large)
        except Garbled as error:
            self.breaker.failure()
            raise Unavailable(str(error)) from None
        except NotFound:
            self.breaker.success()
            raise
        except Unavailable as error:
            (self.breaker.failure if error.counts else self.breaker.success)()
            raise
        except BaseException:
            if on_trial:  # cut short from outside: the trial has not succeeded
                self.breaker.failure()
            raise
        self.breaker.success()
        return taken

    def _request(self, method: str, url: str, body: bytes | None) -> httpx.Request:
        headers = self._headers if body is None else {**self._headers, "content-type": "application/json"}
        connect = {"timeout": {"connect": self._settings.connect_timeout}}
        return httpx.Request(method, url, params=self._query or None, headers=headers, content=body, extensions=connect)

    async def _authorized(self, request: httpx.Request, seconds: float) -> Reply:
        flow = self._auth.async_auth_flow(request)
        try:
            sent = await anext(flow)
            while True:
                reply = await self._wire.send(sent, _within(seconds), repeatable=bool(self._repeatable))
                try:
                    sent = await flow.asend(httpx.Response(reply.status))
                except StopAsyncIteration:
                    return reply
        finally:
            await flow.aclose()

    def _value(self, reply: Reply) -> Any:
        if self._settings.kind == "lookup" and reply.status in (404, 410):
            raise NotFound(f"{self.connection.name} answered {reply.status}: it knows no such reference")
        check(reply, repeatable=bool(self._repeatable))
        return None if self._settings.kind == "store" else decode(reply)

    async def _fetch_token(self) -> Any:
        settings = self._settings.auth
        assert isinstance(settings, OAuth)
        headers = _HEADERS | {name: value.get_secret_value() for name, value in settings.headers.items()}
        content: bytes | None = None
        if settings.form is not None:
            content = urlencode({name: value.get_secret_value() for name, value in settings.form.items()}).encode()
            headers = {"content-type": "application/x-www-form-urlencoded"} | headers
        elif settings.body is not None:
            content = _ENCODER.encode(settings.body).encode()
            headers = {"content-type": "application/json"} | headers
        connect = {"timeout": {"connect": self._settings.connect_timeout}}
        url = settings.token_url.get_secret_value()
        request = httpx.Request(settings.method, url, headers=headers, content=content, extensions=connect)
        if settings.basic:
            username = settings.basic.username.get_secret_value()
            auth = httpx.BasicAuth(username, settings.basic.password.get_secret_value())
            request = next(auth.auth_flow(request))
        try:
            reply = await self._wire.send(request, _within(settings.timeout), repeatable=True)
            check(reply, repeatable=True)
            return decode(reply)
        except Unavailable as error:
            raise type(error)(f"its token endpoint: {error.why}", again=error.again, after=error.after) from None


def _encoded(body: Callable[[Mapping[str, Any]], Any], values: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(body(values)).encode()


async def at_leisure[T](work: Callable[[], T], large: bool) -> T:
    """What `work` gives; in a thread where it is `large`, so that the event loop does not wait for it."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True) if large else work()


def _within(seconds: float) -> float:
    """`seconds`, or what is left until the nearest deadline around this call."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    if left <= 0:
        raise Late("no time is left", counts=False)
    return min(seconds, left)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(_BACKOFF(state), error.after if isinstance(error, Unavailable) else 0.0)


def _no_time_left(state: RetryCallState) -> bool:
    return anyio.current_time() + state.upcoming_sleep >= anyio.current_effective_deadline()


def _any_of(*stops: Callable[[RetryCallState], bool]) -> Callable[[RetryCallState], bool]:
    return lambda state: any(stop(state) for stop in stops)
