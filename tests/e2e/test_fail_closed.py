"""What breaks inside the guard never lets a message pass, through either door."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.corpus import CANARIES, CHAT, PHONE, Answer, Case, chat, dumps, reply
from tests.e2e.doors import send
from tests.e2e.servers import Server, free_port, mitmdump, uvicorn

# Scrubbers that a third party might write, and break.
_PLUGINS = """
import asyncio
from proxy_guard import plugins

from proxy_guard.scrubbers import Scrubber

class Raises(Scrubber):
    async def scrub(self, slots, wanted):
        raise RuntimeError(f"can't do {slots[0].text}")

class Hangs(Raises):
    async def scrub(self, slots, wanted):
        await asyncio.sleep(60)

class TooFew(Raises):
    async def scrub(self, slots, wanted):
        return []

class OutOfBounds(Raises):
    async def scrub(self, slots, wanted):
        from proxy_guard.model import Finding
        return [[Finding("PHONE_NUMBER", -5, 10_000, 2.0)] for _ in slots]

class Nonsense(Raises):
    async def scrub(self, slots, wanted):
        return "nonsense"

PARTS = {"raises": Raises, "hangs": Hangs, "toofew": TooFew, "bounds": OutOfBounds, "nonsense": Nonsense}
real_load, real_available = plugins.load, plugins.available
plugins.load = lambda group, name: PARTS.get(name) or real_load(group, name)
plugins.available = lambda group: real_available(group) | (PARTS if group == "scrubbers" else {})
"""
_ASGI = (
    _PLUGINS
    + """
import os
from proxy_guard.asgi import ProxyGuardMiddleware
from tests.e2e.recorder import recorder

def app():
    return ProxyGuardMiddleware(recorder, rules=os.environ["GUARD_RULES"])
"""
)
_ADDON = (
    _PLUGINS
    + """
from proxy_guard.mitm import ProxyGuardAddon

addons = [ProxyGuardAddon()]
"""
)
NAMES = ("raises", "hangs", "toofew", "bounds", "nonsense")


@pytest.fixture(scope="module")
def broken_rules(folder: Path, rules: Path) -> Path:
    import shutil

    broken = folder / "broken-rules"
    shutil.copytree(rules, broken)
    routes = ""
    for name in NAMES:
        routes += f'  - {{paths: ["/{name}/**"], policy: {name}}}\n'
        policy = f"version: 1\nname: {name}\nscrubber: {name}\nentities:\n  PHONE_NUMBER: {{action: mask}}\n"
        (broken / "policies" / f"{name}.yaml").write_text(policy)
    (broken / "guard.yaml").write_text(f"version: 1\nroutes:\n{routes}  - {{policy: mask}}\nlimits: {{time: 1}}\n")
    return broken


@pytest.mark.parametrize("direction", ["request", "response"])
def test_a_broken_scrubber_is_a_503(folder: Path, broken_rules: Path, upstream: Server, direction: str) -> None:
    addon = folder / "broken_addon.py"
    addon.write_text(_ADDON)
    (folder / "brokenapp.py").write_text(_ASGI)
    flags = ("-v", "--set", "flow_detail=0")
    with (
        mitmdump(upstream.url, broken_rules, folder / "broken-mitm.log", *flags, addon=addon) as mitm,
        uvicorn(
            "brokenapp:app", folder / "broken-asgi.log", "--factory", "--app-dir", str(folder),
            GUARD_RULES=str(broken_rules), PYTHONPATH=str(Path.cwd()),
        ) as asgi,
    ):  # fmt: skip
        for name in NAMES:
            asked = chat(f"call {PHONE}") if direction == "request" else {"messages": []}
            answer = Answer(body=dumps(reply(f"call {PHONE}")))
            case = Case(name, dumps(asked), f"/{name}{CHAT}", answer=answer)
            by_mitm, by_asgi = send(mitm, upstream, case), send(asgi, asgi, case)
            assert by_mitm == by_asgi, name
            assert by_mitm.status == 503, name
            assert b"guard" in by_mitm.body
            if direction == "request":
                assert by_mitm.received is None, name
        for server in (mitm, asgi):
            assert not any(secret in server.printed() for secret in CANARIES)


def test_streaming_past_the_hook_is_refused(folder: Path, rules: Path) -> None:
    assert "stream_large_bodies" in _start_fails(rules, "--set", "stream_large_bodies=1m")


def test_bad_rules_stop_the_start_with_one_message(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "guard.yaml").write_text("version: 1\nroutes:\n  - {polcy: mask}\n")
    printed = _start_fails(tmp_path)
    assert "guard.yaml:3:6" in printed
    assert "did you mean policy?" in printed
    assert "Traceback" not in printed


def _start_fails(rules: Path, *flags: str) -> str:
    from proxy_guard import resources

    command = [sys.executable, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()"]
    command += ["-s", str(resources.addon_path()), "--set", f"guard_rules={rules}", "-p", str(free_port()), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr
