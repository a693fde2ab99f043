"""The web that links lead to, and what must not be reached by them: servers on loopback, and the names for them."""

from __future__ import annotations

import json
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import trustme

from tests.media import samples

PUBLIC = "93.184.216.34"
PRIVATE = ("127.0.0.1", "10.0.0.7", "169.254.169.254")
NAMES = {
    "cdn.example": [[PUBLIC]],
    "img.files.example": [[PUBLIC]],
    "unnamed.example": [[PUBLIC]],
    "private.example": [["10.0.0.7"]],
    "metadata.example": [["169.254.169.254"]],
    "mixed.example": [[PUBLIC, "10.0.0.7"]],
    "rebind.example": [[PUBLIC], ["127.0.0.1"]],
}
HOSTS = "[cdn.example, '*.files.example', private.example, metadata.example, mixed.example, rebind.example, 127.0.0.1]"
"""What the policy names; all but one of them."""
FILES = {
    "/a.png": ("image/png", samples.picture()),
    "/a.pdf": ("application/pdf", samples.pdf()),
    "/lie.png": ("image/png", samples.pdf()),
    "/a.mp3": ("audio/mpeg", b"ID3\3\0\0\0\0\0\0" + bytes(99)),
    "/clean.csv": ("text/csv", b"a,b\n1,2\n"),
    "/clean.png": ("image/png", samples.blank()),
}
LARGE = 21 * 1024 * 1024


@dataclass
class Web:
    """`public` and `private` are the paths that were asked for there."""

    public: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)


@contextmanager
def web() -> Iterator[Web]:
    """Running; `env` is what a door is started with to be in it."""
    made = Web()
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("cdn.example").configure_cert(tls)
    with (
        _serving(made.public) as http,
        _serving(made.public, tls) as https,
        _serving(made.private) as inside,
        tempfile.TemporaryDirectory() as folder,
    ):
        pem = Path(folder, "ca.pem")
        authority.cert_pem.write_to_path(pem)
        routes = {f"{PUBLIC}:80": http, f"{PUBLIC}:443": https}
        routes |= {f"{address}:{port}": inside for address in PRIVATE for port in (80, 443)}
        made.env = {
            "TEST_NETWORK": json.dumps({"names": NAMES, "routes": routes}),
            "PYTHONPATH": str(Path(__file__).with_name("network")),
            "SSL_CERT_FILE": str(pem),
        }
        yield made


@contextmanager
def _serving(asked: list[str], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            kind, _, rest = self.path.removeprefix("/").partition("/")
            media_type, data = FILES.get(self.path, ("image/png", samples.picture()))
            if kind == "slow":
                time.sleep(float(rest))
            if kind == "large":
                data = bytes(LARGE)
            self.send_response(302 if kind == "to" else 404 if kind == "gone" else 200)
            if kind == "to":
                self.send_header("Location", unquote(rest))
            self.send_header("Content-Type", media_type)
            if kind != "large":  # nor does it say how much will come
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a guard that has enough hangs up

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()
