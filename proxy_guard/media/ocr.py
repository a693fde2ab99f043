"""The models of OCR: where text stands, which way up it is, what it says.

They are RapidOCR's (PP-OCRv6, on ONNX Runtime; the models are in its wheel), asked one at a time rather than by its own
pipeline, for three faults of that: its classifier of upside-down text is asked line by line and turns some upright
lines, its word boxes are mirrored on turned lines, and its lists of lines and of words can get out of step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from proxy_guard.errors import MissingExtra

Quad = npt.NDArray[np.float32]
"""Four corners (x, y), clockwise from where the text begins, above its first character."""
Cells = tuple[tuple[float, float], ...]
"""Where each character begins and ends, as a share of its line's length."""

_HEIGHT, _LEAST_WIDTH = 48, 96  # of a line as the reader sees it; what is shorter is padded
_STEP = 8  # of its columns, for each of which it says a character or none
_VOTERS = 9  # the longest lines say which way up a picture is


@dataclass(frozen=True, slots=True)
class Reading:
    """What one crop says."""

    text: str = field(repr=False)
    cells: Cells = field(repr=False)
    certainty: tuple[float, ...] = field(repr=False)
    """Of each character, 0 to 1."""


@cache
def _engine() -> Any:
    """The models, loaded once in a process (0.5 s), before it forks: none has a thread, which a fork would lose."""
    try:
        from rapidocr import RapidOCR  # noqa: PLC0415  (an extra, and slow to import)
    except ImportError:
        raise MissingExtra("reading pictures", "media") from None
    cv2.setNumThreads(1)
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.limit_type": "max",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,  # without, each layer's memory is mapped anew
        }
    )
    blank = np.full((_HEIGHT, _LEAST_WIDTH, 3), 255, np.uint8)
    engine(blank, use_cls=False, use_rec=False)  # each loads its model when it is asked first
    engine.cls_and_rotate([blank])
    engine.recognize_txt([blank])
    return engine


def warm() -> None:
    """Loads the models."""
    _engine()


def detect(seen: Any, longest: int) -> list[Quad]:
    """Where text stands in a picture of blue, green and red, made smaller to `longest` pixels of its longer side."""
    detector = _engine().text_det
    detector.limit_side_len = longest
    found = detector(seen)
    return [] if found.boxes is None else [np.asarray(box, np.float32) for box in found.boxes]


def upside_down(crops: Sequence[Any]) -> bool:
    """Whether most of these lines stand upside down."""
    if not crops:
        return False
    voters = sorted(crops, key=lambda crop: crop.shape[1] / crop.shape[0])[-_VOTERS:]
    labels = _engine().cls_and_rotate(voters)[1].cls_res
    return sum(float(score) if label == "180" else -float(score) for label, score in labels) > 0


def recognize(crop: Any) -> Reading:
    """What a line says that stands upright and fills `crop`."""
    reader = _engine().text_rec
    height, width = crop.shape[:2]
    wide = math.ceil(_HEIGHT * width / height)
    line = cv2.resize(crop, (wide, _HEIGHT)).astype(np.float32) / 127.5 - 1
    padded = np.zeros((1, 3, _HEIGHT, max(wide, _LEAST_WIDTH)), np.float32)
    padded[0, :, :, :wide] = line.transpose(2, 0, 1)
    return _decoded(reader.session.session.run(None, {"x": padded})[0][0], reader.postprocess_op.character, wide)


def _decoded(likely: npt.NDArray[np.float32], characters: Sequence[str], wide: int) -> Reading:
    """The text of columns that say how likely each character is (CTC): the same in a row is one, 0 is none."""
    best = likely.argmax(axis=1)
    sure = likely[np.arange(len(best)), best]
    borders = np.flatnonzero(np.diff(best, prepend=-1, append=-1))
    text, middles, certainty = "", [], []
    for start, end in pairwise(borders.tolist()):
        if best[start]:
            text += characters[best[start]]
            middles.append((start + end) / 2 * _STEP / wide)
            certainty.append(float(sure[start:end].max()))
    return Reading(text, _cells(text, middles), tuple(certainty))


def _cells(text: str, middles: Sequence[float]) -> Cells:
    """Where characters are, from the columns in which the reader saw them: borders lie midway between two."""
    solid = [index for index, character in enumerate(text) if not character.isspace()]
    if not solid:
        return tuple((index / len(text), (index + 1) / len(text)) for index in range(len(text)))
    at = np.interp(range(len(text)), solid, [middles[index] for index in solid])
    half = (at[-1] - at[0]) / max(len(text) - 1, 1) / 2 if len(text) > 1 else 0.5
    borders = [at[0] - half, *((at[1:] + at[:-1]) / 2), at[-1] + half]
    return tuple(pairwise(min(1.0, max(0.0, float(border))) for border in borders))
