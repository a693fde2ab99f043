"""The local engine: finds entities in texts. Presidio's recognizers, run only where they could match.

Whoever asks for `Detector` imports Presidio and spaCy, which takes seconds; the catalogue beside it is light.
"""

from typing import TYPE_CHECKING, Any

from proxy_guard.model import Finding

if TYPE_CHECKING:
    from proxy_guard.detect.detector import Detector

__all__ = ["Detector", "Finding"]


def __getattr__(name: str) -> Any:
    if name != "Detector":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from proxy_guard.detect.detector import Detector  # noqa: PLC0415 - see above

    return Detector
