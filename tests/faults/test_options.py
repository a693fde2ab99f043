"""Options of mitmproxy that would pass the guard by: it does not start with them, and refuses them once it runs."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from proxy_guard import resources
from tests.e2e.raw import Raw
from tests.e2e.servers import free_port, mitmdump
from tests.soak.doors import make_rules

REFUSED = {
    "stream_large_bodies": "stream_large_bodies=1m",
    "ignore_hosts": "ignore_hosts=example.com",
    "allow_hosts": "allow_hosts=example.com",
    "tcp_hosts": "tcp_hosts=example.com",
    "udp_hosts": "udp_hosts=example.com",
    "map_remote": "map_remote=|//a.example|//b.example",
    "modify_body": "modify_body=/a/b",
    "websocket": "websocket=false",
    "validate_inbound_headers": "validate_inbound_headers=false",
    "reverse:tcp": "mode=reverse:tcp://127.0.0.1:9",
    "reverse:tls": "mode=reverse:tls://127.0.0.1:9",
    "reverse:udp": "mode=reverse:udp://127.0.0.1:9",
}
_HOLD = """
import asyncio, sys
from mitmproxy import options
from mitmproxy.tools.dump import DumpMaster
from proxy_guard import Guard
from proxy_guard.mitm import ProxyGuardAddon

async def main():
    master = DumpMaster(options.Options(mode=["reverse:http://127.0.0.1:9@0"], listen_host="127.0.0.1"), with_dumper=False)
    addon = ProxyGuardAddon(Guard.from_rules())
    master.addons.add(addon)
    guard = addon.guard
    class Then:
        def running(self):
            for each in sys.argv[1:]:
                name = each.partition("=")[0]
                before = getattr(master.options, name)
                try:
                    master.options.set(each)
                except Exception as error:
                    print("refused", type(error).__name__)
                assert getattr(master.options, name) == before, each
            assert addon.guard is guard
            assert not master.options.rawtcp
            master.shutdown()
    master.addons.add(Then())
    await master.run()
asyncio.run(main())
"""


@pytest.mark.parametrize("name", ["ignore_hosts", "reverse:tcp"])
def test_mitmproxy_does_not_start_with_it(name: str) -> None:
    command = [sys.executable, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()", "-q"]
    command += ["-s", str(resources.addon_path()), "--set", REFUSED[name], "-p", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"proxy-guard: {name}" in done.stdout + done.stderr or f"the mode {name}" in done.stdout + done.stderr


def test_once_it_runs_they_are_refused_and_the_guard_stays() -> None:
    command = [sys.executable, "-c", _HOLD, *REFUSED.values()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("refused OptionsError") == len(REFUSED)


def test_every_option_of_mitmproxy_is_known() -> None:
    """A new release may bring another way round: then look at it, and name it here or among those refused."""
    command = [sys.executable, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()", "--options"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    harmless = Path(__file__).with_name("harmless_options.txt").read_text().split()
    refused = {each.partition("=")[0] for each in REFUSED.values()}
    assert set(re.findall(r"^(\w+):", printed, re.M)) - refused == set(harmless)


def test_what_is_no_http_is_not_relayed(tmp_path: Path) -> None:
    """In forward mode mitmproxy would take bytes that don't look like HTTP for something else, and pass them on."""
    upstream = Raw()
    port = free_port()
    flags = ("--mode", f"regular@{port}", "--set", "rawtcp=true")
    with (
        mitmdump("http://127.0.0.1:9", make_rules(tmp_path), tmp_path / "log", *flags),
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        client.sendall(f"CONNECT 127.0.0.1:{upstream.port} HTTP/1.1\r\n\r\n".encode())
        assert b"200" in client.recv(4096)
        client.sendall(b"\r\nPOST\t/v1/chat/completions\tHTTP/1.1\r\ncontent-length: 10\r\n\r\n9876543210")
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass
    upstream.close()
    assert upstream.seen == []
