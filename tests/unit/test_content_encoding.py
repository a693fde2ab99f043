"""Content-Encoding taken off, within limits."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.codecs import Limits
from proxy_guard.codecs.content_encoding import decode_content, encodings_of
from proxy_guard.errors import Unreadable
from tests.unit.timing import within

LIMITS = Limits()
DATA = b'{"messages":[{"role":"user","content":"' + b"canary4111 " * 30 + b'"}]}'

# Text of 150 KiB that packs well, but not as a bomb would: more than is unpacked at a time.
LONG = bytes(random.Random(1).choices(b"abcdefgh ", k=150 * 1024))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def zstd_checked(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def zstd_streamed(data: bytes) -> bytes:
    """A frame that does not say how large its content is."""
    packer = zstandard.ZstdCompressor().compressobj()
    packed: bytes = packer.compress(data) + packer.flush()
    return packed


def brotli_(data: bytes) -> bytes:
    packed: bytes = brotli.compress(data)
    return packed


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate with its zlib header": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", raw_deflate),
    "br": ("br", brotli_),
    "zstd": ("zstd", zstd),
    "zstd with a checksum": ("zstd", zstd_checked),
    "zstd of unknown size": ("zstd", zstd_streamed),
}
every_packer = pytest.mark.parametrize(("name", "pack"), PACKERS.values(), ids=PACKERS)


def refusal(body: bytes, names: list[str], limits: Limits = LIMITS) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        decode_content(body, names, limits)
    assert "canary" not in str(caught.value)
    return caught.value


# --- read ----------------------------------------------------------------------------------------------


@every_packer
def test_each_encoding_is_taken_off(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert decode_content(pack(DATA), [name], LIMITS) == DATA


# More than is unpacked at a time.
@every_packer
def test_a_large_body_is_read_piece_by_piece(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert decode_content(pack(LONG), [name], LIMITS) == LONG


def test_a_body_without_encodings_stays() -> None:
    assert decode_content(DATA, [], LIMITS) is DATA


STACKS = [["gzip", "br"], ["br", "gzip"], ["deflate", "zstd", "gzip"], ["gzip", "gzip", "gzip", "gzip"]]


@pytest.mark.parametrize("names", STACKS, ids=", ".join)
def test_stacked_encodings_are_taken_off_from_the_last_to_the_first(names: list[str]) -> None:
    pack: dict[str, Callable[[bytes], bytes]]
    pack = {"gzip": gzip.compress, "br": brotli_, "deflate": zlib.compress, "zstd": zstd}
    body = DATA
    for name in names:
        body = pack[name](body)
    assert decode_content(body, names, LIMITS) == DATA


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_several_members_in_a_row_are_one_body(name: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(DATA[:50]) + pack(b"") + pack(DATA[50:60]) + pack(DATA[60:])
    assert decode_content(body, [name], LIMITS) == DATA


# What zlib leaves over of a member of several pieces stands in two places; taken twice, it never ends.
@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_several_large_members_in_a_row_are_one_body(name: str, pack: Callable[[bytes], bytes]) -> None:
    with within(2):
        assert decode_content(pack(LONG) + pack(LONG) + pack(DATA), [name], LIMITS) == LONG + LONG + DATA


NAMES = {
    "one": (["gzip"], ["gzip"]),
    "a list": (["gzip, br"], ["gzip", "br"]),
    "several lines": (["gzip", "br"], ["gzip", "br"]),
    "upper case": (["GZip"], ["gzip"]),
    "old spellings": (["x-gzip, x-deflate"], ["gzip", "deflate"]),
    "identity": (["identity"], []),
    "identity between": (["gzip, identity, br"], ["gzip", "br"]),
    "empty items": ([" , gzip,, "], ["gzip"]),
    "none": ([], []),
    "an empty line": ([""], []),
}


@pytest.mark.parametrize(("values", "names"), NAMES.values(), ids=NAMES)
def test_the_header_lines_name_the_encodings_in_order(values: list[str], names: list[str]) -> None:
    assert encodings_of(values) == names


@given(st.binary(max_size=3000), st.lists(st.sampled_from(list(PACKERS.values())), max_size=4))
def test_whatever_was_packed_comes_out_as_it_went_in(
    data: bytes, layers: list[tuple[str, Callable[[bytes], bytes]]]
) -> None:
    body = data
    for _, pack in layers:
        body = pack(body)
    assert decode_content(body, [name for name, _ in layers], LIMITS) == data


# --- refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [["compress"], ["gzip", "exi"], ["aws-chunked"], ["gzip;q=1"], ["*"], ["GZIP"]])
def test_an_unknown_encoding_is_refused_with_415(names: list[str]) -> None:
    assert refusal(gzip.compress(DATA), names).status == 415


def test_more_than_four_layers_are_refused_with_415_before_any_is_taken_off() -> None:
    assert refusal(b"not even gzip", ["gzip"] * 5).status == 415


# The stream reader of zstandard takes data that ends early for whole.
@every_packer
def test_a_body_cut_short_anywhere_is_refused_with_400(name: str, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(DATA)
    for length in range(1, len(whole)):
        error = refusal(whole[:length], [name])
        assert (error.status, error.cause) == (400, "undecodable"), length


@every_packer
@pytest.mark.parametrize("tail", [b"x", b"\0", b"garbage" * 20, "start"], ids=["a letter", "NUL", "garbage", "a start"])
def test_a_body_with_something_after_its_end_is_refused_with_400(
    name: str, pack: Callable[[bytes], bytes], tail: bytes | str
) -> None:
    whole = pack(DATA)
    assert refusal(whole + (whole[:6] if isinstance(tail, str) else tail), [name]).status == 400


@every_packer
def test_a_large_body_with_something_after_its_end_is_refused_with_400(
    name: str, pack: Callable[[bytes], bytes]
) -> None:
    with within(2):
        assert refusal(pack(LONG) + b"x", [name]).status == 400


@every_packer
def test_a_large_body_cut_short_is_refused_with_400(name: str, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(LONG)
    with within(2):
        for length in (len(whole) // 3, len(whole) // 2, len(whole) - 1):
            assert refusal(whole[:length], [name]).status == 400


@every_packer
def test_a_body_of_another_kind_is_refused_with_400(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert refusal(DATA, [name]).status == 400
    assert refusal(b"\xff" * 200, [name]).status == 400


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd_checked)]
)
def test_a_checksummed_body_with_a_flipped_bit_is_refused_or_read_the_same(
    name: str, pack: Callable[[bytes], bytes]
) -> None:
    whole = pack(DATA)
    refused = 0
    for place in range(len(whole)):
        body = bytearray(whole)
        body[place] ^= 0x10
        try:
            assert decode_content(bytes(body), [name], LIMITS) == DATA  # a flag or a date in a header, say
        except Unreadable as error:
            refused += 1
            assert error.status in (400, 413), place
    assert refused > len(whole) // 2


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_any_bytes_at_all_are_read_or_refused_and_nothing_else_is_raised(body: bytes, name: str) -> None:
    try:
        decode_content(body, [name], LIMITS)
    except Unreadable as error:
        assert error.status in (400, 413)


# --- bombs ---------------------------------------------------------------------------------------------

MEGABYTE = 1024 * 1024
ZEROS = bytes(8 * MEGABYTE)


@pytest.fixture(scope="module")
def bombs() -> dict[str, tuple[str, bytes]]:
    return {label: (name, pack(ZEROS)) for label, (name, pack) in PACKERS.items()}


def peak_of(body: bytes, names: list[str], limits: Limits) -> int:
    tracemalloc.start()
    try:
        error = refusal(body, names, limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (error.status, error.cause) == (413, "too_large")
    return peak


@pytest.mark.parametrize("label", PACKERS)
def test_a_bomb_is_refused_with_413_while_no_more_than_the_limit_is_held(
    label: str, bombs: dict[str, tuple[str, bytes]]
) -> None:
    name, body = bombs[label]
    limits = Limits(decoded=MEGABYTE, ratio=10**9)
    assert peak_of(body, [name], limits) < 2 * MEGABYTE


@pytest.mark.parametrize("label", PACKERS)
def test_a_bomb_is_refused_for_its_ratio_long_before_the_size_limit(
    label: str, bombs: dict[str, tuple[str, bytes]]
) -> None:
    name, body = bombs[label]
    limits = Limits(decoded=1000 * MEGABYTE, ratio=20)
    assert peak_of(body, [name], limits) < 20 * len(body) + MEGABYTE


def test_a_bomb_in_a_bomb_is_refused_with_413() -> None:
    limits = Limits(decoded=MEGABYTE, ratio=10**9)
    assert peak_of(gzip.compress(gzip.compress(ZEROS)), ["gzip", "gzip"], limits) < 2 * MEGABYTE


def test_many_small_members_together_are_held_to_the_limit() -> None:
    member = gzip.compress(bytes(100_000))
    limits = Limits(decoded=MEGABYTE, ratio=10**9)
    with within(2):
        assert peak_of(member * 12, ["gzip"], limits) < 2 * MEGABYTE


@every_packer
def test_a_body_of_exactly_the_decoded_limit_is_read_and_one_byte_more_is_not(
    name: str, pack: Callable[[bytes], bytes]
) -> None:
    body = pack(DATA)
    assert decode_content(body, [name], Limits(decoded=len(DATA))) == DATA
    assert refusal(body, [name], Limits(decoded=len(DATA) - 1)).status == 413


def test_small_bodies_are_exempt_from_the_ratio() -> None:
    small, large = bytes(64 * 1024), bytes(64 * 1024 + 1)
    limits = Limits(ratio=2)
    assert decode_content(gzip.compress(small), ["gzip"], limits) == small
    assert refusal(gzip.compress(large), ["gzip"], limits).status == 413


# What follows a member is copied for each one, so that time would grow with its square: 3 s for the 2 MB here, more
# than a minute for a body as large as the limit, in the event loop.
@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd)])
def test_a_body_of_countless_empty_members_takes_no_time(name: str, pack: Callable[[bytes], bytes]) -> None:
    member = pack(b"")
    with within(1):
        try:
            assert decode_content(member * (2_000_000 // len(member)), [name], LIMITS) == b""
        except Unreadable as error:
            assert error.status in (400, 413)


def test_a_zstd_frame_that_asks_for_a_huge_window_is_refused() -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    body = packer.compress(DATA * 100) + packer.flush()
    assert refusal(body, ["zstd"]).status in (400, 413)
