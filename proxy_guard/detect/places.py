"""LOCATION and NRP by lists: countries, large cities; peoples, religions and parties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult

from proxy_guard.detect.lexicon import WORD, places

_SCORE = 0.9
_MOST = 4
_PREPOSITIONS = frozenset("in from to near at of visit visiting for through via around outside leaving".split())

_PEOPLES = frozenset(
    (
        "afghan albanian algerian american angolan argentinian "
        "argentine armenian australian austrian azerbaijani bahraini "
        "bangladeshi belarusian belgian bolivian bosnian brazilian "
        "british bulgarian burmese cambodian cameroonian canadian "
        "chilean chinese colombian congolese croatian cuban cypriot "
        "czech danish dutch ecuadorian egyptian emirati english "
        "eritrean estonian ethiopian filipino finnish french gambian georgian german ghanaian greek guatemalan haitian "
        "hungarian icelandic indian indonesian iranian iraqi irish "
        "israeli italian jamaican japanese jordanian kazakh kenyan "
        "korean kosovar kurdish kuwaiti kyrgyz laotian "
        "latvian lebanese liberian libyan lithuanian macedonian malaysian "
        "maltese mauritanian mexican moldovan mongolian moroccan "
        "mozambican namibian nepalese nepali nicaraguan nigerian "
        "norwegian omani pakistani palestinian panamanian paraguayan "
        "peruvian polish portuguese qatari romanian russian "
        "rwandan salvadoran saudi scottish senegalese serbian "
        "singaporean slovak slovenian somali spanish sudanese swedish "
        "swiss syrian taiwanese tajik tanzanian thai tibetan "
        "tunisian turkish turkmen ugandan ukrainian uruguayan uzbek "
        "venezuelan vietnamese welsh yemeni zambian zimbabwean african "
        "asian european latino latina hispanic bengali punjabi "
        "gujarati tamil marathi pashtun uyghur roma "
        "muslim christian jewish hindu buddhist sikh "
        "catholic protestant lutheran methodist baptist anglican presbyterian "
        "mormon sunni shia shiite jain taoist atheist agnostic quaker adventist pentecostal orthodox evangelical "
        "muslims christians jews hindus buddhists sikhs catholics protestants mormons atheists "
        "republican republicans democrat democrats communist "
        "communists socialist socialists conservative conservatives tory "
        "americans germans italians russians indians canadians "
        "australians mexicans brazilians koreans egyptians nigerians "
        "ukrainians kurds turks poles swedes danes finns greeks spaniards frenchman englishman irishman"
    ).split()
)
_CAPITAL_ONLY = frozenset(
    "polish english republican conservative conservatives socialist "
    "communist orthodox evangelical agnostic georgian roma tory "
    "jain baptist christian democrat poles french danish swiss latin thai czech turks".split()
)
"""Words that mean something else in lower case."""
_LANGUAGE_BEFORE = regex.compile(
    r"\b(?:in|into|to|from|speak|speaks|speaking|spoke|learn|learning|study|studying|teach|translate|write|read|understand"
    r"|fluent|native|or|and|basic|some|your|my)\s+$",
    regex.IGNORECASE,
)
_THING_AFTER = regex.compile(
    r"\s+(?:language|lesson|lessons|class|classes|course|grammar|words?|verbs?|nouns?|version|translation|translator|text|subtitles"
    r"|keyboard|speaker|speakers|speaking|fries|toast|press|shepherd|dressing|door|doors|roast|muffin|cheese|food|foods|dish"
    r"|dishes|cuisine|recipe|recipes|restaurant|coffee|tea|wine|beer|bread|movie|movies|film|songs?|alphabet|literature|exam"
    r"|teacher|homework|accent|pronunciation|to english|premium|summer|express|airlines|airways)\b",
    regex.IGNORECASE,
)
_LANGUAGES = frozenset(
    "english french german spanish italian portuguese dutch chinese "
    "japanese korean russian arabic hindi turkish polish swedish "
    "danish norwegian finnish greek czech hungarian romanian "
    "ukrainian thai vietnamese indonesian tamil bengali punjabi "
    "gujarati marathi welsh irish hebrew persian bulgarian serbian croatian slovak".split()
)


class WordsRecognizer(EntityRecognizer):  # type: ignore[misc]
    """An entity whose words are listed."""

    def __init__(self, entity: str, spans: Callable[[str], Iterator[tuple[int, int]]]) -> None:
        super().__init__(supported_entities=[entity], name=f"{entity} list")
        self._spans = spans

    def load(self) -> None:
        """There is nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The listed words in `text`, from left to right."""
        return [RecognizerResult(self.supported_entities[0], start, end, _SCORE) for start, end in self._spans(text)]


def _places(text: str) -> Iterator[tuple[int, int]]:
    known = places()
    words = list(WORD.finditer(text))
    values = [word.group().lower() for word in words]
    index = 0
    while index < len(words):
        for last in range(min(index + _MOST, len(words)), index, -1):
            if tuple(values[index:last]) in known and _named(text, words, values, index, last):
                yield words[index].start(), words[last - 1].end()
                index = last - 1
                break
        index += 1


def _named(text: str, words: list[Any], values: list[str], first: int, last: int) -> bool:
    if any(
        text[one.end() : other.start()] not in (" ", ". ", ".")
        for one, other in zip(words[first:last], words[first + 1 : last], strict=False)
    ):
        return False
    if words[first].group()[0].isupper():
        return bool(words[last - 1].group()[0].isupper())
    return first > 0 and values[first - 1] in _PREPOSITIONS and len(values[first]) > 3


def _peoples(text: str) -> Iterator[tuple[int, int]]:
    for word in WORD.finditer(text):
        written = word.group()
        value = written.lower()
        parts = value.split("-")
        if not all(part in _PEOPLES for part in parts) or (written[0].islower() and value in _CAPITAL_ONLY):
            continue
        if is_language(text, word.start(), word.end()):
            continue
        yield word.start(), word.end()


def is_language(text: str, start: int, end: int) -> bool:
    """Whether a word for a people is about a language or a thing here: "in French", "Italian food"."""
    value = text[start:end].lower()
    if _THING_AFTER.match(text, end):
        return True
    if value not in _LANGUAGES:
        return False
    before = _LANGUAGE_BEFORE.search(text[max(0, start - 20) : start])
    # "from French" is the language, "my French neighbour" is not.
    return bool(before and not regex.match(r"\s\p{L}", text[end : end + 2]))


def recognizers(entity: str) -> list[EntityRecognizer]:
    """The recognizers of LOCATION or NRP by lists."""
    return [WordsRecognizer(entity, _places if entity == "LOCATION" else _peoples)]
