"""The list of public suffixes (com, co.uk, …), as bundled with tldextract."""

from __future__ import annotations

from functools import cache

import tldextract


@cache
def suffixes() -> tldextract.TLDExtract:
    """Takes host names apart. The guard makes no call that a rule file did not ask for, so the bundled list serves."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
