"""No personal data in anything that the guard writes: run last over all that the doors have printed."""

from __future__ import annotations

from tests.e2e.corpus import CANARIES, CORPUS
from tests.e2e.doors import send
from tests.e2e.servers import Server


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
        found = [secret for secret in CANARIES if secret in printed or secret.encode().hex() in printed]
        assert found == [], door.output
        assert "Traceback" not in printed
