"""WebSockets through both doors: what either side gets, and what becomes of what may not pass."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from proxy_guard import resources
from tests.e2e.servers import Server, mitmdump, sidecar, uvicorn
from tests.e2e.sockets import text_events
from tests.e2e.streaming import SECRETS, TEXT

DOORS = ("mitmproxy", "asgi", "sidecar")
MASKED = TEXT.replace("9876543210", "XXXXXXXX10").replace("jane.doe@example.com", "<EMAIL_ADDRESS>")
GUARD = """\
version: 1
routes:
  - {paths: ["/block/**"], policy: block}
  - {paths: ["/drop/**"], policy: drop}
  - {paths: ["/lenient/**"], policy: lenient}
  - {paths: ["/observe/**"], policy: observe}
  - {paths: ["/closed/**"], policy: mask, unmatched: block}
  - {policy: mask}
limits: {body: 20000}
"""
DROP = """\
version: 1
name: drop
entities: {PHONE_NUMBER: {action: block}, EMAIL_ADDRESS: {action: redact}}
block: {websocket: drop}
"""
LENIENT = """\
version: 1
name: lenient
entities: {PHONE_NUMBER: {action: redact}}
on_error: keep
"""
CHAT = """\
version: 1
name: own-chat
match: {methods: [], paths: ["/own/{name}/chat", "/own/*/chat"]}
url: {query: [q], segments: ["/own/{name}/chat"]}
headers: [X-User]
request: [{path: "$.text"}]
response: [{path: "$.text"}]
websocket: {binary: json, marks: [ping]}
"""


class Talk(NamedTuple):
    """What a client got, how the connection ended, and what the server had of it."""

    got: list[str | bytes]
    code: int
    reason: str
    server: dict[str, Any] | None


@pytest.fixture(scope="module")
def doors(folder: Path) -> Iterator[dict[str, Server]]:
    rules = folder / "socket-rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.yaml").write_text(GUARD)
    (rules / "policies" / "drop.yaml").write_text(DROP)
    (rules / "policies" / "lenient.yaml").write_text(LENIENT)
    (rules / "apis" / "own-chat.yaml").write_text(CHAT.replace('"/own/{name}/chat", ', "", 1))
    with ExitStack() as stack:
        log = folder / "sockets"
        vendor = stack.enter_context(uvicorn("tests.e2e.sockets:app", log.with_suffix(".log")))
        yield {
            "vendor": vendor,
            "mitmproxy": stack.enter_context(mitmdump(vendor.url, rules, log.with_suffix(".mitm.log"), "-v")),
            "asgi": stack.enter_context(
                uvicorn("tests.e2e.sockets:guarded", log.with_suffix(".asgi.log"), "--factory", GUARD_RULES=str(rules))
            ),
            "sidecar": stack.enter_context(
                sidecar(vendor.url, log.with_suffix(".sidecar.log"), "--door", "asgi", "--rules", str(rules))
            ),
        }


def talk(
    doors: dict[str, Server], door: str, path: str, *sent: Any, until: str = "", headers: dict[str, str] | None = None
) -> Talk:
    """Sends; reads up to a message of a type, or to the end; leaves."""
    ident = uuid.uuid4().hex
    got: list[str | bytes] = []
    url = f"ws://127.0.0.1:{doors[door].port}{path}"
    with connect(url, additional_headers={"x-case": ident, **(headers or {})}, open_timeout=30) as client:
        assert client.protocol.extensions, "messages are to be compressed on their way"
        try:
            for each in sent:
                client.send(json.dumps(each) if isinstance(each, dict) else each)
            _read(client, got, until)
        except ConnectionClosed:
            pass
    server = doors["asgi" if door == "asgi" else "vendor"]
    return Talk(got, client.close_code or 0, client.close_reason or "", _told(server, ident))


def _read(client: Connection, got: list[str | bytes], until: str) -> None:
    while until:
        got.append(client.recv(timeout=30))
        if isinstance(got[-1], str) and (
            until == got[-1] or f'"type": "{until}"' in got[-1] or f'"type":"{until}"' in got[-1]
        ):
            return


def _told(server: Server, ident: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", f"/_received?{ident}")
        found: dict[str, Any] | None = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return found


def item(*texts: str) -> dict[str, Any]:
    parts = [{"type": "input_text", "text": text} for text in texts]
    return {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": parts}}


def play(name: str) -> dict[str, Any]:
    return {"type": "play", "event_id": name}


CALL = item("call 9876543210")


@pytest.mark.parametrize("door", DOORS)
def test_what_a_client_sends_is_masked_and_the_rest_goes_byte_for_byte(door: str, doors: dict[str, Server]) -> None:
    clean = '{ "type":"conversation.item.create",  "item":{"content":[{"text":"hello \\u263a"}]} }'
    update = {"type": "session.update", "session": {"instructions": "client jane.doe@example.com"}}
    talked = talk(doors, door, "/v1/realtime?model=m", CALL, item("call 98765", "43210 ok"), update, clean)
    assert talked.server is not None
    first, second, third, last = talked.server["messages"]
    assert json.loads(first) == item("call XXXXXXXX10")
    assert json.loads(second) == item("call XXXXX", "XXX10 ok")
    assert json.loads(third)["session"]["instructions"] == "client <EMAIL_ADDRESS>"
    assert last == clean
    assert talked.server["close"][0] == 1000


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("seed", range(4))
def test_texts_that_come_in_pieces_are_joined(seed: int, door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/v1/realtime", play(str(seed)), until="response.done")
    events = [json.loads(each) for each in talked.got]
    came = text_events(seed)
    assert [each["type"] for each in events] == [each["type"] for each in came]
    said: dict[str, str] = {}
    for each in events:
        said[each["type"]] = said.get(each["type"], "") + each.get("delta", "")
    assert said["response.output_text.delta"] == MASKED
    assert said["response.output_audio_transcript.delta"] == MASKED
    assert json.loads(said["response.function_call_arguments.delta"]) == {
        "to": "<EMAIL_ADDRESS>",
        "urgent": True,
        "n": 1.1,
    }
    assert not any(secret in str(talked.got) for secret in SECRETS)
    same = [
        n
        for n, (before, after) in enumerate(zip(came, talked.got, strict=True))
        if json.dumps(before, ensure_ascii=False) == after
    ]
    assert len(same) > len(came) / 2, "what is not edited goes byte for byte"


def test_both_doors_give_the_same_bytes(doors: dict[str, Server]) -> None:
    one, *others = (talk(doors, door, "/v1/realtime", CALL, play("11"), until="response.done") for door in DOORS)
    assert one.server is not None
    for other in others:
        assert one.got == other.got
        assert other.server is not None
        assert one.server["messages"] == other.server["messages"]


@pytest.mark.parametrize("door", DOORS)
def test_what_waits_goes_on_when_the_server_leaves(door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/v1/realtime", play("1 leave"), until="never")
    assert [json.loads(each)["delta"] for each in talked.got] == ["call XXXXXXXX10", ""]
    assert (talked.code, talked.reason) == (1000, "bye")


@pytest.mark.parametrize("door", DOORS)
def test_a_block_is_told_and_closes_with_1008(door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/block/v1/realtime", item("hello"), CALL, item("more"), until="never")
    [told] = [json.loads(each) for each in talked.got]
    assert told["type"] == "error"
    assert "may not be sent" in told["error"]["message"]
    assert talked.code == 1008
    assert "PHONE_NUMBER" in talked.reason
    assert "incident" in talked.reason
    assert talked.server is not None
    assert [json.loads(each) for each in talked.server["messages"]] == [item("hello")]
    assert talked.server["close"][0] == 1008
    assert "9876543210" not in str(talked)


@pytest.mark.parametrize("door", DOORS)
def test_a_block_in_what_the_server_says_closes_with_1008(door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/block/v1/realtime", play("3"), until="never")
    assert talked.code == 1008
    assert json.loads(talked.got[-1])["type"] == "error"
    assert not any(secret in str(talked.got) for secret in SECRETS)
    text = "".join(json.loads(each).get("delta", "") for each in talked.got)
    assert TEXT.startswith(text)


@pytest.mark.parametrize("door", DOORS)
def test_a_policy_may_drop_the_message_alone(door: str, doors: dict[str, Server]) -> None:
    talked = talk(
        doors, door, "/drop/v1/realtime", item("hello"), CALL, item("mail jane.doe@example.com"), until="error"
    )
    assert len(talked.got) == 1
    assert talked.server is not None
    assert [json.loads(each) for each in talked.server["messages"]] == [item("hello"), item("mail ")]
    assert talked.server["close"][0] == 1000


@pytest.mark.parametrize("door", DOORS)
def test_what_streams_is_never_dropped_in_part(door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/drop/v1/realtime", play("3"), until="never")
    assert talked.code == 1008
    assert "9876543210" not in str(talked.got)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x00\x01", 1008),
        ("no JSON at all", 1008),
        ('"call 9876543210"', 1008),
        ({"type": "input_audio_buffer.append", "audio": "AAAA"}, 1008),
        ({"type": "x", "text": "a" * 30_000}, 1009),
    ],
)
def test_what_cannot_be_inspected_closes(sent: Any, code: int, door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/v1/realtime", item("hello"), sent, until="never")
    assert talked.code == code, talked.reason
    assert talked.server is not None
    assert len(talked.server["messages"]) == 1


@pytest.mark.parametrize("door", DOORS)
def test_it_passes_alone_where_the_policy_says_so(door: str, doors: dict[str, Server]) -> None:
    talked = talk(
        doors,
        door,
        "/lenient/v1/realtime",
        CALL,
        b"\x00\x01",
        "no JSON",
        CALL,
        item("last"),
    )
    assert talked.server is not None
    first, binary, text, second, last = talked.server["messages"]
    assert json.loads(first) == json.loads(second) == item("call ")
    assert (binary, text) == ([0, 1], "no JSON")
    assert json.loads(last) == item("last")


@pytest.mark.parametrize("door", DOORS)
def test_observing_changes_nothing(door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/observe/v1/realtime", CALL, play("5"), until="response.done")
    assert talked.got == [json.dumps(each, ensure_ascii=False) for each in text_events(5)]
    assert talked.server is not None
    assert talked.server["messages"][0] == json.dumps(CALL)


@pytest.mark.parametrize("door", DOORS)
def test_what_opens_a_connection_is_inspected(door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/own/jane.doe@example.com/chat?q=9876543210&k=1", {"text": "call 9876543210"}, b'{"text": "call 9876543210"}', "ping", headers={"X-User": "jane.doe@example.com"})  # fmt: skip
    assert talked.server is not None
    assert "jane" not in talked.server["url"]
    assert talked.server["url"].endswith("/chat?q=XXXXXXXX10&k=1")
    assert talked.server["user"] == "<EMAIL_ADDRESS>"
    text, binary, mark = talked.server["messages"]
    assert json.loads(text) == json.loads(bytes(binary)) == {"text": "call XXXXXXXX10"}
    assert mark == "ping"


@pytest.mark.parametrize("door", DOORS)
def test_other_paths_are_as_unmatched_has_it(door: str, doors: dict[str, Server]) -> None:
    talked = talk(doors, door, "/elsewhere", "call 9876543210", b"\x00", "echo", until="call 9876543210")
    assert talked.server is not None
    assert talked.server["messages"] == ["call 9876543210", [0], "echo"]
    with pytest.raises(InvalidStatus) as raised:
        talk(doors, door, "/closed/elsewhere", "call 9876543210")
    assert raised.value.response.status_code == 403


@pytest.mark.parametrize("door", DOORS)
def test_a_message_in_fragments_is_one(door: str, doors: dict[str, Server]) -> None:
    fragments = [json.dumps(CALL)[:40], json.dumps(CALL)[40:45], json.dumps(CALL)[45:]]
    talked = talk(doors, door, "/v1/realtime", fragments)
    assert talked.server is not None
    assert [json.loads(each) for each in talked.server["messages"]] == [item("call XXXXXXXX10")]


def test_no_other_protocol_passes_by_unseen(folder: Path) -> None:
    """A server that switches to a protocol of its own, after which anything could be said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with (
            mitmdump(
                f"http://127.0.0.1:{port}",
                resources.rules_dir(),
                folder / "switch.log",
                "--set",
                "connection_strategy=lazy",
            ) as door,
            socket.create_connection(("127.0.0.1", door.port), timeout=30) as client,
        ):
            client.sendall(b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
            upstream, _ = server.accept()
            with upstream:
                upstream.recv(65536)
                upstream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
                answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 503"), answer
