"""Very long texts in overlapping chunks, with the findings that the whole text would have.

What one finding costs then depends on its neighbourhood, not on the text: a pattern runs where it could match, a
character beyond ASCII makes one chunk slow, and a language model never sees more than a chunk.

A chunk is searched with `OVERLAP` code points on either side, and gives the findings that touch it. Where one of
them comes near an end of what was searched, it may go on behind it: the search is widened, as far as it takes. So
there is no bound on a finding's length. What has to lie within the overlap is what a recognizer looks at around a
match (`MARGIN`), and the place from which a pattern reads a stretch of text as it would from the text's start. Cuts
are made where that is next to no way: at a space in prose without digits, else at the end of a line or a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from proxy_guard.detect.patterns import Hit, distinct

SIZE = 100_000
"""Code points of a chunk; a text of more is searched in chunks."""
OVERLAP = 8192
MARGIN = 512
"""Code points on either side of a match that may have a say in it: words of its context, what it may not follow."""

Find = Callable[[Sequence[str]], list[list[Hit]]]
_LOOK_BACK = 4096
_SEAMS = (re.compile(r"[^\d@+:/<-]{40}\s(?=[^\d@+:/<-]{40})"), re.compile(r"\n"), re.compile(r"\s"))
"""Where to cut, the best first."""


def find_in_chunks(text: str, find: Find, size: int = SIZE, overlap: int = OVERLAP) -> list[Hit]:
    """The hits of `text`, best first; `find` gives those of short texts. `overlap` is more than `MARGIN`."""
    hits: list[Hit] = []
    reached: dict[str, int] = {}
    begin = 0
    while begin < len(text):
        end = _seam(text, begin, size)
        for hit in _touching(text, begin, end, find, overlap, reached):
            hits.append(hit)
            reached[hit.entity] = max(reached.get(hit.entity, 0), hit.end)
        begin = end
    return distinct(hits)


def _touching(text: str, begin: int, end: int, find: Find, overlap: int, reached: dict[str, int]) -> list[Hit]:
    """The hits that touch `text[begin:end]`, whole; `reached` says how far those of the chunks before it go."""
    before = after = overlap
    while True:
        left, right = max(0, begin - before), min(len(text), end + after)
        hits = [
            hit._replace(start=hit.start + left, end=hit.end + left)
            for hit in find([text[left:right]])[0]
            if hit.start + left < end and begin < hit.end + left
        ]
        # One that is known to go on past here need not be followed from every chunk that it runs through.
        fresh = [hit for hit in hits if reached.get(hit.entity, 0) < right]
        cut_left = left > 0 and any(hit.start < left + MARGIN for hit in fresh)
        cut_right = right < len(text) and any(hit.end > right - MARGIN for hit in fresh)
        if not (cut_left or cut_right):
            return hits
        before *= 1 + cut_left
        after *= 1 + cut_right


def _seam(text: str, begin: int, size: int) -> int:
    """Where the chunk that starts at `begin` ends."""
    last = begin + size
    if last >= len(text):
        return len(text)
    first = max(begin + size // 2, last - _LOOK_BACK)
    for seam in _SEAMS:
        places = [match.end() for match in seam.finditer(text, first, last)]
        if places:
            return places[-1]
    return last
