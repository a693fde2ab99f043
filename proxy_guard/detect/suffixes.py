"""Names of hosts, by the list of public suffixes (com, co.uk, …) as bundled with tldextract."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from unicodedata import combining, normalize

import regex
import tldextract

COMMON = frozenset(
    {"ai", "biz", "ca", "ch", "cn", "co", "com", "cz", "de", "dk", "edu", "es", "eu", "fi", "fr", "gov", "hu", "ie"}
    | {"in", "io", "jp", "kr", "mil", "net", "nl", "org", "ru", "se", "uk"}
)
"""Top-level domains under which a bare name is a host's. Others are words (is, me, so) or endings of files (py, sh)."""
_LONGEST = 253
"""Characters of a host's name (RFC 1035, 3.1, without the last full stop)."""
_ENDING = regex.compile(r"(?<=\w\.)(?:[A-Za-z][a-z]{1,17}|[A-Z]{2,18})(?=[-_\dA-Z]|\.[A-Z][a-z])")
"""A label behind which a name may end: `example.com-see`, `example.com.Please`, `example.com1`, `example.comPhone`."""
_NUMBERED = frozenset({"bz", "dev", "md", "mp", "ps"})
"""Top-level domains that are followed by a number in versions and names of files: `1.0.dev3`, `.mp4`."""
_LABEL = regex.compile(r"(?<=\w\.)[A-Za-z]{2,63}")


@cache
def suffixes() -> tldextract.TLDExtract:
    """Takes host names apart. The guard makes no call that a rule file did not ask for, so the bundled list serves."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def is_host(name: str) -> bool:
    """Whether there can be a host of that name."""
    return bool(suffixes()(name).fqdn)


def host_size(name: str, *, in_a_row: bool = False, in_code: bool = False) -> int:
    """How many characters at the beginning of `name` are that of a host; 0 where none are.

    Something may be glued to it: the local part of the next address if `in_a_row`, no word if `in_code`.
    """
    # Accents are no way round: a reader leaves them out.
    if is_host(name) or (not name.isascii() and is_host(_unmarked(name))):
        return len(name)
    name = name[:_LONGEST]
    return next((end for end in _ends(name, in_a_row=in_a_row, in_code=in_code) if is_host(name[:end])), 0)


def _unmarked(name: str) -> str:
    """A host's name without accents and other marks on its letters."""
    return "".join(each for each in normalize("NFKD", name) if not combining(each))


def _ends(host: str, *, in_a_row: bool, in_code: bool) -> Iterator[int]:
    """Where a name may end of which `host` is more than that, likelier ones first."""
    for each in reversed(list(_ENDING.finditer(host))):
        label, behind = each.group().lower(), host[each.end()]
        likely = label in COMMON and not in_code if behind.isupper() else label not in _NUMBERED or not behind.isdigit()
        if likely:
            yield each.end()
    if in_a_row:
        for each in _LABEL.finditer(host):
            for end in range(each.end(), each.start() + 1, -1):
                if host[each.start() : end].lower() in COMMON:
                    yield end
