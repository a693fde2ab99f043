"""Hostile and broken media through a guard with real workers: refused or scrubbed, one message at a time."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import statistics
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator

import anyio
import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from proxy_guard import Guard, Message, Verdict
from tests.media import samples
from tests.media.conftest import write_rules
from tests.media.office_files import edited
from tests.media.test_guard import URL, chat, data_url

NUMBER = "".join(filter(str.isdigit, samples.PHONE))


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    rules = write_rules(tmp_path_factory.mktemp("robust"), {"mask": "{}"}, "{media_workers: 2, media_cache: 0}")
    return Guard.from_rules(rules)


def open_document(kind: str) -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    texts = f'<text:p xmlns:text="{space}:text:1.0">Call me: {samples.PHONE}</text:p>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}", zipfile.ZIP_STORED)
        package.writestr(
            "content.xml",
            f'<office:document-content xmlns:office="{space}:office:1.0">{texts}</office:document-content>',
        )
    return out.getvalue()


IMAGES = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP", "bmp": "BMP", "tif": "TIFF"}
FILES: dict[str, bytes] = {
    **{name: samples.picture(of) for name, of in IMAGES.items()},
    "pdf": samples.pdf(),
    "docx": samples.word(),
    "xlsx": samples.sheet(),
    "odt": open_document("text"),
    "ods": open_document("spreadsheet"),
    "odp": open_document("presentation"),
    "eml": samples.mail(),
}
TEXTS = {
    "csv": f"name,phone\nA,{samples.PHONE}\n".encode(),
    "html": f"<html><body><p>Call me: {samples.PHONE}</p></body></html>".encode(),
    "json": json.dumps({"call me": samples.PHONE}).encode(),
    "xml": f'<?xml version="1.0"?><a>Call me: {samples.PHONE}</a>'.encode(),
}


async def outcome(guard: Guard, data: bytes) -> tuple[Verdict, bytes]:
    """The verdict on a message with the medium, and what of the medium goes on: nothing of one that is blocked."""
    verdict = await guard.inspect(chat(data_url(data, "")))
    if verdict.action == "block":
        assert verdict.status in (413, 415, 422), verdict.reason
        assert NUMBER not in squeezed(verdict.body + verdict.reason.encode())
        return verdict, b""
    body = json.loads(verdict.body)["messages"][0]["content"][1]["file"]["file_data"]
    return verdict, base64.b64decode(body.partition(",")[2], validate=True)


def squeezed(data: bytes) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", data.decode("latin-1"))


def holds_number(data: bytes) -> bool:
    """Whether the number can be got from what went on: from its bytes, its unpacked parts, or its pixels."""
    parts = [data]
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts += [package.read(name) for name in package.namelist()]
    parts += [
        base64.b64decode(each) for each in re.findall(rb"^[A-Za-z0-9+/]{24,}={0,2}$", data, re.M) if len(each) % 4 == 0
    ]
    if data[:5] == b"%PDF-":
        with pypdfium2.PdfDocument(data) as document:
            parts += [page.get_textpage().get_text_range().encode() for page in document]
            pictures = [page.render(scale=2).to_pil() for page in document]
    elif data[:4] in (b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*") or data[:2] in (b"BM", b"\xff\xd8"):
        image = Image.open(io.BytesIO(data))
        pictures = []
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            pictures.append(image.convert("RGB"))
    else:
        pictures = []
    if any(NUMBER in squeezed(part) for part in parts):
        return True
    from proxy_guard.media.reading import read_lines

    lines = [line.text for each in pictures for line in read_lines(np.asarray(each.convert("RGB")))]
    # Line by line: harm in the middle of a picture may leave two halves of the number at its two ends.
    return any(NUMBER in squeezed(line.encode("ascii", "replace")) for line in lines)


def test_the_look_into_what_went_on_sees_the_number() -> None:
    for name in ("png", "gif", "docx", "eml"):
        assert holds_number(FILES[name]), name


def test_truncated_files_of_every_type(guard: Guard) -> None:
    """A picture or document that ends early is refused; of a text, what is there is scrubbed."""

    async def run() -> None:
        for name, data in FILES.items():
            for part in (0.3, 0.7, 0.95) if name != "eml" else ():
                verdict, _ = await outcome(guard, data[: int(len(data) * part)])
                assert verdict.action == "block", (name, part)
        for name, data in (TEXTS | {"eml": FILES["eml"]}).items():
            for cut in (3, 9, len(data) // 2):
                _, went_on = await outcome(guard, data[:-cut])
                assert not holds_number(went_on), (name, cut)

    anyio.run(run)


# --- bombs ----------------------------------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    """A white picture of that size in some kilobytes, made without its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0])
    pack = zlib.compressobj(9)
    row = b"\0" + b"\xff" * width
    pixels = b"".join([*(pack.compress(row) for _ in range(height)), pack.flush()])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zipped(**parts: bytes) -> bytes:
    def put(into: dict[str, bytes]) -> None:
        into |= {name.replace("__", "/"): data for name, data in parts.items()}

    return edited(samples.word(), put)


def many_pages(pages: int) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(72, 72))
        one = document.pages[0].obj
        kids = pikepdf.Array([one] * pages)
        document.Root.Pages = document.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Pages, Kids=kids, Count=pages)
        )
        document.save(out)
    return out.getvalue()


def frames(count: int) -> bytes:
    images = [Image.new("L", (8, 8), number % 2 * 255) for number in range(count)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:])
    return out.getvalue()


def nested_mail(levels: int) -> bytes:
    mail = b"From: a@example.com\nSubject: x\n\nhello\n"
    for _ in range(levels):
        mail = b"From: a@example.com\nSubject: x\nContent-Type: message/rfc822\n\n" + mail
    return mail


BOMBS: dict[str, Callable[[], bytes]] = {
    "40 megapixels": lambda: png(8000, 5000),
    "a thin picture": lambda: png(60_000, 4),
    "a large part": lambda: zipped(word__media__big__xml=bytes(250 * 1024 * 1024)),
    "many parts": lambda: zipped(**{f"word__x{number}.xml": b"<a/>" for number in range(10_001)}),
    "an archive of archives": lambda: zipped(word__embeddings__x=zipped(word__big__xml=bytes(50 * 1024 * 1024))),
    "30,000 pages": lambda: many_pages(30_000),
    "many frames": lambda: frames(2000),
    "mails in mails": lambda: nested_mail(500),
    "an expansion of entities": lambda: (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
        + b"".join(b'<!ENTITY c%d "%s">' % (n, b"&%s;" % (b"b" if not n else b"c%d" % (n - 1)) * 10) for n in range(9))
        + b"]><a>&c8;</a>"
    ),
    "deep JSON": lambda: b"[" * 100_000 + b"]" * 100_000,
}
HARMLESS = {"a thin picture", "an archive of archives", "deep JSON", "an expansion of entities"}
"""Those that may go on: small, or read as the text that they are, or with the bomb left out."""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_the_next_message_is_served(guard: Guard, name: str) -> None:
    data = BOMBS[name]()
    assert len(data) < 7_000_000

    async def run() -> None:
        began = time.monotonic()
        verdict, went_on = await outcome(guard, data)
        assert time.monotonic() - began < 60
        assert verdict.action == "block" or name in HARMLESS, verdict.reason
        assert len(went_on) < 3 * len(data) + 10_000
        clean, _ = await outcome(guard, b"hello")
        assert clean.action == "allow"

    anyio.run(run)


@pytest.mark.slow
def test_others_hardly_wait_while_bombs_come(guard: Guard) -> None:
    """p99 of short messages without media, alone and while bombs keep both workers busy; the best of three rounds."""
    bombs = [BOMBS[name]() for name in ("40 megapixels", "a large part", "30,000 pages", "many frames")]
    bombs += [samples.picture()]
    body = json.dumps({"messages": [{"role": "user", "content": f"call {samples.PHONE}"}]}).encode()
    short = Message("request", "POST", URL, (("content-type", "application/json"),), body)

    async def p99(seconds: float) -> float:
        took: list[float] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            assert (await guard.inspect(short)).action == "rewrite"
            took.append(time.perf_counter() - began)
            await anyio.sleep(0.005)
        return statistics.quantiles(took, n=100)[98] * 1000

    async def run() -> list[tuple[float, float]]:
        rounds = []
        for _ in range(3):
            alone = await p99(4)
            async with anyio.create_task_group() as group:

                async def bombard() -> None:
                    while True:
                        for bomb in bombs:
                            await outcome(guard, bomb)

                group.start_soon(bombard)
                group.start_soon(bombard)
                rounds.append((alone, await p99(8)))
                group.cancel_scope.cancel()
        return rounds

    rounds = anyio.run(run)
    print("p99 of short messages in ms, alone and beside bombs:", rounds)
    assert min(beside - alone for alone, beside in rounds) <= 50


# --- fuzzing --------------------------------------------------------------------------------------------------


def harmed(data: bytes, draw: random.Random) -> bytes:
    """With bytes changed, left out or doubled; of a package, as often in one of its parts."""
    if data[:2] == b"PK" and draw.random() < 0.6:

        def one(parts: dict[str, bytes]) -> None:
            name = draw.choice(sorted(name for name in parts if parts[name]))
            parts[name] = harmed(parts[name], draw)

        return edited(data, one)
    victim = bytearray(data)
    for _ in range(draw.randrange(1, 5)):
        at, size = draw.randrange(max(1, len(victim))), draw.choice([1, 1, 4, 50])
        match draw.randrange(3):
            case 0:
                victim[at : at + size] = draw.randbytes(size)
            case 1:
                del victim[at : at + size]
            case _:
                victim[at:at] = victim[at : at + size] * draw.choice([1, 2, 30])
    return bytes(victim)


def fuzz(guard: Guard, names: Iterator[str] | list[str], seed: str, times: int) -> dict[str, int]:
    """Harms each file so many times; how many verdicts there were of each kind."""
    draw = random.Random(seed)
    counted: dict[str, int] = {}

    async def run() -> None:
        for name in names:
            for _ in range(times):
                data = harmed((FILES | TEXTS)[name], draw)
                verdict, went_on = await outcome(guard, data)
                # What was harmed in its number is none any more, and rightly goes on as it is.
                assert not holds_number(went_on), (name, verdict.reason)
                counted[verdict.action] = counted.get(verdict.action, 0) + 1
        assert (await outcome(guard, b"hello"))[0].action == "allow"

    anyio.run(run)
    return counted


def test_broken_files_are_refused_or_scrubbed(guard: Guard) -> None:
    counted = fuzz(guard, ["png", "pdf", "docx", "ods", "eml", "csv", "json"], "few", 3)
    assert counted["block"] > 3


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FILES, *TEXTS])
def test_many_broken_files(guard: Guard, name: str) -> None:
    fuzz(guard, [name], f"many {name}", 40)
