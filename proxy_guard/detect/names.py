"""PERSON: names told by words around them ("my name is", "Mr", "Regards,", "Name:") and by lists of common names."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult

from proxy_guard.detect.lexicon import BEYOND_ASCII, NOT_NAMES, WORD, Names, names, places
from proxy_guard.detect.own import ScoredRecognizer

_SECONDS = 5.0
_SCORE = 0.9
_MOST = 4
"""Words of a name."""

_PARTICLE = r"(?:de|da|do|dos|das|di|del|della|van|von|der|den|ter|la|le|el|al|bin|ibn|bint|zu|af)"
PARTICLES = frozenset(_PARTICLE[3:-1].split("|"))
_TITLE = (
    r"(?:mr|mrs|ms|mx|dr|prof|professor|sir|madam|miss|herr|frau|monsieur|madame|mme|señora?|signora?|shri|smt"
    r"|judge|captain|capt|sgt|lt|col|rev|reverend|doctor|lord|lady)"
)
_RELATIVE = (
    r"(?:wife|husband|son|daughter|mother|father|mom|mum|dad|brother|sister|friend|boss|colleague|neighbou?r|manager"
    r"|landlord|landlady|doctor|lawyer|nurse|partner|girlfriend|boyfriend|uncle|aunt|cousin|grandmother|grandfather"
    r"|teacher|flatmate|roommate|kid|nephew|niece|client|assistant)"
)
_STRONG = regex.compile(
    r"(?:\bmy (?:full |first |last |sur)?name(?: is|['’]?s)|\bname['’]s"
    r"|(?:^|[\n;,(|])[ \t]*(?:[\p{L}]+[ \t]){0,2}(?:name|patient|employee|manager|customer|tenant|passenger|claimant"
    r"|holder|signed|attn|attention|contact|contact person|applicant|attendees|recipient|sender|from|to|cc|insured"
    r"|owner|author)"
    r"[ \t]*:"
    r"|\b(?:sincerely(?: yours)?|yours (?:sincerely|faithfully|truly)|(?:(?:kind|best|warm|with) )?(?:kind )?regards|"
    r"best wishes|cheers|best|thanks|many thanks|thank you|love|greetings|cordialement|saludos|grüße|grüßen),?[ \t]*\n"
    rf"|\b{_TITLE}\b\.?)\s*",
    regex.IGNORECASE,
)
"""After this a name is due, whatever the words."""
_WEAK = regex.compile(
    r"(?:\bi am|\bi['’]m|\bim|\bits|\bit['’]s|\bthis is|\bcall me|\bcall|\bask(?:ed)? for|\bask|\btell"
    r"|\b(?:talk|speak)(?:ing|ed)? (?:to|with)"
    r"|\bcontact|\bmet|\bthanks|\bthank you|\bpatient|\bwitness|\btenant|\bclaimant|\bpassenger|\bholder|\bnurse"
    rf"|\b(?:my|his|her|our|their) (?:\w+ )?{_RELATIVE}(?: is called| is named| called| named| is)?)"
    r"(?:,[ \t]*|[ \t]+)|@",
    regex.IGNORECASE,
)
"""After this a name is likely."""
_GREETING = regex.compile(r"\b(?:dear|hi|hello|hey|good (?:morning|afternoon|evening)),?[ \t]+", regex.IGNORECASE)
"""After this a name is due where a comma or the line's end follows it."""
_CAPITAL = r"(?:\p{Lu}[\p{L}\p{M}]*(?:['’-][\p{L}\p{M}]+)*|\p{Lu}\.)"
_NAME = regex.compile(rf"(?!{_TITLE}\b){_CAPITAL}(?:[ \t]+(?:{_PARTICLE}[ \t]+){{0,2}}{_CAPITAL}){{0,3}}")
_LOWER = regex.compile(r"[\p{Ll}][\p{L}\p{M}'’-]*(?:[ \t]+[\p{Ll}][\p{L}\p{M}'’-]*){0,2}")
_GAP = regex.compile(rf"[ \t]+(?:\p{{Lu}}\.[ \t]+)?(?:{_PARTICLE}[ \t]+){{0,2}}")


class CueRecognizer(ScoredRecognizer):
    """Names after words that announce them."""

    def __init__(self) -> None:
        gate = _gate()
        super().__init__("PERSON", f"{gate}|{BEYOND_ASCII}", lambda value, near: _SCORE, [])

    def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None, regex_flags: Any = None) -> list[Any]:
        """The names, from left to right."""
        spans = [
            *self._after(_STRONG, text, strong=True),
            *self._after(_WEAK, text, strong=False),
            *self._after(_GREETING, text, strong=False, closed=True),
        ]
        return [RecognizerResult("PERSON", start, end, _SCORE) for start, end in dict.fromkeys(spans)]

    def _after(self, cue: Any, text: str, *, strong: bool, closed: bool = False) -> Iterator[tuple[int, int]]:
        known = names()
        for match in cue.finditer(text, timeout=_SECONDS):
            place = match.end()
            title = _TITLED.match(text, place)
            if title:
                place = title.end()
            named = _NAME.match(text, place)
            if named:
                end = _ordinary_cut(text, place, named.end())
                alone = closed and end == named.end() and _CLOSED.match(text, end)
                words = WORD.findall(text[place:end].lower())
                sure = (
                    strong
                    or any(w in known.given or w in known.family for w in words)
                    or (words and words[0] in known.doubtful)
                )
                if words and (sure or alone or (len(words) > 1 and tuple(words) not in places())):
                    yield place, end
                continue
            lower = _LOWER.match(text, place)
            if lower and (end := _lower_name(text, lower, known, strong=strong)):
                yield place, end


_CLOSED = regex.compile(r"[ \t]*(?:[,!\n]|$)")
_POSSESSIVE = regex.compile(r"['’]s?$")
_TITLED = regex.compile(rf"{_TITLE}\b\.?[ \t]+", regex.IGNORECASE)


def _gate() -> str:
    return (
        r"my (?:full |first |last |sur)?name|name.{1,2}s|:|sincerely|faithfully|truly|regards|wishes|cheers|best|thank"
        r"|love|greetings|cordialement|saludos|@|\b(?:i am|i.?m|im|it.?s|this is|call|ask|asked|tell|met|contact|dear"
        r"|hi|hello|hey|good|my|his|her|our|their|to|with|patient|witness|tenant|claimant|passenger|holder|nurse)\b"
        rf"|\b{_TITLE}\b"
    )


def _ordinary_cut(text: str, start: int, end: int) -> int:
    """The end of a name that begins at `start`: before the first word that is in no name."""
    last = start
    for word in WORD.finditer(text, start, end):
        if word.group().lower() in NOT_NAMES and word.group().lower() not in PARTICLES:
            break
        last = word.end()
        if _POSSESSIVE.search(word.group()):
            return int(word.start()) + len(_POSSESSIVE.sub("", word.group()))
    return last


def _lower_name(text: str, found: Any, known: Names, *, strong: bool) -> int:
    """The end of a name in lower case; 0 if there is none."""
    from spacy.lang.en.stop_words import STOP_WORDS  # noqa: PLC0415 - a model needs spaCy anyway

    end = 0
    for count, word in enumerate(WORD.finditer(text, found.start(), found.end())):
        value = word.group().lower()
        listed = value in known.given or value in known.doubtful if count == 0 else value in known.family
        likely = strong and count < 2 and value not in STOP_WORDS and value not in NOT_NAMES and len(value) > 1
        if not listed and not (likely and (count == 0 or end)):
            break
        if not strong and value in STOP_WORDS | NOT_NAMES:
            break
        end = word.end()
    return end


class ListRecognizer(EntityRecognizer):  # type: ignore[misc]
    """Names that hold a name of the lists."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], name="NameListRecognizer")

    def load(self) -> None:
        """Reads the lists."""
        names()

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The names, from left to right, none within another."""
        known = names()
        found: list[RecognizerResult] = []
        words = list(WORD.finditer(text))
        first = 0
        while first < len(words):
            last = _listed(text, words, first, known)
            if last is not None:
                start = words[first].start()
                start -= len(initials.group()) if (initials := _INITIALS.search(text[max(0, start - 8) : start])) else 0
                end = words[last].start() + len(_POSSESSIVE.sub("", words[last].group()))
                found.append(RecognizerResult("PERSON", start, end, _SCORE))
                first = last
            first += 1
        return found


def _listed(text: str, words: list[Any], first: int, known: Names) -> int | None:
    """The last word of a name that begins with word `first`; None where none begins there."""
    written = _POSSESSIVE.sub("", words[first].group())
    value = written.lower()
    if any(tuple(word.group().lower() for word in words[first : first + size]) in places() for size in (2, 3)):
        return None
    given, doubtful = value in known.given, value in known.doubtful
    if written[0].islower():
        if not given or len(value) < 4:
            return None
        following = _next(text, words, first)
        if following is None or text[words[following].start()].isupper():
            return first
        particles = following > first + 1
        also = words[following].group()
        return following if particles or also in known.family or (also in known.given and len(also) > 3) else first
    if len(written) > 1 and written.isupper() and not given:
        return None
    last = first
    place = words[first].start()
    by_initial = value in known.family and _INITIALS.search(text[max(0, place - 8) : place]) is not None
    sure = given or by_initial
    if written != words[first].group():
        return first if sure else None
    while last - first < _MOST and (following := _next(text, words, last)) is not None:
        word = words[following].group()
        if not word[0].isupper() or word.lower() in NOT_NAMES:
            break
        if not sure and last == first:
            family = word.lower() in known.family and word.lower() not in _FAMILY_WORDS
            if not (doubtful and word.lower() in known.family) and not (family and value not in NOT_NAMES):
                return None
            sure = True
        last = following
    if last > first and (value,) in places() and not given:
        return None
    return last if sure else None


_INITIALS = regex.compile(r"(?<![\p{L}.])(?:\p{Lu}\.[ ]?){1,3}$")
_FAMILY_WORDS = frozenset(
    (
        "young long price brown green white gray hill wood woods king bell ward cook hall moore park brooks flores "
        "washington butler fisher marshall porter foster hunter baker carter mori sun bos lang koch wolf klein jung "
        "kaiser das sen romero silva costa lima rocha santos cruz castillo molina romano leone longo greco ferrari "
        "ferrara yang tang kiss vos smit moyo kim lin abe chan sidhu gill jain bose laine blanc hayes reed scott adams "
        "evans lambert martin russo marin conti medina varga islam morales ramos torres navarro ortega rubio barnes"
    ).split()
)
"""Family names that are words, places or brands: only beside a given name."""


def _next(text: str, words: list[Any], index: int) -> int | None:
    """The word that a name could go on with after word `index`: past blanks, initials and particles."""
    gap = _GAP.match(text, words[index].end())
    if gap is None:
        return None
    for following in range(index + 1, min(index + 5, len(words))):
        if words[following].start() == gap.end():
            return following
    return None


def recognizers() -> list[EntityRecognizer]:
    """The recognizers of names that need no model."""
    return [CueRecognizer(), ListRecognizer()]


# --- names that a model found ----------------------------------------------------------------------------

_EDGES = " \t\r\n.,;:!?\"“”'‘’()[]{}<>*_#@-–—/|"


def trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """A span that a model takes for a name, cut down to the name; None where none is left."""
    line = regex.search(r"[\r\n\t]", text[start:end].strip())
    if line:
        start += len(text[start:end]) - len(text[start:end].lstrip())
        end = start + line.start()
    words = deque(WORD.finditer(text, start, end))
    while words:
        while text[start] in _EDGES:
            start += 1
        while text[end - 1] in _EDGES:
            end -= 1
        if possessive := _POSSESSIVE.search(text, max(start, end - 2), end):
            end = possessive.start()
        elif words[0].group().lower() in NOT_NAMES or _TITLED.match(text[start : words[0].end()] + " "):
            start = words.popleft().end()
        elif text[words[-1].start() : min(words[-1].end(), end)].lower() in NOT_NAMES:
            end = words[-1].start()
        else:
            return (start, end) if _nameable(text[start:end]) else None
        while words and words[-1].start() >= end:
            words.pop()
    return None


def _nameable(value: str) -> bool:
    known = names()
    words = [word.lower() for word in WORD.findall(value)]
    if any(word in known.given or word in known.family for word in words):
        return True
    if any(char.isdigit() or char in "_/\\=+<>{}" for char in value):
        return False
    if not any(word[0].isupper() for word in WORD.findall(value)):
        return False
    return not (len(words) == 1 and (value.isupper() or tuple(words) in places()))
