"""One text of so many MB through a Detector, in a process of its own: `python -m bench.long_text MB` prints the CPU
seconds and the peak of memory over idle, in bytes per byte of text."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from bench.suites.detect import CLEAN, HITS
from proxy_guard import resources
from proxy_guard.detect import Detector
from proxy_guard.rules.load import load_rules

_MB = 1024 * 1024


def main(megabytes: int) -> None:
    """A hit-laden sentence in every tenth; the entities of the shipped policy `mask`."""
    wanted = load_rules(resources.rules_dir(), "mask").routes[0].policy.wanted
    detector = Detector(sorted(wanted.entities or ()), min_score=wanted.min_score, cache_bytes=0)
    part = HITS + CLEAN * 9
    text = (part * (megabytes * _MB // len(part) + 1))[: megabytes * _MB]
    detector.detect(part)
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak is counted anew
    idle = _peak()
    began = time.process_time()
    found = detector.detect(text)
    seconds = time.process_time() - began
    assert found
    print(json.dumps({"seconds": seconds, "memory": (_peak() - idle) / len(text)}))


def _peak() -> int:
    """Bytes of memory at most, up to now."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))
