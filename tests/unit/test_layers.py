"""Rewritings of a text lead back to where each character came from."""

import re
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.detect.layers import Form, Part, made, replaced
from proxy_guard.model import Finding


def test_nothing_changes_without_a_match() -> None:
    assert replaced("abc", re.compile("x"), lambda match: [("y", match.start(), match.end())]) is None


def test_a_finding_leads_back_through_every_layer() -> None:
    form = Form("a&#64;b%2Ecom !")
    form = form.then(made(form.text, [("@", 1, 6)]))
    form = form.then(made(form.text, [(".", 3, 6)]))
    assert form.text == "a@b.com !"
    assert list(form.original([Finding("EMAIL_ADDRESS", 0, 7, 1.0)])) == [Finding("EMAIL_ADDRESS", 0, 13, 1.0)]


def test_what_was_left_out_at_the_edges_is_no_part_of_a_span() -> None:
    layer = made("__12_34__", [("", 0, 2), ("", 4, 5), ("", 7, 9)])
    assert layer is not None
    assert layer.text == "1234"
    assert layer.span(0, 4) == (2, 7)
    assert layer.span(0, 2) == (2, 4)
    assert layer.span(2, 4) == (5, 7)


@given(st.text("ab_#", max_size=40))
def test_unchanged_characters_lead_to_themselves(text: str) -> None:
    def parts(match: re.Match[str]) -> Iterator[Part]:
        yield {"_": "", "#": "123"}[match.group()], match.start(), match.end()

    layer = replaced(text, re.compile("[_#]"), parts)
    if layer is None:
        assert not set(text) & set("_#")
        return
    for place, char in enumerate(layer.text):
        start, end = layer.span(place, place + 1)
        assert text[start:end] == ("#" if char in "123" else char)
    if layer.text:
        start, end = layer.span(0, len(layer.text))
        assert re.fullmatch("_*", text[:start])
        assert re.fullmatch("_*", text[end:])
