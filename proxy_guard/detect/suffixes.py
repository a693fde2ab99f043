"""The list of public suffixes (com, co.uk, …), as bundled with tldextract."""

from __future__ import annotations

from functools import cache

import tldextract

COMMON = frozenset(
    {"ai", "biz", "ca", "ch", "cn", "co", "com", "cz", "de", "dk", "edu", "es", "eu", "fi", "fr", "gov", "hu", "ie"}
    | {"in", "io", "jp", "kr", "mil", "net", "nl", "org", "ru", "se", "uk"}
)
"""Top-level domains under which a bare name is a host's. Others are words (is, me, so) or endings of files (py, sh)."""


@cache
def suffixes() -> tldextract.TLDExtract:
    """Takes host names apart. The guard makes no call that a rule file did not ask for, so the bundled list serves."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
