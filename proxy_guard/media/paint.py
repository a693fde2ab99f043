"""Painting findings over, so that nothing of their pixels is left.

A blur or a mosaic of the finding itself is no redaction: whoever renders candidates and blurs them alike reads the
digits again (tests/media/test_paint.py does so). Here both styles are made of pixels outside of every finding only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from proxy_guard.media import Box
from proxy_guard.media.ocr import Quad
from proxy_guard.media.reading import Pixels


@dataclass(frozen=True, slots=True)
class Region:
    """What is to be painted over, and why."""

    entity: str
    score: float
    quad: Quad

    @property
    def box(self) -> Box:
        """The upright rectangle around it."""
        (left, top), (right, bottom) = np.floor(self.quad.min(axis=0)), np.ceil(self.quad.max(axis=0))
        return max(0.0, float(left)), max(0.0, float(top)), float(right), float(bottom)


def mask_of(regions: Sequence[Region], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Which pixels of a picture of `size` (width, height) are painted over: 255, else 0."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    for region in regions:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(region.quad).astype(np.int32)), 255)
    return mask


def paint(picture: Image.Image, regions: Sequence[Region], style: Literal["fill", "blur"]) -> Image.Image:
    """`picture` with every region painted over, in the mode it has.

    fill paints black. blur paints what surrounds the finding, softly; a picture of a palette, of ink (CMYK) or of 16
    bits is filled all the same.
    """
    if not regions:
        return picture
    mask = mask_of(regions, picture.size)
    if style == "blur" and picture.mode in {"L", "LA", "RGB", "RGBA"}:
        return _softened(picture, mask)
    painted = picture.copy()
    painted.paste(_black(painted), mask=Image.fromarray(mask))
    return painted


def _black(picture: Image.Image) -> int | tuple[int, ...]:
    """Black, opaque, as the picture's mode has it."""
    if picture.mode in {"P", "PA"}:
        palette = np.array(picture.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
        index = int(palette.sum(axis=1).argmin())
        return index if picture.mode == "P" else (index, 255)
    inks: dict[str, int | tuple[int, ...]] = {
        "LA": (0, 255), "RGB": (0, 0, 0), "RGBA": (0, 0, 0, 255), "RGBX": (0, 0, 0, 255), "CMYK": (0, 0, 0, 255),
    }  # fmt: skip
    return inks.get(picture.mode, 0)


def _softened(picture: Image.Image, mask: npt.NDArray[np.uint8]) -> Image.Image:
    bands = np.asarray(picture).astype(np.uint8)
    shown: Pixels = bands.reshape(*bands.shape[:2], -1).copy()
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    # Pixels at the very edge of a finding may still have its ink in them: colours are taken from further out.
    outside = cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0
    for left, top, width, height, _area in stats[1:count]:
        reach = max(12, int(min(width, height)))
        rows = slice(max(0, top - reach), top + height + reach)
        columns = slice(max(0, left - reach), left + width + reach)
        known = outside[rows, columns].astype(np.float32)
        part = shown[rows, columns].astype(np.float32)
        weight = cv2.GaussianBlur(known, (0, 0), reach / 2)
        around = part[known > 0].mean(axis=0) if known.any() else np.zeros(part.shape[2], np.float32)
        for band in range(part.shape[2]):
            spread = cv2.GaussianBlur(part[:, :, band] * known, (0, 0), reach / 2)
            part[:, :, band] = (spread + 0.02 * around[band]) / (weight + 0.02)
        hidden = mask[rows, columns] > 0
        shown[rows, columns][hidden] = np.clip(np.rint(part), 0, 255).astype(np.uint8)[hidden]
    if picture.mode in {"LA", "RGBA"}:
        shown[mask > 0, -1] = 255  # a shape in the transparency is a text, too
    return Image.fromarray(shown.reshape(bands.shape), picture.mode)
