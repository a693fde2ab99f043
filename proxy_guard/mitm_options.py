"""Options of mitmproxy under which a message would not meet the guard, or be another one after it has.

Raw traffic: mitmproxy relays what does not look like HTTP byte for byte, and a lenient upstream may read it as HTTP
all the same. That is on by default, so it is turned off rather than refused.
"""

from __future__ import annotations

from mitmproxy.options import Options
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

_PASSING = {
    "stream_large_bodies": "lets messages pass the guard by",
    "ignore_hosts": "takes connections out of the guard's sight",
    "allow_hosts": "takes connections out of the guard's sight",
    "tcp_hosts": "takes connections out of the guard's sight",
    "udp_hosts": "takes connections out of the guard's sight",
    "map_remote": "sends requests elsewhere after the guard has judged them by where they went",
    "modify_body": "changes messages after the guard has judged them",
}
_NEEDED = {
    "websocket": "without it, WebSockets pass the guard by",
    "validate_inbound_headers": "without it, a message may end at another place for the upstream than for the guard",
}
_HTTP = ("http", "https", "http3", "dns")


def refusal(options: Options) -> str:
    """Why the guard can't work under these options; empty where it can."""
    for name, why in _PASSING.items():
        if getattr(options, name):
            return f"{name} {why}: unset it"
    for name, why in _NEEDED.items():
        if not getattr(options, name):
            return f"{name}: {why}; set it"
    for mode in options.mode:
        spec = ProxyMode.parse(mode)
        if isinstance(spec, ReverseMode) and spec.scheme not in _HTTP:
            return f"the mode reverse:{spec.scheme} relays bytes that nobody inspects: take http or https"
    return ""


def secure(options: Options) -> bool:
    """Turns the relaying of raw traffic off. Whether it was on."""
    on = bool(options.rawtcp)
    if on:
        options.update(rawtcp=False)
    return on
