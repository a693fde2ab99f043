"""Streamed replies under mitmproxy: a layer that can wait amid one, which mitmproxy's own callback can't.

mitmproxy calls `response.stream` for each piece of a body and sends on what that gives at once. `GuardedStream` asks
the reply's passage instead; where somebody has to be waited for, it has the addon do so, by a hook of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from mitmproxy import ctx, http
from mitmproxy.flow import Error
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.layers.http._events import ResponseData, ResponseEndOfMessage, ResponseTrailers

from proxy_guard import audit
from proxy_guard.passage import Passage

log = audit.logger()
_PASSAGE = "proxy_guard.passage"
_OUT = "proxy_guard.passed"
_MOST = 1024 * 1024
"""Bytes that wait for a piece before them; then nothing more is read from the upstream until they are on their way."""


def begin(flow: http.HTTPFlow, passage: Passage) -> None:
    """Has the reply pass by `passage`, from the first byte of its body."""
    assert flow.response is not None
    flow.metadata[_PASSAGE] = passage
    flow.response.stream = True


def passes(flow: http.HTTPFlow) -> bool:
    """Whether the reply passes, or has passed, so."""
    return _PASSAGE in flow.metadata and flow.response is not None and bool(flow.response.stream)


async def proceed(flow: http.HTTPFlow) -> None:
    """Waits for what the piece that has come last takes."""
    flow.metadata[_OUT] = await flow.metadata[_PASSAGE].rest()


@dataclass
class GuardStreamHook(commands.StartHook):
    """A piece of a streamed reply can't be decided on at once."""

    flow: http.HTTPFlow


class GuardedStream(layers.HttpStream):
    """An exchange as mitmproxy has it, but for replies that pass."""

    _waiting = 0
    """Bytes of the reply that have come while a piece is waited for."""
    _slowed: asyncio.Transport | None = None
    """The upstream's, while nothing is read from it."""

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Slows the upstream while a piece is waited for: mitmproxy queues what comes then, however much."""
        if self._paused and isinstance(event, ResponseData) and passes(self.flow):
            self._waiting += len(event.data)
            if self._waiting > _MOST and self._slowed is None:
                self._slowed = _transport(self.flow)
                if self._slowed is not None:
                    self._slowed.pause_reading()
        yield from super().handle_event(event)
        if self._slowed is not None and not self._paused:
            self._slowed.resume_reading()
            self._slowed = None

    def state_stream_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Sends on of a piece what the passage lets go on."""
        if not passes(self.flow):
            yield from super().state_stream_response_body(event)
            return
        if isinstance(event, ResponseTrailers):
            return  # which nobody has looked into
        last = isinstance(event, ResponseEndOfMessage)
        chunk = event.data if isinstance(event, ResponseData) else b""
        self._waiting = max(0, self._waiting - len(chunk))
        try:
            out = self.flow.metadata[_PASSAGE].feed_at_once(chunk, last=last)
        except BaseException as error:  # noqa: BLE001 - it would leave the connection open, and the client waiting
            log.error("guard failed", error=type(error).__name__)
            self.flow.error = Error(Error.KILLED_MESSAGE)
        else:
            if out is None:
                yield GuardStreamHook(self.flow)
                out = self.flow.metadata.pop(_OUT, None)
                if out is None:  # the hook has not come to its end
                    self.flow.error = Error(Error.KILLED_MESSAGE)
        if (yield from self.check_killed(emit_error_hook=True)):
            return
        if out:
            yield layers.SendHttp(ResponseData(self.stream_id, out), self.context.client)
        if last:
            yield from self.send_response(already_streamed=True)


def _transport(flow: http.HTTPFlow) -> asyncio.Transport | None:
    """The upstream's; None where it has ended."""
    handler = ctx.master.addons.get("proxyserver").connections.get(flow.client_conn.id)
    io = handler and handler.transports.get(flow.server_conn)
    return getattr(io and io.writer, "transport", None)


def install() -> None:
    """Has mitmproxy relay exchanges with the guard's layer."""
    setattr(layers, "HttpStream", GuardedStream)  # noqa: B010 - a class is no variable to a type checker
