"""The Internet of a door under test: imported when its interpreter starts, and nothing where TEST_NETWORK is not set.

`names` resolve to the addresses of their lists, one list after the other and then the last one again; `routes` are
where connections to an address really lead. So the guard itself is as its users have it: it resolves, checks and
connects, and only what lies behind is the test's.
"""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from typing import Any

if "TEST_NETWORK" in os.environ:
    import anyio

    network: dict[str, dict[str, Any]] = json.loads(os.environ["TEST_NETWORK"])
    asked: Counter[str] = Counter()
    real_getaddrinfo, real_connect = anyio.getaddrinfo, anyio.connect_tcp

    def resolved(host: str) -> list[str]:
        """What the name server says this time."""
        answers = network["names"][host]
        asked[host] += 1
        found: list[str] = answers[min(asked[host], len(answers)) - 1]
        return found

    async def getaddrinfo(host: Any, port: Any, **options: Any) -> Any:
        """As of anyio."""
        if host not in network["names"]:
            return await real_getaddrinfo(host, port, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in resolved(host)]

    async def connect_tcp(remote_host: str, remote_port: int, **options: Any) -> Any:
        """As of anyio; who connects by a name has it resolved once more."""
        host = resolved(remote_host)[0] if remote_host in network["names"] else remote_host
        real = network["routes"].get(f"{host}:{remote_port}")
        if real is None:
            return await real_connect(remote_host, remote_port, **options)
        return await real_connect("127.0.0.1", real, **options)

    anyio.getaddrinfo, anyio.connect_tcp = getaddrinfo, connect_tcp  # type: ignore[assignment]
