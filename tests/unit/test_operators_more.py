"""encrypt, fpe, date_shift, generalise, surrogate: what they make, what they refuse, and that no value is left."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from time import process_time
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy_guard import plugins
from proxy_guard.errors import MissingExtra
from proxy_guard.operators import Operator
from proxy_guard.operators.date_shift import DateShift
from proxy_guard.operators.encrypt import PREFIX, Encrypt
from proxy_guard.operators.fpe import FF1, Fpe, luhn
from proxy_guard.operators.generalise import Generalise
from proxy_guard.operators.surrogate import ENTITIES, Surrogate

KEYS = {
    "PG_AES": "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94",
    "PG_AES_OTHER": base64.b64encode(bytes(range(32))).decode(),
    "PG_AES_128": "2B7E151628AED2A6ABF7158809CF4F3C",
    "PG_AES_192": base64.urlsafe_b64encode(bytes(range(200, 224))).decode(),
    "PG_KEY": "sixteen bytes of",
    "PG_KEY_OTHER": "sixteen bytes or more of another",
    "PG_SHORT": "fifteen bytes o",
    "PG_WORDS": "not a key, but a sentence!",
    "PG_ODD": "abc",
}
ANY = st.text(st.characters(exclude_categories=()), max_size=60)
"""Lone surrogates, which JSON can hold, too."""


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, key in KEYS.items():
            patch.setenv(name, key)
        yield


def made(action: str, key: str | None = None, /, **settings: Any) -> Any:
    """The operator as a policy file would have it."""
    if key is not None:
        settings["key"] = f"${{env:{key}}}"
    return plugins.load("operators", action).model_validate(settings)


def refused(action: str, **settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        plugins.load("operators", action).model_validate(settings)
    return str(caught.value)


# --- keys ------------------------------------------------------------------------------------------------

KEYED = {"encrypt": "PG_AES", "fpe": "PG_AES", "date_shift": "PG_KEY", "surrogate": "PG_KEY"}


@pytest.mark.parametrize("action", KEYED)
def test_a_key_in_clear_is_refused_and_not_repeated(action: str) -> None:
    told = refused(action, key=KEYS[KEYED[action]])
    assert "never stands in a file" in told
    assert KEYS[KEYED[action]] not in told


@pytest.mark.parametrize("action", KEYED)
def test_a_key_is_needed(action: str) -> None:
    assert "Field required" in refused(action)
    assert "not set or empty" in refused(action, key="${env:PG_THERE_IS_NONE}")


@pytest.mark.parametrize(
    ("action", "key", "told"),
    [
        ("encrypt", "PG_AES_128", "16 bytes; it takes 32 bytes"),
        ("encrypt", "PG_AES_192", "24 bytes; it takes 32 bytes"),
        ("encrypt", "PG_WORDS", "neither hexadecimal nor base64"),
        ("encrypt", "PG_ODD", "2 bytes; it takes 32 bytes"),
        ("fpe", "PG_KEY", "neither hexadecimal nor base64"),
        ("fpe", "PG_ODD", "it takes 16, 24 or 32 bytes"),
        ("date_shift", "PG_SHORT", "fewer than 16 bytes"),
        ("surrogate", "PG_SHORT", "fewer than 16 bytes"),
    ],
)
def test_a_key_of_the_wrong_length_is_refused_and_not_repeated(action: str, key: str, told: str) -> None:
    error = refused(action, key=f"${{env:{key}}}")
    assert told in error
    assert KEYS[key] not in error


@pytest.mark.parametrize("action", KEYED)
def test_no_key_is_shown(action: str) -> None:
    operator = made(action, KEYED[action])
    shown = f"{operator!r} {operator} {operator.model_dump_json()}"
    assert KEYS[KEYED[action]] not in shown


@pytest.mark.parametrize("spelt", ["hex", "HEX", "base64", "base64url", "unpadded"])
def test_a_key_is_the_same_in_every_spelling(spelt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key = bytes.fromhex("fbff3c" * 10 + "fbff")
    spellings = {
        "hex": key.hex(),
        "HEX": key.hex().upper(),
        "base64": base64.b64encode(key).decode(),
        "base64url": base64.urlsafe_b64encode(key).decode(),
        "unpadded": base64.b64encode(key).decode().rstrip("="),
    }
    monkeypatch.setenv("PG_AES", spellings["hex"])
    expected = [made(action, "PG_AES").operate("4111111111111111", "CREDIT_CARD") for action in ("encrypt", "fpe")]
    monkeypatch.setenv("PG_AES", spellings[spelt])
    assert [
        made(action, "PG_AES").operate("4111111111111111", "CREDIT_CARD") for action in ("encrypt", "fpe")
    ] == expected


@pytest.mark.parametrize(
    ("action", "settings", "told"),
    [
        ("fpe", {"keep_first": -1}, "keep_first"),
        ("date_shift", {"days": 0}, "days"),
        ("date_shift", {"days": 3651}, "days"),
        ("surrogate", {"locale": "xx_XX"}, "unknown locale 'xx_XX'"),
        ("surrogate", {"locale": "../../etc"}, "unknown locale"),
        ("encrypt", {"mode": "ecb"}, "Extra inputs"),
        ("generalise", {}, "Field required"),
        ("generalise", {"to": "prefix"}, "needs `chars`"),
        ("generalise", {"to": "year", "width": 5}, "`width` goes with `to: age_band`"),
        ("generalise", {"to": "age_band", "chars": 5}, "`chars` goes with `to: prefix`"),
        ("generalise", {"to": "domain", "day_first": True}, "`day_first` goes with `to: year` or `to: month`"),
        ("generalise", {"to": "age_band", "width": 10, "cap": 91}, "of one year"),
    ],
)
def test_settings_are_checked_at_load(action: str, settings: dict[str, Any], told: str) -> None:
    if action in KEYED:
        settings = {"key": f"${{env:{KEYED[action]}}}", **settings}
    assert told in refused(action, **settings)


# --- encrypt ---------------------------------------------------------------------------------------------


def test_a_token_is_aes_gcm_as_told() -> None:
    def derived(purpose: bytes) -> bytes:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
        return hkdf.derive(bytes.fromhex(KEYS["PG_AES"]))

    token = made("encrypt", "PG_AES").operate("jane@example.com", "EMAIL_ADDRESS")
    assert token == "pge1_NKtbu6-eOf5dEANRe_8hh3cEh9MeeVMv0AhQEub04jn0r4jteCH5WlodBrI"
    sealed = base64.urlsafe_b64decode(token.removeprefix(PREFIX) + "=")
    hashed = b"\0\0\0\x0dEMAIL_ADDRESSjane@example.com"
    assert sealed[:12] == hmac.digest(derived(b"proxy-guard encrypt v1 nonce"), hashed, "sha256")[:12]
    cipher = AESGCM(derived(b"proxy-guard encrypt v1 cipher"))
    assert cipher.decrypt(sealed[:12], sealed[12:], b"EMAIL_ADDRESS") == b"jane@example.com"


@given(value=ANY, entity=st.sampled_from(["PERSON", "EMAIL_ADDRESS"]), deterministic=st.booleans())
@example(value="\ud800", entity="PERSON", deterministic=True)
def test_tokens_are_turned_back_and_hold_no_value(value: str, entity: str, deterministic: bool) -> None:
    operator: Encrypt = made("encrypt", "PG_AES", deterministic=deterministic)
    token = operator.operate(value, entity)
    assert re.fullmatch(r"pge1_[A-Za-z0-9_-]{38,}", token)
    assert operator.decrypt(token, entity) == value
    # A few characters may stand in any token by chance.
    assert token != value
    assert len(value) < 6 or value not in token


def test_tokens_are_equal_where_values_entities_and_keys_are() -> None:
    def token(key: str, value: str, entity: str) -> Any:
        return made("encrypt", key).operate(value, entity)

    first = token("PG_AES", "jane", "PERSON")
    assert first == token("PG_AES", "jane", "PERSON")
    others = [
        token("PG_AES", "Jane", "PERSON"),
        token("PG_AES", "jane", "LOCATION"),
        token("PG_AES_OTHER", "jane", "PERSON"),
        token("PG_AES", "Njane", "PERSO"),
    ]
    assert (
        len({first[len(PREFIX) : len(PREFIX) + 16], *(other[len(PREFIX) : len(PREFIX) + 16] for other in others)}) == 5
    )


def test_tokens_differ_where_asked() -> None:
    operator: Encrypt = made("encrypt", "PG_AES", deterministic=False)
    tokens = {operator.operate("jane", "PERSON") for _ in range(50)}
    assert len(tokens) == 50
    assert {operator.decrypt(token, "PERSON") for token in tokens} == {"jane"}
    # Both kinds are read by one key.
    assert made("encrypt", "PG_AES").decrypt(tokens.pop(), "PERSON") == "jane"


def test_a_changed_token_is_refused() -> None:
    operator: Encrypt = made("encrypt", "PG_AES")
    token = operator.operate("jane@example.com", "EMAIL_ADDRESS")
    for at in range(len(token)):
        for char in "AQgw_-":
            changed = token[:at] + char + token[at + 1 :]
            if changed != token:
                with pytest.raises(ValueError, match="token"):
                    operator.decrypt(changed, "EMAIL_ADDRESS")


@pytest.mark.parametrize(
    ("key", "entity", "change"),
    [
        ("PG_AES_OTHER", "EMAIL_ADDRESS", ""),
        ("PG_AES", "PERSON", ""),
        ("PG_AES", "EMAIL_ADDRESS", "cut"),
        ("PG_AES", "EMAIL_ADDRESS", "="),
        ("PG_AES", "EMAIL_ADDRESS", "AAAA"),
        ("PG_AES", "EMAIL_ADDRESS", "\n"),
        ("PG_AES", "EMAIL_ADDRESS", "é"),
        ("PG_AES", "EMAIL_ADDRESS", "empty"),
        ("PG_AES", "EMAIL_ADDRESS", "prefix only"),
        ("PG_AES", "EMAIL_ADDRESS", "jane@example.com"),
    ],
)
def test_other_tokens_are_refused_without_their_text(key: str, entity: str, change: str) -> None:
    token = made("encrypt", "PG_AES").operate("jane@example.com", "EMAIL_ADDRESS")
    whole = {"cut": token[:-4], "empty": "", "prefix only": PREFIX, "jane@example.com": "jane@example.com"}
    with pytest.raises(ValueError, match="token") as caught:
        made("encrypt", key).decrypt(whole.get(change, token + change), entity)
    assert "jane" not in str(caught.value)


# --- fpe -------------------------------------------------------------------------------------------------

NIST_KEYS = {
    128: "2B7E151628AED2A6ABF7158809CF4F3C",
    192: "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F",
    256: "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94",
}
NIST_SAMPLES = [
    # The FF1 samples that NIST publishes with SP 800-38G: key, radix, tweak, plaintext, ciphertext.
    (128, 10, "", "0123456789", "2433477484"),
    (128, 10, "39383736353433323130", "0123456789", "6124200773"),
    (128, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (192, 10, "", "0123456789", "2830668132"),
    (192, 10, "39383736353433323130", "0123456789", "2496655549"),
    (192, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (256, 10, "", "0123456789", "6657667009"),
    (256, 10, "39383736353433323130", "0123456789", "1001623463"),
    (256, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]
NUMERALS = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(("bits", "radix", "tweak", "plain", "cipher"), NIST_SAMPLES)
def test_ff1_gives_the_samples_of_nist(bits: int, radix: int, tweak: str, plain: str, cipher: str) -> None:
    ff1 = FF1(bytes.fromhex(NIST_KEYS[bits]), radix)
    made = ff1.encrypt([int(char, radix) for char in plain], bytes.fromhex(tweak))
    assert "".join(NUMERALS[numeral] for numeral in made) == cipher
    assert ff1.decrypt(made, bytes.fromhex(tweak)) == [int(char, radix) for char in plain]


@pytest.mark.parametrize(
    ("radix", "length", "tweak", "cipher"),
    [
        # Made with fpr-ff1 2.1.1: what the samples leave out, such as odd lengths and more than one block of S.
        (10, 6, 0, "323476"),
        (10, 7, 1, "3857440"),
        (10, 19, 40, "3694393085009010944"),
        (10, 57, 16, "994088494205608500307244131276316518033442910331760143226"),
        (2, 33, 5, "111101010111111110011100111000001"),
        (26, 57, 7, "i200bcdmm1nmp34n9c05p117c257j2bp6injfj22o8e172e9469oegca2"),
        (36, 80, 11, "ad7kuh90jouq1k7mt8c2qeryr16nd7yjsmvr0nkufbcby8m342tmtop83m4cna4e64c57jwkqkz6l0ym"),
    ],
)
def test_ff1_agrees_with_another_implementation(radix: int, length: int, tweak: int, cipher: str) -> None:
    ff1 = FF1(bytes.fromhex(NIST_KEYS[256]), radix)
    plain = [at % radix for at in range(length)]
    made = ff1.encrypt(plain, bytes(range(tweak)))
    assert "".join(NUMERALS[numeral] for numeral in made) == cipher
    assert ff1.decrypt(made, bytes(range(tweak))) == plain


@pytest.mark.parametrize(("radix", "length"), [(10, 5), (10, 1), (10, 0), (2, 19), (36, 3), (65536, 1)])
def test_ff1_refuses_small_domains(radix: int, length: int) -> None:
    ff1 = FF1(bytes(16), radix)
    for method in (ff1.encrypt, ff1.decrypt):
        with pytest.raises(ValueError, match="fewer than 1,000,000"):
            method([1] * length, b"")


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        ("4111111111111111", True),
        ("378282246310005", True),
        ("79927398713", True),
        ("79927398710", False),
        ("4111111111111112", False),
        ("0", True),
        ("", True),
    ],
)
def test_luhn(digits: str, valid: bool) -> None:
    assert luhn([int(digit) for digit in digits]) is valid


CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "3782 822463 10005",
    "४१११ ११११ ११११ ११११",
    "+1 (212) 555-0142",
    "123456",
    "4111\u200b1111\u200b1111\u200b1111",
]
FORMS: list[dict[str, Any]] = [
    {},
    {"luhn": True},
    {"keep_first": 2},
    {"keep_last": 4},
    {"keep_first": 6, "keep_last": 4},
    {"keep_first": 6, "keep_last": 4, "luhn": True},
]


@pytest.mark.parametrize("settings", FORMS, ids=str)
@pytest.mark.parametrize("value", CARDS)
@pytest.mark.parametrize("key", ["PG_AES", "PG_AES_128", "PG_AES_192"])
def test_a_number_keeps_its_form_and_is_turned_back(key: str, value: str, settings: dict[str, Any]) -> None:
    operator: Fpe = made("fpe", key, **settings)
    result = operator.operate(value, "CREDIT_CARD")
    digits = re.findall(r"\d", value)
    first, last = settings.get("keep_first", 0), settings.get("keep_last", 0)
    if len(digits) - first - last < 6:
        assert result == "*" * len(value)
        return
    assert result != value
    assert re.sub(r"\d", "#", result) == re.sub(r"\d", "#", value)
    made_digits = re.findall(r"\d", result)
    assert made_digits[:first] == digits[:first]
    assert made_digits[len(digits) - last :] == digits[len(digits) - last :]
    if settings.get("luhn"):
        assert luhn([int(digit) for digit in made_digits]) is luhn([int(digit) for digit in digits])
    assert operator.decrypt(result, "CREDIT_CARD") == value


@pytest.mark.parametrize(
    "value",
    [
        *("", "-", "1", "12345", "1-2-3-4-5", "no number", "ABCDE1234567F", "GB29 NWBK 6016 1331 9268 19"),
        *("12345²³", "Ⅻ1234567", "1234567 सात", "1" * 257),
    ],
)
def test_what_is_no_number_of_six_digits_is_masked_whole(value: str) -> None:
    operator: Fpe = made("fpe", "PG_AES")
    assert operator.operate(value, "ID") == "*" * len(value)
    with pytest.raises(ValueError, match="not a result"):
        operator.decrypt(value, "ID")


def test_kept_digits_never_are_the_whole_number() -> None:
    for first, last in ((16, 0), (0, 16), (8, 8), (6, 5), (99, 99)):
        assert made("fpe", "PG_AES", keep_first=first, keep_last=last).operate("4111111111111111", "X") == "*" * 16


def test_results_hang_on_key_entity_and_kept_digits() -> None:
    plain = "4111111111111111"
    results = {
        made("fpe", "PG_AES").operate(plain, "CREDIT_CARD"),
        made("fpe", "PG_AES").operate(plain, "CREDIT_CARD"),
        made("fpe", "PG_AES").operate(plain, "US_BANK_NUMBER"),
        made("fpe", "PG_AES_128").operate(plain, "CREDIT_CARD"),
    }
    assert len(results) == 3
    kept = made("fpe", "PG_AES", keep_first=6, keep_last=4)
    one, other = (kept.operate(f"{bin_}0000001111", "CREDIT_CARD")[6:12] for bin_ in ("411111", "411112"))
    assert one != other


def test_a_number_that_ff1_leaves_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    # A permutation has one such number on average; that of FF1 can't be told beforehand.
    monkeypatch.setattr(FF1, "encrypt", lambda self, numerals, tweak: list(numerals))
    assert made("fpe", "PG_AES").operate("123 456", "ID") == "*******"


def test_the_walk_to_a_luhn_number_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FF1, "encrypt", lambda self, numerals, tweak: [0] * 15 + [1])
    assert made("fpe", "PG_AES", luhn=True).operate("4111111111111111", "CREDIT_CARD") == "*" * 16


@given(value=ANY | st.from_regex(r"[0-9٠-٩ -]{4,24}", fullmatch=True), settings=st.sampled_from(FORMS))
def test_fpe_leaves_no_value(value: str, settings: dict[str, Any]) -> None:
    operator: Fpe = made("fpe", "PG_AES", **settings)
    result = operator.operate(value, "CREDIT_CARD")
    assert len(result) == len(value)
    assert not value.strip("*") or result != value
    if result != "*" * len(value):
        assert operator.decrypt(result, "CREDIT_CARD") == value


# --- date_shift ------------------------------------------------------------------------------------------


def shifter(**settings: Any) -> DateShift:
    operator: DateShift = made("date_shift", "PG_KEY", **settings)
    return operator


MOVED = [
    # With a shift of 30 days.
    (None, "2024-10-05", "2024-11-04"),
    (None, "2024-10-05T10:00:00Z", "2024-11-04T10:00:00Z"),
    (None, "2024-10-05T10:00:00.123+02:00", "2024-11-04T10:00:00.123+02:00"),
    (None, "2024-10-05 10:00", "2024-11-04 10:00"),
    (None, "2024/10/05", "2024/11/04"),
    (None, "2024-1-5", "2024-2-4"),
    (None, "20241005", "20241104"),
    (None, "20241005T100000Z", "20241104T100000Z"),
    (None, "0001-01-01", "0001-01-31"),
    (True, "05/10/2024", "04/11/2024"),
    (False, "10/05/2024", "11/04/2024"),
    (True, "5/10/2024", "4/11/2024"),
    (True, "5.10.24", "4.11.24"),
    (True, "05-10-2024", "04-11-2024"),
    (True, "05/10/2024, 10:00 PM", "04/11/2024, 10:00 PM"),
    (False, "12/25/2024", "01/24/2025"),
    (None, "25/12/2024", "24/01/2025"),
    (None, "12/25/2024", "01/24/2025"),
    (True, "31/12/99", "30/01/00"),
    (None, "5 Oct 2024", "4 Nov 2024"),
    (None, "05 oct 2024", "04 nov 2024"),
    (None, "5 October 2024", "4 November 2024"),
    (None, "5-Oct-2024", "4-Nov-2024"),
    (None, "5th of October 2024", "4th of November 2024"),
    (None, "2nd October, 2024", "1st November, 2024"),
    (None, "October 5, 2024", "November 4, 2024"),
    (None, "OCTOBER 5TH, 2024", "NOVEMBER 4TH, 2024"),
    (None, "Sept. 5, 2024", "Oct. 5, 2024"),
    (None, "Oct 5 2024 at 5pm", "Nov 4 2024 at 5pm"),
    (None, "Oct 5, 2024, 5:30\u202fp.m.", "Nov 4, 2024, 5:30\u202fp.m."),
    (None, "Apr. 5, 2024", "May 5, 2024"),
    (None, "May 5, 2024", "June 4, 2024"),
    (None, "5-May-2024", "4-Jun-2024"),
    (None, "Sun, 05 May 2024", "Tue, 04 Jun 2024"),
    (None, "Sat, 05 Oct 2024 10:00:00 +0000", "Mon, 04 Nov 2024 10:00:00 +0000"),
    (None, "Saturday, October 5, 2024", "Monday, November 4, 2024"),
    (None, "saturday 5 october 2024", "monday 4 november 2024"),
]


@pytest.mark.parametrize(("day_first", "found", "becomes"), MOVED)
def test_a_date_is_moved_in_its_own_form(
    day_first: bool | None, found: str, becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DateShift, "shift", lambda self, entity: timedelta(days=30))
    assert shifter(day_first=day_first).operate(found, "DATE_TIME") == becomes


@pytest.mark.parametrize(
    ("day_first", "found"),
    [
        *((None, text) for text in ("", "yesterday", "last week", "5 October", "October 2024", "2024", "5pm", "P3D")),
        *((None, text) for text in ("05/10/2024", "05.05.2024", "1/2/24")),
        *((None, text) for text in ("2024-02-30", "2024-13-01", "2024-00-10", "32 Oct 2024", "0000-01-01")),
        *((None, text) for text in ("2024-10-05 Jane Roe", "Jane 2024-10-05", "2024-10-05T99:99", "2024-10-05 17")),
        *((None, text) for text in ("2024-10/05", "5 Oct-2024", "٢٠٢٤-١٠-٠٥", "2024-10-05\n\n2024-10-05")),
        (True, "12/25/2024"),
        (False, "25/12/2024"),
    ],
)
def test_what_is_no_date_is_replaced(day_first: bool | None, found: str) -> None:
    assert shifter(day_first=day_first).operate(found, "DATE_TIME") == "<DATE_TIME>"


@pytest.mark.parametrize("edge", ["9999-12-31", "0001-01-01"])
def test_a_date_that_would_leave_the_calendar_is_replaced(edge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DateShift, "shift", lambda self, entity: timedelta(days=400 if edge > "5" else -400))
    assert shifter().operate(edge, "DATE_TIME") == "<DATE_TIME>"


def test_a_result_that_holds_the_old_date_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DateShift, "shift", lambda self, entity: timedelta(days=10))
    assert shifter(day_first=True).operate("1/5/2024", "DATE_TIME") == "<DATE_TIME>"


@given(
    one=st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    other=st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    days=st.integers(1, 3650),
)
def test_times_between_dates_stay(one: date, other: date, days: int) -> None:
    operator = shifter(days=days)
    moved = [date.fromisoformat(operator.operate(each.isoformat(), "DATE_TIME")) for each in (one, other)]
    assert moved[1] - moved[0] == other - one
    assert 1 <= abs((moved[0] - one).days) <= days


def test_the_shift_hangs_on_key_and_entity_and_goes_both_ways() -> None:
    shifts = [shifter(days=3).shift(f"ENTITY_{number}").days for number in range(300)]
    assert set(shifts) == {-3, -2, -1, 1, 2, 3}
    assert shifts == [shifter(days=3).shift(f"ENTITY_{number}").days for number in range(300)]
    other = made("date_shift", "PG_KEY_OTHER", days=3)
    assert shifts != [other.shift(f"ENTITY_{number}").days for number in range(300)]


def dates_as_written() -> st.SearchStrategy[str]:
    forms = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%d %b %Y", "%B %d, %Y", "%a, %d %b %Y", "%Y%m%dT%H%M%SZ")
    return st.builds(lambda day, form: day.strftime(form), st.datetimes(), st.sampled_from(forms))


@given(value=ANY | dates_as_written(), day_first=st.sampled_from([None, True, False]), days=st.integers(1, 3650))
def test_date_shift_leaves_no_value(value: str, day_first: bool | None, days: int) -> None:
    result = shifter(day_first=day_first, days=days).operate(value, "DATE_TIME")
    assert result == "<DATE_TIME>" or value not in result


# --- generalise ------------------------------------------------------------------------------------------

CLASSES: list[tuple[dict[str, Any], str, str]] = [
    ({"to": "age_band"}, "37", "30-39"),
    ({"to": "age_band"}, "30", "30-39"),
    ({"to": "age_band"}, "0", "0-9"),
    ({"to": "age_band"}, "37 years old", "30-39 years old"),
    ({"to": "age_band"}, "37-year-old", "30-39-year-old"),
    ({"to": "age_band"}, "aged 37", "aged 30-39"),
    ({"to": "age_band"}, "37yo", "30-39yo"),
    ({"to": "age_band"}, "89", "80-89"),
    ({"to": "age_band"}, "90", "90+"),
    ({"to": "age_band"}, "117", "90+"),
    ({"to": "age_band", "width": 5}, "37", "35-39"),
    ({"to": "age_band", "width": 7}, "89", "84-89"),
    ({"to": "age_band", "cap": 80}, "85", "80+"),
    ({"to": "age_band"}, "131", "<AGE>"),
    ({"to": "age_band"}, "3.7", "<AGE>"),
    ({"to": "age_band"}, "-5", "<AGE>"),
    ({"to": "age_band"}, "thirty-seven", "<AGE>"),
    ({"to": "age_band"}, "37, of Leeds", "<AGE>"),
    ({"to": "age_band"}, "", "<AGE>"),
    ({"to": "prefix", "chars": 4}, "SW1A 1AA", "SW1A ***"),
    ({"to": "prefix", "chars": 3}, "94107-1234", "941**-****"),
    ({"to": "prefix", "chars": 1}, "John Smith", "J*** *****"),
    ({"to": "prefix", "chars": 2}, "a@b@c", "a*b**"),
    ({"to": "prefix", "chars": 1}, "ने@ता", "न****"),
    ({"to": "prefix", "chars": 6}, "SW1A 1AA", "SW1A 1A*"),
    ({"to": "prefix", "chars": 8}, "SW1A 1AA", "<AGE>"),
    ({"to": "prefix", "chars": 1}, "", "<AGE>"),
    ({"to": "prefix", "chars": 1}, "--", "<AGE>"),
    ({"to": "year"}, "2024-10-05", "2024"),
    ({"to": "year"}, "2024-10-05T10:00:00Z", "2024"),
    ({"to": "year"}, "5th of October 2024", "2024"),
    ({"to": "year"}, "05/10/2024", "2024"),
    ({"to": "year"}, "05/10/70", "1970"),
    ({"to": "year"}, "0987-10-05", "0987"),
    ({"to": "year"}, "2024", "<AGE>"),
    ({"to": "year"}, "last year", "<AGE>"),
    ({"to": "month"}, "October 5, 2024", "2024-10"),
    ({"to": "month"}, "05/10/2024", "<AGE>"),
    ({"to": "month"}, "05/05/2024", "2024-05"),
    ({"to": "month", "day_first": True}, "05/10/2024", "2024-10"),
    ({"to": "month", "day_first": False}, "05/10/2024", "2024-05"),
    ({"to": "domain"}, "jane.roe@example.com", "***@example.com"),
    ({"to": "domain"}, "jane@mail.example.co.uk", "***@mail.example.co.uk"),
    ({"to": "domain"}, "jane@localhost", "<AGE>"),
    ({"to": "domain"}, "jane@a@example.com", "<AGE>"),
    ({"to": "domain"}, "jane roe@example.com", "<AGE>"),
    ({"to": "domain"}, "example.com", "<AGE>"),
]


@pytest.mark.parametrize(("settings", "found", "becomes"), CLASSES)
def test_a_value_becomes_its_class(settings: dict[str, Any], found: str, becomes: str) -> None:
    assert made("generalise", **settings).operate(found, "AGE") == becomes


@given(
    value=ANY | dates_as_written() | st.emails() | st.integers(0, 999).map(str),
    settings=st.sampled_from(
        [{"to": "age_band"}, {"to": "prefix", "chars": 2}, {"to": "year"}, {"to": "month"}, {"to": "domain"}]
    ),
)
def test_generalise_keeps_what_it_says_and_no_more(value: str, settings: dict[str, Any]) -> None:
    operator: Generalise = made("generalise", **settings)
    result = operator.operate(value, "ENTITY")
    if result == "<ENTITY>":
        return
    assert result != value
    match settings["to"]:
        case "age_band":
            assert re.search(r"\d{1,2}-\d{1,2}|90\+", result)
        case "prefix":
            assert sum(char.isalnum() for char in result) == 2
            assert len(result) == len(value)
        case "year":
            assert re.fullmatch(r"\d{4}", result)
        case "month":
            assert re.fullmatch(r"\d{4}-\d\d", result)
        case "domain":
            assert result == "***@" + value.rpartition("@")[2]


# --- surrogate -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def surrogate(_environment: None) -> Surrogate:
    operator: Surrogate = made("surrogate", "PG_KEY")
    return operator


def iban_is_valid(text: str) -> bool:
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


SHAPES = [
    ("PERSON", "Jane Roe", r"[^\W\d]\S* [^\W\d].*"),
    ("PERSON", "Jane", r"[^\W\d]\S*"),
    ("EMAIL_ADDRESS", "jane@acme.com", r"[\w.-]+@example\.org"),
    ("PHONE_NUMBER", "+1 415 555 2671", r"\+1 \d{3}-555-01\d\d"),
    ("LOCATION", "Leeds", r"[^\W\d].*"),
    ("CREDIT_CARD", "4111111111111111", r"400000\d{10}"),
    ("CREDIT_CARD", "4111-1111-1111-1111", r"4000-00\d\d-\d{4}-\d{4}"),
    ("CREDIT_CARD", "3782 822463 10005", r"400000\d{10}"),
    ("IBAN_CODE", "GB29 NWBK 6016 1331 9268 19", r"GB\d\dTEST\d{14}"),
    ("IP_ADDRESS", "8.8.8.8", r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}"),
    ("IP_ADDRESS", "2a00:1450::1", r"2001:db8::[0-9a-f]{1,4}:[0-9a-f]{1,4}"),
    ("MAC_ADDRESS", "3C:22:FB:01:02:03", r"00:00:5E:00:53:[0-9A-F]{2}"),
    ("MAC_ADDRESS", "3C-22-FB-01-02-03", r"00-00-5E-00-53-[0-9A-F]{2}"),
    ("DOMAIN_NAME", "acme.com", r"[\w-]+\.example\.org"),
    ("URL", "https://acme.com/jane?x=1", r"https://[\w-]+\.example\.org/"),
    ("US_SSN", "856-45-6789", r"9\d\d-(0[1-9]|[1-4]\d)-\d{4}"),
]


@pytest.mark.parametrize(("entity", "value", "shape"), SHAPES)
def test_a_stand_in_has_the_shape_of_its_entity(surrogate: Surrogate, entity: str, value: str, shape: str) -> None:
    stand_in = surrogate.operate(value, entity)
    assert re.fullmatch(shape, stand_in)
    if entity == "CREDIT_CARD":
        assert luhn([int(char) for char in stand_in if char.isdigit()])
    if entity == "IBAN_CODE":
        assert iban_is_valid(stand_in)
    if entity == "IP_ADDRESS":
        assert not ipaddress.ip_address(stand_in).is_global


def test_every_entity_with_stand_ins_is_tried() -> None:
    assert {entity for entity, *_ in SHAPES} == ENTITIES


@pytest.mark.parametrize("entity", ["NRP", "DATE_TIME", "UK_NHS", "ACME_ID"])
def test_an_entity_without_stand_ins_is_replaced(surrogate: Surrogate, entity: str) -> None:
    assert surrogate.operate("something", entity) == f"<{entity}>"


@pytest.mark.parametrize(
    ("entity", "one", "other", "same"),
    [
        ("PERSON", "Jane Roe", "JANE ROE", True),
        ("PERSON", "Jane Roe", "Jane\u00a0 Roe", True),
        ("PERSON", "Jane Roe", "Ｊａｎｅ Ｒｏｅ", True),
        ("PERSON", "Jane Roe", "Jane Doe", False),
        ("EMAIL_ADDRESS", "jane@acme.com", "Jane@Acme.com", True),
        ("PHONE_NUMBER", "+1 415 555 2671", "+1 (415) 555-2671", True),
        ("IBAN_CODE", "GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819", True),
        ("US_SSN", "856-45-6789", "856 45 6789", True),
        ("US_SSN", "856-45-6789", "856-45-6780", False),
        ("IP_ADDRESS", "1.12.1.1", "11.2.1.1", False),
    ],
)
def test_one_value_has_one_stand_in(surrogate: Surrogate, entity: str, one: str, other: str, same: bool) -> None:
    assert (surrogate.operate(one, entity) == surrogate.operate(other, entity)) is same


def test_stand_ins_hang_on_key_and_entity_and_nothing_else(surrogate: Surrogate) -> None:
    values = [f"user{number}@acme.com" for number in range(200)]
    first = [surrogate.operate(value, "EMAIL_ADDRESS") for value in values]
    again: Surrogate = made("surrogate", "PG_KEY")
    assert first[::-1] == [again.operate(value, "EMAIL_ADDRESS") for value in values[::-1]]
    other: Surrogate = made("surrogate", "PG_KEY_OTHER")
    assert sum(one == other.operate(value, "EMAIL_ADDRESS") for one, value in zip(first, values, strict=True)) < 5
    assert len(set(first)) > 190
    assert surrogate.operate("Leeds", "PERSON") != surrogate.operate("Leeds", "LOCATION")


def test_the_random_numbers_of_the_process_are_left_alone(surrogate: Surrogate) -> None:
    import random

    import faker

    state, shared = random.getstate(), faker.generator.random.getstate()
    surrogate.operate("Jane Roe", "PERSON")
    assert random.getstate() == state
    assert faker.generator.random.getstate() == shared


def test_stand_ins_are_the_same_from_many_threads(surrogate: Surrogate) -> None:
    work = [(f"Person {number}", entity) for number in range(100) for entity in ("PERSON", "EMAIL_ADDRESS", "LOCATION")]
    expected = [surrogate.operate(*each) for each in work]
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda each: surrogate.operate(*each), work * 4)) == expected * 4
    finally:
        sys.setswitchinterval(old)


@pytest.mark.parametrize(
    ("locale", "phone"),
    [
        ("en_US", r"\+1 \d{3}-555-01\d\d"),
        ("en_GB", r"\+44 7700 900\d{3}"),
        ("de_DE", r"\+49 30 23125 \d{3}"),
        ("fr_FR", r"\+33 6 39 98 \d\d \d\d"),
        ("ja_JP", r"\+1 \d{3}-555-01\d\d"),
    ],
)
def test_locales(locale: str, phone: str) -> None:
    operator: Surrogate = made("surrogate", "PG_KEY", locale=locale)
    assert re.fullmatch(phone, operator.operate("+91 98765 43210", "PHONE_NUMBER"))
    assert operator.operate("Jane Roe", "PERSON") != "<PERSON>"
    assert operator.operate("jane@acme.com", "EMAIL_ADDRESS").isascii()


def test_no_stand_in_repeats_a_word_of_its_value(surrogate: Surrogate) -> None:
    for number in range(300):
        name = surrogate.operate(f"Jane Roe {number}", "PERSON")
        again = surrogate.operate(name, "PERSON")
        assert again == "<PERSON>" or not set(name.lower().split()) & set(again.lower().split())


@given(
    value=ANY | st.emails() | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}", fullmatch=True),
    entity=st.sampled_from(sorted(ENTITIES)),
)
@example(value="example.org", entity="EMAIL_ADDRESS")
@example(value="\ud800", entity="PERSON")
@example(value="-", entity="US_SSN")
def test_surrogate_leaves_no_value(surrogate: Surrogate, value: str, entity: str) -> None:
    result = surrogate.operate(value, entity)
    assert result == f"<{entity}>" or value not in result


def test_a_stand_in_is_quick(surrogate: Surrogate) -> None:
    def seconds() -> float:
        start = process_time()
        for number in range(200):
            surrogate.operate(f"Jane Roe {number}", "PERSON")
            surrogate.operate(f"jane{number}@acme.com", "EMAIL_ADDRESS")
        return (process_time() - start) / 400

    assert min(seconds() for _ in range(5)) < 200e-6


def test_without_faker_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["faker"] = None
from proxy_guard.errors import MissingExtra
from proxy_guard.operators.surrogate import Surrogate
for settings in ({}, {"locale": "de_DE"}):
    try:
        Surrogate.model_validate({"key": "${env:PG_KEY}", **settings})
    except MissingExtra as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}, check=True)
    assert run.stdout.count("proxy-guard[surrogate]") == 4
    assert issubclass(MissingExtra, Exception)


# --- all -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [*KEYED, "generalise"])
def test_every_setting_is_described_and_frozen(action: str) -> None:
    operator = plugins.load("operators", action)
    assert issubclass(operator, Operator)
    assert operator.edits
    assert all(field.description for field in operator.model_fields.values())
    assert operator.model_config["frozen"]
    assert operator.model_json_schema(by_alias=True)["additionalProperties"] is False
