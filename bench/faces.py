"""How well faces are found: `python -m bench.faces [--each 10] [--faces lfw_subset.npy]`.

A photograph of tests/media/data, smaller and larger, turned, darker and so on, on generated pictures without values:
how often the face is covered. With `--faces` those of a file, too: the array of 100 faces of 25 x 25 pixels, and behind
them pictures of none, that scikit-image has in its wheel (`skimage/data/lfw_subset.npy`). Then how many generated
pictures without any face have one found, and how long it takes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from bench.media import make
from proxy_guard.media.faces import faces_in
from proxy_guard.media.paint import mask_of
from tests.media import papers, pictures
from tests.media.test_faces import FACE_BOX, photograph

COVERED = 0.95  # of the ellipse of a face
KINDS = (*pictures.KINDS, *papers.KINDS)
Face = tuple[Image.Image, Image.Image]
"""A picture of one, and which of its pixels are it."""


def astronaut() -> Face:
    return with_mask(photograph(), FACE_BOX)


def with_mask(picture: Image.Image, box: tuple[int, int, int, int]) -> Face:
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return picture, mask


def sized(face: Face, height: int) -> Face:
    """With a face of that height."""
    _, top, _, bottom = face[1].getbbox() or (0, 0, 1, 1)
    by = height / (bottom - top)
    size = (max(1, round(face[0].width * by)), max(1, round(face[0].height * by)))
    return face[0].resize(size, Image.Resampling.LANCZOS), face[1].resize(size)


def jpeg(page: Image.Image, quality: int) -> Image.Image:
    sheet = pictures.Sheet(random.Random(0), page.size, (0, 0, 0), benign=True)
    sheet.image = page
    pictures.through_jpeg(sheet, quality)
    return sheet.image


def covered(face: Face, number: int, angle: float = 0, quality: int = 90) -> bool:
    """Whether the face, turned by `angle` and put on some page, is found where it is."""
    rng = random.Random(f"{number} {angle} {face[0].size}")
    page = make(rng.choice(KINDS), number, benign=True).image.convert("RGB")
    turned, mask = (each.rotate(angle, Image.Resampling.BICUBIC, expand=True) for each in face)
    whole = Image.new("L", face[0].size, 255).rotate(angle, expand=True)
    if turned.width > page.width or turned.height > page.height:
        page = page.resize((max(page.width, turned.width + 40), max(page.height, turned.height + 40)))
    at = rng.randint(0, page.width - turned.width), rng.randint(0, page.height - turned.height)
    page.paste(turned, at, whole)
    there = Image.new("L", page.size)
    there.paste(mask, at)
    is_face = np.asarray(there) > 100
    painted = mask_of(faces_in(np.asarray(jpeg(page, quality))), page.size) > 0
    return bool(painted[is_face].mean() >= COVERED)


def ways(face: Face) -> Iterator[tuple[str, Face, float, int]]:
    """What is done to a face: a name, the face, by how much it is turned, the quality of the JPEG."""
    for height in (20, 24, 32, 48, 64, 96, 160, 240, 400):
        yield f"{height} px high", sized(face, height), 0, 90
    picture, mask = sized(face, 96)
    for angle in (-10, 20, 30, 45, 60, 90, 135, 180, 225, 270):
        yield f"turned by {angle} degrees", (picture, mask), angle, 90
    for factor in (0.3, 0.6, 1.6):
        yield f"brightness {factor}", (ImageEnhance.Brightness(picture).enhance(factor), mask), 0, 90
    yield "contrast 0.3", (ImageEnhance.Contrast(picture).enhance(0.3), mask), 0, 90
    yield "grey", (ImageOps.grayscale(picture).convert("RGB"), mask), 0, 90
    yield "mirrored", (ImageOps.mirror(picture), ImageOps.mirror(mask)), 0, 90
    yield "out of focus", (picture.filter(ImageFilter.GaussianBlur(3)), mask), 0, 90
    for quality in (30, 10):
        yield f"JPEG of quality {quality}", (picture, mask), 0, quality


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.faces")
    options.add_argument("--each", type=int, default=10, help="pictures of each kind without a face")
    options.add_argument("--faces", help="a file of faces (lfw_subset.npy)")
    options.add_argument("--of", type=int, default=20, help="how many of its faces")
    chosen = options.parse_args()
    times, wrong, seen = [], [], 0
    for kind in KINDS:
        for number in range(chosen.each):
            view = np.asarray(make(kind, number, benign=number % 2 == 0).image.convert("RGB"))
            start = time.process_time()
            found = faces_in(view)
            times.append(time.process_time() - start)
            seen += 1
            wrong += [(kind, number, round(each.score, 2)) for each in found]
    print(
        f"{len(wrong)} faces in {seen} pictures without any: {wrong}; {statistics.median(times):.2f} s each (median)",
        flush=True,
    )
    sets = {"astronaut": [astronaut()]}
    if chosen.faces:
        small = [np.uint8(each * 255) for each in np.load(chosen.faces)[: chosen.of]]
        sets["file"] = [with_mask(Image.fromarray(each).convert("RGB"), (4, 3, 21, 24)) for each in small]
    for name, faces in sets.items():
        all_ways = [list(ways(face)) for face in faces]
        for one in zip(*all_ways, strict=True):
            hits = [covered(face, number, angle, quality) for number, (_, face, angle, quality) in enumerate(one)]
            print(f"{name}: {one[0][0]}: {sum(hits)} of {len(hits)} covered", flush=True)


if __name__ == "__main__":
    main()
