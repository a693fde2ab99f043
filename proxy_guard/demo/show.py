"""Runs the demo: starts both servers on free loopback ports, sends chats, shows what each side saw, and ends."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy_guard import resources
from proxy_guard.errors import ProxyGuardError

_START_SECONDS = 60
POLICY = """\
version: 1
name: demo
entities:
  PHONE_NUMBER: { action: mask, char: X, keep_last: 2 }
  CREDIT_CARD: { action: mask, char: X, keep_last: 4 }
  EMAIL_ADDRESS: { action: replace, with: "<EMAIL>" }
  PERSON: { action: replace, with: "<PERSON>" }
  US_SSN: { action: block }
"""
CHATS = {
    "a phone number": "My phone number is 9876543210",
    "a card": "Please charge 4111 1111 1111 1111 again.",
    "a name": "I spoke with Maria Gonzalez yesterday.",
    "nothing personal": "How long does a refund take?",
    "a number that blocks": "My SSN is 856-45-6789",
    "a reply with personal data": "Who is my agent?",
}
SECRETS = ("9876543210", "4111 1111 1111 1111", "Maria Gonzalez", "856-45-6789", "98765 43210", "ravi.kumar@")
"""What may arrive nowhere."""


def show() -> None:
    """Prints the table. Raises ProxyGuardError where a server does not start."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder, console.status("Starting a chat server and the sidecar…"):
        rules = Path(folder) / "rules"
        shutil.copytree(resources.rules_dir(), rules)
        (rules / "policies" / "demo.yaml").write_text(POLICY, encoding="utf-8")
        upstream, sidecar = free_port(), free_port()
        server = [sys.executable, "-m", "uvicorn", "proxy_guard.demo.chat_server:app", "--port", str(upstream)]
        guard = [sys.executable, "-m", "proxy_guard", "run", "--upstream", f"http://127.0.0.1:{upstream}"]
        guard += ["--rules", str(rules), "--policy", "demo", "--listen", f"127.0.0.1:{sidecar}"]
        with running([*server, "--log-level", "warning"], upstream), running(guard, sidecar):
            table = chats(sidecar, upstream)
    console.print(table)
    console.print(
        "Try it on your own API:  [bold]proxy-guard run --upstream https://api.openai.com[/]  "
        "and point the client's base URL at http://127.0.0.1:8080/v1",
        highlight=False,
    )


def chats(sidecar: int, upstream: int) -> Table:
    """Sends the chats through the sidecar. Raises ProxyGuardError where something personal got through."""
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{sidecar}/v1", api_key="demo")
    table = Table(show_lines=True)
    for heading in ("", "the client sent", "the chat API received", "the client got back"):
        table.add_column(heading, overflow="fold")
    for title, text in CHATS.items():
        before = len(received(upstream))
        try:
            reply = client.chat.completions.create(model="demo", messages=[{"role": "user", "content": text}])
            answer = Text(reply.choices[0].message.content or "")
        except openai.APIStatusError as error:
            answer = Text(f"{type(error).__name__} ({error.status_code}): {error.body['message']}", "red")  # type: ignore[index]
        arrived = [each["messages"][-1]["content"] for each in received(upstream)[before:]]
        if leaked := [secret for secret in SECRETS if secret in str(arrived) + answer.plain]:
            raise ProxyGuardError(f"{len(leaked)} personal data got through")
        table.add_row(title, text, Text("\n".join(arrived), "green") if arrived else Text("nothing", "red"), answer)
    return table


def received(port: int) -> list[Any]:
    """What a server of the demo was sent."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/received", timeout=10) as reply:
        bodies: list[Any] = json.load(reply)
    return bodies


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A server for the time of a block; ready when its port answers, ended by its handle."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)  # noqa: S603
        try:
            _await(process, port)
            yield
        except BaseException:
            output.seek(0)
            sys.stderr.buffer.write(output.read())
            raise
        finally:
            process.terminate()
            process.wait(timeout=20)


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ProxyGuardError("a server of the demo ended at once")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ProxyGuardError(f"nothing answers on port {port} after {_START_SECONDS} s")
