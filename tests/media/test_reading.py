"""What is read in pictures, and where."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from proxy_guard.media.reading import Line, read_lines
from tests.media.pictures import font

TEXT = "Phone 98765 43210 today"


def drawn(size: tuple[int, int] = (640, 200), ink: int = 0, ground: int = 255) -> tuple[Image.Image, Image.Image]:
    """A picture with TEXT, and the ink of its number alone."""
    picture = Image.new("RGB", size, (ground,) * 3)
    face = font("", 32)
    ImageDraw.Draw(picture).text((40, 80), TEXT, font=face, fill=(ink,) * 3)
    number = Image.new("L", size)
    ImageDraw.Draw(number).text((40 + face.getlength("Phone "), 80), "98765 43210", font=face, fill=255)
    return picture, number


def only(lines: list[Line]) -> Line:
    (line,) = [each for each in lines if "98765" in each.text]
    return line


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 5, -5])
def test_the_corners_of_a_part_hold_its_ink_whichever_way_it_runs(degrees: int) -> None:
    picture, number = drawn()
    picture = picture.rotate(degrees, expand=True, fillcolor="white")
    ink = np.argwhere(np.asarray(number.rotate(degrees, expand=True)) > 128)[:, ::-1].astype(float)
    line = only(read_lines(np.asarray(picture)))
    assert line.text == TEXT
    quad = line.part(6, 17)
    across = (quad[1] - quad[0]) / np.linalg.norm(quad[1] - quad[0])
    along = (ink - quad[0]) @ across / np.linalg.norm(quad[1] - quad[0])
    assert np.mean((along > -0.04) & (along < 1.04)) > 0.99


def test_faint_text_is_read() -> None:
    picture, _ = drawn(ink=247, ground=253)
    assert only(read_lines(np.asarray(picture))).text == TEXT


def test_faint_text_is_read_beside_plain_text() -> None:
    picture, _ = drawn(ink=244, ground=252)
    ImageDraw.Draw(picture).text((40, 20), "Plain", font=font("", 32), fill=(0, 0, 0))
    assert only(read_lines(np.asarray(picture))).text == TEXT


def test_text_in_a_tall_scroll_is_read() -> None:
    picture = Image.new("RGB", (640, 6000), "white")
    for place in range(100, 5900, 600):
        ImageDraw.Draw(picture).text((40, place), f"Row {place} ends", font=font("", 28), fill=(0, 0, 0))
    texts = {line.text for line in read_lines(np.asarray(picture))}
    assert {f"Row {place} ends" for place in range(100, 5900, 600)} <= texts


def test_nothing_is_read_where_nothing_is() -> None:
    assert read_lines(np.full((300, 400, 3), 200, np.uint8)) == []
    assert read_lines(np.zeros((1, 1, 3), np.uint8)) == []
