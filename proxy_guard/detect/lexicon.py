"""Lists of words that names, places and addresses are told by."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

import regex

BEYOND_ASCII = "ß"
"""In a pattern for the prefilter: a text beyond ASCII counts as one that it could match."""
WORD = regex.compile(r"[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*")
MONTHS = (
    "january february march april may june july august september october november december "
    "januar jänner februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août septembre "
    "octobre novembre décembre enero febrero marzo abril "
    "mayo junio julio agosto septiembre octubre noviembre diciembre "
    "gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre januari februari maart mei augustus "
    "janeiro fevereiro março maio junho julho setembro outubro novembro dezembro"
).split()
SHORT_MONTHS = "jan feb mar apr jun jul aug sep sept oct nov dec".split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()

NOT_NAMES: frozenset[str] = frozenset(
    (
        # Who is addressed or named by a role.
        "all everyone everybody team folks guys there sir sirs "
        "madam maam customer customers user users admin support sales "
        "client clients friend friends colleague colleagues member members guest guests manager managers doctor nurse "
        "teacher professor engineer developer developers support service services department committee board office "
        "officer agent president minister director assistant editor reviewer reviewers hiring recruiter candidate "
        "witness world summarise summarize translate write draft tell ask meet call send ship deliver "
        "applicant patient employee employer tenant landlord owner buyer seller driver judge captain mum mom dad "
        "mother father grandma grandpa baby kid kids boss chef coach human resources it hr ceo cto cfo cc bcc re fwd "
        "system bot assistant chatbot unknown anonymous none null true false n/a tbd "
        # Words that begin sentences and lines, or that greetings go on with.
        "hi hello hey dear thanks thank regards best cheers sincerely yours love good morning afternoon evening night "
        "again please note yes no ok okay sorry welcome congratulations happy merry today tomorrow yesterday now then "
        "also only just very really still currently already not so too much many some any every each both this that "
        "these those here where when what which who why how if and or but nor because since while after before until "
        "from to in on at by for with without about into over under between of off the a an my your his her its our "
        "their i you he she it we they me him us them am is are was were be been being do does did have has had can "
        "could will would shall should may might must let lets get got make made go going come new old big small first "
        "last next same other another more most less least own such one two three four five six seven eight nine ten "
        "mr mrs ms miss dr prof sr jr "
        # Fields of forms and mails.
        "name names address phone mobile mail email e-mail date time subject sent city country street number order "
        "invoice account ticket case id ref code customer company born dob ssn iban card nationality "
        # Things that models take for people.
        "python java javascript typescript kotlin swift rust "
        "golang docker kubernetes redis postgres mysql mongodb linux "
        "ubuntu windows macos android ios excel word outlook "
        "teams slack zoom jira confluence github gitlab git jenkins "
        "grafana prometheus kafka spark hadoop pandas numpy django flask "
        "react angular vue svelte node npm css html sql "
        "json yaml xml api sdk url http https ssh tcp aws azure gcp google microsoft apple amazon netflix spotify "
        "facebook instagram twitter whatsapp telegram youtube tiktok linkedin reddit wikipedia paypal visa mastercard "
        "amex iphone ipad macbook alexa siri cortana chatgpt openai claude gemini llama tesla toyota honda ford bmw "
        "christmas easter ramadan diwali hanukkah halloween thanksgiving wifi bluetooth internet web app pdf csv ai ml "
        "english french german spanish italian portuguese dutch chinese japanese korean russian arabic hindi latin "
        "street road avenue lane drive park square church school university college hospital hotel airport station "
        "inc ltd llc gmbh corp plc bank group holdings "
    ).split()
) | frozenset((*MONTHS, *SHORT_MONTHS, *WEEKDAYS)) - {"jan"}
"""Words, in lower case, that are no names even where a name is due."""


class Names(NamedTuple):
    """Names in lower case. `doubtful` given names are words, places or brands as well."""

    given: frozenset[str]
    doubtful: frozenset[str]
    family: frozenset[str]


def _lines(name: str) -> list[str]:
    text = (resources.files("proxy_guard.detect") / "data" / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def names() -> Names:
    """The names that are common somewhere."""
    given = {word for line in _lines("given_names.txt") for word in line.split()}
    doubtful = frozenset(word[:-1].lower() for word in given if word.endswith("?"))
    family = frozenset(word.lower() for line in _lines("family_names.txt") for word in line.split())
    return Names(frozenset(word.lower() for word in given if not word.endswith("?")) - doubtful, doubtful, family)


_MORE_PLACES = (
    "England;Scotland;Wales;Great Britain;Northern Ireland;USA;UAE;Frankfurt;Ivory Coast;Burma;Holland;Europe;Asia;"
    "Africa;Oceania;Latin America;South America;North America;Middle East;China;Sydney;Mexico City;Bangalore;Bombay;"
    "Calcutta;Madras;New York;Washington DC;Los Angeles;San Francisco;"
    "Bavaria;Catalonia;Tuscany;California;Texas;Florida;"
    "Korea;Congo;Palestine;Syria;Iran;Russia;Turkey;Kiev;"
    "Cologne;Geneva;Lausanne;Basel;Bern;Salzburg;Innsbruck;Cambridge;"
    "Oxford;York;Ghent;Bruges;Haarlem;Leiden;Delft;Aarhus;"
    "Uppsala;Tampere;Turku;Trondheim;Brno;Salamanca;Toledo;Pisa;Siena;"
    "Roma;Milano;Torino;Napoli;Firenze;Venezia;Genova;München;"
    "Köln;Nürnberg;Wien;Zürich;Genève;Bruxelles;Brussel;Antwerpen;"
    "Den Haag;København;Göteborg;Warszawa;Kraków;Wrocław;Łódź;"
    "Praha;Lisboa;Sevilla;Zaragoza;Córdoba;Málaga;Montreal;Montréal;"
    "Québec;İstanbul;İzmir;Ciudad de México;São Paulo;Brasília;"
    "Lyon;Marseille;Bordeaux;Lille;Nantes;Strasbourg;Toulouse;"
    "Helsinki;Moskva;Kyiv;Athina;Bucureşti;Beograd;Al Khobar;Jeddah;Makkah"
)


@cache
def places() -> frozenset[tuple[str, ...]]:
    """Countries, states and cities, by their words in lower case."""
    every = (*_lines("places.txt"), *_MORE_PLACES.split(";"))
    return frozenset(tuple(WORD.findall(name.lower())) for name in every)
