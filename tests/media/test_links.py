"""Linked media: whence they are fetched, and whence never."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest

from proxy_guard.media_links import Fetcher, Unfetchable, is_public


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name, _, argument = self.path.strip("/").partition("/")
        body = b"x" * int(argument) if name == "size" else b"picture"
        self.send_response({"to": 302, "gone": 404}.get(name, 200))
        if name == "to":
            self.send_header("Location", f"http://{argument}")
        if name == "packed":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", "image/PNG; a=b")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def fetch(url: str, *, public_only: bool = False, hosts: tuple[str, ...] = ("localhost",)) -> tuple[bytes, str]:
    return anyio.run(Fetcher(hosts, 1000, public_only=public_only).fetch, url)


def test_a_medium_is_fetched_with_its_type(port: int) -> None:
    assert fetch(f"http://localhost:{port}/a.png") == (b"picture", "image/png")
    assert fetch(f"http://localhost:{port}/to/localhost:{port}/a.png") == (b"picture", "image/png")
    assert len(fetch(f"http://localhost:{port}/size/1000")[0]) == 1000


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("size/1001", "larger"),
        ("gone", "404"),
        ("packed", "Content-Encoding"),
        ("to/127.0.0.1:{port}/a.png", "not named"),
        ("to/other.example/a.png", "not named"),
        ("to/user@localhost/a.png", "credentials"),
        ("to/localhost:{port}/to/localhost:{port}/to/localhost:{port}/to/localhost:{port}/a", "redirects"),
    ],
)
def test_what_is_not_taken(port: int, path: str, why: str) -> None:
    with pytest.raises(Unfetchable, match=why):
        fetch(f"http://localhost:{port}/{path.format(port=port)}")


def test_a_name_that_leads_to_a_private_address_is_refused_where_it_is_connected_to() -> None:
    with pytest.raises(Unfetchable, match="not public"):
        fetch("http://localhost/a.png", public_only=True)
    with pytest.raises(Unfetchable, match="port"):
        fetch("https://localhost:8443/a.png", public_only=True)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "http://localhost/\n", "ftp://localhost/a"])
def test_what_is_no_link_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(Unfetchable):
        fetch(url)


def test_hosts_below_a_name() -> None:
    fetcher = Fetcher(("*.example.com",), 10)
    fetcher._check("https://cdn.example.com/a")
    for host in ("example.com", "badexample.com", "example.com.evil.test"):
        with pytest.raises(Unfetchable):
            fetcher._check(f"https://{host}/a")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "nonsense",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)
