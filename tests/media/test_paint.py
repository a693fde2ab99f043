"""What is painted over is gone for good."""

import random
import string

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from proxy_guard.media.paint import Region, mask_of, paint
from tests.media.pictures import font

FACE = font("", 40)
PLACE = (30, 40)
SIGMA = 8  # of a blur out of which OCR reads nothing any more


def drawn(text: str, mode: str = "RGB") -> Image.Image:
    picture = Image.new("L", (360, 120), 255)
    ImageDraw.Draw(picture).text(PLACE, text, font=FACE, fill=0)
    return picture.convert(mode)


def region(left: float = 20, top: float = 35, right: float = 340, bottom: float = 95) -> Region:
    quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return Region("PHONE_NUMBER", 1.0, quad)


def attacked(seen: npt.NDArray[np.float64], hide: object) -> str:
    """The digits that, drawn and hidden alike, look most like what is seen: left to right, a beam of six."""
    assert callable(hide)
    beam = [""]
    for length in range(1, 11):
        reach = slice(0, int(PLACE[0] + FACE.getlength("0" * length)) - 6)
        tried = [known + digit for known in beam for digit in string.digits]
        errors = {each: float(np.square(hide(each)[:, reach] - seen[:, reach]).sum()) for each in tried}
        beam = sorted(tried, key=errors.__getitem__)[:6]
    return beam[0]


def right(attack: list[tuple[str, str]]) -> float:
    return sum(a == b for secret, found in attack for a, b in zip(secret, found, strict=True)) / (10 * len(attack))


def secrets(count: int) -> list[str]:
    rng = random.Random(7)
    return ["".join(rng.choice(string.digits) for _ in range(10)) for _ in range(count)]


def test_the_attack_reads_digits_out_of_a_true_blur() -> None:
    """Or the test below would prove nothing."""

    def hide(text: str) -> npt.NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(np.asarray(drawn(text, "L")), (0, 0), SIGMA), np.float64)

    assert right([(secret, attacked(hide(secret), hide)) for secret in secrets(1)]) >= 0.9


@pytest.mark.parametrize("style", ["fill", "blur"])
def test_the_attack_finds_nothing_in_what_is_painted(style: str) -> None:
    def hide(text: str) -> npt.NDArray[np.float64]:
        return np.asarray(paint(drawn(text), [region()], style).convert("L"), np.float64)  # type: ignore[arg-type]

    first, *others = [hide(secret) for secret in secrets(6)]
    assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("style", ["fill", "blur"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_is_painted_within_its_region_only(mode: str, style: str) -> None:
    if mode == "I;16":
        pictures = [Image.fromarray(np.asarray(drawn(text, "L")).astype(np.uint16) * 257) for text in secrets(2)]
    else:
        pictures = [drawn(text, mode) for text in secrets(2)]
    painted = [paint(each, [region()], style) for each in pictures]  # type: ignore[arg-type]
    assert [each.mode for each in painted] == [each.mode for each in pictures]
    hidden = mask_of([region()], pictures[0].size) > 0
    before, after = np.asarray(pictures[0]), np.asarray(painted[0])
    assert np.array_equal(before[~hidden], after[~hidden])
    assert not np.array_equal(before[hidden], after[hidden])
    assert np.array_equal(after, np.asarray(painted[1]))


@pytest.mark.parametrize("style", ["fill", "blur"])
def test_a_shape_in_the_transparency_is_painted_too(style: str) -> None:
    picture = Image.new("RGBA", (360, 120), "white")
    picture.putalpha(drawn("9876543210", "L"))
    painted = np.asarray(paint(picture, [region()], style))  # type: ignore[arg-type]
    assert np.unique(painted[mask_of([region()], picture.size) > 0, 3]).tolist() == [255]


def test_a_region_as_large_as_the_picture() -> None:
    painted = paint(drawn("9876543210"), [region(-10, -10, 500, 500)], "blur")
    assert np.ptp(np.asarray(painted)) == 0
