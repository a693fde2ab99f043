"""From a document to its slots, and back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.codecs import Document, Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Unreadable
from proxy_guard.locate.fields import Field, FieldTree, Kind, Located, locate
from proxy_guard.locate.jsonpath import compile_path, normalized
from proxy_guard.model import Slot

CODEC = JsonCodec()
LIMITS = Limits()


def fields(*rules: tuple[str, Kind] | str, signed: bool = False) -> FieldTree:
    made = [(rule, "text") if isinstance(rule, str) else rule for rule in rules]
    return FieldTree([Field(rule, compile_path(rule), kind, signed) for rule, kind in made])  # type: ignore[arg-type]


def read(body: Any) -> Document:
    """A document as it comes from the wire; text is taken as it is, anything else is written first."""
    return CODEC.decode((body if isinstance(body, str) else json.dumps(body)).encode(), LIMITS)


def found(tree: FieldTree, body: Any) -> list[tuple[str, str]]:
    """Place and text of every slot."""
    return [(normalized(slot.path), slot.text) for slot in locate(tree, read(body), LIMITS).slots]


def edited(tree: FieldTree, body: Any, edits: dict[str, str]) -> str:
    """The body after the slots of these texts have got others."""
    document = read(body)
    located = locate(tree, document, LIMITS)
    slots = [slot for slot in located.slots if slot.text in edits]
    assert located.apply([(slot, edits[slot.text]) for slot in slots]) is True
    return CODEC.encode(document).body.decode()


# --- what is found -------------------------------------------------------------------------------------

CASES: dict[str, tuple[FieldTree, Any, list[tuple[str, str]]]] = {
    "a text": (fields("$.a"), {"a": "x", "b": "y"}, [("$['a']", "x")]),
    "texts in a list": (
        fields("$.m[*].t"),
        {"m": [{"t": "x"}, {"u": "y"}, {"t": "z"}]},
        [("$['m'][0]['t']", "x"), ("$['m'][2]['t']", "z")],
    ),
    "a text that is an item": (fields("$.a[*]"), {"a": ["x", "y"]}, [("$['a'][0]", "x"), ("$['a'][1]", "y")]),
    "no text in an object or array": (fields("$.a"), {"a": {"b": "x"}}, []),
    "a list of parts has its own field": (
        fields("$.c", "$.c[*].text"),
        {"c": [{"text": "x"}]},
        [("$['c'][0]['text']", "x")],
    ),
    "the same place as a text": (fields("$.c", "$.c[*].text"), {"c": "x"}, [("$['c']", "x")]),
    "null, true, false and the empty text": (fields("$.*"), {"a": None, "b": True, "c": False, "d": ""}, []),
    "one and nought are no booleans": (fields("$.*"), {"a": 1, "b": 0}, [("$['a']", "1"), ("$['b']", "0")]),
    "an integer": (fields("$.a"), '{"a":9876543210}', [("$['a']", "9876543210")]),
    "a fraction in its own spelling": (fields("$.a"), '{"a":98765432.10}', [("$['a']", "98765432.10")]),
    "a whole number as its digits": (fields("$.a"), '{"a":9.87E9}', [("$['a']", "9870000000")]),
    "a larger one in its own spelling": (fields("$.a"), '{"a":9.87E30}', [("$['a']", "9.87E30")]),
    "a number beyond all floats": (fields("$.a"), '{"a":1E400}', [("$['a']", "1E400")]),
    "nothing there": (fields("$.a", "$.b[*].c"), {"x": "y"}, []),
    "the order of the fields": (fields("$.b", "$.a"), {"a": "x", "b": "y"}, [("$['b']", "y"), ("$['a']", "x")]),
    "what paths have in common": (
        fields("$.a.b", "$.a.c", "$.a.b.d", "$.x"),
        {"a": {"b": {"d": "1"}, "c": "2"}, "x": "3"},
        [("$['a']['c']", "2"), ("$['a']['b']['d']", "1"), ("$['x']", "3")],
    ),
}


@pytest.mark.parametrize(("tree", "body", "slots"), CASES.values(), ids=CASES)
def test_text_fields_reach_texts_and_numbers(tree: FieldTree, body: Any, slots: list[tuple[str, str]]) -> None:
    assert found(tree, body) == slots


ARGUMENTS = '{"to": "x", "n": 1.10, "deep": [{"k": 7}], "none": null, "ok": true, "empty": ""}'
JSON_CASES: dict[str, tuple[Any, set[tuple[str, str]]]] = {
    "an object: names, texts and numbers": (
        {"m": {"k": "x", "n": 7, "l": [1.5, None, True]}},
        {
            ("$['m']['k']", "k"),
            ("$['m']['k']", "x"),
            ("$['m']['n']", "n"),
            ("$['m']['n']", "7"),
            ("$['m']['l']", "l"),
            ("$['m']['l'][0]", "1.5"),
        },
    ),
    "an array": ({"m": ["x", ["y"]]}, {("$['m'][0]", "x"), ("$['m'][1][0]", "y")}),
    "a text that is no JSON": ({"m": "just words"}, {("$['m']", "just words")}),
    "JSON that is cut short": ({"m": '{"a": "x'}, {("$['m']", '{"a": "x')}),
    "a number in a text": ({"m": "9876543210"}, {("$['m']", "9876543210")}),
    "a number": ({"m": 9876543210}, {("$['m']", "9876543210")}),
    "an empty object in a text": ({"m": "{}"}, set()),
    "JSON in a text": (
        {"m": ARGUMENTS},
        {
            ("$['m']['to']", "to"),
            ("$['m']['to']", "x"),
            ("$['m']['n']", "n"),
            ("$['m']['n']", "1.10"),
            ("$['m']['deep']", "deep"),
            ("$['m']['deep'][0]['k']", "k"),
            ("$['m']['deep'][0]['k']", "7"),
            ("$['m']['none']", "none"),
            ("$['m']['ok']", "ok"),
            ("$['m']['empty']", "empty"),
        },
    ),
    "escapes in a text of JSON are undone": (
        {"m": '{"e": "a\\u0040b", "\\u0041": 1}'},
        {("$['m']['e']", "e"), ("$['m']['e']", "a@b"), ("$['m']['A']", "A"), ("$['m']['A']", "1")},
    ),
}


@pytest.mark.parametrize(("body", "slots"), JSON_CASES.values(), ids=JSON_CASES)
def test_json_fields_reach_every_name_text_and_number(body: Any, slots: set[tuple[str, str]]) -> None:
    got = found(fields(("$.m", "json")), body)
    assert set(got) - {("$['m']['empty']", "")} == slots
    assert len(got) == len(set(got))


# Wherever it is not, an escape (`\u0040` for `@`) hides a value.
@pytest.mark.parametrize(
    "value",
    [
        {"q": '{"e": "a\\u0040b"}'},
        ['{"e": "a\\u0040b"}'],
        json.dumps({"q": '{"e": "a\\u0040b"}'}),
        json.dumps([json.dumps([json.dumps(["a@b"]).replace("@", "\\u0040")])]),
        '"a\\u0040b"',
    ],
    ids=["a member", "an item", "twice", "three times", "a text in a text"],
)
def test_json_in_a_text_is_gone_into_wherever_it_stands_in_a_json_field(value: Any) -> None:
    assert "a@b" in [text for _, text in found(fields(("$.m", "json")), {"m": value})]


def test_json_in_more_texts_than_are_gone_into_is_refused_rather_than_passed_unread() -> None:
    value = '{"e": "a\\u0040b"}'
    for _ in range(11):
        document = read({"m": value})
        try:
            texts = [slot.text for slot in locate(fields(("$.m", "json")), document, LIMITS).slots]
        except Unreadable as error:
            assert error.status == 400
        else:
            assert "a@b" in texts
        value = json.dumps({"q": value})


def test_a_media_field_is_told_by_its_rule_and_is_no_slot() -> None:
    located = locate(
        fields(("$.m[*].url", "media"), "$.t"), read({"m": [{"url": "data:x"}, {"url": {}}], "t": "x"}), LIMITS
    )
    assert [each.rule for each in located.media] == ["$.m[*].url", "$.m[*].url"]
    assert [slot.text for slot in located.slots] == ["x"]


@pytest.mark.parametrize("value", [None, "", False])
def test_a_media_field_without_anything_in_it_is_none(value: Any) -> None:
    assert locate(fields(("$.m", "media")), read({"m": value}), LIMITS).media == []


@pytest.mark.parametrize("kind", ["text", "json"])
def test_the_slots_of_a_signed_field_are_signed(kind: Kind) -> None:
    slots = locate(fields(("$.a", kind), signed=True), read({"a": "x" if kind == "text" else {"k": "x"}}), LIMITS).slots
    assert slots
    assert all(slot.signed for slot in slots)
    slots = locate(fields(("$.a", kind)), read({"a": "x"}), LIMITS).slots
    assert not any(slot.signed for slot in slots)


def test_a_slot_shows_nothing_of_the_message() -> None:
    (slot,) = locate(fields("$.*"), read({"canary4111": "canary4112"}), LIMITS).slots
    assert "canary" not in repr(slot)
    assert "$.*" in repr(slot)


ONCE: dict[str, tuple[FieldTree, Any]] = {
    "by two text fields": (fields("$.m", "$['m']", "$.*"), {"m": "x"}),
    "by one path twice": (fields("$['m','m']", "$..m"), {"m": "x"}),
    "by a path that descends": (fields("$..x", "$.m.x"), {"m": {"x": "x"}}),
    "by a text and a json field": (fields("$.m", ("$.m", "json")), {"m": '{"k": "x"}'}),
    "by a media and a text field": (fields(("$.m", "media"), "$.m"), {"m": "x"}),
    "inside a json field": (fields(("$.m", "json"), "$.m.k"), {"m": {"k": "x"}}),
    "inside a json field that comes later": (fields("$.m.k", ("$.m", "json")), {"m": {"k": "x"}}),
    "by two json fields, one in the other": (fields(("$.m", "json"), ("$.m.k", "json")), {"m": {"k": {"l": "x"}}}),
    "by two json fields, one around the other": (fields(("$.m.k", "json"), ("$.m", "json")), {"m": {"k": {"l": "x"}}}),
}  # fmt: skip


@pytest.mark.parametrize(("tree", "body"), ONCE.values(), ids=ONCE)
def test_a_place_that_is_reached_twice_is_one_slot(tree: FieldTree, body: Any) -> None:
    slots = locate(tree, read(body), LIMITS).slots
    places = [(normalized(slot.path), slot.is_name) for slot in slots]
    assert len(places) == len(set(places))
    assert sum(not slot.is_name for slot in slots) <= 1


# --- writing back --------------------------------------------------------------------------------------

EDITS: dict[str, tuple[FieldTree, str, dict[str, str], str]] = {
    "a text": (fields("$.a"), '{"a":"x","b":"x"}', {"x": "y"}, '{"a":"y","b":"x"}'),
    "an item": (fields("$.a[*]"), '{"a":["x","z"]}', {"z": "y"}, '{"a":["x","y"]}'),
    "a number becomes a text": (fields("$.a"), '{"a":98765,"b":1.10}', {"98765": "X"}, '{"a":"X","b":1.10}'),
    "a number of its own spelling": (fields("$.a"), '{"a":1.10,"b":1.10}', {"1.10": "X"}, '{"a":"X","b":1.10}'),
    "a name keeps its place": (
        fields(("$.m", "json")),
        '{"m":{"a":1,"x":{"x":2},"b":3}}',
        {"x": "y"},
        '{"m":{"a":1,"y":{"y":2},"b":3}}',
    ),
    "a name and its value": (fields(("$.m", "json")), '{"m":{"x":"x"}}', {"x": "y"}, '{"m":{"y":"y"}}'),
    "a name that another gives up": (
        fields(("$.m", "json")),
        '{"m":{"x":1,"y":2}}',
        {"x": "y", "y": "x"},
        '{"m":{"y":1,"x":2}}',
    ),
    "names of several objects": (
        fields(("$.m[*]", "json")),
        '{"m":[{"x":1},{"x":2},{"z":3}]}',
        {"x": "y"},
        '{"m":[{"y":1},{"y":2},{"z":3}]}',
    ),
    "JSON in a text": (
        fields(("$.m", "json")),
        r'{"m":"{\"k\": \"x\", \"n\": 1.10, \"d\": [\"é\"]}"}',
        {"x": "y"},
        r'{"m":"{\"k\":\"y\",\"n\":1.10,\"d\":[\"é\"]}"}',
    ),
    "a name in JSON in a text": (
        fields(("$.m", "json")),
        r'{"m":"{\"a\": 1, \"x\": 2, \"b\": 3}"}',
        {"x": "y"},
        r'{"m":"{\"a\":1,\"y\":2,\"b\":3}"}',
    ),
    "a number in JSON in a text": (
        fields(("$.m", "json")),
        r'{"m":"[98765, 1]"}',
        {"98765": "X"},
        r'{"m":"[\"X\",1]"}',
    ),
    "a value that needs escaping twice": (
        fields(("$.m", "json")),
        r'{"m":"[\"x\"]"}',
        {"x": '"\\'},
        r'{"m":"[\"\\\"\\\\\"]"}',
    ),
    "only the JSON that is edited is written anew": (
        fields(("$.m[*]", "json")),
        r'{"m":["{\"k\" : \"x\"}","{\"k\" :  \"z\"}","[ 1 ]"]}',
        {"x": "y"},
        r'{"m":["{\"k\":\"y\"}","{\"k\" :  \"z\"}","[ 1 ]"]}',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("tree", "body", "edits", "forwarded"), EDITS.values(), ids=EDITS)
def test_an_edit_changes_its_place_and_nothing_else(
    tree: FieldTree, body: str, edits: dict[str, str], forwarded: str
) -> None:
    assert edited(tree, body, edits) == forwarded


UNTOUCHED = [
    r'{"m":"{\"a\" : 1.0, \"b\":[ ] }"}',
    r'{"m":"  [1,  2]\n"}',
    r'{"m":"{\"\\u0061\": \"\\u00e9\"}"}',
    r'{"m":"{\"n\": -0, \"e\": 1E5}"}',
    r'{"m":"\"\\u00e9\""}',
    r'{"m":"{\"q\": \"{ \\\"r\\\" : 1.0 }\"}"}',
    '{"m":{"a":"x"}}',
]


@pytest.mark.parametrize("body", UNTOUCHED)
def test_without_edits_nothing_changes_json_in_texts_included(body: str) -> None:
    document = read(body)
    located = locate(fields(("$.m", "json")), document, LIMITS)
    assert located.apply([]) is False
    assert CODEC.encode(document).body.decode() == body


def test_json_in_a_text_of_more_than_one_reading_is_written_as_read() -> None:
    document = read(r'{"m":"{\"a\": 1, \"a\": 2}","z":"{\"a\": 1, \"a\": 2}"}')
    located = locate(fields(("$.m", "json")), document, LIMITS)
    assert located.apply([]) is True
    assert CODEC.encode(document).body.decode() == r'{"m":"{\"a\":2}","z":"{\"a\": 1, \"a\": 2}"}'


@pytest.mark.parametrize(
    ("body", "edits"),
    [
        ({"m": {"x": 1, "y": 2}}, {"x": "<E>", "y": "<E>"}),
        ({"m": {"x": 1, "<E>": 2}}, {"x": "<E>"}),
        ({"m": json.dumps({"x": 1, "y": 2})}, {"x": "<E>", "y": "<E>"}),
        ({"m": [{"a": 1}, {"x": 1, "<E>": 2}]}, {"x": "<E>"}),
    ],
)
def test_names_that_would_become_one_are_refused_with_422(body: Any, edits: dict[str, str]) -> None:
    located = locate(fields(("$.m", "json")), read(body), LIMITS)
    with pytest.raises(Unreadable) as caught:
        located.apply([(slot, edits[slot.text]) for slot in located.slots if slot.text in edits])
    assert caught.value.status == 422


def test_a_renamed_member_that_holds_json_does_not_come_back_under_its_old_name() -> None:
    tree = fields(("$.m", "json"), ("$.m.*", "json"))
    body = json.dumps({"m": {"canary": json.dumps({"x": "x"}), "z": 1}})
    assert edited(tree, body, {"canary": "<NAME>", "x": "y"}) == r'{"m":{"<NAME>":"{\"y\":\"y\"}","z":1}}'


# --- laws ----------------------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "c", "m", "é"])
plain = st.recursive(
    st.sampled_from(["x", "y z", "", 7, 1.5, True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
values = plain | st.lists(plain | plain.map(json.dumps), max_size=3)
documents = st.dictionaries(names, values | plain.map(json.dumps), max_size=4)
RULES: list[tuple[str, Kind]] = [
    ("$.a", "text"), ("$..a", "text"), ("$.*.b", "text"), ("$.b[*]", "text"), ("$.m", "json"), ("$.c[*]", "json"),
    ("$..*", "text"), ("$.m.a", "json"), ("$[?@.a == 'x'].b", "text"), ("$['a','b','c']", "json"), ("$.é[0]", "media"),
]  # fmt: skip
trees = st.lists(st.sampled_from(RULES), max_size=5).map(lambda rules: (rules, fields(*rules)))


@given(trees, documents)
def test_fields_together_select_what_each_selects_alone(
    case: tuple[list[tuple[str, Kind]], FieldTree], document: Any
) -> None:
    rules, tree = case
    alone = [(rule, kind, _nodes(compile_path(rule)(document))) for rule, kind in rules]
    together = [(each.rule, each.kind, _nodes(nodes)) for each, nodes in tree.nodes(document)]
    assert together == [each for each in alone if each[2]]
    assert len(tree) == len(rules)


def _nodes(nodes: Any) -> list[tuple[int, Any]]:
    return [(id(value), path) for value, path, *_ in nodes]


def _at(located: Located) -> list[tuple[str, bool, str]]:
    return [(normalized(slot.path), slot.is_name, slot.text) for slot in located.slots]


# One json field, or text fields alone: for the two together see ONCE.
@given(
    st.sampled_from([fields(("$", "json")), fields(("$.m", "json")), fields("$..*"), fields("$.a", "$..b")]), documents
)
def test_every_slot_holds_its_new_text_afterwards_and_nothing_else_differs(tree: FieldTree, body: Any) -> None:
    document = read(body)
    located = locate(tree, document, LIMITS)
    before = [(slot.is_name, slot.text) for slot in located.slots]
    edits: list[tuple[Slot, str]] = [(slot, slot.text + "!") for slot in located.slots]
    assert located.apply(edits) is bool(edits)
    again = locate(tree, read(CODEC.encode(document).body.decode()), LIMITS)
    assert [(slot.is_name, slot.text) for slot in again.slots] == [(is_name, text + "!") for is_name, text in before]


@given(documents)
def test_an_edit_of_one_slot_leaves_all_others(body: Any) -> None:
    tree = fields("$..*")
    for index in range(len(found(tree, body))):
        document = read(body)
        located = locate(tree, document, LIMITS)
        expected = _at(located)
        expected[index] = (*expected[index][:2], "edited")
        located.apply([(located.slots[index], "edited")])
        assert _at(locate(tree, document, LIMITS)) == expected


@given(trees, documents)
def test_locating_alone_changes_nothing(case: tuple[Any, FieldTree], body: Any) -> None:
    document = read(body)
    before = copy.deepcopy(document.value)
    assert locate(case[1], document, LIMITS).apply([]) is False
    assert document.value == before
