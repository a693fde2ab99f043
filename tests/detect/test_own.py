"""What the recognizers of the `proxy-guard` profile find, and what they leave alone."""

from __future__ import annotations

import random
from typing import Any

import pytest
from stdnum.au import acn
from stdnum.kr import brn
from stdnum.pl import pesel

from proxy_guard.detect import Detector
from proxy_guard.detect.catalogue import PROFILE_RECOGNIZERS
from proxy_guard.detect.own import OWN

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc\n-----END RSA PRIVATE KEY-----"
MRZ = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
FOUND = [
    ("CREDIT_CARD", "card 4111 1111 1111 1111 please", "4111 1111 1111 1111"),
    ("CREDIT_CARD", "378282246310005", "378282246310005"),
    ("CREDIT_CARD", "card: 4111-1111-1111-1111", "4111-1111-1111-1111"),
    ("CREDIT_CARD", "4111\u00a01111\u00a01111\u00a01111", "4111\u00a01111\u00a01111\u00a01111"),
    ("CREDIT_CARD", "Maestro 5018 0000 0009", "5018 0000 0009"),
    ("CREDIT_CARD", "Diners 30569309025904", "30569309025904"),
    ("CREDIT_CARD", "Mastercard 2223003122003222", "2223003122003222"),
    ("CREDIT_CARD", "4111.1111.1111.1111.", "4111.1111.1111.1111"),
    ("CREDIT_CARD", "9876543210 4111 1111 1111 1111 856-45-6789", "4111 1111 1111 1111"),
    ("CREDIT_CARD", "on 12/24 4111111111111111 123", "4111111111111111"),
    ("CREDIT_CARD", "amex 3782 822463 10005 4111", "3782 822463 10005"),
    ("CARD_VERIFICATION_CODE", "cvv 123", "123"),
    ("CARD_VERIFICATION_CODE", "CVC2: 1234.", "1234"),
    ("CARD_VERIFICATION_CODE", "the security code on the back of my card is 123", "123"),
    ("CARD_VERIFICATION_CODE", "123 is my CVV", "123"),
    ("CARD_TRACK_DATA", "read ;4111111111111111=29121010000000000000? ok", ";4111111111111111=29121010000000000000?"),
    ("CARD_TRACK_DATA", "4111111111111111D29121010000000000F", "4111111111111111D29121010000000000F"),
    (
        "CARD_TRACK_DATA",
        "%B4111111111111111^DOE/JOHN^29121010000000000000?",
        "%B4111111111111111^DOE/JOHN^29121010000000000000?",
    ),
    ("IN_AADHAAR", "Aadhaar 2345 6789 0124", "2345 6789 0124"),
    ("IN_AADHAAR", "234567890124", "234567890124"),
    ("IN_PAN", "PAN ABCPE1234F", "ABCPE1234F"),
    ("OTP", "Your OTP is 482913", "482913"),
    ("OTP", "482 913 is your verification code", "482 913"),
    ("OTP", "G-123456 is your Google verification code", "G-123456"),
    ("IN_BANK_ACCOUNT", "a/c 123456789012 IFSC HDFC0001234", "123456789012"),
    ("IN_IFSC", "IFSC HDFC0001234", "HDFC0001234"),
    ("IN_UPI_ID", "pay ravi.k@okaxis now", "ravi.k@okaxis"),
    ("IN_UPI_ID", "UPI: ravi@xyzbank", "ravi@xyzbank"),
    ("PASSPORT_MRZ", f"scan:\n{MRZ}", MRZ),
    ("UK_NHS", "NHS 943 476 5919", "943 476 5919"),
    ("IP_ADDRESS", "from 203.0.113.77.", "203.0.113.77"),
    ("IP_ADDRESS", "from 2001:db8::ff00:42:8329 on", "2001:db8::ff00:42:8329"),
    ("API_KEY", "key sk-proj-abcdefghijklmnopqrstuvwxyz123456", "sk-proj-abcdefghijklmnopqrstuvwxyz123456"),
    ("API_KEY", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    (
        "JWT",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1",
    ),
    ("PRIVATE_KEY", f"see {KEY} end", KEY),
    ("PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----\nabc cut", "-----BEGIN PRIVATE KEY-----\nabc cut"),
]
LEFT = [
    ("CREDIT_CARD", "4111 1111 1111 1112"),
    ("CREDIT_CARD", "on 12/10/2024 at 20241005123045"),
    ("CREDIT_CARD", "amount 1,234,567,890,123.50"),
    ("CREDIT_CARD", "0000 0000 0000 0000"),
    ("CREDIT_CARD", "order no. 500000000009"),
    ("CARD_VERIFICATION_CODE", "incident 123, CVV 12345, cvv: 2024-10"),
    ("CARD_VERIFICATION_CODE", "we need the CVV, and 500 dollars"),
    ("CARD_TRACK_DATA", ";4111111111111112=29121010000000000000?"),
    ("CARD_TRACK_DATA", "x = 4111111111111111"),
    ("IN_AADHAAR", "123e4567-e89b-12d3-a456-426614174000"),
    ("IN_AADHAAR", "2345 6789 0125"),
    ("IN_PAN", "Background of the panda"),
    ("OTP", "in 2024 we met"),
    ("OTP", "the OTP service costs $5000"),
    ("IN_BANK_ACCOUNT", "order 123456789012"),
    ("IN_UPI_ID", "mail a@b.com or @someone"),
    ("UK_NHS", "call 9876543210"),
    ("IP_ADDRESS", "version 1.2.3.4"),
    ("IP_ADDRESS", "1.2.3.4"),
    ("IP_ADDRESS", "at 12:30:45 and 1.2.3.4.5"),
    ("IP_ADDRESS", "use a::b or std::vector"),
    ("IP_ADDRESS", "256.300.1.2"),
    ("API_KEY", "an sk-8-bit machine"),
    ("JWT", "eyJ is how they begin"),
]


def finds(entity: str, text: str) -> list[str]:
    found = OWN[entity]().analyze(text, [entity])
    return [text[each.start : each.end] for each in found if each.score >= 0.4]


@pytest.mark.parametrize(("entity", "text", "value"), FOUND, ids=[f"{e}: {t[:30]!r}" for e, t, _ in FOUND])
def test_is_found_whole(entity: str, text: str, value: str) -> None:
    assert finds(entity, text) == [value]


@pytest.mark.parametrize(("entity", "text"), LEFT, ids=[f"{e}: {t[:30]!r}" for e, t in LEFT])
def test_is_left_alone(entity: str, text: str) -> None:
    assert finds(entity, text) == []


def test_every_one_of_them_is_in_the_catalogue() -> None:
    assert set(OWN) == PROFILE_RECOGNIZERS


def test_the_detector_takes_them_in_place_of_presidios() -> None:
    found = Detector(["CREDIT_CARD", "UK_NHS", "PHONE_NUMBER"], min_score=0.4).detect(
        "Maestro 5018 0000 0009, 9876543210"
    )
    assert [(each.entity, each.start) for each in found] == [("CREDIT_CARD", 8), ("PHONE_NUMBER", 24)]


MENDED = [
    ("AU_ACN", acn, "ACN {0}{1}{2}{3}{4}{5}{6}{7}{8}"),
    ("KR_BRN", brn, "BRN {0}{1}{2}-{3}{4}-{5}{6}{7}{8}{9}"),
    ("PL_PESEL", pesel, "PESEL 8005{0}4{1}{2}{3}{4}{5}"),
]


@pytest.mark.parametrize(("entity", "module", "form"), MENDED, ids=[each[0] for each in MENDED])
def test_every_number_with_a_right_check_digit_is_found_and_no_other(entity: str, module: Any, form: str) -> None:
    detector = Detector([entity], min_score=0.4)
    rng = random.Random(1)
    valid = 0
    for _ in range(500):
        text = form.format(*(rng.randrange(1, 3) if n == 0 else rng.randrange(10) for n in range(10)))
        right = module.is_valid(text.split()[1])
        assert bool(detector.detect(text)) == right, text
        valid += right
    assert valid > 20


def test_a_national_insurance_number_is_found_without_the_space_before_it() -> None:
    [finding] = Detector(["UK_NINO"]).detect("number AB 12 34 56 C")
    assert (finding.start, finding.end) == (7, 20)
    assert Detector(["UK_NINO"]).detect("GB 12 34 56 C") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("IBAN DE26 99 19 0932 3508 6082 81 and then", "DE26 99 19 0932 3508 6082 81"),
        ("at 12 DE26.9919.0932.3508.6082.81.", "DE26.9919.0932.3508.6082.81"),
        ("gb29 nw bk 6016 13 31 92 68 19", "gb29 nw bk 6016 13 31 92 68 19"),
        ("NO 93 8601 1117947 for rent", "NO 93 8601 1117947"),
        ("RO49 AAAA 1B31 0075 9384 0000", "RO49 AAAA 1B31 0075 9384 0000"),
        ("DE27 9919 0932 3508 6082 81", None),
        ("in 24 hours and then 12345 of them", None),
        ("order no 93 8601 1117947", None),
    ],
)
def test_an_iban_is_one_however_it_is_grouped(text: str, value: str | None) -> None:
    found = Detector(["IBAN_CODE"]).detect(text)
    assert [text[each.start : each.end] for each in found] == ([value] if value else [])
