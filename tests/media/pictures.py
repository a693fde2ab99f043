"""Pictures with planted values whose every pixel is known: chats, forms, cards, receipts, as screens show them, as
scanners and cameras see them. The same number makes the same picture, on machines with the same fonts.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from stdnum import luhn
from stdnum.in_ import aadhaar
from stdnum.iso7064 import mod_97_10

Mask = npt.NDArray[np.bool_]

_FOLDER = Path("/usr/share/fonts/truetype/dejavu")
FACES = ["", *(str(each) for each in sorted(_FOLDER.glob("DejaVuSans*.ttf")) if "Math" not in each.name)]
"""The first is Pillow's own; the others where they are installed."""


@cache
def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    made = ImageFont.truetype(face, size) if face else ImageFont.load_default(size)
    assert isinstance(made, ImageFont.FreeTypeFont)
    return made


@dataclass
class Planted:
    """A value that a picture holds, and which pixels are its ink."""

    entity: str
    text: str
    ink: Mask


@dataclass
class Picture:
    kind: str
    image: Image.Image
    values: list[Planted] = field(default_factory=list)
    turned: int = 0
    """By how many degrees it was turned, counter-clockwise."""

    def file(self, kind: str = "PNG", **options: object) -> bytes:
        out = io.BytesIO()
        self.image.save(out, kind, **options)
        return out.getvalue()


# --- values ---------------------------------------------------------------------------------------------------


def number_of(rng: random.Random, length: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(length))


def fours(digits: str) -> str:
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def phone(rng: random.Random) -> str:
    digits = rng.choice("6789") + number_of(rng, 9)
    return rng.choice([f"+91 {digits[:5]} {digits[5:]}", digits, f"+91-{digits}", f"{digits[:5]} {digits[5:]}"])


def card(rng: random.Random) -> str:
    digits = rng.choice(["4", "51", "55"]) + number_of(rng, 14)
    digits = digits[:15] + str(luhn.calc_check_digit(digits[:15]))
    return rng.choice([fours(digits), fours(digits).replace(" ", "-"), digits])


def aadhaar_number(rng: random.Random) -> str:
    while True:
        digits = rng.choice("23456789") + number_of(rng, 11)
        if aadhaar.is_valid(digits):
            return fours(digits)


def pan(rng: random.Random) -> str:
    letters = [rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(4)]
    return f"{''.join(letters[:3])}P{letters[3]}{rng.randrange(1, 10000):04d}{rng.choice('ABCDEFGHJKLMNPQRSTUVWXYZ')}"


def iban(rng: random.Random) -> str:
    body = number_of(rng, 18)
    return fours(f"DE{mod_97_10.calc_check_digits(f'{body}DE')}{body}")


def email(rng: random.Random) -> str:
    first, last = (
        rng.choice(["asha", "rahul", "meera", "john", "lena"]),
        rng.choice(["iyer", "sharma", "weber", "smith"]),
    )
    return f"{first}.{last}{rng.choice(['', '7', '42', '1987'])}@{rng.choice(['example.com', 'example.org', 'mail.example.net'])}"


VALUES: dict[str, Callable[[random.Random], str]] = {
    "PHONE_NUMBER": phone,
    "CREDIT_CARD": card,
    "IN_AADHAAR": aadhaar_number,
    "IN_PAN": pan,
    "IBAN_CODE": iban,
    "EMAIL_ADDRESS": email,
}
LABELS = {
    "PHONE_NUMBER": ["Phone", "Mobile", "Call me on"],
    "CREDIT_CARD": ["Card", "Credit card", "Card number"],
    "IN_AADHAAR": ["Aadhaar", "Aadhaar no", "UID"],
    "IN_PAN": ["PAN", "PAN no", "Income tax PAN"],
    "IBAN_CODE": ["IBAN", "Bank account", "Pay to"],
    "EMAIL_ADDRESS": ["E-mail", "Mail", "Write to"],
}
BENIGN = [
    "See you at the station", "Lunch at 12:30?", "The parcel is here", "Version 1.2.3.4 is out", "Thanks a lot!",
    "Order A-20418", "Total 1,249.00", "Meeting on 2024-05-17", "Room 214, 2nd floor", "It rained all day",
    "20 x 35 cm", "Flight AI 302 at 06:45", "3 tickets left", "Table for four please", "Invoice 2024/118",
    "Please read page 42", "Build 8812 passed", "Chapter 7: The sea", "Save 15 % today", "Who has the keys?",
]  # fmt: skip


# --- drawing --------------------------------------------------------------------------------------------------


class Sheet:
    """A picture in the making. Texts are drawn one by one, those that are values into a mask, too."""

    def __init__(self, rng: random.Random, size: tuple[int, int], ground: tuple[int, int, int], benign: bool) -> None:
        self.rng, self.benign = rng, benign
        self.image = Image.new("RGB", size, ground)
        self.draw = ImageDraw.Draw(self.image)
        self.values: list[Planted] = []
        self._left = list(VALUES)
        rng.shuffle(self._left)

    def text(
        self, at: tuple[float, float], text: str, face: ImageFont.FreeTypeFont, ink: tuple[int, int, int]
    ) -> float:
        self.draw.text(at, text, font=face, fill=ink)
        return at[0] + self.draw.textlength(text, font=face)

    def planted(self, entity: str, at: tuple[float, float], text: str, face: ImageFont.FreeTypeFont,
                ink: tuple[int, int, int]) -> None:  # fmt: skip
        """A value, and where its ink is."""
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).text(at, text, font=face, fill=255)
        self.text(at, text, face, ink)
        self.values.append(Planted(entity, text, np.asarray(mask) > 100))

    def value(self, at: tuple[float, float], face: ImageFont.FreeTypeFont, ink: tuple[int, int, int], label: bool = True,
              apart: float = 0) -> bool:  # fmt: skip
        """One line with the next value, or with none where the picture is benign. Whether there was a next one."""
        if not self._left:
            return False
        entity = self._left.pop()
        if self.benign:
            self.text(at, self.rng.choice(BENIGN), face, ink)
            return True
        text = VALUES[entity](self.rng)
        said = self.rng.choice(LABELS[entity]) + ": " if label else ""
        room = self.image.width - at[0] - 20
        while max(apart, self.draw.textlength(said, font=face)) + self.draw.textlength(text, font=face) > room:
            face = font(str(face.path) if isinstance(face.path, str) else "", int(face.size) - 1)
        x = max(self.text(at, said, face, ink), at[0] + apart)
        self.planted(entity, (x, at[1]), text, face, ink)
        return True

    def apart(self, at: tuple[float, float], there: tuple[float, float], face: ImageFont.FreeTypeFont) -> bool:
        """The next value with its label in another place. Whether there was a next one."""
        if not self._left:
            return False
        entity = self._left.pop()
        black = (20, 20, 20)
        if self.benign:
            self.text(at, "Remarks", face, black)
            self.text(there, self.rng.choice(BENIGN), face, black)
            return True
        self.text(at, self.rng.choice(LABELS[entity]), face, black)
        self.planted(entity, there, VALUES[entity](self.rng), face, black)
        return True

    def halves(self, at: tuple[float, float], face: ImageFont.FreeTypeFont) -> bool:
        """The next value over two lines, broken where it has a space, a hyphen, an @ or a dot; else in its middle."""
        if not self._left:
            return False
        entity = self._left.pop()
        black = (20, 20, 20)
        if self.benign:
            self.text(at, self.rng.choice(BENIGN), face, black)
            return True
        text = VALUES[entity](self.rng)
        breaks = [place + 1 for place, each in enumerate(text) if each in " -@" and 2 < place < len(text) - 3]
        middle = min(breaks or [len(text) // 2], key=lambda place: abs(place - len(text) / 2))
        x = self.text(at, self.rng.choice(LABELS[entity]) + ": ", face, black)
        self.planted(entity, (x, at[1]), text[:middle].rstrip(), face, black)
        self.planted(entity, (at[0], at[1] + 1.25 * face.size), text[middle:], face, black)
        return True


def _chat(rng: random.Random, benign: bool, dark: bool, size: tuple[int, int] = (720, 1280)) -> Sheet:
    ground, ink = ((18, 20, 24), (232, 232, 236)) if dark else ((236, 229, 221), (20, 20, 20))
    mine, theirs = ((0, 92, 75), (38, 45, 49)) if dark else ((217, 253, 211), (255, 255, 255))
    sheet = Sheet(rng, size, ground, benign)
    scale = size[0] / 720
    face, small = font(rng.choice(FACES), round(rng.randint(24, 30) * scale)), font(FACES[0], round(16 * scale))
    y = 90 * scale
    sheet.text((30 * scale, 30 * scale), rng.choice(["Group", "Family", "Support", "Work"]), face, ink)
    turn = 0
    while y < size[1] - 130 * scale:
        x = (40 if turn % 2 else 110) * scale
        box = (x - 16 * scale, y - 12 * scale, x + 560 * scale, y + 60 * scale)
        sheet.draw.rounded_rectangle(box, 14 * scale, fill=theirs if turn % 2 else mine)
        if turn % 2 == 0 or not sheet.value((x, y), face, ink, label=rng.random() < 0.7):
            sheet.text((x, y), rng.choice(BENIGN), face, ink)
        sheet.text(
            (x + 490 * scale, y + 34 * scale), f"{rng.randint(8, 22)}:{rng.randint(10, 59)}", small, (130, 130, 130)
        )
        y += 92 * scale
        turn += 1
    return sheet


def _form(rng: random.Random, benign: bool, small: bool = False) -> Sheet:
    sheet = Sheet(rng, (620, 440) if small else (900, 1160), (252, 252, 250), benign)
    size = rng.randint(11, 12) if small else rng.randint(20, 26)
    face = font(rng.choice(FACES), size)
    sheet.text((40, 30), "Registration form", font(FACES[0], round(size * 1.6)), (30, 30, 90))
    y = 40 + 3.0 * size
    for turn in range(12):
        if turn % 2 == 0:
            if not small:
                sheet.draw.rectangle((34 + 10 * size, y - 6, 860, y + size * 1.4 + 4), outline=(160, 160, 160))
            if not sheet.value((40, y), face, (25, 25, 25), apart=10.8 * size):
                break
        else:
            sheet.text((40, y), rng.choice(BENIGN), face, (25, 25, 25))
        y += 2.4 * size
    return sheet


def _card(rng: random.Random, benign: bool) -> Sheet:
    dark = rng.random() < 0.5
    ground, ink = ((40, 52, 90), (240, 240, 240)) if dark else ((226, 232, 240), (30, 30, 50))
    sheet = Sheet(rng, (860, 540), ground, benign)
    face = font(rng.choice(FACES), rng.randint(24, 30))
    sheet.draw.rectangle((30, 120, 190, 330), fill=(150, 140, 130))
    sheet.text((40, 30), rng.choice(["MEMBER CARD", "CITY LIBRARY", "Staff card"]), font(FACES[0], 36), ink)
    for row in range(4):
        sheet.value((220, 120 + row * 80), face, ink)
    return sheet


def _receipt(rng: random.Random, benign: bool) -> Sheet:
    sheet = Sheet(rng, (560, 1000), (250, 249, 245), benign)
    mono = [each for each in FACES if "Mono" in each] or FACES
    face = font(rng.choice(mono), rng.randint(17, 20))
    sheet.text((150, 30), "CORNER SHOP", font(FACES[0], 30), (20, 20, 20))
    y = 110.0
    for turn in range(14):
        if turn % 3 == 2:
            if not sheet.value((30, y), face, (40, 40, 40), label=turn % 2 == 0):
                break
        else:
            sheet.text((30, y), f"{rng.choice(['Milk 1 l', 'Bread', 'Apples', 'Soap'])}", face, (40, 40, 40))
            sheet.text((430, y), f"{rng.randint(1, 40)}.{rng.randint(10, 99)}", face, (40, 40, 40))
        y += 44
    return sheet


def _light_chat(rng: random.Random, benign: bool) -> Sheet:
    return _chat(rng, benign, dark=False)


def _screen_or_paper(rng: random.Random, benign: bool) -> Sheet:
    return rng.choice([_form, _card, _receipt, _light_chat])(rng, benign)


# --- what becomes of them -------------------------------------------------------------------------------------


def warped(sheet: Sheet, matrix: npt.NDArray[np.float64], size: tuple[int, int], ground: tuple[int, int, int]) -> None:
    def warp(picture: npt.NDArray[np.uint8], border: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        return np.asarray(
            cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=border), np.uint8
        )

    sheet.image = Image.fromarray(warp(np.asarray(sheet.image), ground))
    for value in sheet.values:
        value.ink = warp(value.ink.astype(np.uint8) * 255, (0,)) > 100


def rotated(sheet: Sheet, degrees: float) -> None:
    width, height = sheet.image.size
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), [0, 0, 1]])
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    moved = cv2.perspectiveTransform(corners, matrix)[0]
    low = moved.min(axis=0)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    size = np.ceil(moved.max(axis=0) - low).astype(int)
    warped(sheet, shift @ matrix, (int(size[0]), int(size[1])), (255, 255, 255))


def photographed(sheet: Sheet, rng: random.Random) -> None:
    width, height = sheet.image.size
    margin = 60
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    reach = 0.06 * min(width, height)
    moved = corners + margin + np.array([[rng.uniform(-reach, reach) for _ in range(2)] for _ in range(4)], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(corners, moved), np.float64)
    warped(sheet, matrix, (width + 2 * margin, height + 2 * margin), (96, 80, 66))
    pixels = np.asarray(sheet.image).astype(np.float32)
    shade = np.linspace(rng.uniform(0.7, 0.9), 1.0, pixels.shape[1], dtype=np.float32)[None, :, None]
    noise = np.random.default_rng(rng.randrange(1 << 30)).normal(0, 6, pixels.shape).astype(np.float32)
    blurred = cv2.GaussianBlur(pixels * shade, (0, 0), rng.uniform(0.5, 0.9))
    sheet.image = Image.fromarray(np.clip(blurred + noise, 0, 255).astype(np.uint8))


def through_jpeg(sheet: Sheet, quality: int) -> None:
    out = io.BytesIO()
    sheet.image.save(out, "JPEG", quality=quality)
    sheet.image = Image.open(out).convert("RGB")


KINDS = ("chat", "dark", "form", "card", "receipt", "small", "jpeg40", "scan", "rotated", "turned", "photographed")


def make(kind: str, number: int, benign: bool = False, size: tuple[int, int] = (720, 1280)) -> Picture:
    """Picture `number` of a kind of KINDS."""
    rng = random.Random(f"{kind} {number}")
    turned = 0
    if kind in {"chat", "dark"}:
        sheet = _chat(rng, benign, dark=kind == "dark", size=size)
    elif kind == "form":
        sheet = _form(rng, benign)
    elif kind == "small":
        sheet = _form(rng, benign, small=True)
    elif kind == "card":
        sheet = _card(rng, benign)
    elif kind == "receipt":
        sheet = _receipt(rng, benign)
    else:
        sheet = _screen_or_paper(rng, benign)
    if kind == "jpeg40":
        through_jpeg(sheet, 40)
    elif kind == "scan":
        rotated(sheet, rng.uniform(-1, 1))
        grey = np.asarray(sheet.image.convert("L")).astype(np.float32)
        noise = np.random.default_rng(number).normal(0, 10, grey.shape)
        sheet.image = Image.fromarray(np.clip(grey + noise, 0, 255).astype(np.uint8)).convert("RGB")
    elif kind == "rotated":
        rotated(sheet, rng.choice([-1, 1]) * rng.uniform(3, 5))
    elif kind == "turned":
        turned = rng.choice([90, 180, 270])
        sheet.image = sheet.image.rotate(turned, expand=True)
        for value in sheet.values:
            value.ink = np.rot90(value.ink, turned // 90)
    elif kind == "photographed":
        photographed(sheet, rng)
        through_jpeg(sheet, 80)
    return Picture(kind, sheet.image, sheet.values, turned)
