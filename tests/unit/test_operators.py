"""mask, replace, redact, hash, keep and block: their settings, and what they make of a value."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy_guard import plugins
from proxy_guard.operators import Operator
from proxy_guard.operators.block import Block
from proxy_guard.operators.hash import Hash
from proxy_guard.operators.keep import Keep
from proxy_guard.operators.mask import Mask
from proxy_guard.operators.redact import Redact
from proxy_guard.operators.replace import Replace

KEY = "sixteen bytes of"
OTHER_KEY = "sixteen bytes of another"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_KEY", KEY)
    monkeypatch.setenv("PG_OTHER", OTHER_KEY)
    monkeypatch.setenv("PG_SHORT", "fifteen bytes o")
    monkeypatch.setenv("PG_EMPTY", "")


def mask(**settings: Any) -> Mask:
    return Mask.model_validate({"from" if name == "from_" else name: value for name, value in settings.items()})


def keyed(reference: str = "${env:PG_KEY}", **settings: Any) -> Hash:
    return Hash.model_validate({"key": reference, **settings})


# --- mask ----------------------------------------------------------------------------------------------

MASKS: dict[str, tuple[Mask, str, str]] = {
    "all, by default": (mask(), "9876543210", "**********"),
    "another character": (mask(char="X"), "9876543210", "XXXXXXXXXX"),
    "an emoji as the character": (mask(char="🙈"), "abc", "🙈🙈🙈"),
    "the last two kept": (mask(char="X", keep_last=2), "9876543210", "XXXXXXXX10"),
    "the first two kept": (mask(keep_first=2), "9876543210", "98********"),
    "first and last kept": (mask(keep_first=1, keep_last=3), "9876543210", "9******210"),
    "separators are characters": (mask(char="X", keep_last=4), "4111 1111 1111 1111", "XXXXXXXXXXXXXXX1111"),
    "separators are kept, too, at the end": (mask(char="X", keep_last=4), "DE89 3704 0", "XXXXXXX04 0"),
    "eight from the start": (mask(chars=8), "856-45-6789", "********789"),
    "eight from the start, said": (mask(chars=8, from_="start"), "856-45-6789", "********789"),
    "eight from the end": (mask(chars=8, from_="end"), "856-45-6789", "856********"),
    "one": (mask(chars=1), "ab", "*b"),
    "as many as there are": (mask(chars=4), "abcd", "****"),
    "more than there are": (mask(chars=99), "abcd", "****"),
    "more than there are, from the end": (mask(chars=99, from_="end"), "abcd", "****"),
    "too short for the last kept": (mask(keep_last=4), "123", "***"),
    "exactly as long as the last kept": (mask(keep_last=4), "1234", "****"),
    "one longer than the last kept": (mask(keep_last=4), "12345", "*2345"),
    "too short for the first kept": (mask(keep_first=4), "1234", "****"),
    "too short for first and last together": (mask(keep_first=2, keep_last=2), "1234", "****"),
    "one longer than first and last together": (mask(keep_first=2, keep_last=2), "12345", "12*45"),
    "one character": (mask(keep_last=1), "1", "*"),
    "code points of an emoji": (mask(keep_last=1), "👩‍👧x", "***x"),
    "code points of a combined letter": (mask(keep_last=2), "xye\u0301", "**e\u0301"),
    "right to left": (mask(keep_last=1), "שלום", "***ם"),
    "line ends": (mask(), "a\nb", "***"),
}


@pytest.mark.parametrize(("operator", "value", "masked"), MASKS.values(), ids=MASKS)
def test_mask_hides_what_its_settings_say(operator: Mask, value: str, masked: str) -> None:
    assert operator.operate(value, "PHONE_NUMBER") == masked


@given(
    st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=1),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_mask_keeps_the_length_and_shows_no_more_than_asked(value: str, first: int, last: int) -> None:
    masked = mask(keep_first=first, keep_last=last).operate(value, "X")
    assert len(masked) == len(value)
    assert "*" in masked
    shown = [i for i, c in enumerate(masked) if c != "*"]
    assert all(masked[i] == value[i] for i in shown)
    assert all(i < first or i >= len(value) - last for i in shown)
    assert len(shown) == (first + last if first + last < len(value) else 0)


@given(st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=1), st.integers(1, 12))
def test_mask_by_number_hides_that_many_from_its_end(value: str, chars: int) -> None:
    hidden = min(chars, len(value))
    assert mask(chars=chars).operate(value, "X") == "*" * hidden + value[hidden:]
    assert mask(chars=chars, from_="end").operate(value, "X") == value[: len(value) - hidden] + "*" * hidden


# --- replace, redact, keep, block ----------------------------------------------------------------------

REPLACED: dict[str, tuple[Operator, str]] = {
    "replace by a text": (Replace.model_validate({"with": "[gone]"}), "[gone]"),
    "replace by the entity's name": (Replace(), "<EMAIL_ADDRESS>"),
    "replace by what looks like a pattern": (Replace.model_validate({"with": r"\1$&{0}%s"}), r"\1$&{0}%s"),
    "replace by other scripts": (Replace.model_validate({"with": "[הוסר] 🙈"}), "[הוסר] 🙈"),
    "replace by a blank": (Replace.model_validate({"with": " "}), " "),
    "redact": (Redact(), ""),
}


@pytest.mark.parametrize(("operator", "text"), REPLACED.values(), ids=REPLACED)
@pytest.mark.parametrize("value", ["a.b@example.com", "x", "\\g<0>", "日本"])
def test_replace_and_redact_leave_nothing_of_the_value(operator: Operator, text: str, value: str) -> None:
    assert operator.operate(value, "EMAIL_ADDRESS") == text


@pytest.mark.parametrize("operator", [Keep(), Block()])
def test_keep_and_block_decide_and_do_not_edit(operator: Operator) -> None:
    assert operator.edits is False
    with pytest.raises(NotImplementedError):
        operator.operate("x", "X")


@pytest.mark.parametrize("name", ["mask", "replace", "redact", "hash"])
def test_the_operators_that_edit_say_so_and_are_found_by_name(name: str) -> None:
    operator = plugins.load("operators", name)
    assert issubclass(operator, Operator)
    assert operator.edits is True


# --- hash ----------------------------------------------------------------------------------------------


def test_hash_is_the_hmac_of_entity_and_value() -> None:
    expected = hmac.new(KEY.encode(), b"PHONE_NUMBER\0" + b"9876543210", "sha256").hexdigest()
    assert keyed().operate("9876543210", "PHONE_NUMBER") == expected


def test_hash_of_a_value_is_the_same_in_every_process_with_the_key() -> None:
    assert keyed().operate("é 👩‍👧", "X") == keyed().operate("é 👩‍👧", "X")


DIFFERING = {
    "another value": (keyed, "a", "X"),
    "a value that looks the same": (keyed, "e\u0301", "X"),
    "another entity": (keyed, "é", "Y"),
    "another key": (lambda: keyed("${env:PG_OTHER}"), "é", "X"),
    "another algorithm": (lambda: keyed(algorithm="sha512", length=64), "é", "X"),
}


@pytest.mark.parametrize(("make", "value", "entity"), DIFFERING.values(), ids=DIFFERING)
def test_hash_differs_for(make: Any, value: str, entity: str) -> None:
    assert make().operate(value, entity) != keyed().operate("é", "X")


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["A", "B"]), st.sampled_from(["A", "B"]))
def test_hash_is_equal_for_equal_values_of_equal_entities_only(one: str, two: str, first: str, second: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PG_KEY", KEY)
        operator = keyed()
    assert (operator.operate(one, first) == operator.operate(two, second)) is ((one, first) == (two, second))


@pytest.mark.parametrize(("settings", "length"), [({}, 64), ({"length": 16}, 16), ({"length": 128}, 64),
    ({"algorithm": "sha512", "length": 128}, 128), ({"algorithm": "sha512"}, 64)])  # fmt: skip
def test_hash_has_as_many_digits_as_asked_and_there_are(settings: dict[str, Any], length: int) -> None:
    digest = keyed(**settings).operate("x", "X")
    assert len(digest) == length
    assert set(digest) <= set("0123456789abcdef")


def test_the_key_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert keyed(f"${{file:{tmp_path}/key}}").operate("x", "X") == keyed().operate("x", "X")


def test_the_key_shows_nowhere() -> None:
    operator = keyed()
    assert KEY not in repr(operator)
    assert KEY not in str(operator)
    assert KEY not in operator.model_dump_json()


KEYS: dict[str, tuple[Any, str]] = {
    "in clear": ("hunter2hunter2hunter2", "never stands in a file"),
    "in clear, with a reference inside": ("x${env:PG_KEY}", "never stands in a file"),
    "in clear, that looks like a reference": ("$PG_KEY", "never stands in a file"),
    "no text": (12345678901234567890, "never stands in a file"),
    "of an unset variable": ("${env:PG_NOT_SET}", "PG_NOT_SET is not set or empty"),
    "of an empty variable": ("${env:PG_EMPTY}", "PG_EMPTY is not set or empty"),
    "of a file that is not there": ("${file:/nowhere/key}", "can't be read"),
    "too short": ("${env:PG_SHORT}", "fewer than 16 bytes"),
}


@pytest.mark.parametrize(("reference", "why"), KEYS.values(), ids=KEYS)
def test_a_key_is_refused(reference: Any, why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        keyed(reference)
    assert why in str(caught.value)
    for secret in ("hunter2", "fifteen bytes", "1234567890", KEY):
        assert secret not in str(caught.value)


# --- settings ------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[type[Operator], dict[str, Any]]] = {
    "mask: no character": (Mask, {"char": ""}),
    "mask: two characters": (Mask, {"char": "XX"}),
    "mask: a negative number kept": (Mask, {"keep_last": -1}),
    "mask: none to hide": (Mask, {"chars": 0}),
    "mask: both ways at once": (Mask, {"chars": 4, "keep_last": 2}),
    "mask: an unknown end": (Mask, {"chars": 4, "from": "middle"}),
    "mask: the field's name for its alias": (Mask, {"chars": 4, "from_": "end"}),
    "mask: an unknown setting": (Mask, {"keep": 2}),
    "replace: by nothing": (Replace, {"with": ""}),
    "replace: by a number": (Replace, {"with": 7}),
    "redact: settings": (Redact, {"char": "X"}),
    "keep: settings": (Keep, {"min": 1}),
    "block: settings": (Block, {"status": 400}),
    "hash: no key": (Hash, {}),
    "hash: an algorithm of old": (Hash, {"key": "${env:PG_KEY}", "algorithm": "md5"}),
    "hash: too few digits": (Hash, {"key": "${env:PG_KEY}", "length": 8}),
}


@pytest.mark.parametrize(("operator", "settings"), WRONG.values(), ids=WRONG)
def test_wrong_settings_are_refused(operator: type[Operator], settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        operator.model_validate(settings)


@pytest.mark.parametrize(("operator", "name"), [(Mask(), "char"), (Mask(), "keep_last"), (Replace(), "with_")])
def test_settings_do_not_change_after_load(operator: Operator, name: str) -> None:
    with pytest.raises(ValidationError):
        setattr(operator, name, "Y")
