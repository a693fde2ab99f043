"""`proxy-guard run`: the sidecar."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from proxy_guard import resources
from proxy_guard.errors import MissingExtra, ProxyGuardError
from proxy_guard.rules.load import load_rules

_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]*):(?P<port>\d{1,5})")
# mitmproxy's own limit answers with a page of its own; it is only there to bound memory.
_BODY_SLACK = 4


def run(upstream: str, rules: Path | None, listen: str, policy: str | None) -> None:
    """Runs mitmdump in reverse mode with the addon, until it is stopped."""
    if importlib.util.find_spec("mitmproxy") is None:
        raise MissingExtra("proxy-guard run", "mitm")
    target = urlsplit(upstream)
    if target.scheme not in ("http", "https") or not target.hostname or target.path.strip("/"):
        raise ProxyGuardError("--upstream is http://host[:port] or https://host[:port], without a path")
    place = _LISTEN.fullmatch(listen)
    if place is None:
        raise ProxyGuardError("--listen is HOST:PORT")
    ruleset = load_rules(rules or resources.rules_dir(), policy)
    host = place["host"].strip("[]") or "127.0.0.1"
    options = {
        "guard_rules": str(rules.resolve()) if rules else "",
        "guard_policy": policy or "",
        "body_size_limit": str(ruleset.limits.body * _BODY_SLACK),
        # What mitmproxy would print of each flow is its URL, and a URL may hold personal data.
        "flow_detail": "0",
    }
    arguments = ["-s", str(resources.addon_path()), "--mode", f"reverse:{upstream.rstrip('/')}"]
    arguments += ["--listen-host", host, "--listen-port", place["port"]]
    for name, value in options.items():
        arguments += ["--set", f"{name}={value}"]
    policies = ", ".join(sorted({route.policy.name for route in ruleset.routes}))
    Console(stderr=True).print(
        f"Proxy Guard on http://{place['host'] or host}:{place['port']} in front of {upstream} · policy {policies}",
        highlight=False,
        soft_wrap=True,
    )
    from mitmproxy.tools.main import mitmdump

    mitmdump(arguments)
