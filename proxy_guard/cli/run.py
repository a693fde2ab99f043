"""`proxy-guard run`: the sidecar."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from rich.console import Console

from proxy_guard.errors import MissingExtra, ProxyGuardError
from proxy_guard.guard import Guard
from proxy_guard.secrets import keep_off_disk

_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]*):(?P<port>\d{1,5})")


Door = Literal["mitmproxy", "asgi"]
_NEEDS = {"mitmproxy": ("mitmproxy", "mitm"), "asgi": ("uvicorn", "asgi")}


def run(upstream: str, rules: Path | None, listen: str, policy: str | None, door: Door) -> None:
    """Runs mitmproxy in reverse mode with the addon, or uvicorn with a reverse proxy, until it is stopped."""
    package, extra = _NEEDS[door]
    if importlib.util.find_spec(package) is None:
        raise MissingExtra(f"proxy-guard run --door {door}", extra)
    target = urlsplit(upstream)
    if target.scheme not in ("http", "https") or not target.hostname or target.path.strip("/"):
        raise ProxyGuardError("--upstream is http://host[:port] or https://host[:port], without a path")
    place = _LISTEN.fullmatch(listen)
    if place is None:
        raise ProxyGuardError("--listen is HOST:PORT")
    keep_off_disk()
    guard = Guard.from_rules(rules, policy=policy)
    host = place["host"].strip("[]") or "127.0.0.1"
    Console(stderr=True).print(
        f"Proxy Guard on http://{place['host'] or host}:{place['port']} in front of {upstream}"
        f" · policy {', '.join(guard.policies)}",
        highlight=False,
        soft_wrap=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("proxy_guard")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    upstream, port = upstream.rstrip("/"), int(place["port"])
    if door == "asgi":
        from proxy_guard import reverse

        reverse.serve(guard, upstream, host, port)
    else:
        from proxy_guard import mitm

        asyncio.run(mitm.serve(guard, upstream, host, port))
