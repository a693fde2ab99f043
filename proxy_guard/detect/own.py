"""Recognizers of the `proxy-guard` profile for what Presidio lacks, or finds too little or too much of.

Each is a PatternRecognizer, so that the engine's prefilter stands before it, and gives each match a score of its
own: from its form, a checksum, and where a form alone says too little from the words around it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import regex
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult
from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.gb import nhs
from stdnum.in_ import aadhaar

from proxy_guard.detect.identity import IdentityDocumentRecognizer

_FLAGS = regex.DOTALL | regex.MULTILINE
SECONDS = 5.0
"""For one pattern on one text."""
_LEAST_DIGITS, _MOST_DIGITS = 12, 19
_NEAR = 60
"""Code points on either side of a match in which words that make it one are looked for."""

Score = Callable[[str, str], float]
"""The matched value and the text near it to a score; 0 is no finding."""


class ScoredRecognizer(PatternRecognizer):  # type: ignore[misc]
    """Patterns whose matches are scored one by one. `context` raises a score as it does for any recognizer."""

    def __init__(self, entity: str, expression: str, score: Score, context: list[str], *, gate: str = "") -> None:
        """`gate` is a cheaper pattern that matches wherever `expression` does, for the prefilter."""
        patterns = [Pattern(entity.lower(), gate or expression, 0.01)]
        super().__init__(supported_entity=entity, patterns=patterns, context=context, global_regex_flags=_FLAGS)
        self._expression = regex.compile(expression, flags=_FLAGS)
        self._score = score

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The matches with a score. Raises TimeoutError where the text makes the pattern slow."""
        found = []
        for match in self._expression.finditer(text, timeout=SECONDS):
            near = text[max(0, match.start() - _NEAR) : match.end() + _NEAR]
            score = self._score(match.group(), near)
            if score > 0:
                found.append(RecognizerResult(self.supported_entities[0], match.start(), match.end(), score))
        return found


def _digits(value: str) -> str:
    return "".join(str(int(char)) for char in value if char.isdecimal())


# --- cards (ISO/IEC 7812: 12 to 19 digits, Luhn) ---------------------------------------------------------

_SCHEMES = regex.compile(
    r"4\d*(?<=^(?:\d{13}|\d{16}|\d{18,19}))"  # Visa
    r"|(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)\d*(?<=^\d{16})"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|095|[689])\d*(?<=^\d{14,19})"  # Diners Club
    r"|(?:6011|64[4-9]|65)\d*(?<=^\d{16,19})"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|(?:5[0678]|6)\d*(?<=^\d{12,19})"  # Maestro, UnionPay, RuPay, Elo, Verve
    r"|(?:353|356|81|82)\d*(?<=^\d{16,19})"  # RuPay, UnionPay
    r"|220[0-5]\d{12,15}"  # Mir, BORICA
    r"|(?:9792|8600|9860)\d{12}"  # Troy, Uzcard, Humo
    r"|1\d{14}"  # UATP
)
_CARD_WORDS = regex.compile(
    r"\b(?:(?:credit|debit|bank|prepaid|gift)?[ -]?cards?|visa|master ?card|amex|american express|rupay|maestro|diners|"
    r"discover|jcb|union ?pay|cvv2?|cvc|expir(?:y|es|ation)|exp|valid (?:thru|until)|kreditkarte|karte|carte|tarjeta|"
    r"cart[aã]o|carta|kaart|karta|карт[аыу])\b|कार्ड|信用卡|卡号|カード|카드|بطاقة",
    regex.IGNORECASE,
)


_OTHER_NUMBERS = regex.compile(
    r"\b(?:order|invoice|tracking|parcel|shipment|ticket|ref(?:erence)?|case|sku|isbn|imei|serial|part|item|id)\b\W*"
    r"(?:no\.?|num(?:ber)?|id|#|is)?\W*$",
    regex.IGNORECASE,
)


def _card(value: str, near: str) -> float:
    digits = _digits(value)
    if set(digits) <= {"0", "1"} or len(set(digits)) < 2 or not luhn.is_valid(digits):
        return 0
    # A number that no issuer would give out may be an order's; words around it can still make it a card.
    said_otherwise = len(digits) < 15 and _OTHER_NUMBERS.search(near.partition(value)[0])
    if said_otherwise:
        return 0.3
    return 1.0 if _SCHEMES.fullmatch(digits) or _CARD_WORDS.search(near) else 0.3


_SEPARATOR = "[ \u00a0\u2009._/-]"
_CARD = rf"(?<!\d)(?<!\d[.,/-])\d(?:{_SEPARATOR}?\d){{11,}}(?![\d]|[.,]\d)"
_GROUP = regex.compile(r"\d+")
_GROUPINGS = regex.compile(r"4,4,4(?:,[1-7])?|4,4,4,4,[1-3]|4,6,[45]|6,13|5,5,5|8,8|6,6|3,3,3,3|\d+")
"""How the digits of a card are grouped in writing, by the sizes of the groups."""


class CardRecognizer(ScoredRecognizer):
    """Cards, also where one stands right beside other numbers: the groups of digits tell where it begins and ends."""

    def __init__(self) -> None:
        words = ["credit", "card", "visa", "mastercard", "amex", "debit", "rupay", "maestro", "cc"]
        super().__init__("CREDIT_CARD", _CARD, _card, words, gate=r"\d(?:[\s._/-]?\d){11,}")

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The cards in `text`, from left to right, none within another."""
        found = []
        for run in self._expression.finditer(text, timeout=SECONDS):
            groups = [(match.start(), match.end()) for match in _GROUP.finditer(text, run.start(), run.end())]
            first = 0
            while first < len(groups):
                last, score = self._longest(text, groups, first)
                if score > 0:
                    found.append(RecognizerResult("CREDIT_CARD", groups[first][0], groups[last][1], score))
                first = last + 1
        return found

    def _longest(self, text: str, groups: list[tuple[int, int]], first: int) -> tuple[int, float]:
        """The last group of the longest card that begins with group `first`, and its score."""
        best, score, sizes, total = first, 0.0, "", 0
        if first and text[groups[first][0] - 1] == ".":
            return best, score  # the rest of a fraction
        for last in range(first, len(groups)):
            start, end = groups[last]
            total += end - start
            if total > _MOST_DIGITS:
                break
            sizes += f",{end - start}" if sizes else str(end - start)
            whole = first == 0 and last == len(groups) - 1
            begin = groups[first][0]
            # With a full stop it may be a fraction, unless its groups are a card's.
            if total >= _LEAST_DIGITS and ((whole and "." not in text[begin:end]) or _GROUPINGS.fullmatch(sizes)):
                near = text[max(0, begin - _NEAR) : end + _NEAR]
                scored = self._score(text[begin:end], near)
                if scored >= max(score, 0.01):
                    best, score = last, scored
        return best, score


# --- what authenticates a card (PCI DSS 4.0, requirement 3.3: sensitive authentication data) --------------

# ISO/IEC 7813, with or without sentinels; `D` in place of `=` is how chips write it (EMV tag 57).
_TRACK = r"%?B\d{12,19}\^[^^\n]{2,26}\^\d{7}[^?\n]{0,60}\??|(?:;|\b)\d{12,19}[=D]\d{7}[0-9F]{0,13}\??"
_CODE_NAME = (
    "(?:cvv2?|cvc2?|cav2|csc|cid (?:code|number)|security code"
    "|card (?:verification|identification) (?:value|code|number))"
)
_BETWEEN = r"(?:number|no|code|is|was|on|the|my|back|of|card|it|it's)"
_CARD_CODE = (
    rf"(?<=\b{_CODE_NAME}\b\W{{0,3}}(?:{_BETWEEN}\b\W{{1,3}}){{0,8}})\d{{3,4}}(?![\w]|[.,-]\d)"
    rf"|(?<![\w.,-])\d{{3,4}}(?= (?:is|as|for) (?:my |the |your |its )?{_CODE_NAME}\b)"
)


def _track(value: str, near: str) -> float:
    number = regex.search(r"\d{12,19}", value)
    return 1.0 if number and luhn.is_valid(number.group()) else 0


# --- codes that are secret for a minute ------------------------------------------------------------------

_OTP_WORDS = regex.compile(
    r"\b(?:otp|one[- ]?time|passcode|pass code|2fa|two[- ]factor|mfa|verification|verify|security code|login code|"
    r"log-?in code|sign-?in code|auth(?:entication|orization|orisation)? code|confirmation code|access code|pin code|"
    r"your code|code is|the code|sms code)\b",
    regex.IGNORECASE,
)


_YEAR = regex.compile(r"(?:19|20)\d\d")
_COUNTED = regex.compile(r"\b(?:in|of|all|has|have|for|since|over|about|than|costs?|fee|price)\W*$", regex.IGNORECASE)
_COUNTS = regex.compile(
    r"\s?(?:[km]?s|min|sec|lines?|users?|rows|times|people|bytes?|[kmg]b|eur|usd|inr|years?|days?|hours?|minutes?|seconds?"
    r"|characters|chars|digits|files|items|points|steps|euros?|dollars?|rupees?)\b",
    regex.IGNORECASE,
)


def _otp(value: str, near: str) -> float:
    before, _, after = near.partition(value)
    if not _OTP_WORDS.search(near) or _YEAR.fullmatch(value):
        return 0
    return 0 if _COUNTED.search(before) or _COUNTS.match(after) else 0.75


# --- India -----------------------------------------------------------------------------------------------

_ACCOUNT_WORDS = regex.compile(r"\b(?:a/?c|acct?|account|savings|current|ifsc|neft|rtgs|imps|bank)\b", regex.IGNORECASE)
_IFSC = regex.compile(r"\b[A-Z]{4}0[A-Z0-9]{6}\b")


def _pan(value: str, near: str) -> float:
    # The fourth letter tells the kind of holder.
    return 0.5 if value[3].upper() in "ABCFGHJLPT" else 0.1


def _aadhaar(value: str, near: str) -> float:
    return 1.0 if aadhaar.is_valid(_digits(value)) else 0


_HANDLES = frozenset(
    (
        "upi ybl ibl axl paytm ptaxis ptyes ptsbi pthdfc okaxis okhdfcbank oksbi okicici apl yapl rapl sbi "
        "icici hdfcbank axisbank axisb kotak pnb barodampay unionbank cnrb idfcbank indus yesbank yesg "
        "freecharge airtel jio jupiteraxis fam ikwik mbk slice tapicici timecosmos waaxis wahdfcbank waicici "
        "wasbi superyes fbl federal rbl kbl dbs hsbc "
    ).split()
)


def _bank_account(value: str, near: str) -> float:
    if _IFSC.search(near):
        return 0.85
    return 0.6 if _ACCOUNT_WORDS.search(near) else 0


def _upi(value: str, near: str) -> float:
    if value.rpartition("@")[2].lower() in _HANDLES:
        return 0.85
    return 0.6 if regex.search(r"\bupi\b|\bvpa\b", near, regex.IGNORECASE) else 0


# --- documents -------------------------------------------------------------------------------------------


def _check_digit(field: str) -> str:
    """The check digit of a machine readable zone (ICAO Doc 9303-3, 4.9)."""
    values = (0 if char == "<" else int(char, 36) for char in field)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def _mrz(value: str, near: str) -> float:
    lines = value.split()
    if len(lines) == 2:
        number, check = lines[1][:9], lines[1][9]
    else:
        number, check = lines[0][5:14], lines[0][14]
    return 1.0 if _check_digit(number) == check else 0.5


_MRZ = (
    r"\b[PVAIC][A-Z<][A-Z<]{3}[A-Z0-9<]{31,39}\s+[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{8,16}"
    r"|\b[IAC][A-Z0-9<][A-Z<]{3}[A-Z0-9<]{25}\s+[0-9]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z<]{3}[A-Z0-9<]{12}\s+[A-Z<]{30}"
)


def _nhs(value: str, near: str) -> float:
    try:
        nhs.validate(value)
    except ValidationError:
        return 0
    # One in eleven numbers of ten digits passes the check: without its own grouping it is as good as any.
    return 1.0 if not value.isdecimal() else 0.3


# --- addresses on networks -------------------------------------------------------------------------------

_VERSION_WORDS = regex.compile(
    r"(?:\bv|version|release|firmware|build|driver|section|chapter)\W{0,3}$", regex.IGNORECASE
)
_MASK = regex.compile(r"255\.(?:255|0)\.\d{1,3}\.\d{1,3}")
_VERSION_PART = 40


def _ip(value: str, near: str) -> float:
    try:
        address = ipaddress.ip_address(value.partition("%")[0])
    except ValueError:
        return 0
    if address.is_unspecified or address.is_loopback:
        return 0
    before, _, after = near.partition(value)
    if address.version == 4 and (_MASK.fullmatch(value) or (value.endswith(".0") and regex.match(r"/\d", after))):
        return 0  # of a network, not of anyone in it
    if address.version == 4 and (
        _VERSION_WORDS.search(before) or all(int(part) < _VERSION_PART for part in value.split("."))
    ):
        return 0.3  # more likely a version
    if address.version == 6 and sum(map(bool, value.split(":"))) < 3:
        return 0.3  # `a::b` is a name in some languages
    return 0.6


_IP = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)|(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])"

# --- secrets ---------------------------------------------------------------------------------------------

_API_KEY = (
    r"\b(?:sk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9_-]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}"
    r"|github_pat_[A-Za-z0-9_]{40,}|glpat-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}"
    r"|(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{16,}|SG\.[\w-]{16,32}\.[\w-]{32,64}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,}"
    r"|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dop_v1_[0-9a-f]{64}|key-[0-9a-f]{32}|ya29\.[\w-]{20,}|gsk_[A-Za-z0-9]{40,}"
    r"|EAA[A-Za-z0-9]{60,})(?![A-Za-z0-9])"
)
_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----END).)*(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?"
)
_JWT = r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"


# --- references (`vault/tokens.py`) ------------------------------------------------------------------------

_EMAIL_REFERENCE = (
    r"(?<![A-Za-z0-9_])EMAIL_ADDRESS_[a-z2-7]{26}(?![A-Za-z0-9_])"
    r"|(?<![\w.@-])[a-z2-7]{26}@[a-z0-9.-]{1,200}[a-z0-9](?![\w@-])"
)
_PHONE_REFERENCE = r"(?<![A-Za-z0-9_])PHONE_NUMBER_[a-z2-7]{26}(?![A-Za-z0-9_])|(?<![\w+])\+999\d{12}(?!\d)"


def _always(score: float) -> Score:
    return lambda value, near: score


OWN: dict[str, Callable[[], PatternRecognizer]] = {
    "API_KEY": lambda: ScoredRecognizer("API_KEY", _API_KEY, _always(0.9), []),
    "CARD_TRACK_DATA": lambda: ScoredRecognizer("CARD_TRACK_DATA", _TRACK, _track, []),
    "CARD_VERIFICATION_CODE": lambda: ScoredRecognizer(
        "CARD_VERIFICATION_CODE", f"(?i){_CARD_CODE}", _always(0.75), [], gate=_CODE_NAME
    ),
    "CREDIT_CARD": CardRecognizer,
    "EMAIL_REFERENCE": lambda: ScoredRecognizer("EMAIL_REFERENCE", _EMAIL_REFERENCE, _always(1.0), []),
    "PHONE_REFERENCE": lambda: ScoredRecognizer("PHONE_REFERENCE", _PHONE_REFERENCE, _always(1.0), []),
    "IDENTITY_DOCUMENT": IdentityDocumentRecognizer,
    "IN_AADHAAR": lambda: ScoredRecognizer(
        "IN_AADHAAR",
        r"(?<!\w)(?<!\w-)(?<!\d{4}[ :])[2-9]\d{3}([ :-]?)\d{4}\1\d{4}(?!\w|-\w|[ :]\d{4}(?!\d))",
        _aadhaar,
        ["aadhaar", "aadhar", "uidai"],
        gate=r"\d{4}[ :-]?\d{4}[ :-]?\d{4}",
    ),
    "IN_BANK_ACCOUNT": lambda: ScoredRecognizer(
        "IN_BANK_ACCOUNT", r"(?<!\w)(?<!\w[.-])\d{9,18}(?![\w]|[.-]\d)", _bank_account, []
    ),
    "IN_IFSC": lambda: ScoredRecognizer("IN_IFSC", _IFSC.pattern, _always(0.5), ["ifsc", "bank", "branch"]),
    "IN_PAN": lambda: ScoredRecognizer(
        "IN_PAN", r"(?<!\w)(?<!\w-)[A-Za-z]{5}\d{4}[A-Za-z](?!\w|-\w)", _pan, ["pan", "permanent account", "income tax"]
    ),
    "IN_UPI_ID": lambda: ScoredRecognizer(
        "IN_UPI_ID", r"(?<![\w@])(?<!\w[.-])[A-Za-z0-9][\w.-]{1,60}@[A-Za-z][A-Za-z0-9]{1,20}(?![\w@]|[.-]\w)", _upi, []
    ),
    "IP_ADDRESS": lambda: ScoredRecognizer("IP_ADDRESS", _IP, _ip, ["ip", "ipv4", "ipv6", "address", "host"]),
    "JWT": lambda: ScoredRecognizer("JWT", _JWT, _always(0.95), []),
    "OTP": lambda: ScoredRecognizer(
        "OTP",
        r"(?<![\w.$€£₹-])(?:[A-Z]{1,2}-)?(?:\d{4,8}|\d{3}[- ]\d{3})(?![\w%]|[.,:-]\d)",
        _otp,
        [],
        gate=r"\d{4}|\d{3}[- ]\d{3}",
    ),
    "PASSPORT_MRZ": lambda: ScoredRecognizer("PASSPORT_MRZ", _MRZ, _mrz, [], gate="[0-9]{7}[MFX<][0-9]{7}"),
    "PRIVATE_KEY": lambda: ScoredRecognizer("PRIVATE_KEY", _PRIVATE_KEY, _always(1.0), []),
    "UK_NHS": lambda: ScoredRecognizer(
        "UK_NHS",
        r"(?<!\d)(?<!\w-)\d{3}[- ]?\d{3}[- ]?\d{4}(?!\d|-\w)",
        _nhs,
        ["nhs", "national health", "patient", "health"],
    ),
}
"""The recognizer of each entity, to be made once at load; in place of Presidio's where it has one."""
