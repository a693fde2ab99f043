"""The lines of text in a picture: where they stand, which way they run, how sure the reading is.

A line is four corners in reading order, so that a part of it is where it is whichever way it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from proxy_guard.media import ocr, tesseract
from proxy_guard.media.ocr import Cells, Quad

Pixels = npt.NDArray[np.uint8]
"""A picture: height x width x 3, red, green, blue."""

LONGEST = 2000  # pixels of the longer side that detection and reading see; more costs seconds and gigabytes
DETECTION = 960
OTHER_DETECTION = 736  # what has been painted is looked at with: the same setting repeats its own blindness
TILE, OVERLAP = 1400, 200  # of long scrolls, whose text would vanish if they were made smaller
_READERS = 2  # threads that read lines of one picture
FAINT = (4, 90)  # levels of grey between the darkest and the lightest within a few pixels


@dataclass(frozen=True, slots=True)
class Line:
    """One line as read. `cells` is where each character of `text` begins and ends, as a share of the line's length."""

    text: str = field(repr=False)
    quad: Quad = field(repr=False)
    cells: Cells = field(repr=False)
    certainty: tuple[float, ...] = field(repr=False)
    """Of each character, 0 to 1."""

    @property
    def score(self) -> float:
        """How sure the whole is, 0 to 1."""
        return sum(self.certainty) / len(self.certainty) if self.certainty else 0.0

    @property
    def height(self) -> float:
        """In pixels, across the text."""
        return float(np.linalg.norm(self.quad[3] - self.quad[0]) + np.linalg.norm(self.quad[2] - self.quad[1])) / 2

    @property
    def length(self) -> float:
        """In pixels, along the text."""
        return float(np.linalg.norm(self.quad[1] - self.quad[0]) + np.linalg.norm(self.quad[2] - self.quad[3])) / 2

    def part(self, start: int, end: int) -> Quad:
        """The corners around the characters from `start` up to `end`."""
        return between(self.quad, self.cells[start][0], self.cells[end - 1][1])


Origin = tuple[int, int] | None
"""Line and character that a character of a passage was read as; None for what was not read, as between two lines."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One text to be judged, each character with the place it was read at."""

    text: str = field(repr=False)
    origins: tuple[Origin, ...] = field(repr=False)


def between(quad: Quad, left: float, right: float) -> Quad:
    """The part of `quad` from `left` to `right`, as shares of its length."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return np.array(
        [quad[0] + top * left, quad[0] + top * right, quad[3] + bottom * right, quad[3] + bottom * left], np.float32
    )


def grown(quad: Quad, along: float, across: float) -> Quad:
    """`quad` larger by `along` pixels at both ends and `across` pixels above and below."""
    right = _unit((quad[1] - quad[0]) + (quad[2] - quad[3]))
    down = _unit((quad[3] - quad[0]) + (quad[2] - quad[1]))
    x, y = right * along, down * across
    return np.array([quad[0] - x - y, quad[1] + x - y, quad[2] + x + y, quad[3] - x + y], np.float32)


def overlap(quad: Quad, other: Quad) -> float:
    """The pixels that two share."""
    return float(cv2.intersectConvexConvex(quad, other)[0])


def _unit(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def read_lines(picture: Pixels) -> list[Line]:
    """Every line of text in `picture`, top to bottom. Raises MissingExtra."""
    return [line for tile, at in tiles(picture) for line in _moved(_read(tile, DETECTION, ()), at)]


def read_again(picture: Pixels, known: Sequence[Line], near: Sequence[Quad]) -> list[Line]:
    """The lines at the heights of `near` that another setting of the detector sees, and that are none of `known`."""
    lines: list[Line] = []
    for top, bottom in _bands(picture.shape[0], near):
        for tile, (left, start) in tiles(np.ascontiguousarray(picture[top:bottom])):
            at = np.array([left, start + top], np.float32)
            share = max(tile.shape[:2]) / min(max(picture.shape[:2]), TILE * 1.5)
            detection = max(96, round(min(share, 1.0) * OTHER_DETECTION))
            lines += _moved(_read(tile, detection, [line.quad - at for line in known]), at)
    return lines


def read_script(picture: Pixels, line: Line) -> Line | None:
    """`line` as another engine reads it that knows other scripts; None where there is none, or it is no such script."""
    seen = _crop(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), grown(line.quad, 0.3 * line.height, 0.15 * line.height))
    read = tesseract.read(seen)
    return None if read is None else Line(read.text, line.quad, read.cells, read.certainty)


def _bands(height: int, quads: Sequence[Quad]) -> Iterator[tuple[int, int]]:
    """From where to where `quads` reach in a picture of `height`, with what is near them; what meets is one."""
    low, high = 0, -1
    for quad in sorted(quads, key=lambda each: float(each[:, 1].min())):
        across = min(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[1] - quad[0]))
        top = max(0, int(quad[:, 1].min() - across))
        bottom = min(height, int(quad[:, 1].max() + across) + 1)
        if top > high:
            if high > low:
                yield low, high
            low = top
        high = max(high, bottom)
    if high > low:
        yield low, high


def read_closer(picture: Pixels, line: Line) -> Line:
    """`line` read again by itself: more around it, its contrast stretched, and no pixel of a large picture lost."""
    seen = _crop(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), grown(line.quad, 0.15 * line.height, 0.1 * line.height))
    darkest, lightest = (float(each) for each in np.percentile(seen, (1, 99)))
    stretched = (seen.astype(np.float32) - darkest) * (255 / max(lightest - darkest, 1.0))
    read = ocr.recognize(np.clip(stretched, 0, 255).astype(np.uint8))
    return Line(read.text, line.quad, read.cells, read.certainty)


def tiles(picture: Pixels) -> Iterator[tuple[Pixels, npt.NDArray[np.float32]]]:
    """The parts that a picture is read in, with the corner where each begins; long scrolls are read in several.

    A line at the edge of a tile is whole in one of two. Read twice it does no harm: a finding in either reading counts.
    """
    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer <= TILE * 1.5 or longer < 2 * min(height, width):
        yield picture, np.zeros(2, np.float32)
        return
    for start in range(0, longer - OVERLAP, TILE - OVERLAP):
        tall = height >= width
        tile = picture[start : start + TILE] if tall else picture[:, start : start + TILE]
        yield np.ascontiguousarray(tile), np.array([0, start] if tall else [start, 0], np.float32)


def _moved(lines: Sequence[Line], by: npt.NDArray[np.float32]) -> Iterator[Line]:
    for line in lines:
        yield Line(line.text, line.quad + by, line.cells, line.certainty)


def _read(picture: Pixels, detection: int, known: Sequence[Quad]) -> list[Line]:
    ratio = min(1.0, LONGEST / max(picture.shape[:2]))
    seen = picture if ratio == 1.0 else cv2.resize(picture, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    seen = cv2.cvtColor(np.asarray(seen, np.uint8), cv2.COLOR_RGB2BGR)  # what the models were trained with
    lines = _recognize(seen, _find(seen, detection, [quad * ratio for quad in known]))
    return [Line(line.text, line.quad / ratio, line.cells, line.certainty) for line in lines]


def _find(seen: Any, detection: int, known: Sequence[Quad]) -> list[Quad]:
    """Where text stands in a picture of blue, green and red, but for `known`; first as it is, then, where it may hold
    something faint, with its contrast evened out."""
    quads = [quad for quad in _detect(seen, detection) if not _in_any(quad, known)]
    if not known and _holds_more(seen, quads):
        quads += [quad for quad in _detect(_evened(seen), detection) if not _in_any(quad, quads)]
    return quads


def _holds_more(seen: Any, quads: Sequence[Quad]) -> bool:
    """Whether something faint stands outside of `quads`: plain grounds, as of screenshots, are not looked at twice."""
    grey = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)
    across, down = (cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones(shape, np.uint8)) for shape in ((1, 9), (9, 1)))
    spread = cv2.min(across, down)  # of which straight edges, as of speech bubbles, have none
    for quad in quads:
        cv2.fillConvexPoly(spread, grown(quad, 12, 12).astype(np.int32), 0)
    faint = int(np.count_nonzero((spread >= FAINT[0]) & (spread <= FAINT[1])))
    return bool(faint > spread.size * 0.002)


def _detect(seen: Any, detection: int) -> list[Quad]:
    height, width = seen.shape[:2]
    # Very flat pictures are read with a margin: the detector does not see text that touches the edge.
    margin = max(0, (96 - height + 1) // 2, (width // 8 - height + 1) // 2)
    if margin:
        seen = cv2.copyMakeBorder(seen, margin, margin, 0, 0, cv2.BORDER_REPLICATE)
    return [_reading_order(quad - np.array([0, margin], np.float32)) for quad in ocr.detect(seen, detection)]


def _evened(seen: Any) -> Any:
    """The same picture with faint text made plain, by local contrast (CLAHE)."""
    lab = cv2.cvtColor(seen, cv2.COLOR_BGR2LAB)
    lab[:, :, 0] = cv2.createCLAHE(clipLimit=8.0, tileGridSize=(8, 8)).apply(lab[:, :, 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)


def _in_any(quad: Quad, others: Sequence[Quad]) -> bool:
    """Whether most of `quad` lies in one of `others`."""
    least = 0.8 * max(float(cv2.contourArea(quad)), 1.0)
    return any(overlap(quad, other) >= least for other in others)


def _reading_order(quad: Quad) -> Quad:
    """`quad` so that its text runs along its longer side; a high and narrow one is taken to be turned left."""
    width = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    height = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    return np.roll(quad, -1, axis=0) if height >= 1.5 * width else quad


def _crop(seen: Any, quad: Quad) -> Any:
    width = max(1, round(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))))
    height = max(1, round(max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, corners)
    return cv2.warpPerspective(seen, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _recognize(seen: Any, quads: Sequence[Quad]) -> list[Line]:
    """The text in each of `quads`, without those that hold none."""
    if not quads:
        return []
    crops = [_crop(seen, quad) for quad in quads]
    # Upside down is a whole picture, not a line: lines across and lines along vote apart.
    across = [bool(abs(quad[1][0] - quad[0][0]) >= abs(quad[1][1] - quad[0][1])) for quad in quads]
    turned = {
        way: ocr.upside_down([crop for crop, each in zip(crops, across, strict=True) if each is way])
        for way in (True, False)
    }
    oriented = [np.roll(quad, -2, axis=0) if turned[way] else quad for quad, way in zip(quads, across, strict=True)]
    crops = [np.rot90(crop, 2).copy() if turned[way] else crop for crop, way in zip(crops, across, strict=True)]
    return [
        Line(read.text, quad, read.cells, read.certainty)
        for quad, read in zip(oriented, _threads().map(ocr.recognize, crops), strict=True)
        if read.text.strip() or _is_long(quad)
    ]


def _is_long(quad: Quad) -> bool:
    """Whether there must be a text of several characters in `quad`, though none was read."""
    return float(np.linalg.norm(quad[1] - quad[0])) > 5 * float(np.linalg.norm(quad[3] - quad[0]))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_READERS, "ocr")
