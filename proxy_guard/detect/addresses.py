"""LOCATION: street addresses as they are written in several countries.

English street types are those of USPS Publication 28, appendix C1, and the ones of Britain and India. Types that are
ordinary words count only in capitals and between a number and a name.
"""

# ruff: noqa: E501 - patterns
from __future__ import annotations

from typing import Any

import regex
from presidio_analyzer import PatternRecognizer, RecognizerResult

from proxy_guard.detect.lexicon import BEYOND_ASCII, NOT_NAMES, names, places
from proxy_guard.detect.own import ScoredRecognizer

_SCORE = 0.9
_SECONDS = 5.0

_SURE = (
    "street st road rd avenue ave av boulevard blvd lane ln highway hwy parkway pkwy terrace crescent cres mews "
    "gardens nagar marg chowk salai vihar puram colony gali bazaar bazar expressway freeway turnpike tpke close"
).split()
_WORDS = (
    "alley allee annex arcade bayou bend bluff bluffs bottom branch bridge brook brooks burg bypass camp canyon cape "
    "causeway center centre circle circles cir cliff cliffs club common corner corners course court courts ct cove "
    "coves creek crest crossing cross crossroad curve dale dam divide drive drives dr estate estates extension "
    "extensions fall falls ferry field fields flat flats ford fords forest forge forges fork forks fort garden gate "
    "gateway glen glens green grove groves harbor harbors haven heights hill hills hollow inlet island islands isle "
    "junction junctions key keys knoll knolls lake lakes land landing light lights loaf lock locks lodge loop mall "
    "manor manors meadow meadows mill mills mission motorway mount mountain mountains neck orchard oval overpass park "
    "parks parkways pass passage path pike pine pines place pl plain plains plaza point points port ports prairie "
    "radial ramp ranch rapid rapids rest ridge ridges river roads route row run shoal shoals shore shores spring "
    "springs spur square squares sq stravenue stream streets summit throughway trace track trafficway trail trl "
    "tunnel underpass union unions valley valleys via viaduct view views village villages ville vista walk walks wall "
    "way ways well wells wharf quay yard parade broadway rise kunj enclave layout town sector society apartments "
    "residency phase main chambers house"
).split()
_UNIT = (
    r"(?:flat|apt|apartment|unit|suite|ste|room|rm|villa|building|bldg|block|plot|shop|house|door|h\.?|studio|floor|level|lot"
    r"|no|sector|p\.?o\.? box)\.?[ ]?(?:no\.?|number)?[ ]?[:#]?[ ]?"
)
_NUMBER = r"(?:(?i:no|nr|h\.?[ ]?no|house no|plot no|door no|plot)\.?[ ]?)?(?:\d{1,6}[a-zA-Z]?(?:[-/–]\d{1,5}[a-zA-Z]?){0,2}|[A-Z]-?\d{1,4}(?:/\d{1,4})?)"
_BEFORE = rf"(?:(?i:{_UNIT})(?:\d[\w/-]{{0,7}}|[A-Za-z]\d{{0,3}}\b),?[ ](?:[A-Z][\w'’]*[ ](?i:apartments|house|court|tower|towers|residency|building|heights),?[ ])?)?"
_POSITION = r"(?:[ ](?:N|S|E|W|NW|NE|SW|SE|N\.W\.|N\.E\.|S\.W\.|S\.E\.|North|South|East|West)\b\.?)?"
_AFTER = (
    r"(?:,?[ ](?i:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|apto|piso|piano|appartement|wohnung|#)\.?"
    r"[ ]?#?[\w-]{1,6}\b|[ ]#\d{1,5}[A-Za-z]?)?"
)
_CAP = r"[\p{Lu}\d][\p{L}\p{M}\d.'’-]*"
_STEP = rf"(?:(?:[Oo]f|[Tt]he|de|la|del|los|las|el|al|von|van|der|den|des|du)[ ]|{_CAP}[ ]){{0,4}}"

_POSTCODE = (
    r"\d{3}-\d{4}|(?:[A-Z]{1,2}-)?\d{4,6}(?:-\d{3,4})?|\d{3}[ ]\d{2,3}|\d{2}-\d{3}|\d{4}[ ][A-Z]{2}|[A-Z]{1,2}\d[A-Z\d]?[ ]\d[A-Z]{2}"
    r"|[A-Z]\d[A-Z][ ]?\d[A-Z]\d"
)
_TOWN = r"\p{Lu}[\p{L}\p{M}.'’-]+(?:[ ](?:(?:am|an|der|de|da|do|del|la|le|upon|on|sur|of)[ ])?\p{Lu}[\p{L}\p{M}.'’-]*){0,3}(?![\p{L}\d])"
_REGION = rf"(?:,?[ ](?:-[ ])?[A-Z]{{2,3}}\b)?(?:,?[ ](?:-[ ])?(?:{_POSTCODE})\b)?"
_TAIL = regex.compile(
    rf"(?:,?[ ]|,?\n)(?:{_POSTCODE})[ ]{_TOWN}(?:[ ]\d{{1,2}}\b)?"
    rf"|(?:,[ ]|\n)(?P<town>{_TOWN})(?P<region>{_REGION})"
    rf"|,?[ ](?:-[ ])?(?:{_POSTCODE})\b"
)

_ENGLISH = (
    rf"(?<![\w$€£#.])(?:{_BEFORE}[#]?{_NUMBER},?[ ]{_STEP}(?i:{'|'.join(_SURE)})\b\.?(?:(?<=[Rr]oad|[Hh]ighway|[Rr]oute|[Hh]wy)[ ]\d{{1,3}}\b)?"
    rf"|{_BEFORE}[#]?{_NUMBER},?[ ](?:{_CAP}[ ]){{1,4}}(?:{'|'.join(word.title() for word in _WORDS)})\b\.?"
    rf"|{_BEFORE}[#]?{_NUMBER},?[ ][Tt]he[ ]\p{{Lu}}\p{{L}}+"
    rf"|{_BEFORE}[#]?{_NUMBER},?[ ](?i:[NSEW]\.?[ ])?(?:\d{{1,3}}(?:st|nd|rd|th)|Broadway)(?i:[ ](?:cross|main|st|street|ave|avenue))?"
    rf"){_POSITION}{_AFTER}"
)
_LOWER = (
    rf"(?<![\w$€£#.-])(?:(?:{_UNIT})\w{{1,5}},?[ ])?\d{{1,5}}[a-z]?(?:[-/]\d{{1,4}})?,?[ ](?:[\p{{Ll}}][\p{{Ll}}.'’-]*[ ]){{1,3}}?"
    r"(?:street|st|road|rd|avenue|ave|boulevard|blvd|lane|crescent|terrace|gardens|drive|dr|court|square|close|grove|mews|parade"
    r"|way|place|nagar|marg|salai|kunj)\b(?![ ]of\b)"
)
_NAMED = (
    # A road without a number: MG Road, Baker Street
    r"(?<![\p{L}\d-])(?:\p{Lu}[\p{L}.'’-]*[ ]){1,3}(?:Street|Road|Avenue|Boulevard|Lane|Nagar|Marg|Chowk|Terrace|Crescent)\b"
    rf"{_POSITION}"
)
_GLUED = (
    r"(?<![\p{L}\d-])(?:\p{Lu}[\p{L}'’.-]*[ ]){0,2}\p{L}[\p{L}-]*(?:straße|strasse|str\.?|platz|allee|gasse|damm|ufer|straat|gracht"
    r"|laan|plein|kade|weg|steeg|gatan|vägen|torget|stigen|allén|gränd|gade|vej|gata|veien|katu|polku|kuja|[aeiouyö]tie|rinne|stræde)"
    r"(?:[ ]|,[ ])\d{1,4}[ ]?(?:[a-zA-Z]\b(?![ ]\p{Ll}))?(?:[-/]\w{1,4}|,?[ ]\d\.[ ](?:tv|th|mf|sal)\b\.?|[ ][A-Z][ ]\d{1,3}\b)?"
)
_LEADING = (
    # A kind of street, its name, and the number after it.
    r"(?<!\w)(?:(?:[Cc]/[ ]?|(?:Calle|calle|Avenida|avenida|Av(?:d|da)?\.?|Plaza|Paseo|Carrer|Camino|Ronda|Via|Viale|Piazza|Corso|Largo"
    r"|Vicolo|Stretto|Strada|Borgo|Contrada|Rua|rua|Travessa|Praça|Alameda|Estrada|Rodovia|[Uu]l\.|[Uu]lica|[Aa]l\.|[Aa]leja|[Pp]l\.|[Pp]lac|[Oo]s\.|[Oo]siedle"
    r"|Calzada|Callejón|Callejon|Privada|Boulevard|Circuito|Prolongación|Glorieta|Rambla|Vía|Pasaje|Viaducto|Andador|Retorno|Diagonal|Eje[ ]vial|Cerrada"
    r"|n[áa]m[ěe]st[íi]|Na|U|Am|An[ ]der|An[ ]den|Auf[ ]der|Auf[ ]dem|Im|In[ ]der|Zum|Zur|Unter[ ]den|Laan[ ]van)[ ])"
    r"(?:[\p{L}][\p{L}\p{M}.'’-]*[ ,]{1,2}){1,5}(?:n[º°.]?[ ]?|No\.?:?[ ]?|#)?\d{1,5}[a-zA-Z]?(?:/\w{1,3})?"
    r"(?:,?[ ]\d{1,2}[º°ª][ ]?\w?\b|[ ]m\.[ ]?\d+|,?[ ]apto\.?[ ]\d+|,?[ ]Piso[ ]\d+|[ ]Piano[ ]\d+)?)"
)
_FRENCH = (
    r"(?<![\w.])\d{1,4}(?:[ ]?(?:bis|ter|quater))?,?[ ](?:rue|avenue|boulevard|place|chemin|impasse|quai|allée|allee|cours|route"
    r"|passage|square|faubourg|sentier)"
    r"(?:[ ](?:de|du|des|de[ ]la|aux?|à|le|la|les))?[ ](?:[ld]['’])?\p{L}[\p{L}'’-]*(?:[ ](?:(?:de|du|des|la|le)[ ])?\p{Lu}[\p{L}'’-]*){0,3}"
)
_TRAILING = (
    r"(?<!\w)(?:\p{Lu}[\p{L}'’]*[ ]){1,3}(?:Caddesi|Cad\.|Cd\.|Sokak|Sokağı|Sk\.|Bulvarı|Mahallesi|Mah\.|Allé|Alle|ulice|třída"
    r"|Allee|Straße|Strasse|Platz|Weg|Ring|Damm|Kade|Plein|Gate|Kaari|Straat|Laan|Linden)"
    r"[ ](?:No[:.]?[ ]?)?\d{1,4}[a-zA-Z]?(?:/\d{1,4})?"
)
_INDIA = (
    r"(?<![\w/.-])(?:(?i:h\.?[ ]?no\.?|house no\.?|door no\.?|plot(?: no\.?)?|flat(?: no\.?)?|shop(?: no\.?)?|villa|no\.)[ ]?|#|[A-Z]-)"
    r"[\w/-]{1,8},[ ](?:\p{Lu}[\w'’]*[ ]?){1,3}(?:,[ ](?:\p{Lu}[\w'’]*[ ]?){1,3}(?:Road|Nagar|Street|Kunj|Marg|Colony))?"
    r"|(?<![\w/.-])\d{1,4}(?:/\d{1,3})?,[ ](?:\p{Lu}\w*|\d{1,2}(?:st|nd|rd|th))[ ](?:Cross|Main|Block|Circle|Sector|Phase|Nagar|Marg|Chowk|Path|Zila|Ganj|Street|Road)"
    r"(?:[ ](?:Road|Street))?(?:,[ ]\p{Lu}\w+)?"
)
_BOX = r"(?<!\w)(?i:p\.?[ ]?o\.?[ ]?box|post(?:al)? box|postfach|apartado(?: postal)?|casilla|postbus|boîte postale|caixa postal)[ ]\d{1,6}"
_ASIA = (
    r"(?<![\d/-])\d{1,3}-\d{1,3}(?:-\d{1,3})?[ ]\p{Lu}[\p{L}-]+(?:,[ ])(?:\p{Lu}[\p{L}]+-(?:ku|shi|cho|machi|gun)|Tokyo|Osaka|Kyoto|Yokohama)"
    r"|(?<![\d/-])\d{1,3}-\d{1,3}-\d{1,3}[ ]\p{Lu}[\p{L}-]{3,}"
)

_NO_STREET = frozenset(
    (
        "the a an of in on at to for from by with without and or but down up off out along across near my your his her our "
        "their this that these those is are was were be it its minutes minute min mins hours hour hrs days day weeks week "
        "months month years year meters metres meter metre miles mile km kms m feet ft blocks block steps people cars "
        "percent pieces bedroom bedrooms room rooms lane lanes new old more different other same way ways first last no "
        "than as if so not long wide high per each only about around every any all some one two three time times items "
        "users files lines pages points pls plz please thanks thx asap around lives until now can we you i he she they have has will do does did go take get make find which"
    ).split()
)
"""Words that are in no street's name, in lower case."""


def _address(value: str, near: str) -> float:
    return _SCORE


def _named_road(value: str, near: str) -> float:
    words = value.lower().split()
    if words[0] in NOT_NAMES or (words[-1] == "lane" and words[0] in names().given):
        return 0  # Leslie Lane, and the like
    return _SCORE


def _lower_address(value: str, near: str) -> float:
    words = regex.findall(r"\p{L}+", value)
    return 0 if any(word in _NO_STREET for word in words[:-1]) else _SCORE


class AddressRecognizer(ScoredRecognizer):
    """Addresses of one form, with the town and the postcode that follow."""

    def __init__(self, expression: str, gate: str, score: Any = _address, *, tail: bool = True) -> None:
        super().__init__("LOCATION", expression, score, [], gate=f"{gate}|{BEYOND_ASCII}")
        self._tail = tail

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The addresses, from left to right. Raises TimeoutError where the text makes the pattern slow."""
        found = []
        lower = text.islower()
        if lower:
            text = _capitals(text)
        for each in super().analyze(text, entities):
            value = text[each.start : each.end].lower()
            if lower and (
                _lower_address(value, "") == 0 or value.split()[0] in _ORDINARY_TYPES or not _HAS_DIGIT.search(value)
            ):
                continue
            end = _with_town(text, each.end) if self._tail else each.end
            end -= len(text[each.start : end]) - len(text[each.start : end].rstrip(" .,-"))
            found.append(RecognizerResult("LOCATION", each.start, end, each.score))
        return found


_ORDINARY_TYPES = frozenset(
    "via corso largo na u am im an in auf zum zur strada borgo ronda camino unter diagonal".split()
)
"""Kinds of streets that are words of other languages in lower case."""
_HAS_DIGIT = regex.compile(r"\d")
_LOWER_WORD = regex.compile(r"[\p{L}\d]+")


def _capitals(text: str) -> str:
    """A text in lower case as it would be written with care, as far as addresses go. Same length."""

    def written(match: Any) -> str:
        word: str = match.group()
        code = any(char.isdigit() for char in word) and not regex.fullmatch(r"\d+(?:st|nd|rd|th)", word)
        state = len(word) == 2 and regex.match(r" \d{5}\b", text[match.end() : match.end() + 6])
        changed: str = word.upper() if code or state else word if word in _NO_STREET else word[0].upper() + word[1:]
        return changed if len(changed) == len(word) else word

    return str(_LOWER_WORD.sub(written, text))


def _with_town(text: str, end: int) -> int:
    """Where an address ends whose street ends at `end`."""
    for _ in range(3):
        tail = _TAIL.match(text, end)
        if tail is None or tail.end() == end:
            break
        town = tail["town"]
        if town is not None and not _plausible(text, tail):
            break
        end = tail.end()
    return end


def _plausible(text: str, tail: Any) -> bool:
    """Whether the words after a street are a town, rather than how the sentence goes on."""
    words = tuple(regex.findall(r"\p{L}[\p{L}'’-]*", tail["town"].lower()))
    if words in places() or any(char.isdigit() for char in tail["region"]) or tail["region"][:2] == ", ":
        return True
    if words[0] in names().given or "\n" in tail.group():
        return False
    return (
        regex.match(r"[.,;:!?)\n]|$|[ ](?:and|or|at|on|before|around|until|is|to|with|by|\()", text[tail.end() :])
        is not None
    )


def recognizers() -> list[PatternRecognizer]:
    """The recognizers of addresses, by form."""
    every = "|".join(sorted({*_SURE, *_WORDS}, key=lambda word: (-len(word), word)))
    streets = rf"\d[^\n]{{1,80}}?\b(?:{every})\b|\d\w?,? (?:the \w|\d|[nsew]\.? \d|broadway)"
    glued = r"(?:str\.?|strasse|platz|allee|gasse|damm|ufer|straat|gracht|laan|plein|kade|weg|steeg|gatan|torget|stigen|gade|vej|gata|veien|katu|polku|kuja|tie|rinne),? \d"
    leading = (
        r"c/|\b(?:calle|avenida|avd?a?|plaza|paseo|carrer|camino|ronda|via|viale|piazza|corso|largo|vicolo|stretto|strada|borgo"
        r"|contrada|rua|travessa|alameda|estrada|rodovia|ul|ulica|al|aleja|pl|plac|os|osiedle|calzada|privada|boulevard|circuito"
        r"|prolongacion|glorieta|rambla|pasaje|viaducto|andador|retorno|diagonal|eje|cerrada|callejon|namesti|na|u|am|an|auf|im"
        r"|in|zum|zur|unter|laan)\b[^\n]*\d"
    )
    trailing = r"(?:caddesi|cad\.|cd\.|sokak|sk\.|mahallesi|mah\.|alle|ulice|allee|strasse|platz|weg|ring|damm|kade|plein|gate|kaari|straat|laan|linden) (?:no)?[:. ]{0,2}\d"
    return [
        AddressRecognizer(_ENGLISH, streets),
        AddressRecognizer(_LOWER, streets, _lower_address, tail=False),
        AddressRecognizer(
            _NAMED, r" (?:street|road|avenue|boulevard|lane|nagar|marg|chowk|terrace|crescent)\b", _named_road
        ),
        AddressRecognizer(_GLUED, glued),
        AddressRecognizer(_LEADING, leading),
        AddressRecognizer(
            _FRENCH,
            r"\d[^\n]*(?:rue|avenue|boulevard|place|chemin|impasse|quai|alle|cours|route|passage|square|faubourg|sentier)",
        ),
        AddressRecognizer(_TRAILING, trailing),
        AddressRecognizer(
            _INDIA,
            r"(?:no\.?|plot|flat|shop|villa|#|[a-z]-)[^,\n]*,|\d, (?:\w+) (?:cross|main|block|circle|sector|phase|nagar|marg|chowk|path|zila|ganj|street|road)",
        ),
        AddressRecognizer(_BOX, r"box \d|postfach|apartado|casilla|postbus|postale|postal"),
        AddressRecognizer(_ASIA, r"\d-\d{1,3}(?:-\d{1,3})? [a-z]"),
    ]
