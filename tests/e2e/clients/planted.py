"""What clients send and servers answer, with the values that must not get through."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from typing import Any
from urllib.parse import unquote_plus

PHONE, MAIL = "9876543210", "jane.doe@example.com"
"""Planted in requests."""
REPLY_PHONE, REPLY_MAIL = "9123456780", "john.roe@example.net"
"""Planted in replies."""
SENT, TOLD = (PHONE, MAIL), (REPLY_PHONE, REPLY_MAIL)

TEXT = f"Grüße! Call {REPLY_PHONE} or write to {REPLY_MAIL}, and do say what it is about: we answer within a day. 🙂"
ARGUMENTS = {"to": REPLY_MAIL, "urgent": True, "n": 1.10}
SIGNATURE = "EqQBCkYIARgC9876543210Ja"
"""Not to be touched, whatever it looks like."""

TOOL = "send_mail"
TOOL_TEXT = "Sends a mail to a customer."


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + _chunk(b"IDAT", zlib.compress(b"\0\xc8\x10\x20")) + _chunk(b"IEND", b"")  # fmt: skip
"""One pixel."""
PNG_BASE64 = base64.b64encode(PNG).decode()
WAV = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x08\0\0\0\0\1\2\3\4\5\6\7"

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def readings(raw: bytes) -> bytes:
    """`raw`, and all that it may say to one who undoes an encoding of it."""
    found = [raw, unquote_plus(raw.decode("latin-1")).encode("latin-1", "replace")]
    found.append(re.sub(rb"\\u00([0-7][0-9a-fA-F])", lambda escape: bytes([int(escape[1], 16)]), raw))
    for each in _BASE64.findall(raw):
        digits = each.rstrip(b"=").translate(_URL_SAFE)
        found.append(base64.b64decode(digits[: len(digits) // 4 * 4]))
    return b"\n".join(found)


def leaks(raw: bytes, values: tuple[str, ...]) -> list[str]:
    """Those of `values` that stand in `raw`, but for where a signature holds them."""
    read = readings(raw.replace(SIGNATURE.encode(), b""))
    return [value for value in values if value.encode() in read]


def masked(text: str) -> str:
    """`text` as the policy `mask` leaves it."""
    for phone in (PHONE, REPLY_PHONE):
        text = text.replace(phone, "X" * 8 + phone[-2:])
    for mail in (MAIL, REPLY_MAIL):
        text = text.replace(mail, "<EMAIL_ADDRESS>")
    return text


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
