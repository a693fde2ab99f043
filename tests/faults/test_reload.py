"""SIGHUP: new rules, or those before; never none, and nothing waits for it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from proxy_guard import Guard, Message
from proxy_guard.errors import RulesError
from proxy_guard.rules import folder as folders
from tests.e2e.raw import PHONE, Raw, post
from tests.e2e.servers import Server, sidecar
from tests.soak.doors import make_rules

BLOCKS = "version: 1\nname: mask\nentities: {PHONE_NUMBER: {action: block}}\n"
HALF = BLOCKS[:-12]


def until(true: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Raw]:
    raw = Raw()
    raw.answerer = lambda connection, _: connection.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    )
    yield raw
    raw.close()


@pytest.mark.parametrize("door", ["mitmproxy", "asgi"])
def test_a_running_guard_takes_new_rules_or_keeps_those_before(tmp_path: Path, upstream: Raw, door: str) -> None:
    rules = make_rules(tmp_path)
    policy = rules / "policies" / "mask.yaml"
    good = policy.read_text()
    flags = ("--rules", str(rules), "--door", door)
    with sidecar(f"http://127.0.0.1:{upstream.port}", tmp_path / "log", *flags) as server:

        def said(what: str) -> int:
            return server.printed().count(what)

        def hang_up() -> None:
            server.process.send_signal(signal.SIGHUP)

        assert post(server.port)[0] == 200
        until(lambda: _handles(server, signal.SIGHUP), "the handler is there once the server is up")
        policy.write_text(HALF)
        hang_up()
        until(lambda: said("rules not reloaded") == 1, "it tells of rules that it can't take")
        assert "mask.yaml" in server.printed()
        assert post(server.port)[0] == 200
        assert PHONE.encode() not in b"".join(upstream.seen)
        policy.write_text(BLOCKS)
        hang_up()
        until(lambda: said("rules reloaded") == 1, "it tells of new rules")
        assert post(server.port)[0] == 422
        policy.write_text(good)
        for _ in range(20):
            hang_up()
            time.sleep(0.01)
        until(lambda: said("rules reloaded") > 1 and post(server.port)[0] == 200, "the last rules are in force")
        assert said("rules reloaded") < 12
        hang_up()
        time.sleep(0.05)
        server.process.terminate()
        assert server.process.wait(30) == 0
    assert PHONE.encode() not in b"".join(upstream.seen)
    assert "Traceback" not in server.printed()


def _handles(server: Server, number: signal.Signals) -> bool:
    """Whether the process has a handler for a signal."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (number - 1) & 1)


VAULT = """\
version: 1
routes: [{policy: hides}]
vaults: {default: {kind: memory}}
"""
HIDES = """\
version: 1
name: hides
entities:
  PHONE_NUMBER: {action: pseudonymize}
restore: true
"""


def test_a_vault_in_memory_stays_and_what_is_under_way_keeps_its_rules(tmp_path: Path) -> None:
    rules = make_rules(tmp_path, VAULT)
    (rules / "policies" / "hides.yaml").write_text(HIDES)
    headers = (("content-type", "application/json"),)

    def message(text: str) -> Message:
        body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
        return Message("request", "POST", "https://api.openai.com/v1/chat/completions", headers, body)

    async def run() -> None:
        first = Guard.from_rules(rules)
        hidden = (await first.inspect(message(f"call {PHONE}"))).body
        assert PHONE.encode() not in hidden
        begun = first.open("POST", message("").url)
        (rules / "policies" / "hides.yaml").write_text(
            "version: 1\nname: hides\nentities: {PHONE_NUMBER: {action: block}}\n"
        )
        second = first.renewed()
        (rules / "policies" / "hides.yaml").write_text(HIDES)
        third = first.renewed()
        await first.aclose(third)
        assert (await third.inspect(message(f"call {PHONE}"))).body == hidden
        assert (await second.inspect(message(f"call {PHONE}"))).action == "block"
        assert (await begun.inspect(message(f"call {PHONE}"))).body == hidden

    anyio.run(run)


def test_files_that_change_while_they_are_read_are_not_taken(tmp_path: Path) -> None:
    rules = make_rules(tmp_path)
    with pytest.raises(RulesError, match="changed while they were read"), folders.unchanged(rules):
        (rules / "policies" / "mask.yaml").write_text(BLOCKS)
    with folders.unchanged(rules):
        assert list(rules.iterdir())
