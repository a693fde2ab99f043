"""Replies to stream: texts made of talk and values, and the bytes of their events in each format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

from proxy_guard.stream.aws import _message

VALUES = [
    "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "+1 415 555 2671", "(415) 555-2671", "9876543210",
    "98765 43210", "+91 98765-43210", "020 7946 0018 ext. 12", "jane.doe@example.com", "o'neil+x@mail.example.co.uk",
    "jane at example dot com", "jane.doe [at] example [dot] co [dot] uk", "j a n e @ e x . c o m", "jane&#64;example.com",
    "amFuZS5kb2VAZXhhbXBsZS5jb20=", "jane%40example.com", "ABCPE1234F", "2345 6789 0124", "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000", "AB 12 34 56 C", "ab 12 34 56 c", "536-90-4399", "078-05-1120", "912-70-1234", "943 476 5919",
    "OTP 482 913", "your code is 4829", "G-482913", "482913 is your code", "123 is my cvv", "cvv 123", "account 123456789012",
    "SBIN0001234", "jane@okaxis", "someone@ybl", "192.168.1.77", "2001:db8::8a2e:370:7334", "sk-proj-abcdefghijklmnopqrstuvwx",
    "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "B4111111111111111^DOE/JANE^25121010000000000?", "00:1B:44:11:3A:B7", "https://www.example.com/a?b=c", "example.org",
    "SW1A 1AA", "E1 6AN", "ABC 123 D", "XYZ-123AB", "AB12 CDE", "MH 12 AB 1234", "A1234567", "X1234567",
    "９８７６５４３２１０", "९८७६५४३२१०", "98765\u00a043210", "9876\u200b543210", "jаne.doe@example.com", "9 8 7 6 5 4 3 2 1 0",
    "6a616e65406578616d706c652e636f6d", "\\u006aane\\u0040example.com", "tel:+14155552671", "1EG4-TE5-MK73", "S1234567D",
    "passport 123456789", "driver license B1234567", "routing 021000021", "aadhaar 234567890124", "NHS 9434765919",
]  # fmt: skip
TALK = [
    "the", "The capital", "of", "is", "a", "I", "at", "dot", "call", "call me on", "my number is", "order no.", "invoice", "card",
    "code", "OTP", "phone", "reach me", "bank", "passport", "in 2024", "12.5 %", "1.", "2)", "- item", "v1.2.3.4", "e-mail",
    "write to", "jane", "GB", "AB", "be ad fa ce", "to do it", "international", "well-known", "and/or", "it’s", "word—word",
    "Paris,", "France.", "Really?", "“Yes”", "привет", "你好，世界。", "नमस्ते", "😀", "3.14", "10:30", "x", "at home dot", "account",
    "expires", "valid thru", "for a very long while indeed", "and then we will see what becomes of it all in the end",
]  # fmt: skip
SEPARATORS = [" ", " ", " ", " ", " ", "", ", ", ". ", "\n", "\n\n", " - ", ": ", "\t", "  ", "(", ") ", '"', "-", "/"]


def cut[T: (str, bytes)](whole: T, lengths: Sequence[int]) -> Iterator[T]:
    """`whole` in pieces of these lengths, over and over."""
    start = 0
    for length in cycle(lengths):
        if start >= len(whole):
            return
        yield whole[start : start + length]
        start += length


def sse(events: Sequence[Any], end: str = "\n") -> bytes:
    lines = [f": hello{end}{end}"]
    lines += [f"id: {n}{end}data: {json.dumps(event, ensure_ascii=False)}{end}{end}" for n, event in enumerate(events)]
    return "".join([*lines, f"data: [DONE]{end}{end}"]).encode()


def ndjson(events: Sequence[Any]) -> bytes:
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()


def aws(events: Sequence[Any]) -> bytes:
    name, kind = b":event-type", b"contentBlockDelta"
    header = bytes([len(name)]) + name + b"\x07" + len(kind).to_bytes(2) + kind
    return b"".join(_message(header, json.dumps(event).encode()) for event in events)
