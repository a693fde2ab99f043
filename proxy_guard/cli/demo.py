"""`proxy-guard demo`."""

from __future__ import annotations

import importlib.util

from proxy_guard.errors import MissingExtra


def demo() -> None:
    """Runs the demo, where its parts are installed."""
    for module in ("mitmproxy", "openai", "starlette", "uvicorn"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtra("proxy-guard demo", "demo")
    from proxy_guard.demo.show import show

    show()
