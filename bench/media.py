"""How well and how fast pictures are scrubbed: `python -m bench.media [--each 150] [--kinds chat,dark] [--engines]`.

For each kind of picture of tests/media/pictures.py: planted values whose ink is covered, pictures without values that
were changed, seconds. `--engines` reads each result again with another setting of the OCR and with tesseract, where
it is installed, and counts the values that either still finds.
"""

from __future__ import annotations

import argparse
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
from tests.media.pictures import KINDS, Picture, make
from tests.media.replacing import replacing

COVERED = 0.97  # of a value's ink


def plain(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())


def still_read(picture: Picture, painted: Image.Image) -> int:
    upright = painted.rotate(-picture.turned, expand=True)
    texts = [" ".join(line.text for line in read_again(np.asarray(upright), ()))]
    if shutil.which("tesseract"):
        upright.save("/dev/shm/picture.png")
        done = subprocess.run(
            ["tesseract", "/dev/shm/picture.png", "-", "--psm", "6"],
            capture_output=True, text=True, check=True, env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        texts.append(done.stdout)
    read = [plain(text) for text in texts]
    return sum(any(plain(value.text) in text for text in read) for value in picture.values)


def measure(kind: str, each: int, engines: bool) -> None:
    judge, settings = replacing(), MediaSettings()
    planted = gone = changed = read = 0
    seconds: list[float] = []
    busy: list[float] = []
    for number in range(each):
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
    print(
        f"{kind:13} gone {gone}/{planted}  benign changed {changed}/{each}  still read {read if engines else '-'}  "
        f"median {statistics.median(seconds):.2f} s, {statistics.median(busy):.2f} s of one core",
        flush=True,
    )


def latency(rounds: int) -> None:
    picture = make("chat", 1, size=(1080, 1920)).image
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
    options.add_argument("--kinds", default=",".join(KINDS))
    options.add_argument("--engines", action="store_true")
    chosen = options.parse_args()
    warm()
    latency(7)
    for kind in chosen.kinds.split(","):
        measure(kind, chosen.each, chosen.engines)


if __name__ == "__main__":
    main()
