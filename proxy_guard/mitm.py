"""The mitmproxy addon. It only translates between mitmproxy and the guard.

mitmproxy fails open: a hook that raises is logged and the message goes on. So each hook puts a block in place
first and takes it away only on a verdict, and lets no exception out, whose text could hold the message's.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from mitmproxy import ctx, exceptions, http, options
from mitmproxy.addonmanager import Loader
from mitmproxy.tools.dump import DumpMaster

from proxy_guard import audit
from proxy_guard.errors import ProxyGuardError
from proxy_guard.guard import BROKEN, Exchange, Guard
from proxy_guard.model import Headers, Verdict

log = audit.logger()
_EXCHANGE = "proxy_guard.exchange"
_BODY_SLACK = 4


class ProxyGuardAddon:
    """Options: `guard_rules`, a folder of rule files (empty: the shipped ones), and `guard_policy`."""

    def __init__(self, guard: Guard | None = None) -> None:
        """Without a `guard`, the options say what rules to load; until they are loaded, everything is blocked."""
        self.guard = guard
        self._given = guard is not None

    def load(self, loader: Loader) -> None:
        """Declares the options."""
        loader.add_option("guard_rules", str, "", "Folder of rule files; the shipped rules without one.")
        loader.add_option("guard_policy", str, "", "A policy for all traffic, in place of the routes' own.")

    def configure(self, updated: set[str]) -> None:
        """Loads the rules. With bad ones mitmproxy does not start; once it runs, the last good ones stay in force."""
        if "stream_large_bodies" in updated and ctx.options.stream_large_bodies:
            self._refuse("stream_large_bodies lets messages pass the guard by: unset it")
        elif not self._given and (self.guard is None or updated & {"guard_rules", "guard_policy"}):
            try:
                self.guard = Guard.from_rules(ctx.options.guard_rules or None, policy=ctx.options.guard_policy or None)
            except ProxyGuardError as error:
                self._refuse(str(error))

    def _refuse(self, why: str) -> None:
        if self.guard is None or not ctx.master.addons.get("proxyserver").is_running:
            # An error that is logged at start-up ends mitmproxy; one that is raised would show a traceback, too.
            self.guard = None
            logging.getLogger("proxy_guard").error("proxy-guard: %s", why)
        else:
            raise exceptions.OptionsError(why)  # type: ignore[no-untyped-call]

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Finds the rules for a request; what no rule is about streams by."""
        if flow.response or flow.error:
            return  # another addon has answered, or the client has gone
        flow.response = _broken()

        async def find() -> None:
            assert self.guard is not None
            exchange = self.guard.open(flow.request.method, flow.request.url)
            flow.metadata[_EXCHANGE] = exchange
            verdict = None
            if exchange.concerns("request"):
                verdict = exchange.refuse(exchange.request(_headers(flow.request)))
            else:
                flow.request.stream = True
            # A refusal stands; mitmproxy reads the body in any case before it sends it.
            flow.response = _block(flow, verdict) if verdict else None

        await _contained(find)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Inspects a whole request."""
        exchange: Exchange | None = flow.metadata.get(_EXCHANGE)
        if flow.response or flow.error or exchange is None or not exchange.concerns("request"):
            return
        flow.response = _broken()

        async def judge() -> None:
            message = exchange.request(_headers(flow.request), flow.request.raw_content or b"")
            verdict = await exchange.inspect(message)
            if verdict.action == "block":
                flow.response = _block(flow, verdict)
                return
            if verdict.action == "rewrite":
                _rewrite(flow.request, verdict)
            flow.response = None

        await _contained(judge)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Lets responses that no rule is about stream by."""
        exchange: Exchange | None = flow.metadata.get(_EXCHANGE)
        if flow.response is not None and exchange is not None and not exchange.concerns("response"):
            flow.response.stream = True

    async def response(self, flow: http.HTTPFlow) -> None:
        """Inspects a whole response."""
        exchange: Exchange | None = flow.metadata.get(_EXCHANGE)
        original = flow.response
        if original is None or exchange is None or not exchange.concerns("response"):
            return
        flow.response = _broken()

        async def judge() -> None:
            message = exchange.response(original.status_code, _headers(original), original.raw_content or b"")
            verdict = await exchange.inspect(message)
            if verdict.action == "block":
                flow.response = _block(flow, verdict)
                return
            if verdict.action == "rewrite":
                _rewrite(original, verdict)
            flow.response = original

        await _contained(judge)


async def _contained(judge: Callable[[], Awaitable[None]]) -> None:
    try:
        await judge()
    except Exception as error:  # noqa: BLE001 - the block that was put in place first stands
        log.error("guard failed", error=type(error).__name__)


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


def _block(flow: http.HTTPFlow, verdict: Verdict) -> http.Response:
    flow.metadata.pop(_EXCHANGE, None)  # the guard's own answer is not inspected again
    return _reply(verdict)


def _broken() -> http.Response:
    return _reply(BROKEN)


def _reply(verdict: Verdict) -> http.Response:
    response = http.Response.make(verdict.status or 503, b"")
    response.headers = _fields(verdict.headers)
    response.data.content = verdict.body
    return response
