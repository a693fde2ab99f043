"""The local engine: what it finds, that its prefilter loses nothing, its cache, and that it stays offline."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import string
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import hyperscan
import presidio_analyzer.predefined_recognizers as presidio
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from presidio_analyzer import PatternRecognizer

from proxy_guard import resources
from proxy_guard.cli.detect import detect as command
from proxy_guard.detect import Detector, Finding
from proxy_guard.detect.catalogue import NER_LABELS, PATTERN_RECOGNIZERS, PHONE
from proxy_guard.detect.normal import SIGNALS, forms
from proxy_guard.detect.phone_own import PHONE_REGIONS
from proxy_guard.detect.prefilter import Prefilter
from proxy_guard.detect.recognizers import OFFLINE, recognizers_for
from proxy_guard.detect.suffixes import suffixes
from proxy_guard.errors import ProxyGuardError
from proxy_guard.rules.load import load_rules

MRZ = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1"


@cache
def detector(*entities: str) -> Detector:
    return Detector(list(entities), cache_bytes=0)


@cache
def masking() -> Detector:
    """The detector of the policy `mask`."""
    wanted = load_rules(resources.rules_dir()).policies["mask"].wanted
    return Detector(sorted(wanted.entities or ()), wanted.language, min_score=wanted.min_score)


def found(text: str, within: Detector | None = None) -> list[tuple[str, str]]:
    return [(each.entity, text[each.start : each.end]) for each in (within or masking()).detect(text)]


# --- what the policy `mask` finds ----------------------------------------------------------------------

SENTENCES: list[tuple[str, str, str]] = [
    ("PHONE_NUMBER", "My phone number is {}", "9876543210"),
    ("PHONE_NUMBER", "Call {} now", "+91 98765 43210"),
    ("PHONE_NUMBER", "Call {} now", "+14155552671"),
    ("PHONE_NUMBER", "ring {}, please", "212-555-0134"),
    ("PHONE_NUMBER", "{}", "+44 20 7946 0018"),
    ("CREDIT_CARD", "Card {} please", "4111 1111 1111 1111"),
    ("CREDIT_CARD", "card:{}.", "4111-1111-1111-1111"),
    ("CREDIT_CARD", "amex {}", "378282246310005"),
    ("EMAIL_ADDRESS", "Write to {}.", "ravi.kumar@example.com"),
    ("EMAIL_ADDRESS", "<{}>", "a.b+c@mail.example.co.uk"),
    ("IN_AADHAAR", "Aadhaar {}", "2345 6789 0124"),
    ("IN_PAN", "PAN {}", "ABCPE1234F"),
    ("US_SSN", "my social security number is {}", "856-45-6789"),
    ("US_ITIN", "my itin is {}", "911-70-1234"),
    ("IBAN_CODE", "IBAN {}", "DE89 3704 0044 0532 0130 00"),
    ("IBAN_CODE", "to {} today", "GB29NWBK60161331926819"),
    ("CRYPTO", "send to wallet {}", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    ("IP_ADDRESS", "From {}", "203.0.113.77"),
    ("IP_ADDRESS", "From {} on", "2001:db8::ff00:42:8329"),
    ("UK_NHS", "NHS {}", "943 476 5919"),
    ("OTP", "Your OTP is {}", "482913"),
    ("IN_BANK_ACCOUNT", "a/c {} IFSC HDFC0001234", "123456789012"),
    ("IN_UPI_ID", "pay {} now", "ravi.k@okaxis"),
    ("US_BANK_NUMBER", "my bank account number is {}", "945456787654"),
    ("US_PASSPORT", "my us passport is {}", "912803456"),
    ("US_DRIVER_LICENSE", "my driver license is {}", "H12234567"),
    ("PASSPORT_MRZ", "scan:\n{}", MRZ),
    ("API_KEY", "key {}", "sk-proj-abcdefghijklmnopqrstuvwxyz123456"),
    ("JWT", "Bearer {}", JWT),
    ("PRIVATE_KEY", "see {} end", PEM),
]


@pytest.mark.parametrize(("entity", "sentence", "value"), SENTENCES)
def test_the_policy_mask_finds(entity: str, sentence: str, value: str) -> None:
    assert (entity, value) in found(sentence.format(value))


def test_every_entity_of_the_policy_mask_has_a_sentence_here() -> None:
    wanted = load_rules(resources.rules_dir()).policies["mask"].wanted.entities
    assert wanted is not None
    assert wanted <= {entity for entity, _, _ in SENTENCES}


ORDINARY = [
    "",
    " ",
    "\n\n",
    "How do I cook rice?",
    "The meeting is on 3 March at 10:30 in room 214.",
    "Order 4111 1111 1111 1112",
    "version 1.2.3 of 2024-10-05",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    # The last group of this UUID is twelve digits with the check digit of an Aadhaar number.
    "id 123e4567-e89b-12d3-a456-426614174000",
    "We paid $1,234.50 for 12 chairs in 2023.",
    "calls..me and dinner.ms",
    "x@y is no address",
    "int a[4] = {1, 2, 3, 4};",
    "🙂 שלום é",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_the_policy_mask_leaves_ordinary_talk_alone(text: str) -> None:
    assert found(text) == []


AROUND = [
    "👩‍👩‍👧 {} 📱",
    "e\u0301 {} n\u0303",
    "שלום {} עולם",
    "日本語 {} です",
    "🇮🇳\u200d {}",
    "𝔘 {} 𝔘",
    "\u202e {} \u202c",
    "\0 {} \0",
    "\ufeff{} x",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("value", ["ravi.kumar@example.com", "4111 1111 1111 1111", "+14155552671"])
def test_offsets_are_code_points_whatever_stands_around(around: str, value: str) -> None:
    text = around.format(value)
    assert value in [part for _, part in found(text)]


def test_findings_go_from_left_to_right_and_texts_keep_their_order() -> None:
    texts = ["a@b.example.com then 4111 1111 1111 1111", "none", "+14155552671 and c@d.example.com"]
    many = masking().detect_many(texts)
    assert many == [masking().detect(text) for text in texts]
    assert [[each.entity for each in one] for one in many] == [
        ["EMAIL_ADDRESS", "CREDIT_CARD"],
        [],
        ["PHONE_NUMBER", "EMAIL_ADDRESS"],
    ]
    assert [each.start for each in many[0]] == sorted(each.start for each in many[0])


def test_a_text_seen_before_gives_the_same_findings() -> None:
    text = "mail ravi.kumar@example.com"
    first = masking().detect(text)
    first_again = masking().detect(text)
    assert first == first_again == [Finding("EMAIL_ADDRESS", 5, len(text), 1.0)]
    first.clear()  # what one caller does to its list is nothing to the next
    assert masking().detect(text) == first_again


def test_findings_below_the_least_score_are_left_out() -> None:
    low = Detector(["US_BANK_NUMBER"], min_score=0, cache_bytes=0)
    high = Detector(["US_BANK_NUMBER"], min_score=0.4, cache_bytes=0)
    assert [part for _, part in found("order 945456787654", low)] == ["945456787654"]
    assert found("order 945456787654", high) == []


def test_halves_of_surrogate_pairs_are_no_obstacle() -> None:
    assert found("\ud83d ravi.kumar@example.com \ude00") == [("EMAIL_ADDRESS", "ravi.kumar@example.com")]


@pytest.mark.parametrize("entities", [["NOPE"], ["EMAIL_ADDRESS", "PHONE"], ["email_address"]])
def test_an_unknown_entity_is_refused(entities: list[str]) -> None:
    with pytest.raises(ProxyGuardError, match="unknown entity"):
        Detector(entities)


def test_pattern_entities_are_quick_and_need_no_model() -> None:
    assert masking().quick is True


# --- the prefilter loses nothing -----------------------------------------------------------------------

VALUES = [value for _, _, value in SENTENCES] + [
    "K1234567", "A12345678", "E12345678", "123-45-6789", "00:1A:2B:3C:4D:5E", "AB123456C", "https://x.example.com/a?b",
    "51 824 753 556", "2950 9638 1", "12345678901", "S1234567D", "MH12AB1234", "22AAAAA0000A1Z5", "SW1A 1AA", "AB12 CDE",
    "X1234567L", "131052-308T", "RSSMRA85T10A562S", "1EG4-TE5-MK73", "BB1388568", "021000021", "900101-1234567",
]  # fmt: skip
WORDS = "card account pan passport driver license nhs ssn iban phone call number abn mac tax vehicle voter the of 2024".split()
GLUE = [" ", "", ", ", ":", "\n", "\r\n", "\t", "-", ".", "\x0b", "\x0c", "\x1c", "\x1f", "\0", "_", "/", '"', "(", ")"]
noise = st.text(st.sampled_from(string.ascii_letters + string.digits * 4 + " -./:@+<_$#\n\x1c"), max_size=24)
pieces = (
    st.sampled_from(VALUES)
    | st.sampled_from(WORDS)
    | noise
    | st.from_regex(r"[A-Za-z]{0,5}[0-9]{3,12}[A-Za-z]?", fullmatch=True)
)
texts = st.lists(st.tuples(pieces, st.sampled_from(GLUE)), max_size=8).map(
    lambda parts: "".join(a + b for a, b in parts)
)
ascii_texts = texts.filter(str.isascii)


@cache
def recognizers() -> dict[str, Any]:
    """Every pattern recognizer there is, of this package and of Presidio, by its entity and class."""
    made = [*recognizers_for([*PATTERN_RECOGNIZERS, "OTP", "API_KEY", "JWT", "PASSPORT_MRZ", "IN_UPI_ID"])]
    made += [(OFFLINE.get(name) or getattr(presidio, name))() for name in PATTERN_RECOGNIZERS.values()]
    return {
        f"{each.supported_entities[0]} {type(each).__name__}": each
        for each in made
        if isinstance(each, PatternRecognizer)
    }


@cache
def filtered() -> tuple[Prefilter, list[tuple[str, Any]]]:
    patterns = [
        (f"{name}: {pattern.regex}", regex.compile(pattern.regex, flags=each.global_regex_flags))
        for name, each in recognizers().items()
        for pattern in each.patterns
    ]
    return Prefilter([compiled.pattern for _, compiled in patterns]), patterns


@given(ascii_texts)
def test_every_pattern_that_matches_an_ascii_text_is_told_as_possible(text: str) -> None:
    filter_, patterns = filtered()
    possible = filter_.possible(text)
    assert [
        name for number, (name, pattern) in enumerate(patterns) if pattern.search(text) and number not in possible
    ] == []


@pytest.mark.parametrize("value", VALUES)
def test_every_pattern_that_matches_a_known_value_is_told_as_possible(value: str) -> None:
    filter_, patterns = filtered()
    for text in (value, value.lower(), value.upper(), f"x {value} y", f"\x1c{value}\n", f"{value}\0", f"a{value}b"):
        if text.isascii():
            missed = [
                name
                for n, (name, pattern) in enumerate(patterns)
                if pattern.search(text) and n not in filter_.possible(text)
            ]
            assert missed == []


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"\b\w{4}@", "j\u00f3se@"),
        (r"[^\W\d_]+\.", "\u00e9\u00e9."),
        (r"\d{3}", "९८७"),
        (r"a\sb", "a\u00a0b"),
        ("k[s]i", "\u212a\u017f\u0130"),
        ("[^@]{2}", "é\ud800"),
        ("\u20ac\\d", "\u20ac5"),
        (r"[^a-z]x", "\u00e9x"),
        (r"[^?]x", "\u2022x"),
        (r"\p{L}x", "\u00e9x"),
    ],
)
def test_a_text_beyond_ascii_is_read_as_its_shadow(expression: str, text: str) -> None:
    assert regex.search(expression, text, regex.IGNORECASE)
    assert Prefilter([expression]).possible(text) == {0}
    assert Prefilter(["never"]).possible(text) == set()


ENTITIES = sorted({*PATTERN_RECOGNIZERS, PHONE})


@cache
def direct(entity: str) -> Any:
    (recognizer,) = recognizers_for([entity])
    return recognizer


def spans(findings: Any) -> set[tuple[int, int]]:
    return {(each.start, each.end) for each in findings}


@given(texts)
def test_the_detector_finds_what_each_recognizer_finds_when_run_by_itself(text: str) -> None:
    mine = _every().detect(text)
    seen_through = any(forms(text, set(range(len(SIGNALS)))))  # then there is more than recognizers see by themselves
    for entity in ENTITIES:
        theirs = spans(each for each in direct(entity).analyze(text, [entity]) if each.score > 0)
        got = spans(each for each in mine if each.entity == entity)
        assert seen_through or got <= theirs, entity
        # Of two of one entity, one inside the other, the better one may stand for both.
        lost = {span for span in theirs if not any(start <= span[0] and span[1] <= end for start, end in got)}
        assert lost == set(), entity


@cache
def _every() -> Detector:
    return Detector(ENTITIES, cache_bytes=0)


SHORT = [
    "+43 1110",
    "+49 1640",
    "+290 8256",
    "+690 3101",
    "+683 4002",
    "+14155552671",
    "020 7946 0018",
    "+91 98765 43210",
]


@pytest.mark.parametrize("number", SHORT)
@pytest.mark.parametrize("sentence", ["call {} now", "{}", "a {}, b", "Tel.:{};ext=5"])
def test_numbers_that_presidios_recognizer_finds_are_found(number: str, sentence: str) -> None:
    text = sentence.format(number)
    theirs = presidio.PhoneRecognizer(supported_regions=PHONE_REGIONS).analyze(text, [PHONE])
    assert spans(detector(PHONE).detect(text)) >= spans(theirs)


def test_texts_looked_at_together_are_found_as_each_alone() -> None:
    parts = [
        "",
        "4111 1111",
        "1111 1111",
        "ravi@",
        "example.com",
        "x",
        "+1415",
        "5552671",
        "the card",
        "a@b.example.com",
    ]
    assert masking().detect_many(parts) == [masking().detect(part) for part in parts]
    assert [bool(each) for each in masking().detect_many(parts)] == [part == parts[-1] for part in parts]


@given(st.lists(texts, max_size=4))
def test_many_texts_are_found_as_each_alone(several: list[str]) -> None:
    assert _every().detect_many(several) == [_every().detect(text) for text in several]


def test_threads_do_not_disturb_each_other() -> None:
    many = [f"{i} mail user{i}@example.com or call +1415555{2000 + i}" for i in range(200)]
    fresh = Detector(["EMAIL_ADDRESS", PHONE], cache_bytes=0)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fresh.detect, many)) == [detector("EMAIL_ADDRESS", PHONE).detect(text) for text in many]


# --- the prefilter's cache -----------------------------------------------------------------------------

EXPRESSIONS = [r"\b[0-9]{4}\b", r"canary\w+", r"(?=.*z)x+"]


def works(filter_: Prefilter) -> bool:
    return (filter_.possible("in 2024"), filter_.possible("a canary4111"), filter_.possible("no")) == ({0}, {1}, set())


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder, which is made when it is needed, and the only file in it."""
    folder = tmp_path / "not yet" / "there"
    monkeypatch.setenv("PROXY_GUARD_CACHE", str(folder))
    assert works(Prefilter(EXPRESSIONS))
    (file,) = folder.iterdir()
    return file


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many expressions were compiled, for each time."""
    times: list[int] = []

    class Counting(hyperscan.Database):
        def compile(self, *args: Any, **settings: Any) -> Any:
            times.append(len(settings["expressions"]))
            return super().compile(*args, **settings)

    monkeypatch.setattr(hyperscan, "Database", Counting)
    return times


def test_a_kept_database_is_used(kept: Path, compiled: list[int]) -> None:
    before = kept.read_bytes()
    assert works(Prefilter(EXPRESSIONS))
    assert compiled == []
    assert (list(kept.parent.iterdir()), kept.read_bytes()) == ([kept], before)


def test_other_expressions_have_a_file_of_their_own(kept: Path, compiled: list[int]) -> None:
    Prefilter([*EXPRESSIONS, "more"])
    assert len(compiled) == 1
    assert len(list(kept.parent.iterdir())) == 2


def _sealed(packed: bytes) -> bytes:
    return hashlib.sha256(packed).digest() + packed


CORRUPT = {
    "empty": lambda data: b"",
    "garbage": lambda data: b"garbage" * 100,
    "cut short": lambda data: data[: len(data) // 2],
    "one bit flipped": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "something behind it": lambda data: data + b"\0",
    "the digest alone": lambda data: data[:32],
    "garbage with a digest that is right": lambda data: _sealed(b"garbage" * 100),
    "nothing with a digest that is right": lambda data: _sealed(b""),
    "a database cut short with a digest that is right": lambda data: _sealed(data[32:-100]),
}  # fmt: skip


@pytest.mark.parametrize("corrupt", CORRUPT.values(), ids=CORRUPT)
def test_a_corrupted_file_is_not_used_and_made_anew(kept: Path, compiled: list[int], corrupt: Any) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(corrupt(whole))
    assert works(Prefilter(EXPRESSIONS))
    assert len(compiled) == 1
    assert (list(kept.parent.iterdir()), kept.read_bytes()) == ([kept], whole)


@pytest.mark.parametrize("what", ["a file", "a file above it", "nowhere"])
def test_a_folder_that_can_not_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[int], what: str
) -> None:
    (tmp_path / "file").write_text("mine")
    place = {
        "a file": tmp_path / "file",
        "a file above it": tmp_path / "file" / "x",
        "nowhere": Path("/proc/nowhere/x"),
    }
    monkeypatch.setenv("PROXY_GUARD_CACHE", str(place[what]))
    for _ in range(2):
        assert works(Prefilter(EXPRESSIONS))
    assert len(compiled) == 2
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_can_not_be_put_in_place_leaves_nothing_behind(kept: Path, compiled: list[int]) -> None:
    kept.unlink()
    kept.mkdir()
    assert works(Prefilter(EXPRESSIONS))
    assert list(kept.parent.iterdir()) == [kept]


def test_no_expressions_need_no_database(compiled: list[int]) -> None:
    assert Prefilter([]).possible("anything 4111") == frozenset()
    assert compiled == []


# --- offline -------------------------------------------------------------------------------------------


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: Any, **settings: Any) -> Any:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setenv("TLDEXTRACT_CACHE", str(tmp_path / "tld"))
    suffixes.cache_clear()
    fresh = Detector(["EMAIL_ADDRESS", "URL", "DOMAIN_NAME"], cache_bytes=0)
    text = "mail jane.roe@example.co.uk or see https://www.example.com"
    assert ("EMAIL_ADDRESS", "jane.roe@example.co.uk") in found(text, fresh)
    assert [entity for entity, _ in found("mail jane@nowhere.invalidtld", fresh) if entity == "EMAIL_ADDRESS"] == []
    assert not (tmp_path / "tld").exists()


# --- the command ---------------------------------------------------------------------------------------


def printed(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **settings: Any
) -> list[Any]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    asked = {
        "profile": "proxy-guard",
        "entities": "EMAIL_ADDRESS",
        "language": "en",
        "min_score": None,
        "model": None,
        "jsonl": False,
    }
    command(**{**asked, **settings})
    return [json.JSONDecoder().decode(line) for line in capsys.readouterr().out.splitlines()]


def test_the_command_tells_findings_in_code_points(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "👩‍👩‍👧 a@b.example.com"
    (findings,) = printed(text, monkeypatch, capsys)
    assert findings == [{"entity": "EMAIL_ADDRESS", "start": 6, "end": 21, "score": 1.0}]


# JSON ends no line at U+2028, where Python does.
@pytest.mark.parametrize("inside", ["x", "\n", "\r\n", "é👩", "\u0085", "\u2028"])
@pytest.mark.parametrize("escaped", [True, False])
def test_with_jsonl_each_line_is_a_text_and_has_its_line_of_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], inside: str, escaped: bool
) -> None:
    given_ = [f"{inside} a@b.example.com", "none", f"{inside * 3}", "c@d.example.com"]
    lines = "".join(json.dumps(text, ensure_ascii=escaped) + "\n" for text in given_)
    told = printed(lines, monkeypatch, capsys, jsonl=True)
    assert [[(each["start"], each["end"]) for each in one] for one in told] == [
        [(len(inside) + 1, len(inside) + 16)], [], [], [(0, 15)],
    ]  # fmt: skip


def test_names_need_a_model_and_are_no_pattern_entities() -> None:
    assert not set(NER_LABELS) & {*PATTERN_RECOGNIZERS, PHONE}
