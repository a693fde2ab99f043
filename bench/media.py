"""How well and how fast pictures are scrubbed: `python -m bench.media [--each 150] [--kinds chat,passport]`.

For each kind of picture of tests/media/pictures.py and tests/media/papers.py: planted values whose ink is covered,
pictures without values that were changed, seconds. `--engines` reads each result again with another setting of the OCR
and with tesseract, where it is installed, and counts the values that either still finds. `--documents` counts the
passports and cards that are known as identity documents.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import subprocess
import time

import numpy as np
from PIL import Image

from proxy_guard.media import MediaSettings
from proxy_guard.media.ocr import warm
from proxy_guard.media.paint import mask_of
from proxy_guard.media.pictures import redact_picture
from proxy_guard.media.reading import read_again
from tests.media import papers, pictures
from tests.media.pictures import Picture
from tests.media.replacing import judging, replacing

COVERED = 0.97  # of a value's ink


def plain(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())


def still_read(picture: Picture, painted: Image.Image) -> int:
    """The values that another setting or another engine reads in the result."""
    upright = painted.rotate(-picture.turned, expand=True)
    view = np.asarray(upright)
    height, width = view.shape[:2]
    whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    texts = [" ".join(line.text for line in read_again(view, (), [whole]))]
    if shutil.which("tesseract"):
        file = io.BytesIO()
        upright.save(file, "PNG")
        done = subprocess.run(
            ["tesseract", "stdin", "stdout", "--psm", "6"],
            input=file.getvalue(), capture_output=True, check=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )  # fmt: skip
        texts.append(done.stdout.decode("utf-8", "replace"))
    read = [plain(text) for text in texts]
    return sum(any(plain(value.text) in text for text in read) for value in picture.values)


def make(kind: str, number: int, benign: bool = False) -> Picture:
    """A picture of either module."""
    return (papers if kind in papers.KINDS else pictures).make(kind, number, benign)


def documents(each: int) -> None:
    judge = judging("IDENTITY_DOCUMENT", "PASSPORT_MRZ")
    for kind in ("passport", "aadhaar", "pan"):
        known = [
            sum(
                any(region.entity == "IDENTITY_DOCUMENT" for region in done.regions)
                for number in range(each)
                for done in [redact_picture(make(kind, number, benign).image, judge, MediaSettings())]
            )
            for benign in (False, True)
        ]
        print(f"{kind:13} known as a document {known[0]}/{each}, others taken for one {known[1]}/{each}", flush=True)


def measure(kind: str, numbers: range, engines: bool) -> None:
    judge, settings = replacing(), MediaSettings()
    planted = gone = changed = read = 0
    seconds: list[float] = []
    busy: list[float] = []
    for number in numbers:
        picture = make(kind, number)
        begun, work = time.perf_counter(), time.process_time()
        done = redact_picture(picture.image, judge, settings)
        seconds.append(time.perf_counter() - begun)
        busy.append(time.process_time() - work)
        mask = mask_of(done.regions, picture.image.size) > 0
        planted += len(picture.values)
        for value in picture.values:
            covered = float(mask[value.ink].mean())
            gone += covered >= COVERED
            if covered < COVERED:
                print(f"  {kind} {number}: {value.entity} covered to {covered:.2f}", flush=True)
        if engines:
            read += still_read(picture, done.picture)
        benign = redact_picture(make(kind, number, benign=True).image, judge, settings).regions
        changed += bool(benign)
        if benign:
            print(f"  {kind} {number}: changed for {sorted({each.entity for each in benign})}", flush=True)
    seen = read if engines else "-"
    print(
        f"{kind:13} gone {gone}/{planted}  benign changed {changed}/{len(numbers)}  still read {seen}  "
        f"median {statistics.median(seconds):.2f} s, {statistics.median(busy):.2f} s of one core",
        flush=True,
    )


def latency(rounds: int) -> None:
    picture = pictures.make("chat", 1, size=(1080, 1920)).image
    seconds, busy = [], []
    for _ in range(rounds):
        begun, work = time.perf_counter(), time.process_time()
        redact_picture(picture, replacing(), MediaSettings())
        seconds.append(time.perf_counter() - begun)
        busy.append(time.process_time() - work)
    print(f"1080 x 1920 chat: least {min(seconds):.2f} s, median {statistics.median(seconds):.2f} s, "
          f"{min(busy):.2f} s of one core", flush=True)  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--each", type=int, default=150)
    options.add_argument("--first", type=int, default=0, help="number of the first picture: others are other pictures")
    options.add_argument("--kinds", default=",".join((*pictures.KINDS, *papers.KINDS)))
    options.add_argument("--engines", action="store_true")
    options.add_argument("--documents", action="store_true")
    chosen = options.parse_args()
    warm()
    if chosen.documents:
        documents(chosen.each)
        return
    latency(7)
    for kind in chosen.kinds.split(","):
        measure(kind, range(chosen.first, chosen.first + chosen.each), chosen.engines)


if __name__ == "__main__":
    main()
