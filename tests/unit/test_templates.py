"""Templates in JSON: the same policy as one in YAML, or a fault with its place."""

from __future__ import annotations

import json
import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import anyio
import pytest

from proxy_guard import Guard, Message, plugins
from proxy_guard.detect import Detector
from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.operators import Operator
from proxy_guard.proofs import run_proofs, unproven
from proxy_guard.rules.load import load_rules
from tests.small_rules import small_rules

KEY = "0123456789abcdef0123456789abcdef"
URL = "https://api.openai.com/v1/chat/completions"
GUARD = "version: 1\nroutes: [{policy: mask}]\n"


def fields(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def template(looked_for: Any, *done: tuple[list[str], dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A template that looks for entities (True: all) and does what is said to them."""
    analyze = {"allFields": True} if looked_for is True else {"fields": fields(*looked_for)}
    transformations = [{"fields": fields(*names), "transformation": what} for names, what in done]
    return {"AnalyzeTemplate": analyze, "AnonymizeTemplate": {"fieldTypeTransformations": transformations, **more}}


def replaced(text: str) -> dict[str, Any]:
    return {"replaceValue": {"newValue": text}}


EIGHT = {"maskValue": {"maskingCharacter": "*", "charsToMask": 8, "fromEnd": False}}
SEVEN = ["PERSON", "PHONE_NUMBER", "EMAIL_ADDRESS", "CREDIT_CARD", "DATE_TIME", "US_SSN", "US_DRIVER_LICENSE"]
FOUR = ["PERSON", "PHONE_NUMBER", "EMAIL_ADDRESS", "CREDIT_CARD"]
TENANT = template(True, (["PHONE_NUMBER"], EIGHT), (["DOMAIN-NAME"], {"redactValue": {}}))
SEVERAL = [
    {"name": "Four by their names", "template": template(FOUR, *(([n], replaced(f"<{n}>")) for n in FOUR))},
    {"name": "Tenant level: phones, domain names", "template": {"text": "$TEXT", **TENANT}},
    {"name": "Title", "template": template(["US_SSN"], (["US_SSN"], EIGHT))},
    {
        "name": "Description",
        "template": template(
            ["US_SSN", "CREDIT_CARD"], (["US_SSN"], EIGHT), (["CREDIT_CARD"], replaced("<CREDIT_CARD>"))
        ),
    },
    {"name": "One mask, seven entities", "template": template(SEVEN, (SEVEN, EIGHT))},
]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = small_rules(tmp_path / "rules")
    (folder / "guard.yaml").write_text(GUARD)
    return folder


def put(rules: Path, content: Any, name: str = "t") -> None:
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    (rules / "policies" / f"{name}.json").write_text(text, encoding="utf-8")


def scrubbed(guard: Guard, text: str) -> str:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    message = Message("request", "POST", URL, (("content-type", "application/json"),), body)
    verdict = anyio.run(guard.inspect, message)
    assert verdict.action in ("allow", "rewrite"), verdict.reason
    content = json.loads(verdict.body)["messages"][0]["content"]
    assert isinstance(content, str)
    return content


def faults(rules: Path) -> list[RuleFault]:
    with pytest.raises(RulesError) as caught:
        load_rules(rules)
    return caught.value.faults


# --- what templates do -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_rules(tmp_path_factory.mktemp("several") / "rules")
    (folder / "policies" / "mask.yaml").unlink()
    put(folder, SEVERAL, "service-desk")
    (folder / "guard.yaml").write_text("version: 1\nroutes: [{policy: title}]\n")
    return folder


@pytest.mark.parametrize(
    ("policy", "text", "becomes"),
    [
        ("title", "856-45-6789", "********789"),
        ("title", "SSN 856-45-6789, card 4111 1111 1111 1111", "SSN ********789, card 4111 1111 1111 1111"),
        ("title", "nothing to see in order 48213", "nothing to see in order 48213"),
        ("description", "856-45-6789 paid with 4111 1111 1111 1111", "********789 paid with <CREDIT_CARD>"),
        ("description", "write to a.b@example.com", "write to a.b@example.com"),
        (
            "four-by-their-names",
            "Maria Schneider, +1 415-555-2671, a.b@example.com, 4111111111111111",
            "<PERSON>, <PHONE_NUMBER>, <EMAIL_ADDRESS>, <CREDIT_CARD>",
        ),
        ("tenant-level-phones-domain-names", "Call +1 415-555-2671", "Call ********55-2671"),
        ("tenant-level-phones-domain-names", "see www.example.com/a or shop.co.uk", "see /a or "),
        # Left as they are, and no shield: the number and the host in what has no transformation are still found.
        ("tenant-level-phones-domain-names", "856-45-6789 of a.b@example.com", "856-45-6789 of a.b@example.com"),
        ("tenant-level-phones-domain-names", "https://example.com/?tel=4155552671", "https:///?tel=********71"),
        ("one-mask-seven-entities", "SSN 856-45-6789", "SSN ********789"),
        ("one-mask-seven-entities", "a.b@example.com", "********ple.com"),
        ("one-mask-seven-entities", "card 4111111111111111", "card ********11111111"),
        ("one-mask-seven-entities", "I met Maria Schneider there.", "I met ********hneider there."),
    ],
)
def test_templates_do_what_they_say(several: Path, policy: str, text: str, becomes: str) -> None:
    assert scrubbed(Guard.from_rules(several, policy=policy), text) == becomes


@pytest.mark.parametrize(
    ("transformation", "becomes"),
    [
        ({"maskValue": {}}, "***********"),
        ({"maskValue": {"maskingCharacter": "X"}}, "XXXXXXXXXXX"),
        ({"maskValue": {"charsToMask": 6, "fromEnd": True}}, "856-4******"),
        ({"maskValue": {"charsToMask": "6"}}, "******-6789"),
        ({"maskValue": {"charsToMask": 99}}, "***********"),
        ({"redactValue": {}}, ""),
        ({"replaceValue": {}}, "<US_SSN>"),
        (replaced("[ssn] \\ é 🎉"), "[ssn] \\ é 🎉"),
        ({"hashValue": {}}, "ff9cfa5c4ed6f9bf1a0d5fe1cb8e8bb8e4b0b4d8a5a6e8b5"),
    ],
    ids=str,
)
def test_each_transformation(
    rules: Path, monkeypatch: pytest.MonkeyPatch, transformation: dict[str, Any], becomes: str
) -> None:
    monkeypatch.setenv("PROXY_GUARD_HASH_KEY", KEY)
    if "hashValue" in transformation:
        operator = plugins.load("operators", "hash").model_validate({"key": "${env:PROXY_GUARD_HASH_KEY}"})
        becomes = operator.operate("856-45-6789", "US_SSN")
        assert len(becomes) == 64
    put(rules, template(["US_SSN"], (["US_SSN"], transformation)))
    assert scrubbed(Guard.from_rules(rules, policy="t"), "SSN: 856-45-6789.") == f"SSN: {becomes}."


class Reversed(Operator):
    """Stands for an installed `fpe` operator."""

    key: str

    def operate(self, value: str, entity: str) -> str:
        return value[::-1]


def with_operators(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    known = {name: point for name, point in plugins.available("operators").items() if name != "fpe"}
    known |= {name: EntryPoint(name, value, "proxy_guard.operators") for name, value in points.items()}
    plain = plugins.available

    def available(group: plugins.Group) -> dict[str, EntryPoint]:
        return known if group == "operators" else plain(group)

    monkeypatch.setattr(plugins, "available", available)
    monkeypatch.setattr(plugins, "load", lambda group, name: available(group)[name].load())


def test_encryption_takes_the_operator_that_is_installed(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(rules, template(["US_SSN"], (["US_SSN"], {"fPEValue": {}})))
    with_operators(monkeypatch, fpe=f"{__name__}:Reversed")
    assert scrubbed(Guard.from_rules(rules, policy="t"), "856-45-6789") == "9876-54-658"
    with_operators(monkeypatch)
    (fault,) = faults(rules)
    assert "no operator 'fpe'" in fault.message
    assert fault.field.endswith("transformation.fPEValue")


def test_the_default_is_for_what_is_looked_for(rules: Path) -> None:
    put(rules, template(["US_SSN", "EMAIL_ADDRESS"], (["US_SSN"], EIGHT), defaultTransformation=replaced("#")))
    text = "856-45-6789 a.b@example.com 4111111111111111"
    assert scrubbed(Guard.from_rules(rules, policy="t"), text) == "********789 # 4111111111111111"


def test_the_default_is_for_all_where_all_is_looked_for(rules: Path) -> None:
    put(rules, template(True, (["US_SSN"], EIGHT), defaultTransformation=replaced("#")))
    policy = load_rules(rules).policies["t"]
    assert policy.wanted.entities is None
    done = {name: policy.rule_for(name) for name in ("US_SSN", "PERSON")}
    assert [rule and rule.operator.operate("856-45-6789", name) for name, rule in done.items()] == ["********789", "#"]


def test_all_fields_asks_for_no_model_where_no_name_is_touched(rules: Path) -> None:
    put(rules, TENANT)
    assert load_rules(rules).policies["t"].wanted.entities == frozenset({"PHONE_NUMBER", "DOMAIN_NAME"})


def test_thresholds(rules: Path) -> None:
    made = template(["US_SSN"], (["US_SSN", "EMAIL_ADDRESS"], EIGHT))
    made["AnalyzeTemplate"] |= {
        "resultsScoreThreshold": 0.6,
        "fields": [{"name": "US_SSN", "minScore": "0.2"}, {"name": "EMAIL_ADDRESS"}],
    }
    put(rules, made)
    policy = load_rules(rules).policies["t"]
    assert {name: rule.min_score for name, rule in policy.rules.items()} == {"US_SSN": 0.2, "EMAIL_ADDRESS": 0.6}
    assert policy.wanted.min_score == 0.2


def test_encryption_keeps_the_form(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_GUARD_FPE_KEY", KEY)
    put(rules, template(["US_SSN"], (["US_SSN"], {"fPEValue": {}})))
    made = scrubbed(Guard.from_rules(rules, policy="t"), "856-45-6789")
    assert re.fullmatch(r"\d{3}-\d\d-\d{4}", made)
    operator = plugins.load("operators", "fpe").model_validate({"key": "${env:PROXY_GUARD_FPE_KEY}"})
    assert operator.decrypt(made, "US_SSN") == "856-45-6789" != made
    monkeypatch.delenv("PROXY_GUARD_FPE_KEY")
    (fault,) = faults(rules)
    assert "PROXY_GUARD_FPE_KEY is not set" in fault.message


@pytest.mark.parametrize(
    ("written", "entity"),
    [
        ("DOMAIN-NAME", "DOMAIN_NAME"),
        ("CREDIT CARD", "CREDIT_CARD"),
        ("credit-card", "CREDIT_CARD"),
        ("CreditCard", "CREDIT_CARD"),
        ("PHONE", "PHONE_NUMBER"),
        ("Phone Number", "PHONE_NUMBER"),
        ("EMAIL", "EMAIL_ADDRESS"),
        ("e-mail", "EMAIL_ADDRESS"),
        ("SSN", "US_SSN"),
        ("us ssn", "US_SSN"),
        ("IBAN", "IBAN_CODE"),
        ("IP ADDRESS", "IP_ADDRESS"),
        ("UK-NHS", "UK_NHS"),
    ],
)
def test_entities_go_by_many_names(rules: Path, written: str, entity: str) -> None:
    put(rules, template([written], ([written], EIGHT)))
    assert list(load_rules(rules).policies["t"].rules) == [entity]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TENANT),
        json.dumps(TENANT, indent="\t"),
        "\ufeff" + json.dumps(TENANT, indent=2),
        json.dumps({"name": "t", "template": TENANT}),
        json.dumps([{"name": "T!", "template": TENANT}]),
        json.dumps({"$schema": "../schema/template.schema.json", "text": "$TEXT", **TENANT}),
    ],
    ids=["one line", "tabs", "byte order mark", "named", "list", "schema and text"],
)
def test_forms_of_a_file(rules: Path, text: str) -> None:
    put(rules, text)
    assert "t" in load_rules(rules).policies


def test_an_emoji_in_escapes_is_one_character(rules: Path) -> None:
    put(rules, json.dumps(template(["US_SSN"], (["US_SSN"], replaced("🎉")))).replace("🎉", "\\ud83c\\udf89"))
    assert scrubbed(Guard.from_rules(rules, policy="t"), "856-45-6789") == "🎉"


def test_proofs_prove_templates(rules: Path) -> None:
    put(rules, SEVERAL[2:3])
    proof = rules / "policies" / "t.test.yaml"
    assert rules / "policies" / "t.json" in unproven(rules)
    case = "- {name: n, policy: title, text: 856-45-6789, becomes: '********789'}\n"
    proof.write_text("version: 1\ncases:\n" + case + case.replace("89'", "80'"))
    outcomes = [each for each in run_proofs(rules) if each.file == "policies/t.test.yaml"]
    assert [each.passed for each in outcomes] == [True, False]
    assert rules / "policies" / "t.json" not in unproven(rules)


# --- mistakes --------------------------------------------------------------------------------------------

LINES = """{
  "AnalyzeTemplate": {"fields": [{"name": "US_SSN"}]},
  "AnonymizeTemplate": {"fieldTypeTransformations": [
    {"fields": [{"name": "US_SSN"}],
     "transformation": {"maskValue": {"maskingCharacter": "*", "charsToMask": 8, "fromEnd": false}}}]}
}"""


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "hint"),
    [
        ('[{"name": "US_SSN"}]}', '[{"name": "US_SNS"}]}', 2, "unknown entity 'US_SNS'", "did you mean US_SSN?"),
        ('[{"name": "US_SSN"}],', '[{"name": "SHOE SIZE"}],', 4, "unknown entity 'SHOE SIZE'", ""),
        ('"charsToMask"', '"charToMask"', 5, "unknown key", "did you mean charsToMask?"),
        ('"maskValue"', '"maskvalue"', 5, "unknown key", "did you mean maskValue?"),
        ('"AnonymizeTemplate"', '"AnonymiseTemplate"', 3, "unknown key", "did you mean AnonymizeTemplate?"),
        ('"AnalyzeTemplate"', '"text": "hello", "AnalyzeTemplate"', 2, "must be one of '$TEXT'", ""),
        ('"charsToMask": 8', '"charsToMask": 0', 5, "Input should be greater than 0", ""),
        ('"*"', '"**"', 5, "String should have at most 1 character", ""),
        ('{"maskValue"', '{"redactValue": {}, "maskValue"', 5, "a transformation is exactly one of", ""),
        ('{"fields": [{"name": "US_SSN"}]},', "{},", 2, "looks for nothing", "allFields"),
        (
            '{"fields": [{"name": "US_SSN"}]},',
            '{"allFields": true, "fields": [{"name": "US_SSN"}]},',
            2,
            "not both",
            "",
        ),
        ('[{"name": "US_SSN"}]}', '[{"name": "US_ITIN"}]}', 4, "US_SSN has a transformation, but is not", "add it"),
        ('[{"name": "US_SSN"}],', '[{"name": "US_SSN"}, {"name": "SSN"}],', 4, "has a transformation already", ""),
        ('"fields": [{"name": "US_SSN"}],', '"fields": [],', 4, "List should have at least 1 item", ""),
        ('"fromEnd": false', '"fromEnd": false, "fromEnd": true', 5, "found duplicate key", ""),
        ('"fromEnd": false', '"fromEnd": False', 5, "not valid JSON", ""),
        ('"fromEnd": false', '"fromEnd": "maybe"', 5, "Input should be a valid boolean", ""),
        ('{"maskValue"', '{"fPEValue": {"key": "0123"}, "maskValue"', 5, "a secret never stands in a file", ""),
        ('[{"name": "US_SSN"}]}', '[{"name": "US_SSN", "minScore": 2}]}', 2, "less than or equal to 1", ""),
    ],
)
def test_mistakes_have_a_place(rules: Path, old: str, new: str, line: int, message: str, hint: str) -> None:
    assert old in LINES
    put(rules, LINES)
    assert "t" in load_rules(rules).policies
    put(rules, LINES.replace(old, new, 1))
    found = next(each for each in faults(rules) if each.line == line)
    assert found.file.endswith("policies/t.json")
    assert message in found.message
    assert hint in found.hint


def test_every_template_of_a_list_is_read(rules: Path) -> None:
    put(rules, json.dumps([*SEVERAL, *SEVERAL[2:3]]).replace("DOMAIN-NAME", "DOMAINS-NAMED").replace("PERSON", "PERSN"))
    told = [each.message for each in faults(rules)]
    assert "unknown entity 'DOMAINS-NAMED'" in told
    assert told.count("unknown entity 'PERSN'") == 4


def test_two_templates_of_one_name(rules: Path) -> None:
    put(rules, [SEVERAL[2], SEVERAL[3], {**SEVERAL[2], "name": "TITLE."}])
    (fault,) = faults(rules)
    assert (fault.field, fault.message) == ("[2].name", "another one has the name 'title' already")


@pytest.mark.parametrize("content", ["[]", "{}", "3", json.dumps([{"name": "--", "template": TENANT}])])
def test_what_is_no_template(rules: Path, content: str) -> None:
    put(rules, content)
    assert faults(rules)


@pytest.mark.parametrize(("key", "says"), [(None, "is not set or empty"), ("short", "fewer than 16 bytes")])
def test_a_hash_needs_its_key(rules: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, says: str) -> None:
    monkeypatch.delenv("PROXY_GUARD_HASH_KEY", raising=False)
    if key:
        monkeypatch.setenv("PROXY_GUARD_HASH_KEY", key)
    put(rules, template(["US_SSN"], (["US_SSN"], {"hashValue": {}})))
    (fault,) = faults(rules)
    assert says in fault.message
    assert "PROXY_GUARD_HASH_KEY" in fault.hint
    assert fault.field.endswith("transformation.hashValue")


def test_a_route_may_name_a_template(rules: Path) -> None:
    put(rules, SEVERAL, "service-desk")
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{policy: title}]\n")
    assert scrubbed(Guard.from_rules(rules), "856-45-6789") == "********789"
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{policy: titel}]\n")
    (fault,) = faults(rules)
    assert fault.hint == "did you mean title?"


# --- DOMAIN_NAME -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see example.com for more", ["example.com"]),
        ("see Example.com.", ["Example.com"]),
        ("EXAMPLE.COM", ["EXAMPLE.COM"]),
        ("mail.corp.example.co.uk is down", ["mail.corp.example.co.uk"]),
        ("https://example.museum/a?b=c", ["example.museum"]),
        ("http://user:pw@files.example.rs:8080/x", ["files.example.rs"]),
        ("www.example.sh", ["www.example.sh"]),
        ("look at example.me/profile", ["example.me"]),
        ("flipkart.in and zomato.in, both", ["flipkart.in", "zomato.in"]),
        ("bücher.de, xn--bcher-kva.de", ["bücher.de", "xn--bcher-kva.de"]),
        ("api-1.eu-west.example.io:443", ["api-1.eu-west.example.io"]),
        ("(example.org)", ["example.org"]),
        # parts of e-mail addresses
        ("a.b@example.com", []),
        ("first.last.com@example.org", []),
        ("a@mail.example.com", []),
        # sentences
        ("he calls..me later", []),
        ("we had dinner.ms called", []),
        ("I'm done.so what", []),
        ("they went home.in the evening", []),
        ("it was late.me too", []),
        ("we stayed in the hospital.in my case", []),
        # code, files, versions, numbers
        ("run main.py and build.rs, see README.md", []),
        ("import java.net.URL; org.apache.commons.io", []),
        ("System.IO and System.Net, ASP.NET", []),
        ("console.info('x'); request.in(5)", []),
        ("v1.2.3, 10.0.0.1, 3.in, 1.204", []),
        ("$obj.com = #sel.co", []),
        ("lib/net.io and C:\\dir\\file.com", []),
        ("example.invalid, example.localhost", []),
    ],
)
def test_domain_names(text: str, found: list[str]) -> None:
    findings = DOMAINS.detect(text)
    assert [text[each.start : each.end] for each in findings] == found
    assert all(each.entity == "DOMAIN_NAME" for each in findings)


DOMAINS = Detector(["DOMAIN_NAME"])
