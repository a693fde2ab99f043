"""The local engine: finds entities in texts. Presidio's recognizers, run only where they could match."""

from proxy_guard.detect.detector import Detector
from proxy_guard.model import Finding

__all__ = ["Detector", "Finding"]
