"""Pictures of papers and cards that pictures.py does not draw: thermal receipts, tables, passports and cards of identity,
notes by hand, print on colours and photographs, fine and sideways print, values over two lines, out of focus, crumpled.

Fonts are those of the machine (Debian's fonts-liberation, -urw-base35, -roboto-unhinted, -lato, -open-sans, -inconsolata,
-ocr-b, -sjfonts, -rufscript); where a family is missing, DejaVu or Pillow's own takes its place.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from tests.media.pictures import (
    BENIGN,
    FACES,
    VALUES,
    Picture,
    Planted,
    Sheet,
    font,
    photographed,
    rotated,
    through_jpeg,
)  # fmt: skip

_FONTS = Path("/usr/share/fonts")
_FAMILIES = {
    "plain": "LiberationSans-Regular LiberationSerif-Regular Roboto-Regular Lato-Regular OpenSans-Regular "
    "NimbusRoman-Regular NimbusSans-Regular LiberationSans-Bold P052-Roman URWGothic-Book C059-Roman",
    "mono": "LiberationMono-Regular NimbusMonoPS-Regular Inconsolata LiberationMono-Bold NimbusMonoPS-Bold",
    "hand": "SteveHand Rufscript010 Delphine Z003-MediumItalic",
    "mrz": "OCRB",
}


@cache
def faces(family: str) -> list[str]:
    names = _FAMILIES[family].split()
    found = {each.stem: str(each) for end in ("ttf", "otf", "t1") for each in _FONTS.rglob(f"*.{end}")}
    chosen = [found[name] for name in names if name in found]
    return chosen or [each for each in FACES if ("Mono" in each) == (family in {"mono", "mrz"})] or FACES


def face_of(rng: random.Random, family: str, size: int) -> ImageFont.FreeTypeFont:
    return font(rng.choice(faces(family)), size)


# --- grounds --------------------------------------------------------------------------------------------------


def _clouds(rng: random.Random, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Height x width of 0 to 1, rough at every scale, as photographs are."""
    noise = np.random.default_rng(rng.randrange(1 << 30))
    made = np.zeros((size[1], size[0]), np.float32)
    for octave in range(2, 8):
        small = noise.random((2**octave, 2**octave)).astype(np.float32)
        made += cv2.resize(small, size, interpolation=cv2.INTER_CUBIC) / (octave - 1) ** 1.2
    low, high = float(made.min()), float(made.max())
    return np.asarray((made - low) / (high - low), np.float32)


def _photo(rng: random.Random, size: tuple[int, int], low: int = 10, high: int = 150) -> Image.Image:
    """Something like a photograph, dark enough for white print."""
    bands = [_clouds(rng, size) * (high - low) + low for _ in range(3)]
    shown = Image.fromarray(np.stack(bands, axis=2).astype(np.uint8))
    draw = ImageDraw.Draw(shown, "RGBA")
    for _ in range(12):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        reach = rng.randrange(20, 160)
        colour = tuple(rng.randrange(high) for _ in range(3))
        rng.choice([draw.ellipse, draw.rectangle])((x, y, x + reach, y + reach), fill=(*colour, 120))
    return shown


def _ground(sheet: Sheet, ground: Image.Image) -> None:
    sheet.image = ground
    sheet.draw = ImageDraw.Draw(ground)


# --- kinds ----------------------------------------------------------------------------------------------------


def _thermal(rng: random.Random, benign: bool) -> Sheet:
    sheet = Sheet(rng, (480, 980), (238, 236, 232), benign)
    ink = rng.randint(60, 110)
    face, bold = face_of(rng, "mono", rng.randint(17, 21)), face_of(rng, "mono", 28)
    sheet.text((100, 24), rng.choice(["SUPER MART", "CITY PHARMACY", "CAFE ROMA"]), bold, (ink,) * 3)
    y = 80.0
    for turn in range(17):
        if turn in {1, 3, 9, 12, 14, 16}:
            sheet.value((24, y), face, (ink,) * 3, label=rng.random() < 0.8)
        elif turn % 5 == 0:
            sheet.text((24, y), "-" * 32, face, (ink,) * 3)
        else:
            sheet.text((24, y), rng.choice(["2 x MILK 1L", "BREAD WHOLE", "TEA 250G", "RICE 5 KG"]), face, (ink,) * 3)
            sheet.text((370, y), f"{rng.randint(1, 90)}.{rng.randint(10, 99)}", face, (ink,) * 3)
        y += 48
    pixels = np.asarray(sheet.image).astype(np.float32)
    noise = np.random.default_rng(rng.randrange(1 << 30))
    heads = 1 - 0.25 * np.where(
        noise.random((pixels.shape[0], 1, 1)) < 0.12, 1.0, 0.0
    )  # rows that the print head left pale
    fade = _clouds(rng, sheet.image.size)[:, :, None]
    paper = np.array((238, 236, 232), np.float32)
    printed = paper - (paper - pixels) * heads * (0.65 + 0.35 * fade) + noise.normal(0, 4, pixels.shape)
    sheet.image = Image.fromarray(np.clip(cv2.GaussianBlur(printed, (0, 0), 0.5), 0, 255).astype(np.uint8))
    return sheet


def _table(rng: random.Random, benign: bool) -> Sheet:
    """Label left and value right, in cells with rules."""
    sheet = Sheet(rng, (1000, 620), (255, 255, 255), benign)
    face = face_of(rng, "plain", rng.randint(16, 22))
    sheet.text((40, 20), rng.choice(["Customer record", "Employee master data"]), face_of(rng, "plain", 28), (0, 0, 0))
    shade = rng.choice([(255, 255, 255), (240, 244, 250), (250, 246, 235)])
    for row in range(10):
        y = 80 + row * 50
        sheet.draw.rectangle((40, y, 960, y + 50), outline=(120, 120, 120), fill=shade if row % 2 else None)
        sheet.draw.line((340, y, 340, y + 50), fill=(120, 120, 120))
        if row % 2 or not sheet.apart((52, y + 12), (356, y + 12), face):
            sheet.text((52, y + 12), rng.choice(["Status", "Branch", "Remarks", "Since"]), face, (20, 20, 20))
            sheet.text((356, y + 12), rng.choice(BENIGN), face, (20, 20, 20))
    return sheet


def _columns(rng: random.Random, benign: bool) -> Sheet:
    """A head above, values below: one kind in each column, as in a spreadsheet on a screen."""
    sheet = Sheet(rng, (1280, 360), (255, 255, 255), benign)
    face = face_of(rng, "plain", rng.randint(14, 17))
    x = 20
    for _ in range(3):
        sheet.draw.rectangle((x - 8, 30, x + 400, 62), fill=(225, 230, 238))
        sheet.apart((x, 36), (x, 80), face)
        for row in range(1, 5):
            sheet.text((x, 80 + row * 44), rng.choice(BENIGN), face, (20, 20, 20))
        x += 420
    for row in range(6):
        sheet.draw.line((12, 66 + row * 44, 1268, 66 + row * 44), fill=(200, 200, 200))
    return sheet


def _split(rng: random.Random, benign: bool) -> Sheet:
    """Values that go on in the next line."""
    sheet = Sheet(rng, (560, 900), (255, 255, 255), benign)
    face = face_of(rng, "plain", rng.randint(22, 28))
    y = 40.0
    while sheet.halves((40, y), face):
        y += 3.6 * face.size
        sheet.text((40, y - 1.1 * face.size), rng.choice(BENIGN), face, (20, 20, 20))
        y += 1.2 * face.size
    return sheet


def _hand(rng: random.Random, benign: bool) -> Sheet:
    sheet = Sheet(rng, (760, 980), (253, 250, 240), benign)
    for y in range(70, 980, 60):
        sheet.draw.line((0, y, 760, y), fill=(190, 210, 230))
    path = rng.choice(faces("hand"))
    ink = rng.choice([(20, 30, 120), (30, 30, 30), (110, 20, 30)])
    for row in range(12):
        face = font(path, rng.randint(34, 42))
        at = (50 + rng.randint(-10, 10), 30 + row * 75 + rng.randint(-6, 6))
        if row % 2 or not sheet.value(at, face, ink):
            sheet.text(at, rng.choice(BENIGN), face, ink)
    return sheet


def _coloured(rng: random.Random, benign: bool) -> Sheet:
    sheet = Sheet(rng, (900, 1000), (255, 255, 255), benign)
    left, right = ([rng.randrange(256) for _ in range(3)] for _ in range(2))
    ramp = np.linspace(0, 1, 900, dtype=np.float32)[None, :, None]
    pixels = np.repeat(np.array(left) * (1 - ramp) + np.array(right) * ramp, 1000, axis=0)
    _ground(sheet, Image.fromarray(pixels.astype(np.uint8)))
    face = face_of(rng, "plain", rng.randint(20, 28))
    for row in range(12):
        colour = tuple(rng.randrange(256) for _ in range(3))
        box = (30, 20 + row * 80, 870, 84 + row * 80)
        sheet.draw.rounded_rectangle(box, 12, fill=colour)
        light = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        ink = (255, 255, 255) if light < 120 else (0, 0, 0)
        if row % 2 or not sheet.value((50, 34 + row * 80), face, ink):
            sheet.text((50, 34 + row * 80), rng.choice(BENIGN), face, ink)
    return sheet


def _on_photo(rng: random.Random, benign: bool) -> Sheet:
    sheet = Sheet(rng, (960, 720), (0, 0, 0), benign)
    _ground(sheet, _photo(rng, (960, 720)))
    for row in range(6):
        face = face_of(rng, "plain", rng.randint(24, 38))
        sheet.value((40 + rng.randint(0, 60), 30 + row * 115), face, (255, 255, 255), label=rng.random() < 0.6)
    return sheet


def _fine(rng: random.Random, benign: bool) -> Sheet:
    """Print of 9 and 10 pixels, as in the foot of a letter."""
    sheet = Sheet(rng, (900, 420), (255, 255, 255), benign)
    sheet.text((40, 24), "Terms of service", face_of(rng, "plain", 26), (0, 0, 0))
    face = face_of(rng, "plain", rng.randint(9, 10))
    for row in range(14):
        if row % 2 or not sheet.value((40 + 430 * (row % 4 // 2), 90 + row * 22), face, (40, 40, 40)):
            sheet.text((40, 90 + row * 22), " - ".join(rng.sample(BENIGN, 3)), face, (60, 60, 60))
    return sheet


def _sideways(rng: random.Random, benign: bool) -> Sheet:
    """A page with a strip of print along its left edge, that runs up or down."""
    strip = Sheet(rng, (900, 150), (245, 245, 245), benign)
    face = face_of(rng, "plain", rng.randint(20, 26))
    strip.value((30, 20), face, (0, 0, 0))
    strip.value((30, 84), face, (0, 0, 0))
    way = rng.choice([1, 3])
    page = Sheet(rng, (760, 900), (255, 255, 255), benign)
    for row in range(12):
        page.text((190, 40 + row * 70), rng.choice(BENIGN), face, (30, 30, 30))
    page.image.paste(strip.image.rotate(90 * way, expand=True), (0, 0))
    for value in strip.values:
        ink = np.zeros((900, 760), bool)
        ink[:, :150] = np.rot90(value.ink, way)
        page.values.append(Planted(value.entity, value.text, ink))
    return page


def _blurred(rng: random.Random, benign: bool) -> Sheet:
    sheet = rng.choice([_table, _coloured, _hand])(rng, benign)
    pixels = cv2.GaussianBlur(np.asarray(sheet.image), (0, 0), rng.uniform(1.2, 2.0))
    sheet.image = Image.fromarray(np.asarray(pixels, np.uint8))
    return sheet


def _snapped(rng: random.Random, benign: bool) -> Sheet:
    """A paper on a table: askew, a shadow across, out of plane, soft, of a cheap camera."""
    sheet = rng.choice([_table, _thermal, _columns, _pan_card, _aadhaar_card])(rng, benign)
    rotated(sheet, rng.uniform(-8, 8))
    photographed(sheet, rng)
    pixels = np.asarray(sheet.image).astype(np.float32)
    shadow = cv2.GaussianBlur((_clouds(rng, sheet.image.size) > rng.uniform(0.4, 0.6)).astype(np.float32), (0, 0), 25)
    sheet.image = Image.fromarray(np.clip(pixels * (0.55 + 0.45 * shadow[:, :, None]), 0, 255).astype(np.uint8))
    through_jpeg(sheet, rng.randint(55, 75))
    return sheet


# --- documents ------------------------------------------------------------------------------------------------


def check(value: str) -> str:
    """ICAO Doc 9303, part 3, 4.9."""
    values = (0 if each == "<" else int(each, 36) for each in value)
    return str(sum(each * weight for each, weight in zip(values, cycle((7, 3, 1)), strict=False)) % 10)


SURNAMES, GIVEN = "SHARMA IYER WEBER NOVAK OKAFOR".split(), "ASHA MARIA JOHN KIRAN LENA".split()


def zone(rng: random.Random, kind: str) -> list[str]:
    """The machine-readable lines of a passport (TD3), a visa-sized card (TD2) or a card (TD1)."""
    land = rng.choice(["UTO", "IND", "GBR", "D<<", "USA"])
    names = f"{rng.choice(SURNAMES)}<<{rng.choice(GIVEN)}<{rng.choice(GIVEN)}"
    number = "".join(rng.choice("ABCDEFGHKLMNPRTUVWXYZ0123456789") for _ in range(rng.choice([8, 9]))).ljust(9, "<")
    birth = f"{rng.randrange(40, 99)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    expiry = f"{rng.randrange(26, 36)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    who = f"{birth}{check(birth)}{rng.choice('MF<')}{expiry}{check(expiry)}"
    if kind == "TD1":
        first = f"I<{land}{number}{check(number)}".ljust(30, "<")
        second = f"{who}{land}".ljust(29, "<")
        whole = check(first[5:30] + second[:7] + second[8:15] + second[18:29])
        return [first, second + whole, names.ljust(30, "<")]
    width = 44 if kind == "TD3" else 36
    begins = "P<" if kind == "TD3" else "I<"
    personal = "".join(rng.choice("0123456789<") for _ in range(width - 30)) if rng.random() < 0.5 else ""
    second = f"{number}{check(number)}{land}{who}{personal}".ljust(width - 2 if kind == "TD3" else width - 1, "<")
    if kind == "TD3":
        second += check(second[28:42])
    second += check(second[:10] + second[13:20] + second[21:])
    return [f"{begins}{land}{names}".ljust(width, "<")[:width], second]


def _passport(rng: random.Random, benign: bool) -> Sheet:
    kind = rng.choice(["TD3", "TD3", "TD2", "TD1"])
    sheet = Sheet(rng, (1000, 700) if kind == "TD3" else (860, 560), (224, 232, 226), benign)
    width, height = sheet.image.size
    _ground(sheet, _photo(rng, sheet.image.size, 190, 240))
    sheet.draw.rectangle((40, 110, 250, 380), fill=(140, 130, 125))
    small, face = face_of(rng, "plain", 15), face_of(rng, "plain", 24)
    sheet.text(
        (40, 30), "UTOPIA - PASSPORT" if kind == "TD3" else "IDENTITY CARD", face_of(rng, "plain", 34), (60, 20, 30)
    )
    for row, label in enumerate(["Surname / Nom", "Given names", "Nationality", "Place of birth"]):
        sheet.text((290, 110 + row * 72), label, small, (90, 90, 90))
        sheet.text((290, 130 + row * 72), rng.choice(SURNAMES), face, (20, 20, 20))
    if not benign:
        lines = zone(rng, kind)
        reader = font(rng.choice(faces("mrz")), 10)
        size = int(10 * (width - 90) / sheet.draw.textlength("<" * len(lines[0]), font=reader))
        reader = font(str(reader.path), min(size, 40))
        y = height - 20 - len(lines) * 1.55 * reader.size
        for line in lines:
            sheet.planted("PASSPORT_MRZ", (45, y), line, reader, (15, 15, 15))
            y += 1.55 * reader.size
    if rng.random() < 0.4:
        photographed(sheet, rng)
        through_jpeg(sheet, 75)
    return sheet


def _aadhaar_card(rng: random.Random, benign: bool) -> Sheet:
    sheet = Sheet(rng, (860, 540), (250, 250, 246), benign)
    sheet.draw.rectangle((0, 0, 860, 14), fill=(240, 150, 50))
    sheet.draw.rectangle((0, 526, 860, 540), fill=(40, 140, 60))
    face = face_of(rng, "plain", 26)
    sheet.text(
        (300, 30), "Library of Utopia" if benign else "Government of India", face_of(rng, "plain", 32), (30, 30, 30)
    )
    sheet.draw.rectangle((40, 110, 220, 340), fill=(150, 140, 130))
    sheet.text((250, 130), f"{rng.choice(GIVEN).title()} {rng.choice(SURNAMES).title()}", face, (20, 20, 20))
    if not benign:
        sheet.text(
            (250, 180),
            f"DOB: {rng.randrange(10, 28)}/0{rng.randrange(1, 9)}/19{rng.randrange(50, 99)}",
            face,
            (20, 20, 20),
        )
    sheet.text((250, 230), rng.choice(["Male", "Female"]), face, (20, 20, 20))
    if not benign:
        sheet.planted("IN_AADHAAR", (270, 400), VALUES["IN_AADHAAR"](rng), face_of(rng, "plain", 42), (10, 10, 10))
    sheet.text(
        (260, 475), "Aadhaar - Aam Admi ka Adhikar" if not benign else "Read more, know more", face, (160, 30, 30)
    )
    return sheet


def _pan_card(rng: random.Random, benign: bool) -> Sheet:
    sheet = Sheet(rng, (860, 540), (205, 226, 240), benign)
    _ground(sheet, _photo(rng, (860, 540), 185, 240))
    face = face_of(rng, "plain", 24)
    sheet.text(
        (40, 26), "CITY SPORTS CLUB" if benign else "INCOME TAX DEPARTMENT", face_of(rng, "plain", 28), (20, 30, 90)
    )
    sheet.text((560, 26), "Season 2024" if benign else "GOVT. OF INDIA", face_of(rng, "plain", 28), (20, 30, 90))
    for row in range(2):
        sheet.text((40, 110 + row * 50), f"{rng.choice(GIVEN)} {rng.choice(SURNAMES)}", face, (20, 20, 20))
    if not benign:
        sheet.text(
            (40, 215), f"{rng.randrange(10, 28)}/0{rng.randrange(1, 9)}/19{rng.randrange(50, 99)}", face, (20, 20, 20)
        )
        sheet.text((40, 290), "Permanent Account Number", face, (20, 20, 20))
        sheet.planted("IN_PAN", (40, 330), VALUES["IN_PAN"](rng), face_of(rng, "plain", 34), (10, 10, 10))
    sheet.draw.rectangle((620, 230, 820, 470), fill=(150, 140, 130))
    return sheet


_KINDS: dict[str, Callable[[random.Random, bool], Sheet]] = {
    "thermal": _thermal,
    "table": _table,
    "columns": _columns,
    "split": _split,
    "hand": _hand,
    "coloured": _coloured,
    "on_photo": _on_photo,
    "fine": _fine,
    "sideways": _sideways,
    "blurred": _blurred,
    "snapped": _snapped,
    "passport": _passport,
    "aadhaar": _aadhaar_card,
    "pan": _pan_card,
}
KINDS = tuple(_KINDS)


def make(kind: str, number: int, benign: bool = False) -> Picture:
    """Picture `number` of a kind of KINDS."""
    sheet = _KINDS[kind](random.Random(f"{kind} {number}"), benign)
    return Picture(kind, sheet.image, sheet.values)
