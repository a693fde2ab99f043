"""QR codes and barcodes in a picture: what they say is text like any other, and they are painted over whole."""

from __future__ import annotations

import re
import zlib

import numpy as np
import zxingcpp

from proxy_guard.media import Judge
from proxy_guard.media.paint import Region
from proxy_guard.media.reading import Pixels, grown

DOCUMENT = "IDENTITY_DOCUMENT"
_AADHAAR_XML = re.compile(r"<\s*PrintLetterBarcodeData\b|<\s*QPDB\b", re.IGNORECASE)
_LARGEST = 64 * 1024


def codes_in(view: Pixels, judge: Judge) -> list[Region]:
    """The codes of `view` with a finding in them. An Aadhaar's QR is one, if a policy acts on identity documents."""
    regions = []
    for code in zxingcpp.read_barcodes(view):
        position = code.position
        corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
        quad = np.array([[corner.x, corner.y] for corner in corners], np.float32)
        (judged,) = judge([said(code.text)])
        margin = 0.05 * float(np.linalg.norm(quad[1] - quad[0])) + 4
        for finding in judged.findings:
            regions.append(Region(finding.entity, finding.score, grown(quad, margin, margin)))
    return regions


def said(text: str) -> str:
    """What a code says, for recognizers: an Aadhaar's is named as one, and its fields are unpacked.

    The secure QR is a decimal number whose bytes are a gzip of fields that end with byte 255 (UIDAI, "User manual of
    the QR code reader", 2019); the older one is XML.
    """
    if _AADHAAR_XML.search(text):
        return f"Government of India Aadhaar {text}"
    if text.isascii() and text.isdecimal() and 300 < len(text) < 6000:
        packed = int(text).to_bytes((int(text).bit_length() + 7) // 8, "big")
        try:
            fields = zlib.decompressobj(wbits=31).decompress(packed, _LARGEST).split(b"\xff")
        except zlib.error:
            return text
        return "Government of India Aadhaar " + " ".join(each.decode("latin-1") for each in fields[:20])
    return text
