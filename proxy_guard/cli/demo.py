"""`proxy-guard demo`."""

from __future__ import annotations

import importlib.util

from proxy_guard.errors import MissingExtra


def demo(security_api: bool) -> None:
    """Runs the demo, or that of a Security API, where its parts are installed."""
    for module in ("mitmproxy", "openai", "starlette", "uvicorn"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtra("proxy-guard demo", "demo")
    if security_api:
        from proxy_guard.demo.show_security_api import show
    else:
        from proxy_guard.demo.show import show

    show()
