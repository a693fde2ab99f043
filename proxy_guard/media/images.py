"""Image files: bytes in, the same kind of file out, without what a policy finds in them and without metadata."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from PIL import Image, ImageOps, JpegImagePlugin

from proxy_guard.errors import ProxyGuardError
from proxy_guard.media import Judge, MediaFinding, MediaSettings, Redacted, Unscrubbable
from proxy_guard.media.containers import bare
from proxy_guard.media.pictures import redact_picture
from proxy_guard.media.sniff import Kind

FORMATS: Final = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF"}
"""Kinds of images that can be scrubbed, and Pillow's names of them. Decoders of HEIC are under the GPL: not here."""

_ORIENTATION = 0x0112
_FRAMES_SHARE = 8  # all frames of one file may have so many times the pixels of one picture


def scrub_image(data: bytes, kind: Kind, judge: Judge, settings: MediaSettings) -> Redacted:
    """The image without what `judge` finds in it and without metadata; in the format, size and quality it had.

    `kind` is what it is by its content. EXIF orientation is put into the pixels. Raises Unscrubbable:
    unsupported_media, unreadable, too_large, low_confidence, found.
    """
    name = FORMATS.get(kind.name)
    if name is None:
        raise Unscrubbable("unsupported_media", f"no redactor knows {kind.media_type}")
    with _readable(name):
        picture = Image.open(io.BytesIO(data), formats=[name, "MPO"] if name == "JPEG" else [name])
        frames = getattr(picture, "n_frames", 1) if name != "JPEG" else 1
        _check_size(picture, frames, settings)
    plain = data if settings.keep_metadata else bare(data, name)
    redactor = _Redactor(judge, settings)
    pages: list[Image.Image] = []
    timing: list[dict[str, Any]] = []
    turned = False
    for number in range(frames):
        with _readable(name):
            picture.seek(number)
            picture.load()
            turned |= picture.getexif().get(_ORIENTATION, 1) != 1
            upright = ImageOps.exif_transpose(picture) or picture
            timing.append({name: picture.info.get(name) for name in ("duration", "disposal", "blend")})
        pages.append(redactor.page(upright, number))
    if not redactor.findings and plain is not None and not (turned and not settings.keep_metadata):
        return Redacted(plain, kind.media_type, changed=plain != data)
    written = _written(pages, timing, picture, data)
    return Redacted(written, kind.media_type, tuple(redactor.findings), changed=True)


class _Redactor:
    """The frames of one file: one that was seen before is not read again."""

    def __init__(self, judge: Judge, settings: MediaSettings) -> None:
        self.findings: list[MediaFinding] = []
        self._judge = judge
        self._settings = settings
        self._seen: dict[bytes, Any] = {}

    def page(self, picture: Image.Image, number: int) -> Image.Image:
        key = picture.mode.encode() + picture.tobytes()
        done = self._seen.get(key)
        if done is None:
            if len(self._seen) > 8:
                self._seen.clear()
            done = self._seen[key] = redact_picture(picture, self._judge, self._settings)
        self.findings += [MediaFinding(each.entity, each.score, number, each.box) for each in done.regions]
        return done.picture.copy()


def _check_size(picture: Image.Image, frames: int, settings: MediaSettings) -> None:
    pixels = picture.width * picture.height
    if pixels > settings.pixels:
        raise Unscrubbable("too_large", f"a picture of more than {settings.pixels} pixels")
    if frames > settings.pages:
        raise Unscrubbable("too_large", f"an image of more than {settings.pages} frames")
    if frames * pixels > _FRAMES_SHARE * settings.pixels:
        raise Unscrubbable("too_large", f"frames of more than {_FRAMES_SHARE * settings.pixels} pixels")


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Whatever a decoder stumbles over is a picture that can't be read: Pillow's plugins raise many kinds of errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except ProxyGuardError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise Unscrubbable("too_large", "a picture too large to be read") from None
    except Exception:  # noqa: BLE001
        raise Unscrubbable("unreadable", f"a broken {name} file") from None


def _written(pages: list[Image.Image], timing: list[dict[str, Any]], source: Image.Image, data: bytes) -> bytes:
    """The file anew. `source` and `data` are as they came, and tell how it was written."""
    first, kind = pages[0], source.format or ""
    options: dict[str, Any] = {"icc_profile": source.info.get("icc_profile")}
    if "dpi" in source.info and kind in {"PNG", "JPEG", "MPO", "TIFF", "BMP"}:
        options["dpi"] = source.info["dpi"]
    if len(pages) > 1:
        options |= {"save_all": True, "append_images": pages[1:]}
    if kind in {"JPEG", "MPO"}:
        kind = "JPEG"
        options |= {
            "qtables": getattr(source, "quantization", None),
            "subsampling": max(JpegImagePlugin.get_sampling(source), 0),
            "progressive": bool(source.info.get("progressive")),
            "optimize": True,
        }
    elif kind == "WEBP":
        lossless = b"VP8L" in data and b"VP8 " not in data
        options |= {"lossless": lossless, "quality": 100 if lossless else 90, "exact": lossless}
        if len(pages) > 1:
            options |= {"duration": [each["duration"] or 0 for each in timing], "loop": source.info.get("loop", 0)}
    elif kind == "GIF" and len(pages) > 1:
        options |= {"duration": [each["duration"] or 0 for each in timing], "disposal": 2}
        if "loop" in source.info:
            options["loop"] = source.info["loop"]
    elif kind == "PNG" and len(pages) > 1:
        options |= {
            "duration": [each["duration"] or 0 for each in timing],
            "loop": source.info.get("loop", 0),
            "default_image": bool(source.info.get("default_image")),
        }
    elif kind == "TIFF":
        compression = source.info.get("compression", "raw")
        options["compression"] = compression if compression in _TIFF_LOSSLESS else "tiff_lzw"
        if first.mode == "1" and compression in {"group3", "group4"}:
            options["compression"] = compression
    for page in pages:
        # Where Pillow would find comments, EXIF and the like to write.
        page.info = {name: page.info[name] for name in ("transparency",) if name in page.info}
    out = io.BytesIO()
    first.save(out, kind, **{name: value for name, value in options.items() if value is not None})
    return out.getvalue()


_TIFF_LOSSLESS: Final = frozenset("raw packbits tiff_lzw tiff_adobe_deflate tiff_deflate lzma zstd".split())
