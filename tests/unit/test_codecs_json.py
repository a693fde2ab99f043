"""The JSON codec: what it keeps, what it marks, what it refuses."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.codecs import Document, Limits
from proxy_guard.codecs.json import ExactNumber, JsonCodec
from proxy_guard.errors import Unreadable

CODEC = JsonCodec()
LIMITS = Limits()
CANARY = "canary4111"
"""Stands in every body that is refused, and may not stand in what is said about it."""


def decode(body: bytes | str, limits: Limits = LIMITS) -> Document:
    return CODEC.decode(body.encode() if isinstance(body, str) else body, limits)


def again(body: bytes | str) -> str:
    """The body as it would be forwarded."""
    return CODEC.encode(decode(body)).body.decode()


def refusal(body: bytes | str, limits: Limits = LIMITS) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        decode(body, limits)
    return caught.value


# --- numbers -------------------------------------------------------------------------------------------

SPELLINGS = [
    "0", "-0", "-0.0", "0.0", "1.10", "1.0", "100.00", "1e5", "1E5", "1e+5", "1E-07", "-1.5e300", "1e400", "1E400",
    "-1e999999", "1e-400", "12345678901234567890", "-98765432109876543210", "0.1", "3.141592653589793238462643",
    "9007199254740993", "9007199254740993.0", "1234567890123456789012345678901234567890",
    "5e-324", "1.7976931348623157e308", "123456789.123456789",
]  # fmt: skip


@pytest.mark.parametrize("digits", SPELLINGS)
@pytest.mark.parametrize("frame", ["%s", "[%s]", '{"n":%s}', '[[1,{"a":[%s,"x"]}]]'])
def test_a_number_is_written_as_it_was_read(digits: str, frame: str) -> None:
    assert again(frame % digits) == frame % digits


@pytest.mark.parametrize("digits", SPELLINGS)
def test_the_text_of_a_number_is_its_own_spelling_or_pythons_equal_one(digits: str) -> None:
    assert str(decode(digits).value) == digits


@pytest.mark.parametrize("digits", ["1E400", "-1e400", "1e999999"])
def test_a_number_beyond_all_floats_never_becomes_infinity_in_text(digits: str) -> None:
    document = decode(f'{{"n":[{digits},1]}}')
    document.value["n"][1] = "edited"
    assert CODEC.encode(document).body.decode() == f'{{"n":[{digits},"edited"]}}'
    assert "inf" not in str(document.value["n"][0]).lower()


def test_only_numbers_that_python_spells_otherwise_make_a_document_exact() -> None:
    assert decode("[1, 2.5, -3, 1e-07, 12345678901234567890]").exact is False
    assert decode("[1, 2.50]").exact is True
    assert isinstance(decode("2.50").value, ExactNumber)


def test_an_integer_of_as_many_digits_as_python_takes_is_kept() -> None:
    digits = "7" * 4300
    assert again(f"[{digits}]") == f"[{digits}]"


@pytest.mark.parametrize("digits", ["7" * 4301, "-" + "7" * 4301, "1" + "0" * 100_000])
def test_an_integer_of_more_digits_is_refused_without_repeating_it(digits: str) -> None:
    error = refusal(f'{{"{CANARY}":{digits}}}')
    assert (error.status, error.cause) == (400, "undecodable")
    assert "7777" not in error.why
    assert "0000" not in error.why
    assert CANARY not in str(error)


def test_a_fraction_of_more_digits_is_kept() -> None:
    digits = "1." + "0" * 5000
    assert again(digits) == digits


# --- ambiguous bodies ----------------------------------------------------------------------------------

AMBIGUOUS = {
    "two members of one name": (b'{"a":1,"a":2}', '{"a":2}'),
    "two members of one name, deep": (b'[{"x":[{"a":1,"b":0,"a":3}]}]', '[{"x":[{"a":3,"b":0}]}]'),
    "two members of one name, one escaped": (b'{"a":1,"\\u0061":2}', '{"a":2}'),
    "two empty names": (b'{"":1,"":2}', '{"":2}'),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', '{"a":1}'),
    "a byte order mark and twins": (b'\xef\xbb\xbf{"a":1,"a":2}', '{"a":2}'),
    "twins whose first has a number spelled by hand": (b'{"a":1.10,"a":1.20}', '{"a":1.20}'),
}


@pytest.mark.parametrize(("body", "forwarded"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_body_that_others_may_read_otherwise_is_ambiguous_and_forwarded_as_read(body: bytes, forwarded: str) -> None:
    assert decode(body).ambiguous is True
    assert again(body) == forwarded
    assert decode(forwarded).ambiguous is False


@pytest.mark.parametrize(
    "body", ['{"a":1,"b":1}', '{"a":1,"A":1}', '[{"a":1},{"a":1}]', '{"a":{"a":1}}', "[1,1]", '"a"', ' {"a" : 1}\n']
)
def test_a_body_of_one_reading_is_not_ambiguous(body: str) -> None:
    assert decode(body).ambiguous is False


# --- refused -------------------------------------------------------------------------------------------

MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n",
    "NaN": b'{"%s":NaN}',
    "Infinity": b'["%s",Infinity]',
    "minus Infinity": b'["%s",-Infinity]',
    "trailing word": b'["%s"] x',
    "a second document": b'{"%s":1}{"b":1}',
    "a second document on its own line": b'{"%s":1}\n{"b":1}',
    "trailing NUL": b'["%s"]\0',
    "raw line feed in a string": b'"%s\n"',
    "raw tab in a name": b'{"%s\t":1}',
    "raw NUL in a string": b'"%s\0"',
    "raw escape character": b'"%s\x1b"',
    "half a pair, high": b'"%s\\ud83d"',
    "half a pair, low": b'"%s\\ude00"',
    "half a pair, upper case": b'"%s\\uD83D"',
    "half a pair before another character": b'["%s\\ud83d\\u0041"]',
    "half a pair in a name": b'{"%s\\udc00":1}',
    "half a pair, deep": b'{"a":[{"b":["%s\\ud800"]}]}',
    "halves in the wrong order": b'"%s\\ude00\\ud83d"',
    "bytes that are not UTF-8": b'"%s\xff"',
    "Latin-1": b'"%s\xe9"',
    "an overlong sequence": b'"%s\xc0\xaf"',
    "an encoded surrogate": b'"%s\xed\xa0\x80"',
    "UTF-8 cut short": b'"%s\xe2\x82',
    "UTF-16 cut short": '["%s"]'.encode("utf-16-le")[:-1],
    "UTF-16 with half a surrogate pair": '["%s'.encode("utf-16-le") + b"\x00\xd8" + '"]'.encode("utf-16-le"),
    "UTF-16 in its second half": b'["%s' + '"]'.encode("utf-16-le"),
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf["%s"]',
    "a mark inside": b'[\xef\xbb\xbf"%s"]',
    "a no-break space": b'\xc2\xa0["%s"]',
    "a vertical tab": b'\x0b["%s"]',
    "digits of another script": '["%s",١]'.encode(),
    "single quotes": b"['%s']",
    "a trailing comma in an array": b'["%s",]',
    "a trailing comma in an object": b'{"%s":1,}',
    "a comment": b'["%s"] // x',
    "a leading zero": b'["%s",01]',
    "a bare fraction": b'["%s",.5]',
    "a fraction without digits": b'["%s",1.]',
    "a plus sign": b'["%s",+1]',
    "an exponent without digits": b'["%s",1e]',
    "hexadecimal": b'["%s",0x1F]',
    "an unknown escape": b'"%s\\x41"',
    "a signed escape": b'"%s\\u+123"',
    "a short escape": b'"%s\\u12"',
    "an open string": b'"%s',
    "an open object": b'{"%s":',
    "a bare word": b"%s",
    "True with a capital": b'["%s",True]',
}


@pytest.mark.parametrize("template", MALFORMED.values(), ids=MALFORMED)
def test_what_is_not_json_is_refused_with_400_and_none_of_its_text(template: bytes) -> None:
    body = template
    for charset in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be", "ascii"):
        body = body.replace("%s".encode(charset), CANARY.encode(charset))
    error = refusal(body)
    assert (error.status, error.cause) == (400, "undecodable")
    assert CANARY not in error.why
    assert CANARY not in str(error)
    assert "Traceback" not in str(error)


@pytest.mark.parametrize("body", ['"\\ud83d\\ude00"', '"\\uD83D\\uDE00"', '"\\u00e9"', '"\\\\ud83d"'])
def test_whole_pairs_and_what_only_looks_like_a_half_are_read(body: str) -> None:
    assert isinstance(decode(body).value, str)


def test_a_refused_body_leaves_no_trace_of_itself_in_the_chain_of_errors() -> None:
    error = refusal(f'{{"{CANARY}": nope}}')
    assert error.__cause__ is None
    assert error.__suppress_context__ is True


# --- depth ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_body_as_deep_as_the_limit_is_read_and_one_level_more_is_refused(opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    def nested(levels: int) -> str:
        return opening * levels + ("" if opening == "[" else "1") + closing * levels

    limits = Limits(depth=5)
    assert decode(nested(5), limits).value
    error = refusal(nested(6), limits)
    assert error.status == 400
    assert "5 levels" in error.why


def test_brackets_inside_texts_are_not_depth() -> None:
    body = json.dumps(["[{" * 200, {"[[[": "{{{"}])
    assert again(body) == json.dumps(["[{" * 200, {"[[[": "{{{"}], separators=(",", ":"))


@pytest.mark.parametrize(("levels", "status"), [(1_000, 400), (100_000, 400), (1_000_000, 413)])
def test_a_body_of_endless_depth_is_refused_not_crashed_on(levels: int, status: int) -> None:
    """As too deep, or as too many values before that is known."""
    assert refusal("[" * levels + "]" * levels).status == status
    assert refusal("[" * levels).status == 400


# --- texts ---------------------------------------------------------------------------------------------

TEXTS = [
    "é",
    "日本語",
    "👩‍👩‍👧",
    "שלום",
    "a\u200bb",
    "\u2028",
    "\x7f",
    '"',
    "\\",
    "\n\t",
    "\0",
    "\ufeff",
    "</script>",
    "a/b",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_forwarded_unescaped_save_for_what_must_be(text: str) -> None:
    body = json.dumps([text, {text: text}])
    forwarded = again(body)
    assert decode(forwarded).value == [text, {text: text}]
    assert forwarded.count("\\u") == text.count("\0") * 3


def test_a_document_in_a_string_is_read_and_written_by_the_same_rules() -> None:
    document = CODEC.decode_text('{"b": 1.10, "a": "é"}', LIMITS)
    assert document.value == {"b": 1.1, "a": "é"}
    assert CODEC.encode_text(document) == '{"b":1.10,"a":"é"}'


# --- laws ----------------------------------------------------------------------------------------------

numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
blanks = st.sampled_from(["", "", " ", "\n", "\t \r\n"])


@st.composite
def spelled(draw: st.DrawFn, depth: int = 4) -> tuple[str, str]:
    """A JSON text in some spelling, and the compact one of the same document, with its numbers as they were."""
    kind = draw(
        st.sampled_from(["number", "number", "text", "word", "array", "object"] if depth else ["number", "text"])
    )
    before, after = draw(blanks), draw(blanks)
    if kind == "number":
        whole = compact = draw(numbers)
    elif kind == "word":
        whole = compact = draw(st.sampled_from(["true", "false", "null"]))
    elif kind == "text":
        whole, compact = draw(spelled_text())
    elif kind == "array":
        items = draw(st.lists(spelled(depth - 1), max_size=4))
        whole = "[" + ",".join(item for item, _ in items) + draw(blanks) + "]"
        compact = "[" + ",".join(item for _, item in items) + "]"
    else:
        members = draw(
            st.lists(st.tuples(spelled_text(), spelled(depth - 1)), max_size=4, unique_by=lambda member: member[0][1])
        )
        whole = "{" + ",".join(f"{name[0]}{draw(blanks)}:{value[0]}" for name, value in members) + draw(blanks) + "}"
        compact = "{" + ",".join(f"{name[1]}:{value[1]}" for name, value in members) + "}"
    return before + whole + after, compact


@st.composite
def spelled_text(draw: st.DrawFn) -> tuple[str, str]:
    text = draw(texts)
    return json.dumps(text, ensure_ascii=draw(st.booleans())), encode_basestring(text)


@given(spelled())
def test_what_is_forwarded_is_the_same_document_with_every_number_verbatim(case: tuple[str, str]) -> None:
    whole, compact = case
    assert again(whole) == compact


@given(spelled())
def test_decoding_what_was_encoded_gives_the_same_document(case: tuple[str, str]) -> None:
    first = decode(case[0])
    second = decode(CODEC.encode(first).body)
    assert second == first
    assert _spelling(second.value) == _spelling(first.value)


def _spelling(value: Any) -> Any:
    """The document with every number as its text and types told apart, for `1 == 1.0 == True`."""
    if isinstance(value, dict):
        return {name: _spelling(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_spelling(item) for item in value]
    return value if isinstance(value, str) else f"{value}"


@given(st.binary(max_size=60))
def test_any_bytes_at_all_are_read_or_refused_and_nothing_else_is_raised(body: bytes) -> None:
    try:
        document = decode(body)
    except Unreadable as error:
        assert error.status == 400
    else:
        assert decode(CODEC.encode(document).body).value == document.value


@given(st.text(st.sampled_from('{}[]",:\\u0de8Ea1.-+ tfn\ufeff'), max_size=40))
def test_any_text_that_looks_like_json_is_read_as_python_reads_it_or_refused(text: str) -> None:
    try:
        mine = decode(text).value
    except Unreadable:
        return
    assert mine == json.JSONDecoder().decode(text.removeprefix("\ufeff"))
