"""Every entity of the catalogue, wanted alone by a policy, finds a typical value in a sentence."""

from __future__ import annotations

import json
from functools import cache

import anyio
import pytest

from proxy_guard.detect import Detector
from proxy_guard.detect.catalogue import DEFAULT_ENTITIES, DOCUMENTS, ENTITIES, OTHER_COUNTRIES, REFERENCES
from proxy_guard.guard import Guard
from proxy_guard.model import Message, Wanted
from proxy_guard.rules.compiled import Ruleset
from proxy_guard.rules.load import load_rules
from proxy_guard.scrubbers.local import LocalScrubber

GUARD = "version: 1\nroutes: [{policy: every-other}]\n"
API = "version: 1\nname: chat\nmatch: {paths: ['/chat']}\nrequest: [{path: $.text}]\n"

# What the value is stands in brackets.
EXAMPLES = {
    "EMAIL_REFERENCE": "write to [EMAIL_ADDRESS_abcdefghijklmnopqrstuvwxyz]",
    "PHONE_REFERENCE": "call [+999123456789012]",
    "ABA_ROUTING_NUMBER": "routing number [021000021]",
    "API_KEY": "the key is [AKIAIOSFODNN7EXAMPLE]",
    "AU_ABN": "our ABN is [51 824 753 556]",
    "AU_ACN": "ACN [004 085 616]",
    "AU_MEDICARE": "medicare card [2123 45670 1]",
    "AU_TFN": "TFN [876 543 210]",
    "CARD_VERIFICATION_CODE": "the CVV is [123]",
    "CARD_TRACK_DATA": "[;4111111111111111=29121010000000000000?]",
    "CREDIT_CARD": "card [4111 1111 1111 1111]",
    "CRYPTO": "send it to [1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2]",
    "DATE_TIME": "The meeting was on [5 October 2024].",
    "DOMAIN_NAME": "we host [intranet.example.com] there",
    "EMAIL_ADDRESS": "write to [ravi.kumar@example.com]",
    "ES_NIE": "NIE [X1234567L]",
    "ES_NIF": "DNI [12345678Z]",
    "FI_PERSONAL_IDENTITY_CODE": "hetu [131052-308T]",
    "IBAN_CODE": "IBAN [DE89 3704 0044 0532 0130 00]",
    "IDENTITY_DOCUMENT": "[P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10]",
    "IN_AADHAAR": "Aadhaar [2345 6789 0124]",
    "IN_BANK_ACCOUNT": "account [123456789012] at HDFC",
    "IN_GSTIN": "GSTIN [27AAPFU0939F1ZV]",
    "IN_IFSC": "IFSC [HDFC0001234]",
    "IN_PAN": "PAN [ABCPE1234F]",
    "IN_PASSPORT": "Indian passport [K2345671]",
    "IN_UPI_ID": "pay [ravi.k@okaxis]",
    "IN_VEHICLE_REGISTRATION": "vehicle [KA01AB1234]",
    "IN_VOTER": "voter id [KBA1234567]",
    "IP_ADDRESS": "from [203.0.113.77]",
    "IT_DRIVER_LICENSE": "patente di guida [AA1234567B]",
    "IT_FISCAL_CODE": "codice fiscale [RSSMRA85T10A562S]",
    "IT_IDENTITY_CARD": "documento [CA1234567]",
    "IT_PASSPORT": "passaporto [YA1234567]",
    "IT_VAT_CODE": "partita iva [01333550323]",
    "JWT": "Bearer [eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1]",
    "KR_BRN": "사업자등록번호 [124-81-00998]",
    "KR_DRIVER_LICENSE": "운전면허 [11-22-333333-44]",
    "KR_FRN": "외국인등록번호 [900101-5123456]",
    "KR_PASSPORT": "여권 [M123A4567]",
    "KR_RRN": "RRN [960121-1234567]",
    "LOCATION": "She lives in [London].",
    "MAC_ADDRESS": "the device [00:1A:2B:3C:4D:5E]",
    "MEDICAL_LICENSE": "DEA [BB1388568]",
    "NG_NIN": "NIN [12345678902]",
    "NG_VEHICLE_REGISTRATION": "plate number [ABC-123DE]",
    "NRP": "He is an [American] citizen.",
    "OTP": "Your OTP is [482913]",
    "PASSPORT_MRZ": "[P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10]",
    "PERSON": "My name is [Maria Gonzalez].",
    "PHONE_NUMBER": "call [9876543210]",
    "PL_PESEL": "PESEL [44051401359]",
    "PRIVATE_KEY": "[-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----]",
    "SG_NRIC_FIN": "NRIC [S1234567D]",
    "SG_UEN": "UEN [53125226D]",
    "TH_TNIN": "TNIN [1101700203450]",
    "UK_NHS": "NHS [943 476 5919]",
    "UK_NINO": "national insurance [AB 12 34 56 C]",
    "UK_PASSPORT": "British passport [AB1234567]",
    "UK_POSTCODE": "postcode [SW1A 1AA]",
    "UK_VEHICLE_REGISTRATION": "number plate [AB51 ABC]",
    "URL": "see [https://example.com/a]",
    "US_BANK_NUMBER": "bank account [123456789012]",
    "US_DRIVER_LICENSE": "driver license [H12234567]",
    "US_ITIN": "ITIN [912-70-1234]",
    "US_MBI": "medicare [1EG4-TE5-MK73]",
    "US_NPI": "NPI [1234-567-893]",
    "US_PASSPORT": "US passport [912803456]",
    "US_SSN": "SSN [856-45-6789]",
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    """A policy for each entity that names it alone, with the usual thresholds, and one for all others."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "policies").mkdir()
    (folder / "apis").mkdir()
    (folder / "guard.yaml").write_text(GUARD)
    (folder / "apis" / "chat.yaml").write_text(API)
    for entity in ENTITIES:
        name = entity.lower().replace("_", "-")
        text = f"version: 1\nname: {name}\nentities: {{{entity}: {{action: replace}}}}\n"
        (folder / "policies" / f"{name}.yaml").write_text(text)
    other = "version: 1\nname: every-other\nentities: {PL_PESEL: {action: mask}, NRP: {action: keep}}\n"
    (folder / "policies" / "every-other.yaml").write_text(other + "otherwise: {action: replace}\n")
    return load_rules(folder)


@pytest.fixture(scope="module")
def guard(rules: Ruleset) -> Guard:
    return Guard(rules)


def test_every_entity_has_an_example() -> None:
    assert EXAMPLES.keys() == ENTITIES


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_an_entity_that_is_named_alone_is_found(entity: str, rules: Ruleset) -> None:
    marked = EXAMPLES[entity]
    start, end = marked.index("["), marked.rindex("]") - 1
    text = marked[:start] + marked[start + 1 : end + 1] + marked[end + 2 :]
    assert found(rules.policies[entity.lower().replace("_", "-")].wanted, text) == [(entity, text[start:end])]


def found(wanted: Wanted, text: str) -> list[tuple[str, str]]:
    detector = _detector(wanted)
    return [(each.entity, text[each.start : each.end]) for each in detector.detect(text)]


@cache
def _detector(wanted: Wanted) -> Detector:
    scrubber = LocalScrubber()
    scrubber.prepare(wanted)
    return scrubber._detectors[wanted]


def test_the_numbers_of_other_countries_are_off_until_they_are_named() -> None:
    off = ENTITIES - DEFAULT_ENTITIES - REFERENCES - DOCUMENTS
    assert {entity[:2] for entity in off} == OTHER_COUNTRIES
    assert {"PERSON", "US_SSN", "UK_NHS", "IN_PAN", "IP_ADDRESS", "API_KEY"} <= DEFAULT_ENTITIES
    everything = Detector(min_score=0.4)
    assert [each.entity for each in everything.detect("NIE X1234567L, SSN 856-45-6789")] == ["US_SSN"]
    assert [each.entity for each in everything.detect("My name is Maria Gonzalez.")] == ["PERSON"]


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("My name is Maria Gonzalez.", "My name is <PERSON>."),  # needs a model
        ("SSN 856-45-6789", "SSN <US_SSN>"),
        ("PESEL 44051401359", "PESEL ***********"),  # named
        ("NIE X1234567L", None),  # of another country, not named
        ("He is an American citizen.", None),  # kept
    ],
)
def test_otherwise_speaks_for_what_is_on_by_default_and_what_is_named(
    text: str, becomes: str | None, guard: Guard
) -> None:
    body = json.dumps({"text": text}).encode()
    head = (("content-type", "application/json"),)
    verdict = anyio.run(guard.inspect, Message("request", "POST", "https://x.example/chat", head, body))
    assert verdict.action == ("rewrite" if becomes else "allow")
    assert json.loads(verdict.body) == {"text": becomes or text}
