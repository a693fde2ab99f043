"""No personal data in anything that the guard writes: run last over all that the doors have printed and kept."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.corpus import CANARIES, CORPUS
from tests.e2e.doors import send
from tests.e2e.servers import Server


def spelled(secret: str) -> set[bytes]:
    """A secret as it may lie in a file."""
    raw = secret.encode()
    inside = base64.b64encode(raw)[:-4]  # what is the same whatever follows
    return {raw, raw.hex().encode(), inside, secret.encode("utf-16-le"), secret.encode("utf-32-le")}


def processes(root: int) -> Iterator[Path]:
    """A process and those that it started, as folders of /proc."""
    yield Path(f"/proc/{root}")
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from processes(int(child))


def test_nothing_written_holds_a_canary(
    upstream: Server, mitm_door: Server, asgi_door: Server, sidecar_door: Server
) -> None:
    for case in CORPUS:
        send(mitm_door, upstream, case)
        send(asgi_door, asgi_door, case)
        send(sidecar_door, upstream, case)
    for door in (mitm_door, asgi_door, sidecar_door):
        printed = door.printed()
        assert "block" in printed, "the log is on"
        assert "Traceback" not in printed
        written = [door.output, *(each for each in door.temporary.rglob("*") if each.is_file())]
        found = [
            (path, secret)
            for path in written
            for secret in CANARIES
            for form in spelled(secret)
            if form in path.read_bytes()
        ]
        assert found == []
        for process in processes(door.process.pid):
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            assert not [secret for secret in CANARIES if secret.encode() in told]


def test_no_memory_lands_on_the_disk(mitm_door: Server, sidecar_door: Server) -> None:
    """Core files hold whole messages. Under the middleware they are the application's to switch off."""
    for door in (mitm_door, sidecar_door):
        for process in processes(door.process.pid):
            [line] = [each for each in (process / "limits").read_text().splitlines() if "core file" in each]
            assert line.split()[4:6] == ["0", "0"], line
