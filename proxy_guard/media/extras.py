"""The parts that scrubbing pictures and documents needs, all of them in the extra `proxy-guard[media]`."""

from __future__ import annotations

from importlib.util import find_spec

from proxy_guard.errors import MissingExtra

NEEDED = ("PIL", "cv2", "filetype", "lxml", "numpy", "onnxruntime", "pikepdf", "pypdfium2", "rapidocr", "zxingcpp")
"""Top-level modules. Looked for without importing them, since the guard's own process has no use for them."""


def installed() -> bool:
    """Whether all of them are."""
    return all(find_spec(name) is not None for name in NEEDED)


def check() -> None:
    """Raises MissingExtra where one of them is not installed."""
    if not installed():
        raise MissingExtra("scrubbing media", "media")
