"""`python -m tests.fuzz TARGET SECONDS [SEED]`: a target on inputs that grow from its corpus, by what they reach.

It is guided by coverage where atheris is installed, and else mutates what it has at random. An input that breaks the target is
written to the corpus, where `test_fuzz.py` finds it from then on.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
FOUND = Path(".fuzz")
"""Inputs that reached something new, kept between runs and out of the repository."""


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One of the inputs, changed in some places, or crossed with another."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 8)):
        place = rng.randint(0, len(data))
        match rng.randrange(6):
            case 0:
                data[place:place] = rng.randbytes(rng.randint(1, 16))
            case 1:
                del data[place : place + rng.randint(1, 16)]
            case 2 if place < len(data):
                data[place] ^= 1 << rng.randrange(8)
            case 3:
                other = rng.choice(seeds)
                cut = rng.randint(0, len(other))
                data[place:] = other[cut:]
            case 4:
                data[place:place] = data[place : place + rng.randint(1, 32)]
            case _:
                data[place : place + 2] = rng.randbytes(2)
    return bytes(data[:4000])


def at_random(name: str, seconds: float, seed: int) -> int:
    """Runs it without guidance. Returns the number of inputs that broke it."""
    from tests.fuzz.targets import TARGETS

    target, folder, rng = TARGETS[name], CORPUS / name, random.Random(seed)
    seeds = [path.read_bytes() for path in sorted(folder.iterdir())] or [b""]
    target(b"")  # what is imported at first use is no input's fault
    end = time.monotonic() + seconds
    runs = broken = 0
    slowest = 0.0
    while time.monotonic() < end:
        data = mutated(rng, seeds) if rng.randrange(4) else rng.randbytes(rng.randrange(200))
        begun = time.monotonic()
        try:
            target(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a crash
            broken += 1
            path = folder / f"crash-{hashlib.sha256(data).hexdigest()[:12]}"
            path.write_bytes(data)
            print(f"{name}: {type(error).__name__}: {str(error)[:300]} ({path.name})", flush=True)
        slowest = max(slowest, time.monotonic() - begun)
        runs += 1
    print(f"{name}: {runs} inputs in {seconds:.0f} s, {broken} broke it, the slowest took {slowest:.2f} s", flush=True)
    return broken


def guided(name: str, seconds: float, seed: int) -> None:
    """Runs it under atheris, which ends the process."""
    import atheris  # type: ignore[import-untyped,unused-ignore]

    with atheris.instrument_imports(include=["proxy_guard"]):
        from tests.fuzz.targets import TARGETS

        TARGETS[name](b"")  # what is imported at first use is watched, too

    def run(data: bytes) -> None:
        TARGETS[name](data)

    arguments = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-timeout=20", "-rss_limit_mb=4096"]
    found = FOUND / name
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], *arguments, f"-artifact_prefix={CORPUS / name}/", str(found), str(CORPUS / name)], run)
    atheris.Fuzz()


def main() -> int:
    """Runs the target that is named."""
    name, seconds = sys.argv[1], float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    try:
        import atheris  # type: ignore[import-untyped,unused-ignore] # noqa: F401
    except ImportError:
        return min(at_random(name, seconds, seed), 1)
    guided(name, seconds, seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
