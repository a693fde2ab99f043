"""`proxy-guard security-api`: the reference server."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from proxy_guard import resources, secrets
from proxy_guard.errors import MissingExtra, ProxyGuardError
from proxy_guard.guard import Guard
from proxy_guard.media import extras
from proxy_guard.rules.load import load_rules


def serve(rules: Path | None, listen: str, policy: str | None, token: str | None) -> None:
    """Serves until it is stopped."""
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtra("proxy-guard security-api", "security-api")
    import uvicorn

    from proxy_guard.security_api import application

    host, _, port = listen.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ProxyGuardError("--listen is HOST:PORT")
    try:
        shown = SecretStr(str(secrets.resolve(token))) if token else None
    except ValueError as error:
        raise ProxyGuardError(f"--token: {error}") from None
    folder = rules or resources.rules_dir()
    ruleset = load_rules(folder, policy)
    chosen = ruleset.routes[0].policy
    media = extras.installed()
    guard = Guard.from_rules(folder, policy=policy) if media else None
    app = application(chosen, token=shown, limits=ruleset.limits, guard=guard)
    Console(stderr=True).print(
        f"Security API on http://{listen} · policy {chosen.name} · {'with' if shown else 'without'} a token · "
        f"media {'are scrubbed' if media else 'are rejected (the extra proxy-guard[media] is not installed)'}",
        highlight=False,
        soft_wrap=True,
    )
    uvicorn.run(app, host=host.strip("[]") or "127.0.0.1", port=int(port), log_level="warning", access_log=False)
