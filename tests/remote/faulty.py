"""A Security API with every fault that one can have, chosen by the path of the URL. It counts calls per fault.

`python -m tests.remote.faulty PORT` serves it as a process of its own.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import sys
from collections import Counter

from tests.remote.rulesets import found
from tests.remote.serving import answer, read_request

RIGHT = {"content-type": "application/json"}
COUNTING = (
    "reset_at_once", "reset_mid_body", "short_body", "hang", "drip", "error_500", "busy_429", "busy_503",
    "garbage", "html", "empty", "truncated_json", "truncated_gzip", "bomb", "huge", "wrong_ids", "missing_item",
    "extra_item", "null_items", "wrong_span", "no_entity", "latin", "deep",
)  # fmt: skip
"""Faults that are the API's own, so that the circuit opens."""
OTHER = ("redirect", "unauthorized", "not_found", "bad_request")
FAULTS = (*COUNTING, *OTHER)


class Faulty:
    """`healed`: it answers as it should, whatever the path."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.healed = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        while True:
            head, body = await read_request(reader)
            fault = head.split(b" ", 2)[1].partition(b"?")[0].decode().strip("/")
            if fault == "calls":
                writer.write(answer(json.dumps(self.calls).encode()))
            elif fault in ("heal", "break"):
                self.healed = fault == "heal"
                writer.write(answer(b"{}"))
            else:
                self.calls[fault] += 1
                right = json.dumps(found(json.loads(body)["items"])).encode()
                if self.healed or fault == "fine":
                    writer.write(answer(right))
                else:
                    await self._fail(fault, right, writer)
            await writer.drain()

    async def _fail(self, fault: str, right: bytes, writer: asyncio.StreamWriter) -> None:
        said = json.loads(right)
        items = said["items"]
        match fault:
            case "reset_at_once":
                _reset(writer)
            case "reset_mid_body":
                writer.write(answer(right)[:-10])
                await writer.drain()
                _reset(writer)
            case "short_body":
                writer.write(answer(right)[:-10])
                await writer.drain()
                writer.close()
            case "hang":
                await asyncio.sleep(10)
            case "drip":
                for byte in answer(right):
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.1)
            case "error_500":
                writer.write(answer(right, "500 Internal Server Error"))
            case "busy_429":
                writer.write(answer(b"{}", "429 Too Many Requests", "retry-after: 30"))
            case "busy_503":
                writer.write(answer(b"{}", "503 Service Unavailable", "retry-after: Fri, 31 Dec 2999 23:59:59 GMT"))
            case "garbage":
                writer.write(answer(b"\x00\xff{]"))
            case "html":
                writer.write(answer(b"<html>" + right))
            case "empty":
                writer.write(answer(b""))
            case "truncated_json":
                writer.write(answer(right[:-5]))
            case "truncated_gzip":
                writer.write(answer(gzip.compress(right * 50)[:-20], "200 OK", "content-encoding: gzip"))
            case "bomb":
                writer.write(answer(gzip.compress(b" " * 30_000_000), "200 OK", "content-encoding: gzip"))
            case "huge":
                writer.write(answer(right + b" " * 2_000_000))
            case "latin":
                writer.write(answer('{"items": "é"}'.encode("latin-1")))
            case "deep":
                writer.write(answer(b"[" * 5000 + b"]" * 5000))
            case "redirect":
                writer.write(answer(b"", "307 Temporary Redirect", "location: /fine"))
            case "unauthorized":
                writer.write(answer(b"{}", "401 Unauthorized"))
            case "not_found":
                writer.write(answer(right, "404 Not Found"))
            case "bad_request":
                writer.write(answer(right, "400 Bad Request"))
            case _:
                writer.write(answer(json.dumps(_wrong(fault, items)).encode()))


def _wrong(fault: str, items: list[dict[str, object]]) -> object:
    """A well-formed answer that is none."""
    match fault:
        case "wrong_ids":
            return {"items": [{**item, "id": f"x{item['id']}"} for item in items]}
        case "missing_item":
            return {"items": items[1:]}
        case "extra_item":
            return {"items": [*items, {"id": "other", "findings": []}]}
        case "null_items":
            return {"items": None}
        case "wrong_span":
            return {"items": [{**i, "findings": [{"entity": "X", "start": 5, "end": 5000}]} for i in items]}
        case "no_entity":
            return {"items": [{**i, "findings": [{"start": 0, "end": 3}]} for i in items]}
    raise AssertionError(fault)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection by RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionResetError


async def _serve(port: int) -> None:
    faulty = Faulty()

    async def quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await faulty(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(quiet, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
