"""WebSockets under mitmproxy: what its addon does with their messages, and a layer that can do what a hook can't.

The hook `websocket_message` is awaited, and no other message of the connection is read meanwhile. It may change a
message or drop it, but it can neither send one that waited before, nor close the connection. `GuardedLayer` does both,
and takes the place of mitmproxy's own. Under any other layer what the guard holds back would be dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mitmproxy import http
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import websocket as layers
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Event

from proxy_guard.exchange import Exchange
from proxy_guard.websocket import Close, Frame, Lane, Passed

_LANES = "proxy_guard.lanes"
_OUT = "proxy_guard.out"
_UNGUARDED = Close(1011, "the guard failed")


def opens(request: http.Request) -> bool:
    """Whether a request asks for a WebSocket."""
    asked = request.headers.get("upgrade", "").lower()
    return request.method.upper() == "GET" and "websocket" in [each.strip() for each in asked.split(",")]


@dataclass(frozen=True, slots=True)
class _Lanes:
    """Both directions of a connection; None where messages are not looked at. `limit` is of their bytes."""

    client: Lane | None
    server: Lane | None
    limit: int


def converse(flow: http.HTTPFlow, exchange: Exchange, limit: int) -> None:
    """Has the messages of the connection that begins guarded by the rules of what opened it."""
    client, server = exchange.lane(exchange.request(())), exchange.lane(exchange.response(101, ()))
    flow.metadata[_LANES] = _Lanes(client, server, limit)


async def take(flow: http.HTTPFlow) -> None:
    """Inspects the message that has come last. Unless it goes on by itself, it is dropped."""
    assert flow.websocket is not None
    del flow.websocket.messages[:-1]  # mitmproxy keeps them all, and a connection may last for days
    message = flow.websocket.messages[-1]
    if message.dropped:
        return
    lanes: _Lanes | None = flow.metadata.get(_LANES)
    lane = (lanes.client if message.from_client else lanes.server) if lanes else None
    if lanes and lane is None:
        return
    message.drop()
    flow.metadata[_OUT] = Passed([], [], _UNGUARDED)
    frame = Frame(message.content, message.is_text)
    message.content = b""
    if lane is None:
        return
    passed = await lane.feed(frame)
    [only] = passed.frames if len(passed.frames) == 1 else [None]
    if only is None or only.text != frame.text or passed.told or passed.close:
        flow.metadata[_OUT] = passed
        return
    del flow.metadata[_OUT]
    message.content = only.data
    message.dropped = False


async def finish(flow: http.HTTPFlow) -> None:
    """Decides on what still waits of the server, which has closed the connection."""
    lanes: _Lanes | None = flow.metadata.get(_LANES)
    if lanes and lanes.server:
        flow.metadata[_OUT] = await lanes.server.end()


@dataclass
class GuardWebsocketClosingHook(commands.StartHook):
    """The server has closed the connection, and the client has not been told."""

    flow: http.HTTPFlow


class GuardedLayer(layers.WebsocketLayer):
    """Relays messages as mitmproxy does, and besides what the guard lets go of later, and its closes."""

    _finished = False

    def relay_messages(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Relays what an event holds."""
        for command in super().relay_messages(event):
            yield command
            assert self.flow.websocket is not None
            if isinstance(command, layers.WebsocketMessageHook):
                yield from self._release(from_client=self.flow.websocket.messages[-1].from_client)
            elif self.flow.websocket.closed_by_client is False and not self._finished:
                self._finished = True  # its own close has been answered; the client's is still to be sent
                yield GuardWebsocketClosingHook(self.flow)
                yield from self._release(from_client=False)
            if self._handle_event == self.done:
                return
        lanes: _Lanes | None = self.flow.metadata.get(_LANES)
        buffered = max(sum(map(len, ws.frame_buf)) for ws in (self.client_ws, self.server_ws))
        if lanes and buffered > lanes.limit and (lanes.client or lanes.server):
            yield from self._close(Close(1009, f"a message is larger than {lanes.limit} bytes"))

    _handle_event = layers.WebsocketLayer.start

    def _release(self, *, from_client: bool) -> layer.CommandGenerator[None]:
        passed: Passed | None = self.flow.metadata.pop(_OUT, None)
        if passed is None:
            return
        target = self.server_ws if from_client else self.client_ws
        for ws, frames in ((target, passed.frames), (self.client_ws, passed.told)):
            for frame in frames:
                for part in _parts(frame):
                    if ws.state is ConnectionState.OPEN:
                        yield ws.send2(part)
        if passed.close and not self._finished:
            yield from self._close(passed.close)

    def _close(self, close: Close) -> layer.CommandGenerator[None]:
        assert self.flow.websocket is not None
        self.flow.websocket.closed_by_client = False
        self.flow.websocket.close_code, self.flow.websocket.close_reason = close
        for ws in (self.client_ws, self.server_ws):
            if ws.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
                yield ws.send2(CloseConnection(close.code, close.reason))
            yield commands.CloseConnection(ws.conn)
        yield layers.WebsocketEndHook(self.flow)
        self.flow.live = False
        self._handle_event = self.done


def _parts(frame: Frame) -> Iterator[Event]:
    return iter(layers.Fragmentizer([], frame.text)(frame.data))


def install() -> None:
    """Has mitmproxy relay messages with the guard's layer."""
    setattr(layers, "WebsocketLayer", GuardedLayer)  # noqa: B010 - a class is no variable to a type checker
