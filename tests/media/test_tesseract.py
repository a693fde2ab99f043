"""Lines in scripts that the bundled models do not read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from proxy_guard.media import MediaSettings, tesseract
from proxy_guard.media.pictures import redact_picture
from tests.media.papers import make
from tests.media.pictures import font
from tests.media.replacing import judging

HINDI = sorted(Path("/usr/share/fonts").rglob("*Devanagari*-Regular.ttf")) or [Path()]
judge = judging("IN_AADHAAR", "PHONE_NUMBER")


def drawn(text: str) -> Image.Image:
    picture = Image.new("RGB", (700, 100), "white")
    ImageDraw.Draw(picture).text((40, 20), text, font=font(str(HINDI[0]), 36), fill="black")
    return picture


@pytest.mark.skipif(not HINDI[0].name, reason="no font of Devanagari")
def test_a_number_in_devanagari_is_found_or_painted_over() -> None:
    assert redact_picture(drawn("फ़ोन ९८७६५ ४३२१०"), judge, MediaSettings()).regions


@pytest.mark.skipif(not HINDI[0].name or not tesseract._installed(), reason="no tesseract with data for Hindi")
def test_a_line_in_devanagari_is_read_and_one_in_latin_is_left_to_the_models() -> None:
    read = tesseract.read(np.asarray(drawn("कृपया कल सुबह दस बजे")))
    assert read is not None
    assert "सुबह" in read.text
    assert len(read.text) == len(read.cells) == len(read.certainty)
    assert tesseract.read(np.asarray(drawn("See you at noon"))) is None


def test_handwriting_in_latin_is_not_taken_for_another_script() -> None:
    entities = {each.entity for each in redact_picture(make("hand", 1).image, judge, MediaSettings()).regions}
    assert "UNREADABLE_TEXT" in entities or not Path("/usr/share/fonts/truetype/sjfonts").exists()
