"""Which codec reads a body that does not say what it is."""

from __future__ import annotations

import pytest

from proxy_guard.codecs import UNNAMED
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.codecs.text import TextCodec
from proxy_guard.errors import Unreadable
from proxy_guard.rules.formats import Formats


@pytest.mark.parametrize(
    ("body", "codec"),
    [
        (b'{"a": 1}', JsonCodec),
        (b"\n [1]", JsonCodec),
        (b"\xef\xbb\xbf{}", JsonCodec),
        ("\ufeff{}".encode("utf-16-le"), JsonCodec),
        ("[]".encode("utf-16-be"), JsonCodec),
        (b"Accepted", TextCodec),
        (b"", TextCodec),
    ],
)
def test_json_or_text_is_told_by_how_it_begins(body: bytes, codec: type) -> None:
    assert isinstance(Formats(["application/json", "text/plain"]).codec(UNNAMED, body), codec)


def test_the_only_one_reads_it() -> None:
    assert isinstance(Formats(["application/json", "application/*+json"]).codec(UNNAMED, b"Accepted"), JsonCodec)


def test_of_others_none_is_guessed() -> None:
    with pytest.raises(Unreadable, match="without a Content-Type"):
        Formats(["application/json", "application/x-www-form-urlencoded"]).codec(UNNAMED, b"{}")
