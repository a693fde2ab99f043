"""A new PDF of pictures, with their text behind them if wanted, and nothing else in it."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops

_QUALITY = 80
_GREY = 10  # channels that differ by no more are one: rounding of what draws and what scans
_LINE = 10.0
"""Points from one line of the text behind a page to the next."""


@dataclass(slots=True)
class PdfPages:
    """A PDF that grows page by page; only compressed pages are held."""

    _file: pikepdf.Pdf = field(default_factory=pikepdf.new)
    _font: Any = None

    def add(self, picture: Image.Image, size: tuple[float, float], text: str = "") -> None:
        """A page of `size` points that shows `picture`, and has `text` for those who read no pictures."""
        width, height = size
        resources = Dictionary(XObject=Dictionary(P=self._picture(picture)))
        content = f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /P Do Q\n"
        if text.strip():
            resources.Font = Dictionary(T=self._invisible())
            content += _lines(text, height)
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, round(width, 4), round(height, 4)]),
            Resources=resources,
            Contents=self._file.make_stream(content.encode("ascii")),
        )
        self._file.pages.append(pikepdf.Page(self._file.make_indirect(page)))

    def written(self) -> bytes:
        """The file: no metadata, no identifier of its maker."""
        out = io.BytesIO()
        self._file.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return out.getvalue()

    def _picture(self, picture: Image.Image) -> pikepdf.Object:
        grey = _as_grey(picture)
        jpeg = io.BytesIO()
        (grey or picture.convert("RGB")).save(jpeg, "JPEG", quality=_QUALITY, optimize=True)
        stream, depth, filter_ = jpeg.getvalue(), 8, Name.DCTDecode
        if grey is not None:
            # Sixteen greys are what most pages of text need, and then smaller than a JPEG.
            packed = zlib.compress(_nibbles(grey), 6)
            if len(packed) < len(stream):
                stream, depth, filter_ = packed, 4, Name.FlateDecode
        return self._file.make_stream(
            stream,
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=picture.width,
            Height=picture.height,
            ColorSpace=Name.DeviceGray if grey is not None else Name.DeviceRGB,
            BitsPerComponent=depth,
            Filter=filter_,
        )

    def _invisible(self) -> Any:
        """A font without glyphs, whose codes are UTF-16 (ISO 32000-2, 9.7.5, 9.10.3)."""
        if self._font is None:
            system = Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0)
            descendant = Dictionary(
                Type=Name.Font,
                Subtype=Name.CIDFontType2,
                BaseFont=Name.Invisible,
                CIDSystemInfo=system,
                DW=500,
                FontDescriptor=Dictionary(
                    Type=Name.FontDescriptor,
                    FontName=Name.Invisible,
                    Flags=4,
                    FontBBox=Array([0, 0, 500, 1000]),
                    ItalicAngle=0,
                    Ascent=1000,
                    Descent=0,
                    CapHeight=1000,
                    StemV=0,
                ),
            )
            font = Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name.Invisible,
                Encoding=Name("/Identity-H"),
                DescendantFonts=Array([descendant]),
                ToUnicode=self._file.make_stream(_TO_UNICODE),
            )
            self._font = self._file.make_indirect(font)
        return self._font


def _lines(text: str, height: float) -> str:
    """The text from the top of the page down, drawn with neither fill nor stroke."""
    lines = [line for line in text.split("\n") if line.strip()]
    step = min(_LINE, (height - 2) / max(1, len(lines)))
    shown = [f"BT 3 Tr /T {max(1.0, step * 0.8):.2f} Tf {step:.3f} TL 2 {height - 1:.2f} Td\n"]
    for line in lines:
        codes = "".join(char if ord(char) < 0x10000 else "\ufffd" for char in line).encode("utf-16-be", "replace")
        shown.append(f"T* <{codes.hex()}> Tj\n")
    return "".join([*shown, "ET\n"])


_TO_UNICODE = (
    b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def\n"
    b"1 begincodespacerange <0000> <ffff> endcodespacerange\n"
    + b"".join(
        b"%d beginbfrange\n%sendbfrange\n"
        % (64, b"".join(b"<%02x00> <%02xff> <%02x00>\n" % (high, high, high) for high in range(first, first + 64)))
        for first in range(0, 256, 64)
    )
    + b"endcmap CMapName currentdict /CMap defineresource pop end end\n"
)


def _as_grey(picture: Image.Image) -> Image.Image | None:
    if picture.mode == "L":
        return picture
    red, green, blue = picture.convert("RGB").split()
    for one, other in ((red, green), (green, blue)):
        _, most = ImageChops.difference(one, other).getextrema()
        if not isinstance(most, int | float) or most > _GREY:
            return None
    return green


def _nibbles(grey: Image.Image) -> bytes:
    """Four bits a pixel, rows padded to whole bytes."""
    values = np.asarray(grey) >> 4
    if values.shape[1] % 2:
        values = np.pad(values, ((0, 0), (0, 1)))
    packed: bytes = ((values[:, 0::2] << 4) | values[:, 1::2]).astype(np.uint8).tobytes()
    return packed
