"""A value is found whatever stands beside it without a space, where a reader sees where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from proxy_guard.detect import Detector
from proxy_guard.detect.characters import disguised
from tests.evasion.recover import gives_away
from tests.evasion.values import VALUES as VALUES_OF_ATTACKS
from tests.evasion.values import Value
from tests.evasion.ways import NEIGHBOURS, WAYS

VALUES = {
    "EMAIL_ADDRESS": "jane.doe@example.com",
    "CREDIT_CARD": "4111111111111111",
    "IBAN_CODE": "DE89370400440532013000",
    "PHONE_NUMBER": "919876543210",
    "IP_ADDRESS": "192.168.10.77",
    "US_SSN": "856-45-6789",
    "IN_AADHAAR": "2345 6789 0124",
    "IN_PAN": "ABCPE1234F",
    "MAC_ADDRESS": "00:1B:44:11:3A:B7",
    "PERSON": "Rahul Sharma",
}


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(sorted(VALUES))


def _found(detector: Detector, text: str) -> set[int]:
    return {place for each in detector.detect(text) for place in range(each.start, each.end)}


@pytest.mark.parametrize(("entity", "way"), list(product(sorted(VALUES.keys() - {"PERSON"}), NEIGHBOURS)))
def test_a_value_is_found_among_letters_of_other_scripts_and_signs(detector: Detector, entity: str, way: str) -> None:
    value = VALUES[entity]
    text = NEIGHBOURS[way]("+" * (entity == "PHONE_NUMBER") + value)
    start = text.index(value)
    assert _found(detector, text).issuperset(range(start, start + len(value)))


@pytest.mark.parametrize(
    "text", ["私は{}です。", "मैं{}हूँ", "저는{}입니다", "Ask _{}_ about it", "hello\\n{}\\nhow are you"]
)
def test_a_name_is_found_among_them(detector: Detector, text: str) -> None:
    start = text.index("{}")
    assert _found(detector, text.format(VALUES["PERSON"])).issuperset(range(start, start + len(VALUES["PERSON"])))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see jane@example.com1 below", "jane@example.com"),
        ("me@example.co.uk1", "me@example.co.uk"),
        ("jane@example.com192.168.10.77", "jane@example.com"),
        ("jane@example.com_new", "jane@example.com"),
        ("jane@example.com-see there", "jane@example.com"),
        ("jane@example.com.Please call", "jane@example.com"),
        ("E-mail: jane@example.comPhone: 555", "jane@example.com"),
        ("max@firma.deTelefon", "max@firma.de"),
        ("jane@example.comJane@example.com", "jane@example.comJane@example.com"),
        ("jane.doe@example.com" * 4, "jane.doe@example.com" * 4),
        ("amFuZS5kb2VAZXhhbXBsZS5jb20=" * 9, "amFuZS5kb2VAZXhhbXBsZS5jb20=" * 9),
    ],
)
def test_an_address_ends_where_its_domain_does(detector: Detector, text: str, address: str) -> None:
    start = text.index(address)
    expected = {place for place in range(start, start + len(address)) if text[place] != "="}
    assert _found(detector, text) - {place for place, char in enumerate(text) if char == "="} >= expected


@pytest.mark.parametrize(
    ("entity", "value"), [each for each in VALUES.items() if each[0] in ("IN_AADHAAR", "IBAN_CODE")]
)
def test_a_value_is_found_that_is_glued_to_an_address(detector: Detector, entity: str, value: str) -> None:
    text = f"mail jane@example.com{value} or call"
    assert _found(detector, text).issuperset(range(5, 21 + len(value)))
    assert entity in {each.entity for each in detector.detect(text)}


@pytest.mark.parametrize(
    "text",
    [
        "this@MainActivity.orgName and super@Page.netClient",
        "video@2x.mp4 and archive@v1.bz2",
        "pip install package@1.0.0.dev3",
        "systemctl status getty@tty1.service",
        "ssh root@server.internal",
        "value@obj.toString()",
        "def __init__(self): self._x1 = _y2_",
        'print("a\\nb2\\tc3")',
        "第1234567890号の注文は2024年10月5日に届きました",
        "使用Python3编写的HTTP2服务器监听8080端口",
        "바이러스COVID19는 2020년에",
    ],
)
def test_what_looks_like_one_is_left_alone(detector: Detector, text: str) -> None:
    assert [text[each.start : each.end] for each in detector.detect(text)] == []


SIGNS = (*".,-/:('#@+*=;!$~|&<>%", "..")
_SAID = tuple(each for each in VALUES_OF_ATTACKS.values() if each.kind != "name")  # a model's word hangs on signs
_SHOWN = {
    ("%", "html breaks"),
    ("%", "base64 three times"),
    ("%", "reversed"),
    ("+", "base64 in pieces"),
}
"""What is not seen through: a sign beside a value in such a disguise."""


def _dodges(detector: Detector, ways: Sequence[str]) -> list[str]:
    """The signs beside a value in a disguise that is seen through without them, and is not with them."""
    found: list[str] = []
    for way, value in product(ways, _SAID):
        disguised_value = WAYS[way](value.plain)
        if _gives_away(detector, value, disguised_value):
            continue
        for sign in SIGNS:
            if not {(sign, way), (sign, value.kind)} & _SHOWN:
                both = (sign + disguised_value, disguised_value + sign)
                found += [f"{value.kind}, {way}: {each}" for each in both if _gives_away(detector, value, each)]
    return found


def _gives_away(detector: Detector, value: Value, written: str) -> str:
    text = value.said.format(written)
    found = _found(detector, text)
    left = "".join("\u25a0" if place in found else char for place, char in enumerate(text))
    return gives_away([left.encode()], value.shards)


@pytest.fixture(scope="module")
def every_entity() -> Detector:
    return Detector(cache_bytes=0)


@pytest.mark.parametrize("part", range(4))
def test_a_sign_beside_a_disguised_value_is_no_way_round(every_entity: Detector, part: int) -> None:
    assert _dodges(every_entity, list(WAYS)[part * 2 :: 31]) == []


@pytest.mark.slow
def test_no_sign_beside_any_disguise_is_one(every_entity: Detector) -> None:
    assert _dodges(every_entity, list(WAYS)) == []


@pytest.mark.parametrize("text", ["他说ok", "日本語abc", "मैं SBI में 5 दिन", "naïve café2", "что x 1"])
def test_nothing_is_read_anew_where_no_value_touches(text: str) -> None:
    assert not disguised(text)
