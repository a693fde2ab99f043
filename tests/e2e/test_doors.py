"""All doors give the same bytes for the same message: to the chat API, and back to the client."""

from __future__ import annotations

from string import ascii_letters

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.corpus import BODIES, CANARIES, CHAT, CORPUS, MAIL, PHONE, Answer, Case, chat, dumps, reply
from tests.e2e.doors import send
from tests.e2e.servers import Server

PASSING = ("/observe", "/lenient", "/v1/other", "/upload")
"""Where the rules let personal data pass."""


@pytest.mark.parametrize(
    "case", [case for case in CORPUS if case.name.endswith(("is refused", "to be blocked"))], ids=lambda case: case.name
)
def test_what_is_refused_never_arrives(case: Case, upstream: Server, asgi_door: Server) -> None:
    if "ambiguous" in case.name:
        return  # nothing is in a field: forwarded, so that no reader can find one
    seen = send(asgi_door, asgi_door, case)
    assert seen.blocked
    assert seen.received is None


@pytest.mark.parametrize("name", [name for name in BODIES if "ambiguous" not in name])
def test_other_formats_arrive_masked(name: str, upstream: Server, mitm_door: Server) -> None:
    [case] = [case for case in CORPUS if case.name == f"format {name}"]
    seen = send(mitm_door, upstream, case)
    assert seen.received is not None
    assert seen.received["body"] != case.body
    [reply] = [each for each in CORPUS if each.name == f"reply in format {name}"]
    body = send(mitm_door, upstream, reply).body
    assert not any(secret.encode() in body for secret in CANARIES)
    assert body == seen.received["body"]


def test_the_corpus_is_wide() -> None:
    assert len(CORPUS) >= 60
    assert len({case.name for case in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_same_bytes_through_all_doors(
    case: Case, upstream: Server, mitm_door: Server, asgi_door: Server, sidecar_door: Server
) -> None:
    by_mitm = send(mitm_door, upstream, case)
    assert by_mitm == send(asgi_door, asgi_door, case)
    assert by_mitm == send(sidecar_door, upstream, case)
    if by_mitm.blocked:
        assert 400 <= by_mitm.status < 600
        assert not any(secret in by_mitm.body.decode() for secret in CANARIES)
    if not case.path.startswith(PASSING) and case.method == "POST" and by_mitm.received:
        arrived = by_mitm.received["body"]
        assert not any(secret.encode(codec) in arrived for secret in CANARIES for codec in ("utf-8", "utf-16-le"))


@pytest.mark.parametrize("name", ["large, lenient", "large, observed", "unmatched, observed"])
def test_what_the_policy_lets_pass_arrives_whole(name: str, upstream: Server, mitm_door: Server) -> None:
    [case] = [case for case in CORPUS if case.name == name]
    seen = send(mitm_door, upstream, case)
    assert seen.received is not None
    assert seen.received["body"] == case.body


@pytest.mark.parametrize("name", ["reply too large, lenient", "reply too large, observed"])
def test_replies_that_the_policy_lets_pass_come_whole(name: str, upstream: Server, mitm_door: Server) -> None:
    [case] = [case for case in CORPUS if case.name == name]
    assert len(send(mitm_door, upstream, case).body) == len(case.answer.body) + case.answer.pad


def test_an_unmatched_request_is_blocked_where_the_route_says_so(upstream: Server, mitm_door: Server) -> None:
    [case] = [case for case in CORPUS if case.name == "unmatched, blocked"]
    seen = send(mitm_door, upstream, case)
    assert (seen.status, seen.received) == (403, None)


def test_a_picture_that_may_pass_does_not_shield_the_text_beside_it(upstream: Server, mitm_door: Server) -> None:
    [case] = [case for case in CORPUS if case.name == "a picture and a text, lenient"]
    seen = send(mitm_door, upstream, case)
    assert seen.received is not None
    assert PHONE.encode() not in seen.received["body"]


@pytest.mark.parametrize("case", [case for case in CORPUS if "clean" in case.name], ids=lambda case: case.name)
def test_what_holds_nothing_arrives_byte_for_byte(case: Case, upstream: Server, mitm_door: Server) -> None:
    seen = send(mitm_door, upstream, case)
    assert seen.received is not None
    if "duplicate" not in case.name:  # read in one of several ways: forwarded as read
        assert seen.received["body"] == case.body


# Without letters of ASCII: words could say what a number is ("code", "order").
ALPHABET = st.text(st.characters(codec="utf-8", exclude_characters=ascii_letters), max_size=30)
PLANTED = st.sampled_from(["", PHONE, MAIL, f" {PHONE} ", "4111111111111111"])
# On a line of its own: a currency sign or a digit beside a number would make it another one.
TEXT = st.builds(lambda a, b, c: f"{a}\n{b}\n{c}", ALPHABET, PLANTED, ALPHABET)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PART = st.builds(lambda text: {"type": "text", "text": text}, TEXT)
CALL = st.builds(lambda v: {"function": {"name": "f", "arguments": dumps(v).decode()}}, VALUE)
MESSAGE = st.fixed_dictionaries(
    {"role": st.just("user"), "content": TEXT | st.lists(PART, max_size=2)},
    optional={"tool_calls": st.lists(CALL, max_size=2), "name": TEXT},
)
BODY = st.fixed_dictionaries({"messages": st.lists(MESSAGE, max_size=3)}, optional={"metadata": VALUE})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(body=BODY, answer=TEXT, ascii_=st.booleans(), prefix=st.sampled_from(["", "/block", "/observe"]))
def test_same_bytes_for_generated_chats(
    body: object,
    answer: str,
    ascii_: bool,
    prefix: str,
    upstream: Server,
    mitm_door: Server,
    asgi_door: Server,
    sidecar_door: Server,
) -> None:
    case = Case(
        "generated", dumps(body, ensure_ascii=ascii_), f"{prefix}{CHAT}", answer=Answer(body=dumps(reply(answer)))
    )
    by_mitm = send(mitm_door, upstream, case)
    assert by_mitm == send(asgi_door, asgi_door, case) == send(sidecar_door, upstream, case)
    if prefix != "/observe" and by_mitm.received:
        assert PHONE.encode() not in by_mitm.received["body"]
        assert MAIL.encode() not in by_mitm.received["body"]


def test_concurrent_messages_are_not_mixed_up(
    upstream: Server, mitm_door: Server, asgi_door: Server, sidecar_door: Server
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    cases = [Case(f"n{n}", dumps(chat(f"message {n} from {PHONE}"))) for n in range(40)]
    for door, behind in ((mitm_door, upstream), (asgi_door, asgi_door), (sidecar_door, upstream)):
        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(lambda case: send(door, behind, case), cases))  # noqa: B023 - run within the loop
        for n, each in enumerate(seen):
            assert each.received is not None
            assert each.received["body"] == dumps(chat(f"message {n} from XXXXXXXX10"), separators=(",", ":"))
