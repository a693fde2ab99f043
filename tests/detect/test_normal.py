"""A value in disguise is found, and the finding covers its disguise; honest text with the same signs is left alone."""

import base64
import html
from collections.abc import Callable
from urllib.parse import quote

import pytest

from proxy_guard.detect import Detector, normal

VALUES = {
    "EMAIL_ADDRESS": "jane.doe@example.com",
    "CREDIT_CARD": "4111111111111111",
    "PHONE_NUMBER": "+919876543210",
    "IN_AADHAAR": "234123412346",
    "IBAN_CODE": "DE89370400440532013000",
}
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")


def _wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _between(text: str, what: str) -> str:
    return what.join(text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "fullwidth": _wide,
    "mathematical digits": lambda v: "".join(chr(0x1D7CE + int(c)) if c.isdigit() else c for c in v),
    "zero width space": lambda v: _between(v, "\u200b"),
    "soft hyphen": lambda v: _between(v, "\u00ad"),
    "word joiner in the middle": lambda v: v[:6] + "\u2060" + v[6:],
    "combining strokes": lambda v: "".join(c + "\u0336" if c.isdigit() else c for c in v),
    "an accent at the end": lambda v: v + "\u0301",
    "decimal references": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "hexadecimal references": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "references of references": lambda v: html.escape("".join(f"&#{ord(c)};" for c in v)),
    "percent": lambda v: "".join(f"%{ord(c):02X}" for c in v),
    "percent twice": lambda v: quote("".join(f"%{ord(c):02X}" for c in v)),
    "backslash u": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "backslash x": lambda v: "".join(f"\\x{ord(c):02x}" for c in v),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 of more": lambda v: base64.b64encode(f"this is it: {v}, keep it".encode()).decode(),
    "base64 without padding": lambda v: base64.b64encode(f"see {v}".encode()).decode().rstrip("="),
    "base64url": lambda v: base64.urlsafe_b64encode(f"~~~ {v} ???".encode()).decode(),
    "base64 twice": lambda v: base64.b64encode(base64.b64encode(f"this is it: {v}".encode())).decode(),
    "base64 in lines": lambda v: (
        base64.encodebytes((f"{'lorem ipsum ' * 8}{v} {'dolor ' * 20}").encode()).decode().strip()
    ),
    "marks of direction between": lambda v: _between(v, "\u202e"),
    "hexadecimal": lambda v: v.encode().hex(),
    "spaced hexadecimal": lambda v: v.encode().hex(" "),
    "a space after each": " ".join,
}
BY_ENTITY: dict[str, Callable[[str], str]] = {
    "arabic-indic digits": lambda v: v.translate(_ARABIC),
    "devanagari digits": lambda v: v.translate(_DEVANAGARI),
    "keycaps": lambda v: "".join(c + "\ufe0f\u20e3" if c.isdigit() else c for c in v),
}


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(sorted(VALUES), min_score=0.3)


@pytest.mark.parametrize("entity", VALUES)
@pytest.mark.parametrize("name", [*DISGUISES, *BY_ENTITY])
def test_a_value_in_disguise_is_found_whole(detector: Detector, entity: str, name: str) -> None:
    disguised = (DISGUISES | BY_ENTITY)[name](VALUES[entity])
    text = f"Here, my phone, card, aadhaar: {disguised} Thanks!"
    found = [each for each in detector.detect(text) if each.entity == entity]
    start = text.index(disguised)
    assert found, "not found"
    if "of more" in name or "padding" in name or "lines" in name or "url" in name or "twice" in name:
        assert all(start <= each.start < each.end <= start + len(disguised) for each in found)
    else:
        assert (found[0].start, found[0].end) == (start, start + len(disguised))


@pytest.mark.parametrize(
    "address",
    [
        "jane.doe [at] example [dot] com",
        "jane.doe(at)example.com",
        "jane dot doe at example dot com",
        "jane.doe AT example DOT com",
        "jane.doe @ example . com",
        "jane.doe @ example.com",
        "jane.doe at example.com",
        "jane.doe{at}example{dot}com",
        "jane.doe＠example．com",
        "jane.doe@example。com",
        "jаne.doe@example.com",  # a Cyrillic letter
        "jane.doe arroba example punto com",
    ],
)
def test_spelled_addresses_are_found(detector: Detector, address: str) -> None:
    text = f"My e-mail is {address} if you need it"
    found = [each for each in detector.detect(text) if each.entity == "EMAIL_ADDRESS"]
    assert [text[each.start : each.end] for each in found] == [address]


@pytest.mark.parametrize(
    "iban", ["DЕ89370400440532013000", "DE89\u2009370400440532013000", "DE89\u2011370400440532013000"]
)
def test_lookalikes_and_exotic_separators(detector: Detector, iban: str) -> None:
    found = [each for each in detector.detect(f"IBAN {iban}.") if each.entity == "IBAN_CODE"]
    assert [(each.start, each.end) for each in found] == [(5, 5 + len(iban))]


@pytest.mark.parametrize(
    "text",
    [
        "we had lunch at amazon dot com's campus",
        "look at example.com for it, or find us at shop dot com",
        "5 &lt; 7 &amp;&amp; a &#64; b, encodeURIComponent('%40')",
        "R2VuZXJhbCBjaGF0IHdpdGhvdXQgYW55dGhpbmcgcHJpdmF0ZQ==",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "the family 👨‍👩‍👧‍👦 went home — it’s fine… 1990–2000",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        "a b c d e f g h i j k l",
        "0x41 0x42 0x43 0x44 0x45 0x46 0x47 0x48",
        "Привет, как дела? Всё хорошо",
        "会議は午後３時からです。",
        "meet me @ home. see you",
    ],
)
def test_honest_text_is_left_alone(detector: Detector, text: str) -> None:
    assert detector.detect(text) == []


@pytest.mark.parametrize("entity", VALUES)
@pytest.mark.parametrize("mark", ["\u202e", "&#8238;"])
def test_what_follows_a_mark_of_direction_is_read_both_ways(detector: Detector, mark: str, entity: str) -> None:
    value = VALUES[entity]
    for shown in (value[::-1], value, base64.b64encode(value.encode()).decode()):
        text = f"{mark}see {shown}\u202c now"
        assert shown in [text[each.start : each.end] for each in detector.detect(text) if each.entity == entity]


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Call Ym9iQG1haWwuZXhh bXBsZS5jby51aw== please", "EMAIL_ADDRESS"),
        ("mail KzQ0IDIwIDc5 NDYgMDk1OA== now", "PHONE_NUMBER"),
        ("TcO8bGxl cjogbcO8 bGxlci5q YW7DqUBl eGFtcGxl LmNvbSBv aw==", "EMAIL_ADDRESS"),
        ("agBhAG4A ZQBAAGUA eABhAG0A cABsAGUA LgBjAG8A bQA=", "EMAIL_ADDRESS"),
        ("\u202e91 8629 1331 6106 KBWN 92BG\u202c", "IBAN_CODE"),
        ("call 6467505505\u0301", "PHONE_NUMBER"),
    ],
)
def test_what_is_in_two_pieces_or_more_is_found(detector: Detector, text: str, entity: str) -> None:
    assert entity in [each.entity for each in detector.detect(text)]


def test_plain_text_has_no_forms() -> None:
    assert normal.forms("My phone number is 9876543210.", set()) == ([], [])
    assert normal.forms("Ça va — très bien, l’été 😀", set()) == ([], [])


def test_a_text_of_ligatures_does_not_grow() -> None:
    text = "ﷺ" * 1000
    read, others = normal.forms(text, set(range(len(normal.SIGNALS))))
    assert all(len(form.text) <= 4 * len(text) for form in [*read, *others])


def test_the_presidio_profile_reads_texts_as_they_are() -> None:
    assert Detector(["EMAIL_ADDRESS"], profile="presidio").detect("jane&#64;example.com") == []
