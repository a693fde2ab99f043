"""Fields of URLs and headers through both doors, whose servers keep no log of URLs of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.corpus import CANARIES, HEADS, Case
from tests.e2e.doors import send
from tests.e2e.servers import Server, mitmdump, uvicorn

ARRIVED = {
    "query": ("/formats/x", "a=1&q=%3CEMAIL_ADDRESS%3E&q=XXXXXXXXXXXX10&b=%41", ""),
    "query and body": ("/formats/x", "q=%3CEMAIL_ADDRESS%3E", ""),
    "query, clean": ("/formats/x", "a=1&q=rice+%41", ""),
    "query that others read otherwise": ("/formats/x", "a=1%3Bq%3D9876543211", ""),
    "segment": ("/formats/users/%3CEMAIL_ADDRESS%3E", "a=%41", ""),
    "segment, escaped twice": ("/formats/users/%3CEMAIL_ADDRESS%3E/", "", ""),
    "segment behind dots": ("/formats/users/%3CEMAIL_ADDRESS%3E", "", ""),
    "segment, clean": ("/formats/users/Ann%20Lee", "", ""),
    "header": ("/formats/x", "", "Ann <<EMAIL_ADDRESS>>"),
    "header alone": ("/formats/x", "", "Ann <<EMAIL_ADDRESS>>"),
}
"""Path, query and `x-user` behind the guard; the other cases do not get there."""


@pytest.fixture(scope="module")
def mitm(folder: Path, rules: Path, upstream: Server) -> Iterator[Server]:
    with mitmdump(upstream.url, rules, folder / "mitm-heads.log", "--set", "dumper_filter=!~all") as server:
        yield server


@pytest.fixture(scope="module")
def asgi(folder: Path, rules: Path) -> Iterator[Server]:
    flags = ("--factory", "--no-access-log")
    with uvicorn("tests.e2e.recorder:guarded", folder / "asgi-heads.log", *flags, GUARD_RULES=str(rules)) as server:
        yield server


@pytest.mark.parametrize("case", HEADS, ids=lambda case: case.name)
def test_urls_and_headers_are_edited_in_place(case: Case, upstream: Server, mitm: Server, asgi: Server) -> None:
    by_mitm = send(mitm, upstream, case)
    assert by_mitm == send(asgi, asgi, case)
    received = by_mitm.received
    if case.name not in ARRIVED:
        assert by_mitm.blocked
        assert received is None
        return
    assert received is not None
    assert tuple(received[at] for at in ("path", "query", "user")) == ARRIVED[case.name]
    assert not any(secret.encode() in received["body"] for secret in CANARIES)


def test_nothing_written_holds_a_value_of_a_url_or_header(upstream: Server, mitm: Server, asgi: Server) -> None:
    for case in HEADS:
        send(mitm, upstream, case)
        send(asgi, asgi, case)
    assert "block" in mitm.printed(), "the log is on"
    for door in (mitm, asgi):
        printed = door.printed()
        assert printed
        assert [secret for secret in CANARIES if secret in printed] == []
