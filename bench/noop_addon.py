"""What `mitmdump -s` loads for the baseline: hooks that do nothing."""

from __future__ import annotations

from mitmproxy import http


class Noop:
    """Waits on each message for nothing."""

    async def request(self, flow: http.HTTPFlow) -> None:
        """Leaves the request as it is."""

    async def response(self, flow: http.HTTPFlow) -> None:
        """Leaves the response as it is."""


addons = [Noop()]
