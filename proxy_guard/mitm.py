"""The mitmproxy addon. It only translates between mitmproxy and the guard.

mitmproxy fails open: a hook that raises is logged and the message goes on. So whatever ends a hook without a
verdict leaves a block in place, and no exception gets out, whose text could hold the message's.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, NoReturn, cast

from mitmproxy import ctx, exceptions, http, options
from mitmproxy.addonmanager import Loader
from mitmproxy.flow import Error
from mitmproxy.tools.dump import DumpMaster
from mitmproxy.utils import asyncio_utils

from proxy_guard import audit, mitm_heads, mitm_options, mitm_stream, mitm_websocket
from proxy_guard.errors import ProxyGuardError
from proxy_guard.exchange import Exchange
from proxy_guard.guard import BROKEN, Guard
from proxy_guard.model import WEBSOCKET, Headers, Verdict
from proxy_guard.reload import Holder, reload_on_hangup
from proxy_guard.secrets import keep_off_disk

log = audit.logger()
_EXCHANGE = "proxy_guard.exchange"
_SOCKET = "proxy_guard.socket"
_ANSWERED = "proxy_guard.answered"
_BODY_SLACK = 4


class ProxyGuardAddon:
    """Options: `guard_rules`, a folder of rule files (empty: the shipped ones), and `guard_policy`."""

    def __init__(self, guard: Guard | None = None) -> None:
        """Without a `guard`, the options say what rules to load; until they are loaded, everything is blocked."""
        self.guard = guard
        self._given = guard is not None
        self._started: Guard | None = None
        self._reloading: asyncio.Task[NoReturn] | None = None

    def load(self, loader: Loader) -> None:
        """Declares the options."""
        keep_off_disk()
        mitm_websocket.install()
        mitm_stream.install()
        # Errors that are logged until mitmproxy is up end it: those of rules shall, those of the first messages not.
        if (check := ctx.master.addons.get("errorcheck")) is not None:
            check.logger.addFilter(lambda record: record.name != audit.NAME)
        # Where a line can't be written, mitmproxy would end, and be left hanging with its port open.
        if (termlog := ctx.master.addons.get("termlog")) is not None:
            termlog.logger.file = _Lossy(termlog.logger.file)
        loader.add_option("guard_rules", str, "", "Folder of rule files; the shipped rules without one.")
        loader.add_option("guard_policy", str, "", "A policy for all traffic, in place of the routes' own.")

    def configure(self, updated: set[str]) -> None:
        """Loads the rules. With bad ones mitmproxy does not start; once it runs, the last good ones stay in force."""
        why = mitm_options.refusal(ctx.options)
        if why:
            self._refuse(why)
            return
        if mitm_options.secure(ctx.options):
            log.info("what is no HTTP is not relayed: the option rawtcp is off")
        if not self._given and (self.guard is None or updated & {"guard_rules", "guard_policy"}):
            try:
                rules, policy = ctx.options.guard_rules or None, ctx.options.guard_policy or None
                self.guard = Guard.from_rules(rules, policy=policy, before=self.guard)
            except ProxyGuardError as error:
                self._refuse(str(error))
        if self.guard is not None and self.guard is not self._started:
            self.guard.media.start()
        self._started = self.guard

    def _refuse(self, why: str) -> None:
        if self.guard is None or not ctx.master.addons.get("proxyserver").is_running:
            # An error that is logged at start-up ends mitmproxy; one that is raised would show a traceback, too.
            self.guard = None
            logging.getLogger(f"{audit.NAME}.start").error("proxy-guard: %s", why)
        else:
            raise exceptions.OptionsError(why)

    def running(self) -> None:
        """From now on SIGHUP has the rules read anew."""
        self._reloading = asyncio_utils.create_task(
            reload_on_hangup(cast(Holder, self)), name="reload rules", keep_ref=True
        )

    async def done(self) -> None:
        """Lets go of what the guard holds open."""
        if self._reloading is not None:
            self._reloading.cancel()
        if self.guard is not None:
            await self.guard.aclose()

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Finds the rules for a request; what no rule is about streams by."""
        if flow.response or flow.error:
            return  # another addon has answered, or the client has gone
        with _decided(flow):
            assert self.guard is not None
            if refusal := mitm_heads.refuse(flow):
                _answer(flow, refusal)
                return
            headers = _headers(flow.request)
            exchange = self.guard.open(flow.request.method, flow.request.url, headers)
            flow.metadata[_EXCHANGE] = exchange
            if exchange.rewritten:
                flow.request.path = mitm_heads.path_of(exchange.rewritten)
            if exchange.concerns("response") and (asking := exchange.asking(headers)) is not headers:
                flow.request.headers = _fields(asking)
            flow.request.stream = not exchange.concerns("request")
            if mitm_websocket.opens(flow.request):
                flow.metadata[_SOCKET] = self.guard.open(WEBSOCKET, flow.request.url, _headers(flow.request))
                flow.request.stream = False

    async def request(self, flow: http.HTTPFlow) -> None:
        """Inspects a whole request; one that opens a WebSocket by the rules for these, and by others that know it."""
        if flow.response or flow.error:
            return
        with _decided(flow):
            exchange: Exchange = flow.metadata[_EXCHANGE]
            socket: Exchange | None = flow.metadata.get(_SOCKET)
            if socket is not None:
                await self._request(flow, socket)
            if socket is None or exchange.api:
                await self._request(flow, exchange)

    async def _request(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        if flow.response or not exchange.concerns("request"):
            return
        flow.request.trailers = None  # which nobody has looked into
        message = exchange.request(_headers(flow.request), flow.request.raw_content or b"")
        verdict = await exchange.inspect(message)
        if verdict.action == "block":
            _answer(flow, verdict)
        elif verdict.action == "rewrite":
            _rewrite(flow.request, verdict)
            if verdict.url:
                flow.request.path = mitm_heads.path_of(verdict.url)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Lets responses that no rule is about stream by, and those that stream pass as they are decided on."""
        exchange: Exchange | None = flow.metadata.get(_EXCHANGE)
        if flow.response is None or exchange is None:
            return
        flow.response.headers.pop("alt-svc", None)  # which would lead clients round the guard
        if flow.response.status_code == 101:
            return  # nothing to inspect before its messages
        with _decided(flow):
            if not exchange.concerns("response"):
                flow.response.stream = True
                return
            head = exchange.response(flow.response.status_code, _headers(flow.response))
            if exchange.untouched(head):
                flow.response.stream = True
                del flow.metadata[_EXCHANGE]
                return
            passage = exchange.stream(head)
            if passage is not None:
                mitm_stream.begin(flow, passage)
                flow.response.headers = _fields(passage.headers)
                if flow.request.is_http11:
                    flow.response.headers["transfer-encoding"] = "chunked"

    async def response(self, flow: http.HTTPFlow) -> None:
        """Inspects a whole response."""
        with _decided(flow):
            if (answered := flow.metadata.get(_ANSWERED)) is not None:
                # Where that was decided on the head of a reply, mitmproxy has put the upstream's body into it.
                _answer(flow, answered)
                return
            exchange: Exchange | None = flow.metadata.get(_EXCHANGE)
            response = flow.response
            if response is None or exchange is None:
                return
            if response.status_code == 101:
                await self._switched(flow, exchange)
                return
            if not exchange.concerns("response"):
                return
            response.trailers = None  # likewise
            if mitm_stream.passes(flow):
                return
            message = exchange.response(response.status_code, _headers(response), response.raw_content or b"")
            verdict = await exchange.inspect(message)
            if verdict.action == "block":
                _answer(flow, verdict)
            elif verdict.action == "rewrite":
                _rewrite(response, verdict)

    async def _switched(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """The connection becomes another one. Only of WebSockets does the guard see what is in it."""
        socket: Exchange | None = flow.metadata.get(_SOCKET)
        with _decided(flow):
            assert self.guard is not None
            if socket is not None and flow.websocket is not None:
                mitm_websocket.converse(flow, socket, self.guard.body_limit)
                return
            assert flow.response is not None
            verdict = exchange.unknown(exchange.response(101, _headers(flow.response)))
            if verdict.action == "block":
                _answer(flow, verdict)

    async def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Inspects a message of a WebSocket; it waits meanwhile, and what comes after it."""
        with _contained():
            await mitm_websocket.take(flow)

    async def guard_stream(self, flow: http.HTTPFlow) -> None:
        """Decides on a piece of a streamed reply; what comes after it waits meanwhile."""
        with _contained():
            await mitm_stream.proceed(flow)

    async def guard_websocket_closing(self, flow: http.HTTPFlow) -> None:
        """Decides on what still waits."""
        with _contained():
            await mitm_websocket.finish(flow)


class _Lossy:
    """A file to print to, whose disk may be full."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Writes it, or not."""
        with suppress(OSError):
            self._file.write(text)


class _decided:  # noqa: N801 - a context manager
    """Whatever ends its block early leaves a block as the flow's response; nothing but a verdict lets it pass.

    A class rather than a generator: it is entered three times for each message.
    """

    __slots__ = ("_flow",)

    def __init__(self, flow: http.HTTPFlow) -> None:
        self._flow = flow

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if kind is None:
            return False
        try:
            _answer(self._flow, BROKEN)
        except BaseException:  # noqa: BLE001 - not even an answer can be made: the connection is closed
            self._flow.error = Error(Error.KILLED_MESSAGE)
        log.error("guard failed", error=kind.__name__)
        return _ends_here(kind)


@contextmanager
def _contained() -> Iterator[None]:
    """Where its block ends early, the layer that asked lets nothing go on for want of an answer."""
    try:
        yield
    except BaseException as error:
        log.error("guard failed", error=type(error).__name__)
        if not _ends_here(type(error)):
            raise


def _ends_here(kind: type[BaseException]) -> bool:
    """Whether an exception does not get out of a hook.

    Its text and frames may hold the message's: no one else logs them. And where nobody has cancelled the hook, it does
    not end as cancelled: the client would wait for its answer.
    """
    task = asyncio.current_task()
    stray = kind is asyncio.CancelledError and task is not None and not task.cancelling()
    return stray or issubclass(kind, Exception)


async def serve(guard: Guard, upstream: str, host: str, port: int) -> None:
    """Runs mitmproxy in reverse mode with the addon, until the process is asked to end.

    What mitmproxy itself prints is errors only: its lines on flows hold URLs, which may hold personal data.
    """
    master = DumpMaster(options.Options(), with_dumper=False)
    master.addons.add(ProxyGuardAddon(guard))
    master.options.update(
        mode=[f"reverse:{upstream}"],
        listen_host=host,
        listen_port=port,
        termlog_verbosity="warn",
        connection_strategy="lazy",  # a health check of this port is none of the upstream
        # mitmproxy answers with a page of its own past this limit, which is only there to bound memory.
        body_size_limit=str(guard.body_limit * _BODY_SLACK),
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, master.shutdown)
    await master.run()


def _headers(message: http.Message) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in message.headers.fields)


def _fields(headers: Headers) -> http.Headers:
    return http.Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])


def _rewrite(message: http.Message, verdict: Verdict) -> None:
    message.headers = _fields(verdict.headers)
    message.data.content = verdict.body


def _answer(flow: http.HTTPFlow, verdict: Verdict) -> None:
    """Answers the client with a block."""
    flow.metadata[_ANSWERED] = verdict
    flow.metadata.pop(_EXCHANGE, None)  # the guard's own answer is not inspected again
    flow.websocket = None
    flow.request.stream = False  # mitmproxy can't stream a request and have its response already
    response = http.Response.make(verdict.status or 503, b"")
    response.headers = _fields(verdict.headers)
    response.data.content = verdict.body
    flow.response = response
