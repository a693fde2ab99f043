"""What stands in place of a value is no word about the values beside it: scrubbed twice is as scrubbed once."""

from __future__ import annotations

import pytest

from proxy_guard.detect import Detector


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(["IP_ADDRESS"], min_score=0.5, cache_bytes=0)


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3.4 <EMAIL_ADDRESS>",
        "<EMAIL_ADDRESS> 1.2.3.4",
        "to <EMAIL_ADDRESS>, 1.2.3.4",
        "1.2.3.4, <IP_ADDRESS>.",
        "<IP_ADDRESS>1.2.3.4",
    ],
)
def test_a_placeholder_is_no_context(detector: Detector, text: str) -> None:
    assert detector.detect(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "ip 1.2.3.4 <EMAIL_ADDRESS>",
        "<EMAIL_ADDRESS> with ip address 1.2.3.4",
        "<IP_ADDRESS>1.2.3.4</IP_ADDRESS>",
        "<IP_ADDRESS>\n1.2.3.4\n</IP_ADDRESS>",
        "<ADDRESS> 1.2.3.4",
    ],
)
def test_words_and_tags_are(detector: Detector, text: str) -> None:
    assert [each.entity for each in detector.detect(text)] == ["IP_ADDRESS"]
