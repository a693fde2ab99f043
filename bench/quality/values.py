"""Values of many countries for the labelled sentences, made by Faker and from lists of our own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from faker import Faker

ENTITY_OF = {
    "person": "PERSON",
    "first": "PERSON",
    "last": "PERSON",
    "address": "LOCATION",
    "city": "LOCATION",
    "country": "LOCATION",
    "date": "DATE_TIME",
    "time": "DATE_TIME",
    "nrp": "NRP",
    "phone": "PHONE_NUMBER",
    "email": "EMAIL_ADDRESS",
    "card": "CREDIT_CARD",
    "iban": "IBAN_CODE",
    "ssn": "US_SSN",
    "ip": "IP_ADDRESS",
    "domain": "DOMAIN_NAME",
}
"""The entity of each kind of value."""

_LOCALES = (
    "en_US en_US en_GB en_GB en_IN en_IN en_AU en_CA de_DE fr_FR es_ES es_MX it_IT nl_NL pl_PL sv_SE pt_BR da_DK "
    "tr_TR cs_CZ fi_FI JA AR ZH"
).split()

_ROMAN: dict[str, tuple[list[str], list[str], list[str], list[str]]] = {
    # Given names, family names, streets, cities: in Latin letters, which Faker has none of.
    "JA": (
        "Haruto Yuki Sakura Kenji Aiko Takashi Hiroshi Yumi Naoki Emiko Daichi Keiko Ryota Akira".split(),
        "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada".split(),
        ["2-11-3 Meguro", "1-1-2 Otemachi", "4-5-6 Shibuya", "3-14-1 Minami-Aoyama"],
        ["Meguro-ku, Tokyo 153-0063", "Osaka 530-0001", "Kyoto", "Yokohama"],
    ),
    "AR": (
        "Mohammed Ahmed Fatima Aisha Omar Layla Khalid Mariam Yusuf Hassan Noura Abdullah Salma Tariq Zainab".split(),
        "Al-Farsi Haddad Khalil Mansour Al-Rashid Nasser Saleh Ibrahim Hassan Darwish Qasim Abboud".split(),
        ["12 King Fahd Road", "Villa 14, Al Wasl Road", "25 Tahrir Street", "Building 7, Al Olaya Street"],
        ["Riyadh 12211", "Dubai", "Cairo", "Amman", "Doha"],
    ),
    "ZH": (
        "Wei Fang Xiuying Min Lei Yang Jing Jun Qiang Mei Xiaoming Yan Tao Haoran".split(),
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Zhu Lin".split(),
        ["No. 88 Nanjing Road", "99 Zhongshan Road", "Room 1203, 1 Jianguo Road", "15 Queen's Road Central"],
        ["Shanghai 200001", "Beijing", "Guangzhou 510000", "Hong Kong", "Shenzhen"],
    ),
}
_STREETS: dict[str, list[str]] = {
    # {n} is a number. Each list holds several ways to write an address down, the city left out.
    "en_US": [
        "{n} Oak Street",
        "{n} N Main St",
        "{n} Sunset Blvd, Apt 4B",
        "{n} Maple Avenue",
        "{n} W 34th St",
        "PO Box {n}",
        "{n} Elm Dr, Suite 200",
        "{n} Pennsylvania Ave NW",
        "{n} Highland Park Lane",
        "{n} Cedar Ct #12",
        "{n} County Road 9",
        "{n} Martin Luther King Jr. Blvd",
        "{n} Willow Creek Rd., Unit 7",
        "{n} Fifth Avenue",
    ],
    "en_GB": [
        "{n} Baker Street",
        "Flat 4, {n} Station Road",
        "{n}a High Street",
        "{n}B Church Lane",
        "{n} The Crescent",
        "{n} Queen's Gardens",
        "{n} St. John's Wood Terrace",
        "Flat 2b, {n} Victoria Park Road",
        "{n} Mill Close",
        "{n}-14 Albert Square",
        "Unit 5, {n} Dock Road",
        "{n} Orchard Grove",
        "{n} Kings Parade",
        "{n} Abbey Mews",
    ],
    "en_IN": [
        "{n} MG Road",
        "Flat 302, Sai Apartments, {n} Linking Road",
        "H.No. {n}, Gandhi Nagar",
        "{n}/2 Park Street",
        "Plot {n}, Sector 18",
        "{n}, 4th Cross, Indiranagar",
        "B-{n}, Vasant Kunj",
        "#{n}, 2nd Main Road, Jayanagar",
        "{n} Nehru Marg",
        "Door No. {n}, Anna Salai",
        "House No {n}, Model Town",
        "{n} Brigade Road",
    ],
    "de_DE": [
        "Musterstraße {n}",
        "Hauptstr. {n}",
        "Am Markt {n}",
        "Goethestraße {n}a",
        "Lindenweg {n}",
        "Berliner Allee {n}",
        "Schillerplatz {n}",
        "Unter den Linden {n}",
        "Kaiserdamm {n}",
        "An der Mühle {n}",
        "Rosengasse {n}",
        "Bahnhofstrasse {n}",
    ],
    "fr_FR": [
        "{n} rue de la Paix",
        "{n}, avenue Victor Hugo",
        "{n} bis boulevard Voltaire",
        "{n} place de la République",
        "{n} rue du Faubourg Saint-Honoré",
        "{n} chemin des Vignes",
        "{n}, impasse des Lilas",
        "{n} quai d'Orsay",
        "{n} allée des Tilleuls",
        "{n} cours Mirabeau",
    ],
    "es_ES": [
        "Calle Mayor {n}, 2º B",
        "C/ Alcalá {n}",
        "Avenida de América {n}",
        "Plaza de España {n}",
        "Paseo del Prado, {n}",
        "Calle de Serrano, {n}",
        "Avda. Diagonal {n}",
        "Ronda de Toledo {n}",
        "Camino Viejo {n}",
        "Carrer de Balmes {n}",
    ],
    "it_IT": [
        "Via Roma {n}",
        "Via Giuseppe Garibaldi, {n}",
        "Piazza del Duomo {n}",
        "Corso Buenos Aires {n}",
        "Viale Monza {n}",
        "Largo Augusto {n}",
        "Vicolo Stretto {n}",
        "Via dei Mille {n}/A",
    ],
    "nl_NL": [
        "Kerkstraat {n}",
        "Prinsengracht {n}",
        "Damrak {n}-II",
        "Laan van Meerdervoort {n}",
        "Stationsplein {n}",
        "Molenweg {n}",
        "Oude Kade {n}",
        "Beukenlaan {n}b",
    ],
    "pl_PL": [
        "ul. Marszałkowska {n}",
        "ul. Długa {n}/5",
        "al. Jerozolimskie {n}",
        "pl. Wolności {n}",
        "os. Leśne {n}",
        "ulica Polna {n} m. 3",
    ],
    "sv_SE": [
        "Drottninggatan {n}",
        "Storgatan {n}",
        "Kungsvägen {n}",
        "Norra Torget {n}",
        "Björkstigen {n}",
        "Skolallén {n}",
    ],
    "pt_BR": [
        "Rua das Flores, {n}",
        "Av. Paulista, {n}",
        "Rua Augusta {n}, apto 12",
        "Praça da Sé, {n}",
        "Travessa do Ouvidor {n}",
        "Alameda Santos, {n}",
    ],
    "da_DK": ["Nørregade {n}", "Vestergade {n}, 2. tv", "Strandvej {n}", "Kongens Allé {n}"],
    "tr_TR": ["Atatürk Caddesi No: {n}", "İstiklal Cad. {n}", "Gül Sokak No:{n}", "Lale Sk. {n}/4"],
    "cs_CZ": ["Na Příkopě {n}", "Vodičkova ulice {n}", "náměstí Míru {n}", "Masarykova třída {n}"],
    "fi_FI": ["Mannerheimintie {n}", "Koulukatu {n} A 5", "Rantapolku {n}", "Asematie {n}"],
}
_STREETS |= {"en_AU": _STREETS["en_GB"], "en_CA": _STREETS["en_US"], "es_MX": _STREETS["es_ES"]}
_CITIES: dict[str, list[str]] = {
    "en_US": [
        "New York, NY 10018",
        "Austin, TX 78701",
        "Seattle, Washington",
        "Chicago, IL",
        "Denver, CO 80202",
        "Boston",
    ],
    "en_GB": ["London NW1 6XE", "Manchester M1 2AB", "Leeds LS1 4DY", "Bristol", "Edinburgh EH1 1YZ", "Cardiff"],
    "en_IN": ["Bengaluru 560001", "Mumbai - 400050", "New Delhi 110070", "Chennai", "Kolkata 700016", "Pune 411001"],
    "de_DE": ["10115 Berlin", "80331 München", "D-50667 Köln", "Hamburg", "60311 Frankfurt am Main"],
    "fr_FR": ["75002 Paris", "69003 Lyon", "Marseille", "33000 Bordeaux", "59000 Lille"],
    "es_ES": ["28013 Madrid", "08007 Barcelona", "Valencia", "41001 Sevilla"],
    "it_IT": ["00184 Roma", "20121 Milano", "Torino", "50122 Firenze"],
    "nl_NL": ["1015 CJ Amsterdam", "2517 AK Den Haag", "Utrecht", "3011 AB Rotterdam"],
    "pl_PL": ["00-026 Warszawa", "31-042 Kraków", "Gdańsk"],
    "sv_SE": ["111 51 Stockholm", "411 06 Göteborg", "Malmö"],
    "pt_BR": ["São Paulo - SP, 01310-100", "Rio de Janeiro", "Recife 50030-230"],
    "da_DK": ["1165 København K", "8000 Aarhus C", "Odense"],
    "tr_TR": ["34430 İstanbul", "Ankara", "İzmir"],
    "cs_CZ": ["110 00 Praha 1", "Brno", "Ostrava"],
    "fi_FI": ["00100 Helsinki", "Tampere", "20100 Turku"],
    "en_AU": ["Sydney NSW 2000", "Melbourne VIC 3000", "Perth"],
    "en_CA": ["Toronto, ON M5H 2N2", "Vancouver, BC", "Montreal"],
    "es_MX": ["06600 Ciudad de México", "Guadalajara", "Monterrey"],
}
_NRP = (
    "German French Indian Muslim Catholic Italian American Jewish Brazilian Hindu Polish Democrat Nigerian Buddhist "
    "Chinese Spanish Republican Turkish Swedish Protestant Mexican Sikh Japanese Kurdish British Christian Dutch "
    "Pakistani Orthodox Russian Canadian Irish Greek Korean Egyptian Ukrainian Kenyan Australian"
).split()
_PHONES = {
    "en_US": ["({a}) {b}-{c}", "{a}-{b}-{c}", "+1 {a} {b} {c}", "{a}.{b}.{c}", "+1{a}{b}{c}"],
    "en_GB": ["020 7946 0{d}", "+44 20 7946 0{d}", "07911 12{c}", "+44 7911 12{c}", "01632 96{c}"],
    "en_IN": ["98{e}", "+91 98{d} {f}", "+91-98{e}", "098{e}", "+91 98{e}"],
}
_DATES = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%B %d, %Y", "%d %B %Y", "%b %d, %Y", "%d %b %Y", "%d-%m-%Y",
    "%dth of %B %Y", "%B %d", "%d/%m/%y", "%A, %B %d, %Y", "%Y/%m/%d", "%d-%b-%Y",
)  # fmt: skip
_TIMES = ("%H:%M", "%I:%M %p", "%I%p", "%H:%M:%S", "%I %p", "%I:%M%p", "%I.%M pm", "%Hh%M")
_FAKERS: dict[str, Any] = {}


def _faker(locale: str) -> Any:
    if locale not in _FAKERS:
        _FAKERS[locale] = Faker(locale)
    return _FAKERS[locale]


@dataclass
class Values:
    """Values of one sentence: all of one country. `half` 0 or 1 takes another half of our own lists."""

    chance: random.Random
    half: int
    locale: str = field(init=False)

    def __post_init__(self) -> None:
        self.locale = self.chance.choice(_LOCALES)
        if self.locale not in _ROMAN:
            self._fake.seed_instance(self.chance.getrandbits(32))

    def of(self, kind: str) -> str:
        """A value of the kind."""
        maker: Callable[[], str] = getattr(self, f"_{kind}")
        return maker()

    def _pick(self, values: list[str]) -> str:
        half = values[self.half :: 2]
        return self.chance.choice(half or values)

    @property
    def _fake(self) -> Any:
        return _faker("en_US" if self.locale in _ROMAN else self.locale)

    @cached_property
    def _english(self) -> Any:
        fake = _faker("en_US")
        fake.seed_instance(self.chance.getrandbits(32))
        return fake

    def _first(self) -> str:
        if self.locale in _ROMAN:
            return self._pick(_ROMAN[self.locale][0])
        return str(self._fake.first_name())

    def _last(self) -> str:
        if self.locale in _ROMAN:
            return self._pick(_ROMAN[self.locale][1])
        return str(self._fake.last_name())

    def _person(self) -> str:
        first, last = self._first(), self._last()
        form = self.chance.random()
        if self.locale == "ZH" and form < 0.5:
            return f"{last} {first}"
        if form < 0.06:
            return f"{first} {self.chance.choice('ABCDEGHJKLMPRST')}. {last}"
        if form < 0.09:
            return f"{first[0]}. {last}"
        if form < 0.12:
            return f"{first} {self._first()} {last}"
        if form < 0.14:
            return f"{first.upper()} {last.upper()}"
        return f"{first} {last}"

    def _address(self) -> str:
        if self.locale in _ROMAN:
            street, city = self._pick(_ROMAN[self.locale][2]), self._pick(_ROMAN[self.locale][3])
        elif self.chance.random() < 0.25:
            street, city = str(self._fake.street_address()).replace("\n", ", "), str(self._fake.city())
        else:
            number = str(self.chance.choice([self.chance.randint(1, 99), self.chance.randint(100, 1800)]))
            street = self._pick(_STREETS[self.locale]).replace("{n}", number)
            city = self._pick(_CITIES[self.locale])
        return f"{street}, {city}" if self.chance.random() < 0.6 else street

    def _city(self) -> str:
        if self.locale in _ROMAN:
            city = self._pick(_ROMAN[self.locale][3])
        elif self.chance.random() < 0.4:
            return str(self._fake.city())
        else:
            city = self.chance.choice(_CITIES[self.locale])
        names = [word for word in city.split(",")[0].split() if word.isalpha() and not word.isupper()]
        return " ".join(names) or city

    def _country(self) -> str:
        return str(self._english.country()).split("(")[0].strip()

    def _date(self) -> str:
        moment = self._english.date_time_between("-70y", "now")
        return str(moment.strftime(self.chance.choice(_DATES)))

    def _time(self) -> str:
        moment = self._english.date_time_between("-70y", "now")
        return str(moment.strftime(self.chance.choice(_TIMES))).lstrip("0") or "12"

    def _nrp(self) -> str:
        return self._pick(_NRP)

    def _phone(self) -> str:
        digits = [str(self.chance.randint(0, 9)) for _ in range(8)]
        parts = {
            "a": self.chance.choice(["212", "415", "312", "617", "713", "206"]),
            "b": "55" + digits[0],
            "c": "".join(digits[1:5]),
            "d": "".join(digits[1:4]),
            "e": "".join(digits),
            "f": "".join(digits[:5]),
        }
        forms = _PHONES.get(self.locale, ["+49 30 901820", "+33 1 42 68 53 00", "+34 912 345 678", "+46 8 508 000 00"])
        return self.chance.choice(forms).format(**parts)

    def _email(self) -> str:
        return str(self._english.email())

    def _card(self) -> str:
        digits = str(self._english.credit_card_number(self.chance.choice(["visa", "mastercard", "amex"])))
        if len(digits) == 16 and self.chance.random() < 0.5:
            return self.chance.choice(" -").join(digits[start : start + 4] for start in range(0, 16, 4))
        return digits

    def _iban(self) -> str:
        value = str(_faker("de_DE" if self.chance.random() < 0.5 else "en_GB").iban())
        if self.chance.random() < 0.4:
            return " ".join(value[start : start + 4] for start in range(0, len(value), 4))
        return value

    def _ssn(self) -> str:
        return str(self._english.ssn())

    def _ip(self) -> str:
        return str(self._english.ipv4_public() if self.chance.random() < 0.8 else self._english.ipv6())

    def _domain(self) -> str:
        return str(self._english.domain_name())
