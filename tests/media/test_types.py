"""The way into the redactors."""

import pickle
from collections.abc import Sequence

import pytest

from proxy_guard.media import Judged, MediaSettings, Unscrubbable, scrub
from proxy_guard.model import Finding


def judge(texts: Sequence[str]) -> list[Judged]:
    return [Judged(text.replace("7", "#"), (Finding("SEVEN", 0, 1, 1.0),)) for text in texts]


def test_a_text_is_judged() -> None:
    redacted = scrub(b"a 7", "text/plain", judge, MediaSettings())
    assert redacted.data == b"a #"
    assert redacted.changed
    assert [each.entity for each in redacted.findings] == ["SEVEN"]


def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(Unscrubbable) as error:
        scrub(b"\x00\x01\x02", "application/x-unheard-of", judge, MediaSettings())
    assert error.value.cause == "unsupported_media"
    again = pickle.loads(pickle.dumps(error.value))
    assert (again.cause, again.why) == (error.value.cause, error.value.why)
