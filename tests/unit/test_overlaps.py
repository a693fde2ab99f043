"""The rules at the top of `policy/overlaps.py`, each as cases and as laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.model import Finding, Wanted
from proxy_guard.operators import Operator
from proxy_guard.operators.block import Block
from proxy_guard.operators.keep import Keep
from proxy_guard.operators.mask import Mask
from proxy_guard.operators.redact import Redact
from proxy_guard.operators.replace import Replace
from proxy_guard.policy import EntityRule, Policy
from proxy_guard.policy.overlaps import edit, resolve


def policy(entities: dict[str, Operator], others: Operator | None = None, **min_scores: float) -> Policy:
    """A policy whose entities are named in this order."""
    rules = {
        entity: EntityRule(type(operator).__name__.lower(), operator, min_scores.get(entity, 0.4), order)
        for order, (entity, operator) in enumerate(entities.items())
    }
    rest = EntityRule("other", others, min_scores.get("otherwise", 0.4), len(rules)) if others else None
    wanted = Wanted(None if rest else frozenset(entities), "en", 0.4)
    return Policy("p", rules, rest, ("local",), wanted, 422, "no", frozenset(), observe=False)


def replaced(with_: str) -> Replace:
    return Replace.model_validate({"with": with_})


# Not in the order of the alphabet.
POLICY = policy({
    "A": replaced("<A>"), "C": replaced("<C>"), "B": replaced("<B>"), "KEPT": Keep(), "BLOCKED": Block(),
})  # fmt: skip
TEXT = "0123456789"


def f(entity: str, start: int, end: int, score: float = 0.8) -> Finding:
    return Finding(entity, start, end, score)


def spans(findings: list[Finding], rules: Policy = POLICY) -> list[tuple[str, int, int]]:
    return [(piece.finding.entity, piece.start, piece.end) for piece in resolve(findings, rules)]


RULES: dict[str, tuple[list[Finding], list[tuple[str, int, int]], str]] = {
    "no findings": ([], [], "0123456789"),
    "one": ([f("A", 2, 4)], [("A", 2, 4)], "01<A>456789"),
    "the whole text": ([f("A", 0, 10)], [("A", 0, 10)], "<A>"),
    "two, in whatever order they are told": ([f("B", 6, 8), f("A", 2, 4)], [("A", 2, 4), ("B", 6, 8)], "01<A>45<B>89"),
    "two that touch": ([f("A", 2, 4), f("B", 4, 6)], [("A", 2, 4), ("B", 4, 6)], "01<A><B>6789"),
    # 1. Findings that the policy keeps, or that score below its threshold, take no part.
    "1: kept": ([f("KEPT", 2, 4)], [], "0123456789"),
    "1: not in the policy": ([f("OTHER", 2, 4)], [], "0123456789"),
    "1: below the threshold": ([f("A", 2, 4, 0.39)], [], "0123456789"),
    "1: at the threshold": ([f("A", 2, 4, 0.4)], [("A", 2, 4)], "01<A>456789"),
    "1: kept, around another": ([f("KEPT", 0, 10, 1.0), f("A", 2, 4)], [("A", 2, 4)], "01<A>456789"),
    "1: kept, in part over another": ([f("KEPT", 0, 3, 1.0), f("A", 2, 4)], [("A", 2, 4)], "01<A>456789"),
    "1: kept, with the same span": ([f("KEPT", 2, 4, 1.0), f("A", 2, 4)], [("A", 2, 4)], "01<A>456789"),
    "1: too low, around another": ([f("B", 0, 10, 0.1), f("A", 2, 4)], [("A", 2, 4)], "01<A>456789"),
    # 2. Of findings with the same span the highest score counts, then the one named first in the policy.
    "2: the higher score": ([f("A", 2, 4, 0.5), f("B", 2, 4, 0.9)], [("B", 2, 4)], "01<B>456789"),
    "2: the one named first": ([f("B", 2, 4), f("C", 2, 4)], [("C", 2, 4)], "01<C>456789"),
    "2: one entity twice": ([f("A", 2, 4), f("A", 2, 4, 0.9)], [("A", 2, 4)], "01<A>456789"),
    # 3. A finding inside a larger one is covered by it, whatever their scores.
    "3: inside": ([f("A", 1, 9, 0.5), f("B", 3, 5, 1.0)], [("A", 1, 9)], "0<A>9"),
    "3: inside, from the same start": ([f("B", 1, 3, 1.0), f("A", 1, 9, 0.5)], [("A", 1, 9)], "0<A>9"),
    "3: inside, to the same end": ([f("B", 7, 9, 1.0), f("A", 1, 9, 0.5)], [("A", 1, 9)], "0<A>9"),
    "3: two inside": ([f("B", 1, 3), f("C", 5, 7), f("A", 0, 8)], [("A", 0, 8)], "<A>89"),
    # 4. Of two that overlap in part the earlier one is edited whole, the later one where it sticks out.
    "4: in part": ([f("A", 1, 5, 0.5), f("B", 3, 8, 1.0)], [("A", 1, 5), ("B", 5, 8)], "0<A><B>89"),
    "4: a chain": (
        [f("A", 0, 4), f("B", 2, 6), f("C", 5, 9)],
        [("A", 0, 4), ("B", 4, 6), ("C", 6, 9)],
        "<A><B><C>9",
    ),
    "4: in part over two": ([f("A", 0, 4), f("B", 6, 8), f("C", 3, 9)], [("A", 0, 4), ("C", 4, 9)], "<A><C>9"),
    "4: one character sticks out": ([f("A", 0, 9), f("B", 8, 10)], [("A", 0, 9), ("B", 9, 10)], "<A><B>"),
}


@pytest.mark.parametrize(("findings", "pieces", "text"), RULES.values(), ids=RULES)
def test_overlapping_findings_are_resolved_by_the_rules(
    findings: list[Finding], pieces: list[tuple[str, int, int]], text: str
) -> None:
    for order in (findings, findings[::-1]):
        assert spans(order) == pieces
        assert edit(TEXT, resolve(order, POLICY)) == text


# 5. A finding that blocks counts even where another covers it.
BLOCKING: dict[str, list[Finding]] = {
    "alone": [f("BLOCKED", 2, 4)],
    "inside another": [f("A", 0, 10, 1.0), f("BLOCKED", 2, 4, 0.4)],
    "around another": [f("A", 2, 3), f("BLOCKED", 2, 4)],
    "in part under another": [f("A", 0, 3), f("BLOCKED", 2, 4)],
    "with the span of another that scores higher": [f("A", 2, 4, 1.0), f("BLOCKED", 2, 4, 0.5)],
    "inside one that is kept": [f("KEPT", 0, 10, 1.0), f("BLOCKED", 2, 4)],
}


@pytest.mark.parametrize("findings", BLOCKING.values(), ids=BLOCKING)
def test_5_a_finding_that_blocks_counts_wherever_it_stands(findings: list[Finding]) -> None:
    for order in (findings, findings[::-1]):
        assert ("BLOCKED", 2, 4) in spans(order)
        assert [piece.start for piece in resolve(order, POLICY)] == sorted(p.start for p in resolve(order, POLICY))


def test_5_a_finding_that_would_block_but_scores_too_low_does_not_count() -> None:
    assert spans([f("BLOCKED", 2, 4, 0.3)]) == []


def test_5_a_finding_that_blocks_takes_nothing_from_the_others() -> None:
    assert spans([f("BLOCKED", 0, 10), f("A", 2, 6), f("B", 4, 8)]) == [("BLOCKED", 0, 10), ("A", 2, 6), ("B", 6, 8)]


def test_entities_not_named_follow_otherwise() -> None:
    rules = policy({"A": replaced("<A>"), "KEPT": Keep()}, replaced("<?>"), otherwise=0.7)
    findings = [f("A", 0, 2), f("KEPT", 3, 4), f("NEW", 5, 7, 0.7), f("NEW", 8, 10, 0.6)]
    assert edit(TEXT, resolve(findings, rules)) == "<A>234<?>789"


def test_a_threshold_of_its_own_counts_for_its_entity_only() -> None:
    rules = policy({"A": replaced("<A>"), "B": replaced("<B>")}, A=0.9)
    assert spans([f("A", 0, 2, 0.89), f("B", 4, 6, 0.4), f("A", 8, 9, 0.9)], rules) == [("B", 4, 6), ("A", 8, 9)]


# --- offsets are code points ---------------------------------------------------------------------------

OFFSETS: dict[str, tuple[str, str, str]] = {
    "emoji before": ("👩‍👩‍👧📱 VALUE", "VALUE", "👩‍👩‍👧📱 *****"),
    "emoji after": ("VALUE 👍🏽", "VALUE", "***** 👍🏽"),
    "emoji around and inside": ("😀VA😀LUE😀", "VA😀LUE", "😀******😀"),
    "combining characters": ("e\u0301 n\u0303 VALUE e\u0301", "VALUE", "e\u0301 n\u0303 ***** e\u0301"),
    "a combining character inside": ("x JOSE\u0301 y", "JOSE\u0301", "x ***** y"),
    "right to left": ("שלום VALUE עולם", "VALUE", "שלום ***** עולם"),
    "right to left inside": ("a שלום b", "שלום", "a **** b"),
    "marks of direction": ("\u202eVALUE\u202c", "VALUE", "\u202e*****\u202c"),
    "flags and keycaps": ("🇮🇳 1️⃣ VALUE", "VALUE", "🇮🇳 1️⃣ *****"),
    "beyond the first plane": ("𝔘𝔫𝔦 VALUE 𝔠", "VALUE", "𝔘𝔫𝔦 ***** 𝔠"),
    "line ends": ("a\r\nVALUE\n", "VALUE", "a\r\n*****\n"),
    "NUL": ("\0VALUE\0", "VALUE", "\0*****\0"),
}


@pytest.mark.parametrize(("text", "value", "masked"), OFFSETS.values(), ids=OFFSETS)
def test_an_edit_hits_its_code_points_and_leaves_all_around(text: str, value: str, masked: str) -> None:
    start = text.index(value)
    pieces = resolve([f("A", start, start + len(value))], policy({"A": Mask()}))
    assert edit(text, pieces) == masked


# --- laws ----------------------------------------------------------------------------------------------

FULL = policy({"A": Mask(), "B": Mask(char="#"), "C": Redact(), "KEPT": Keep(), "BLOCKED": Block()}, B=0.7)
entities = st.sampled_from(["A", "B", "C", "KEPT", "BLOCKED", "OTHER"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Finding]]:
    text = draw(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*#"), min_size=1, max_size=30))
    places = st.integers(0, len(text))
    findings = draw(
        st.lists(
            st.tuples(entities, places, places, st.sampled_from([0.1, 0.4, 0.5, 0.7, 1.0])).filter(
                lambda t: t[1] != t[2]
            ),
            max_size=8,
        )
    )
    return text, [Finding(entity, min(a, b), max(a, b), score) for entity, a, b, score in findings]


def counting(findings: list[Finding], names: str) -> set[int]:
    """The characters of the findings that count, of some entities."""
    taking_part = [
        each for each in findings if each.entity in names.split() and each.score >= (0.7 if each.entity == "B" else 0.4)
    ]
    return {place for each in taking_part for place in range(each.start, each.end)}


@given(cases())
def test_pieces_are_in_bounds_disjoint_from_left_to_right_and_make_up_the_findings(
    case: tuple[str, list[Finding]],
) -> None:
    text, findings = case
    pieces = [piece for piece in resolve(findings, FULL) if not isinstance(piece.rule.operator, Block)]
    covered: list[int] = []
    for piece in pieces:
        assert 0 <= piece.start < piece.end <= len(text)
        assert piece.finding.start <= piece.start
        assert piece.end == piece.finding.end
        assert piece.finding in findings
        covered += range(piece.start, piece.end)
    assert covered == sorted(counting(findings, "A B C"))


@given(cases())
def test_no_character_of_a_finding_is_left_and_no_other_is_touched(case: tuple[str, list[Finding]]) -> None:
    text, findings = case
    masking = [each for each in findings if each.entity != "C"]
    pieces = [piece for piece in resolve(masking, FULL) if not isinstance(piece.rule.operator, Block)]
    out = edit(text, pieces)
    gone = counting(masking, "A B")
    assert len(out) == len(text)
    assert [i for i, (before, after) in enumerate(zip(text, out, strict=True)) if before != after] == sorted(gone)
    assert all(out[i] in "*#" for i in gone)


@given(cases())
def test_what_is_redacted_leaves_the_rest_in_order(case: tuple[str, list[Finding]]) -> None:
    text, findings = case
    removing = [each for each in findings if each.entity == "C"]
    gone = counting(removing, "C")
    assert edit(text, resolve(removing, FULL)) == "".join(c for i, c in enumerate(text) if i not in gone)


@given(cases())
def test_every_finding_that_blocks_is_among_the_pieces_whole(case: tuple[str, list[Finding]]) -> None:
    _, findings = case
    blocking = {each for each in findings if each.entity == "BLOCKED" and each.score >= 0.4}
    pieces: list[Any] = [piece for piece in resolve(findings, FULL) if isinstance(piece.rule.operator, Block)]
    assert {piece.finding for piece in pieces} == blocking
    assert all((piece.start, piece.end) == (piece.finding.start, piece.finding.end) for piece in pieces)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_findings_are_told_does_not_matter(case: tuple[str, list[Finding]], random: Any) -> None:
    text, findings = case
    shuffled = random.sample(findings, len(findings))
    assert edit(text, [p for p in resolve(shuffled, FULL) if p.rule.action != "block"]) == edit(
        text, [p for p in resolve(findings, FULL) if p.rule.action != "block"]
    )
