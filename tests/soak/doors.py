"""Both doors, each as people run it: mitmdump with the addon, `run --door asgi`, and an application with the middleware."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from proxy_guard import resources
from tests.e2e.servers import Server, free_port, mitmdump, running, uvicorn

GUARD = """\
version: 1
routes:
  - {paths: ["/block/**"], policy: block}
  - {paths: ["/media/**"], policy: media}
  - {policy: mask}
limits: {time: 20}
"""
_MEDIA = "\nmedia: {}\n"
DOORS = ("mitmproxy", "asgi", "middleware")


@dataclass(frozen=True)
class Door:
    """`server` is what clients talk to, `upstream` what tells what it received: the same one for the middleware."""

    name: str
    server: Server
    upstream: Server


def make_rules(folder: Path, guard: str = GUARD) -> Path:
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.yaml").write_text(guard)
    mask = (rules / "policies" / "mask.yaml").read_text().replace("name: mask", "name: media")
    (rules / "policies" / "media.yaml").write_text(mask + _MEDIA)
    return rules


@contextmanager
def door(name: str, rules: Path, folder: Path, *, inject: str = "", **env: str) -> Iterator[Door]:
    """`inject` is a module that the guarded process imports first."""
    before = f"import {inject}; " if inject else ""
    env = {"GUARD_RULES": str(rules), "PYTHONPATH": str(Path.cwd()), **env}
    flags: tuple[str, ...]
    with ExitStack() as stack:
        if name == "middleware":
            (folder / "guarded_upstream.py").write_text(f"{before}from tests.soak.upstream import guarded\n")
            flags = ("--factory", "--app-dir", str(folder), "--no-access-log")
            server = stack.enter_context(
                uvicorn("guarded_upstream:guarded", folder / "middleware.log", *flags, fresh=True, **env)
            )
            yield Door(name, server, server)
            return
        flags = ("--no-access-log", "--timeout-keep-alive", "75")  # chat APIs keep connections longer than clients do
        upstream = stack.enter_context(uvicorn("tests.soak.upstream:app", folder / f"{name}-upstream.log", *flags))
        log = folder / f"{name}.log"
        if name == "mitmproxy":
            addon = folder / "addon_under_test.py"
            addon.write_text(f"{before}from proxy_guard.mitm import ProxyGuardAddon\naddons = [ProxyGuardAddon()]\n")
            quiet = ("--set", "flow_detail=0", "--set", "body_size_limit=40m", "--set", "connection_strategy=lazy")
            server = stack.enter_context(mitmdump(upstream.url, rules, log, *quiet, addon=addon, fresh=True, env=env))
        else:
            port = free_port()
            code = f"{before}import sys; from proxy_guard.cli import main; sys.exit(main())"
            arguments = ["-c", code, "run", "--upstream", upstream.url, "--rules", str(rules)]
            arguments += ["--door", name, "--listen", f"127.0.0.1:{port}"]
            server = stack.enter_context(running(arguments, port, log, fresh=True, **env))
        yield Door(name, server, upstream)
