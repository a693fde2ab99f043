"""Machine-readable zones as OCR reads them."""

import pytest
from PIL import Image

from proxy_guard.detect import Detector
from proxy_guard.media import Judge, MediaSettings
from proxy_guard.media.pictures import redact_picture
from proxy_guard.media.reading import Passage
from proxy_guard.media.zones import zones
from tests.media.papers import make
from tests.media.replacing import judging

PASSPORT = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]
CARD = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]
detector = Detector(["IDENTITY_DOCUMENT", "PASSPORT_MRZ"], "en")


def rows(*texts: str) -> list[Passage]:
    return [Passage(text, tuple((row, at) for at in range(len(text)))) for row, text in enumerate(texts)]


@pytest.mark.parametrize(
    "read",
    [
        PASSPORT,
        CARD,
        [
            "PKUT0ERIKSSON<<ANNA<MAR1A<<<<<<<<<<",
            "L898902C36UTO74O8122F12O4159ZE184226B<<<10",
        ],  # look-alikes, fillers lost
        ["P<UTO ERIKSSON<< ANNA<MARIA <<<<<<", "L898902C36 UTO 7408122 F 1204159 ZE184226B <<<<<10"],
        ["p«utoeriksson«anna«maria««««", "l898902c36uto7408122f1204159ze184226b«««10"],
        ["smudged", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
        ["I<UT0D231458907<<<<<<<<<<<", "74O8122F1204159UTO<<<<<<<6", "ER1KSSON<<ANNA<MARIA<<<<<<"],
        ["1<UTOD231458907<<<<<<<<<<<", "7408122FI204159UT0<<<<<<<6", "smudged"],
    ],
)
def test_a_zone_is_put_right(read: list[str]) -> None:
    (zone,) = zones(rows(*read))
    assert len(zone.text) == len(zone.origins)
    assert {each.entity for each in detector.detect(zone.text)} & {"IDENTITY_DOCUMENT", "PASSPORT_MRZ"}
    line = next(row for row, text in enumerate(read) if "158" in text or "415" in text)
    assert {origin for origin in zone.origins if origin and origin[0] == line} >= {(line, 0), (line, 12)}


def test_other_lines_are_none() -> None:
    assert list(zones(rows("Order 7408122 from 2024-05-17", "Total 1,249.00", "+91 98765 43210", "<<<<<<<"))) == []


@pytest.mark.parametrize("kind", ["passport", "aadhaar", "pan"])
def test_a_document_is_known_in_a_picture_and_a_card_of_a_club_is_none(kind: str) -> None:
    judge = judging("IDENTITY_DOCUMENT", "PASSPORT_MRZ")
    assert "IDENTITY_DOCUMENT" in entities_in(make(kind, 1).image, judge)
    assert entities_in(make(kind, 1, benign=True).image, judge) == set()


def entities_in(picture: Image.Image, judge: Judge) -> set[str]:
    return {each.entity for each in redact_picture(picture, judge, MediaSettings()).regions}
