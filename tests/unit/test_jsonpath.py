"""RFC 9535 paths as closures: the same nodes as the library that reads them, and the jsonpath-ng dialect."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.locate import dialect_ng
from proxy_guard.locate.jsonpath import PathFault, compile_path, normalized

STRICT = jsonpath.JSONPathEnvironment(strict=True)

PATHS = r"""
$
$.a
$['a']
$["b c"]
$.a.b
$.a.b.c
$['a','b']
$['a','a']
$.a['b',0]
$.*
$.*.*
$[*]
$.a[*].b
$[0]
$[-1]
$.a[1]
$[0,-1,0]
$[1:]
$[:1]
$[::-1]
$[5:0:-2]
$[-2:]
$[::0]
$.a[0:2]
$..a
$..*
$..[0]
$..['a','b']
$..[*].b
$.a..b
$..a..b
$[?@.a]
$[?!@.a]
$[?@.a == 'x']
$[?@.a != 'x']
$..[?@.a == 'x'].b
$[?@.a.b == 'x']
$[?'x' == @.a]
$[?@.a == 1]
$[?@.a == 1.0]
$[?@.a == true]
$[?@.a == null]
$[?@.a > 0]
$[?@.a <= 'x']
$[?@ == 'x']
$[?@]
$[?@.a == @.b]
$[?@.a == $.b]
$[?@['a'] && @.b]
$[?@.a || !@.b]
$[?(@.a == 'x' || @.b == 'x') && @.a != @.b]
$[?!(@.a == 'x')]
$[?@[0]]
$[?@[0] == 'x']
$[?@[-1].a]
$[?@.*]
$[?@..a]
$[?@[?@.a]]
$[?length(@) > 1]
$[?count(@.*) == 2]
$[?match(@.a, 'x.*')]
$[?search(@, 'x')]
$[?value(@..a) == 'x']
$..[?@.a == 'x' && length(@.b) >= 1]
$[0, 'a', ?@.b, 1:, *]
$[?@.b == 'x', ?@.a == 'x']
$..[?@.b != 'x']['a']
$[?$.a == 'x']
$[?$.a]
$[?@.a == '']
""".strip().split("\n")

names = st.sampled_from(["a", "b", "c", "b c", "", "0", "é"])
leaves = st.sampled_from(["x", "xy", "", "y", 0, 1, 1.0, -1, 2.5, True, False, None, 10**20])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=20
)
# Objects and arrays: the library takes a text for a document that is still to be decoded.
documents = st.lists(values, max_size=4) | st.dictionaries(names, values, max_size=4)


def found_by_library(path: str, document: Any) -> list[tuple[int, tuple[str | int, ...]]]:
    # The library's slices cut texts, too; the standard's select from arrays only (RFC 9535 2.3.4.2.2).
    matches = [each for each in read(path).finditer(document) if not (each.parent and isinstance(each.parent.obj, str))]
    return [(id(match.obj), tuple(match.parts)) for match in matches]


compiled = cache(compile_path)
read = cache(STRICT.compile)


def found(path: str, document: Any) -> list[tuple[int, tuple[str | int, ...]]]:
    return [(id(value), where) for value, where, _, _ in compiled(path)(document)]


DOCUMENTS: dict[str, Any] = {
    "an array": [{"a": "x", "b": "y"}, {"a": "x", "b": "x"}, {"b": ["x"]}, ["x", {"a": 1}], {"a": {"b": "x"}}, "x"],
    "an object": {"a": [{"a": "x", "b": {"a": 1.0}}, [{"a": True}], "xy"], "b": "x", "b c": {"a": None}},
    "names within names": {"a": {"b": {"c": "x"}}, "": {"a": ""}, "0": [0]},
    "nothing in it": [],
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("path", PATHS)
def test_a_path_selects_the_nodes_that_the_library_selects_in_its_order(path: str, document: Any) -> None:
    assert found(path, document) == found_by_library(path, document)


@given(documents)
def test_in_any_document_every_path_selects_the_nodes_that_the_library_selects_in_its_order(document: Any) -> None:
    for path in PATHS:
        assert found(path, document) == found_by_library(path, document), path


@given(st.sampled_from(PATHS), documents)
def test_every_node_stands_where_it_says(path: str, document: Any) -> None:
    for value, where, holder, key in compile_path(path)(document):
        assert holder[key] is value
        walked = document
        for part in where:
            walked = walked[part]
        assert walked is value


@given(documents, st.data())
def test_the_normalized_path_of_a_node_selects_that_node_alone(document: Any, data: st.DataObject) -> None:
    value, where, _, _ = data.draw(st.sampled_from(compile_path("$..*")(document) or compile_path("$")(document)))
    assert found(normalized(where), document) == [(id(value), where)]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$[?@.n == 1.1].i", [0, 1]),
        ("$[?@.n == 1].i", [2, 3]),
        ("$[?@.n > 100].i", [4, 5]),
    ],
)
def test_numbers_with_a_spelling_of_their_own_compare_as_numbers(path: str, values: list[int]) -> None:
    numbers = (b"1.10", b"1.1", b"1", b"1.0", b"1e5", b"12345678901234567890")
    body = b"[" + b",".join(b'{"n":%s,"i":%d}' % (number, i) for i, number in enumerate(numbers)) + b"]"
    document = JsonCodec().decode(body, Limits()).value
    assert [value for value, *_ in compile_path(path)(document)] == values


# --- refused -------------------------------------------------------------------------------------------

INVALID = {
    "no root": "a.b",
    "blank before the root": " $.a",
    "blank after": "$.a ",
    "an open bracket": "$[",
    "an empty bracket": "$[]",
    "a lone dot": "$.",
    "two dots and nothing": "$..",
    "three dots": "$...a",
    "a name in double dots": "$.'a'",
    "an unquoted name in brackets": "$[a]",
    "a leading zero": "$[01]",
    "minus zero": "$[-0]",
    "an index too large": "$[9007199254740992]",
    "a fraction as an index": "$[1.0]",
    "a name that begins with a digit": "$.1a",
    "a filter in one equals sign": "$[?@.a = 'x']",
    "a filter of a bare word": "$[?a == 'x']",
    "a filter of a literal alone": "$[?'x']",
    "a filter of a non-singular comparison": "$[?@.* == 1]",
    "a filter of a non-singular comparison, by descent": "$[?@..a == 1]",
    "an unknown function": "$[?size(@) == 1]",
    "a function with too many arguments": "$[?length(@, @) == 1]",
    "a function whose result is no test": "$[?length(@)]",
    "a test whose result is compared": "$[?match(@.a, 'x') == true]",
    "a Python slice of four": "$[1:2:3:4]",
    "an unclosed text": "$['a]",
    "an unknown escape": "$['\\x']",
    "half a surrogate pair": "$['\\ud800']",
    "a raw control character": "$['\x01']",
    "a list in a filter": "$[?@.a == ['x']]",  # which the library accepts
    "the library's key selector": "$.a.~",
    "the library's parent selector": "$.a^",
    "the library's regular expressions": "$[?@.a =~ /x/]",
    "the library's `in`": "$[?@.a in ['x']]",
    "the library's `and`": "$[?@.a and @.b]",
    "the library's union of paths": "$.a | $.b",
    "the library's intersection of paths": "$.a & $.b",
    "jsonpath-ng's filter without @": "$[?(a=='x')]",
    "jsonpath-ng's functions": "$.a.`len`",
    "blanks only": "  ",
    "nothing": "",  # on which the library raises an error that has no text
}


@pytest.mark.parametrize("path", INVALID.values(), ids=INVALID)
def test_a_path_that_breaks_the_standard_is_a_fault_of_one_line(path: str) -> None:
    with pytest.raises(PathFault) as caught:
        compile_path(path)
    assert str(caught.value).strip()
    assert "\n" not in str(caught.value)


PARTS = [
    "$", ".", "..", "[", "]", "*", "?", "@", "'a'", "a", "0", "-1", ":", "==", "&&", "||", "!", "(", ")", "length", ",",
    '"b"', "1e400", "true", "<", "'\\ud800'", "`", "~", "^", " ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=9))
def test_any_text_at_all_is_a_path_that_runs_or_a_fault_and_nothing_else_is_raised(parts: list[str]) -> None:
    text = "$" + "".join(parts)
    try:
        query = compile_path(text)
    except PathFault:
        return
    document = {"a": [1, {"a": "x", "b": [1.5]}], "b": {"a": None}}
    assert found(text, document) == found_by_library(text, document)
    assert query(document) == query(document)


# --- normalized paths ----------------------------------------------------------------------------------

NORMALIZED: dict[str, tuple[tuple[str | int, ...], str]] = {
    "the root": ((), "$"),
    "names and indices": (("messages", 0, "content"), "$['messages'][0]['content']"),
    "a name of digits is a name": (("0", 0), "$['0'][0]"),
    "an empty name": (("",), "$['']"),
    "a single quote": (("it's",), r"$['it\'s']"),
    "a double quote": (('say "x"',), "$['say \"x\"']"),
    "a backslash": (("a\\b",), r"$['a\\b']"),
    "named controls": (("\b\t\n\f\r",), r"$['\b\t\n\f\r']"),
    "other controls": (("\0\x0b\x1f",), r"$['\u0000\u000b\u001f']"),
    "delete is no control here": (("\x7f",), "$['\x7f']"),
    "other scripts": (("é日👩",), "$['é日👩']"),
    "dots and brackets": (("a.b[0]",), "$['a.b[0]']"),
}


@pytest.mark.parametrize(("path", "text"), NORMALIZED.values(), ids=NORMALIZED)
def test_a_path_is_written_in_the_normal_form_of_the_standard(path: tuple[str | int, ...], text: str) -> None:
    assert normalized(path) == text


# The library can't read the escapes of control characters without a letter of their own.
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\b\t\n\f\r"), max_size=8))
def test_a_name_of_any_characters_is_found_again_by_its_normalized_path(name: str) -> None:
    document = {name: "here", name + "'": "not here"}
    assert [value for value, *_ in compile_path(normalized((name,)))(document)] == ["here"]


# --- the jsonpath-ng dialect ---------------------------------------------------------------------------

NG_DOCUMENT: dict[str, Any] = {
    "a": {"b": "one"},
    "list": [{"t": "x", "v": 1}, {"t": "y", "v": 2}, "three"],
    "b c": "spaced",
    "x.y": "dotted",
}
NG: dict[str, tuple[str, list[tuple[tuple[str | int, ...], Any]]]] = {
    "the root": ("$", [((), NG_DOCUMENT)]),
    "names": ("$.a.b", [(("a", "b"), "one")]),
    "names without a root": ("a.b", [(("a", "b"), "one")]),
    "this": ("$.`this`.a.b", [(("a", "b"), "one")]),
    "a quoted name": ("$.'b c'", [(("b c",), "spaced")]),
    "a name in brackets": ("$['x.y']", [(("x.y",), "dotted")]),
    "an index": ("$.list[2]", [(("list", 2), "three")]),
    "every item": ("$.list[*].v", [(("list", 0, "v"), 1), (("list", 1, "v"), 2)]),
    "a filter in that library's way": ("$.list[?(t=='y')].v", [(("list", 1, "v"), 2)]),
    "descendants": ("$..b", [(("a", "b"), "one")]),
    "nothing": ("$.nope", []),
}


@pytest.mark.parametrize(("path", "nodes"), NG.values(), ids=NG)
def test_an_expression_of_jsonpath_ng_selects_nodes_with_their_places(
    path: str, nodes: list[tuple[tuple[str | int, ...], Any]]
) -> None:
    selected = dialect_ng.compile_path(path)(NG_DOCUMENT)
    assert [(where, value) for value, where, _, _ in selected] == nodes
    assert all(holder[key] is value for value, _, holder, key in selected)


@pytest.mark.parametrize("path", ["", "$.", "$[", "a b", "'", "$..", "$.a.`nope`", "\0", "$[?("])
def test_what_jsonpath_ng_can_not_read_is_a_fault_of_one_line(path: str) -> None:
    with pytest.raises(PathFault) as caught:
        dialect_ng.compile_path(path)
    assert "\n" not in str(caught.value)


# What such an expression gives is computed and stands nowhere, so that it can't be edited: the message would count as
# rewritten and go on with its values.
@pytest.mark.parametrize(
    "path",
    ["$.list.`len`", "$.a.b.`sub(/o/, x)`", "$.a.b.`split(n, 0, -1)`", "$.list[0].v + $.list[1].v", "$.a.b.`str()`"],
)
def test_an_expression_that_computes_rather_than_selects_is_a_fault_at_load(path: str) -> None:
    with pytest.raises(PathFault):
        dialect_ng.compile_path(path)
