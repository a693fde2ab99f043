"""Image files in, the same kind of file out."""

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from proxy_guard.media import Judged, MediaSettings, Redacted, Unscrubbable, scrub
from proxy_guard.media.reading import read_lines
from tests.media.pictures import font
from tests.media.replacing import replacing

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
NUMBER = "98765 43210"
LOSSLESS = ["image/png", "image/gif", "image/bmp", "image/tiff"]
judge = replacing()


def picture(text: str = f"Phone {NUMBER}", size: tuple[int, int] = (420, 120)) -> Image.Image:
    drawn = Image.new("RGB", size, "white")
    ImageDraw.Draw(drawn).text((30, 40), text, font=font("", 30), fill="black")
    return drawn


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, FORMATS[kind], **options)
    return out.getvalue()


def scrubbed(data: bytes, kind: str, **settings: Any) -> Redacted:
    return scrub(data, kind, judge, MediaSettings(**settings))


def same_pixels(*files: bytes) -> bool:
    before, after = (np.asarray(Image.open(io.BytesIO(each))) for each in files)
    return np.array_equal(before, after)


def read(data: bytes) -> str:
    return " ".join(line.text for line in read_lines(np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_number_is_gone_and_the_rest_is_as_it_was(kind: str) -> None:
    data = written(picture(), kind)
    redacted = scrubbed(data, kind)
    after = Image.open(io.BytesIO(redacted.data))
    assert redacted.changed
    assert redacted.media_type == kind
    assert after.format == FORMATS[kind]
    assert after.size == (420, 120)
    assert "Phone" in read(redacted.data)
    assert "765" not in read(redacted.data)
    (finding,) = {each.box for each in redacted.findings}
    assert finding is not None
    if kind in LOSSLESS:
        before = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).copy()
        left, top, right, bottom = (int(each) for each in finding)
        pixels = np.asarray(after.convert("RGB")).copy()
        for each in (before, pixels):
            each[top : bottom + 1, left : right + 1] = 0
        assert np.array_equal(before, pixels)


@pytest.mark.parametrize("kind", FORMATS)
def test_where_nothing_is_found_the_bytes_are_the_same(kind: str) -> None:
    data = written(picture("See you at noon"), kind)
    redacted = scrubbed(data, kind)
    assert not redacted.findings
    if kind in {"image/bmp", "image/tiff"}:  # what else such a file holds can't be told: it is written anew
        assert same_pixels(data, redacted.data)
    else:
        assert redacted.data == data
        assert not redacted.changed


SECRET = b"SECRET-IN-METADATA"


def with_metadata(kind: str) -> bytes:
    image = picture("See you at noon")
    if kind == "image/png":
        info = PngImagePlugin.PngInfo()
        info.add_text("Author", SECRET.decode())
        info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        return written(image, kind, pnginfo=info) + SECRET
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    if kind == "image/jpeg":
        return written(image, kind, exif=exif, comment=SECRET, xmp=SECRET) + SECRET
    if kind == "image/webp":
        return written(image, kind, exif=exif, xmp=SECRET) + SECRET
    if kind == "image/gif":
        return written(image, kind, comment=SECRET) + SECRET
    if kind == "image/tiff":
        return written(image, kind, tiffinfo={270: SECRET.decode()}) + SECRET
    return written(image, kind) + SECRET


@pytest.mark.parametrize("kind", FORMATS)
def test_metadata_and_what_stands_behind_the_end_go_the_pixels_stay(kind: str) -> None:
    data = with_metadata(kind)
    redacted = scrubbed(data, kind)
    assert redacted.changed
    assert SECRET in data
    assert SECRET not in redacted.data
    assert same_pixels(data, redacted.data)
    kept = scrubbed(data, kind, keep_metadata=True)
    assert kept.data == data


def test_a_colour_profile_and_the_orientation_are_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = b"p" * 128
    data = written(picture().rotate(90, expand=True), "image/jpeg", exif=exif, icc_profile=profile)
    redacted = scrubbed(data, "image/jpeg")
    after = Image.open(io.BytesIO(redacted.data))
    assert after.size == (420, 120)
    assert after.info["icc_profile"] == profile
    assert not after.getexif()
    assert "Phone" in read(redacted.data)
    assert "765" not in read(redacted.data)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_a_jpeg_keeps_its_quality(subsampling: str) -> None:
    data = written(picture(), "image/jpeg", quality=63, subsampling=subsampling)
    before, after = (Image.open(io.BytesIO(each)) for each in (data, scrubbed(data, "image/jpeg").data))
    assert before.quantization == after.quantization  # type: ignore[attr-defined]
    assert before.layer == after.layer  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["image/gif", "image/webp", "image/png", "image/tiff"])
def test_every_frame_is_scrubbed(kind: str) -> None:
    frames = [picture("One"), picture(), picture("Three")]
    timing = {} if kind == "image/tiff" else {"duration": [100, 200, 300], "loop": 3}
    data = written(frames[0], kind, save_all=True, append_images=frames[1:], **timing)
    redacted = scrubbed(data, kind)
    assert {each.page for each in redacted.findings} == {1}
    after = Image.open(io.BytesIO(redacted.data))
    assert getattr(after, "n_frames", 1) == 3
    for number, expected in enumerate(["One", "Phone", "Three"]):
        after.seek(number)
        texts = [line.text for line in read_lines(np.asarray(after.convert("RGB")))]
        assert any(expected in text for text in texts)
        assert not any("765" in text for text in texts)
        if timing and kind != "image/webp":
            assert after.info["duration"] == timing["duration"][number]  # type: ignore[index]


def test_text_that_only_transparency_shows_is_found() -> None:
    shape = Image.new("L", (420, 120), 0)
    ImageDraw.Draw(shape).text((30, 40), f"Phone {NUMBER}", font=font("", 30), fill=255)
    for ink in ("white", "black"):
        image = Image.new("RGBA", shape.size, ink)
        image.putalpha(shape)
        assert scrubbed(written(image, "image/png"), "image/png").findings
    hidden = picture().convert("RGBA")
    hidden.putalpha(0)
    assert scrubbed(written(hidden, "image/png"), "image/png").findings


def test_a_style_of_block_refuses() -> None:
    with pytest.raises(Unscrubbable) as error:
        scrubbed(written(picture(), "image/png"), "image/png", style="block")
    assert error.value.cause == "found"
    assert "765" not in str(error.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_cut_files_are_unreadable_or_clean(kind: str) -> None:
    data = written(picture(), kind)
    for share in (0.02, 0.3, 0.6, 0.9):
        with pytest.raises(Unscrubbable) as error:
            scrubbed(data[: int(len(data) * share)], kind)
        assert error.value.cause == "unreadable"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    header = struct.pack(">IIBBBBB", 8000, 5000, 8, 2, 0, 0, 0)
    data = written(Image.new("RGB", (1, 1)), "image/png")
    data = data[:16] + header + struct.pack(">I", __import__("zlib").crc32(b"IHDR" + header)) + data[33:]
    with pytest.raises(Unscrubbable) as error:
        scrubbed(data, "image/png")
    assert error.value.cause == "too_large"


def test_too_many_frames_are_refused() -> None:
    frames = [Image.new("L", (8, 8), each) for each in range(5)]
    data = written(frames[0], "image/gif", save_all=True, append_images=frames[1:])
    with pytest.raises(Unscrubbable) as error:
        scrubbed(data, "image/gif", pages=4)
    assert error.value.cause == "too_large"


@pytest.mark.parametrize("text", ["4830 1177 2956", "Qwmx zkvj hqpd"])
def test_text_that_can_not_be_read_for_sure(text: str) -> None:
    image = picture(text, (420, 120))
    small = image.resize((63, 18), Image.Resampling.BOX).resize((420, 120), Image.Resampling.BICUBIC)

    def none(texts: Sequence[str]) -> list[Judged]:
        return [Judged(text) for text in texts]

    redacted = scrub(written(small, "image/png"), "image/png", none, MediaSettings())
    assert {each.entity for each in redacted.findings} == {"UNREADABLE_TEXT"}
    with pytest.raises(Unscrubbable) as error:
        scrub(written(small, "image/png"), "image/png", none, MediaSettings(low_confidence="block"))
    assert error.value.cause == "low_confidence"
