"""Heads of requests under mitmproxy, which takes and passes on more than other servers would."""

from __future__ import annotations

import re

from mitmproxy import http
from mitmproxy.proxy import mode_specs

from proxy_guard import mitm_websocket
from proxy_guard.engine import unanswered
from proxy_guard.model import Verdict

_ILLEGIBLE = unanswered(None, 400, "its headers hold line ends")
_HTTP3 = unanswered(None, 505, "HTTP/3 is not spoken")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_UNFIT = re.compile(rb"[\r\n\0]")


def refuse(flow: http.HTTPFlow) -> Verdict | None:
    """The answer to a request that not every server reads alike; what a proxy may put right is, here (RFC 9112)."""
    request = flow.request
    if request.is_http3:
        return _HTTP3
    values = b"".join(value for _, value in request.headers.fields)
    if b"\n" in values or b"\r" in values:  # folded lines (5.2)
        request.headers = http.Headers([(name, _FOLD.sub(b" ", value)) for name, value in request.headers.fields])
        values = b"".join(value for _, value in request.headers.fields)
    if _UNFIT.search(values):
        return _ILLEGIBLE
    if not mitm_websocket.opens(request):
        # Whatever a connection would become, messages in it could not be inspected.
        for name in ("upgrade", "http2-settings"):
            request.headers.pop(name, None)
    if isinstance(flow.client_conn.proxy_mode, mode_specs.ReverseMode) and not request.is_http2:
        request.authority = ""  # a whole URL as the target: its host is the upstream's
    return None


def path_of(url: str) -> str:
    """Path and query of a URL: a proxy's own form of the target, and the host, stay as they are."""
    return "/" + url.partition("://")[2].partition("/")[2]
