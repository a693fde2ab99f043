"""What every kind of vault does."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_guard import plugins
from proxy_guard.errors import VaultFull
from proxy_guard.vault import Vault, VaultRule, Wish, build
from proxy_guard.vault.forms import normal
from proxy_guard.vault.memory import MemorySettings, MemoryVault
from tests.vault.conftest import Clock, Make, sqlite_vault

MAIL = "Jo.Doe@Example.org"
TTL = 1000


def run[T](vault: Vault, use: Callable[[Vault], Awaitable[T]]) -> T:
    async def whole() -> T:
        try:
            return await use(vault)
        finally:
            if vault.persistent:
                await vault.aclose()

    return anyio.run(whole)


def give(vault: Vault, *wishes: Wish) -> list[str]:
    return run(vault, lambda v: v.pseudonyms(wishes))


def resolve(vault: Vault, tokens: list[str], scope: str = "a") -> list[str | None]:
    return run(vault, lambda v: v.values(tokens, scope))


def test_the_same_value_has_the_same_pseudonym_and_comes_back(make: Make) -> None:
    vault = make()
    wish = Wish("a", "EMAIL_ADDRESS", MAIL)
    (first,) = give(vault, wish)
    assert give(vault, wish, Wish("a", "EMAIL_ADDRESS", MAIL, "uuid")) == [first, first]
    assert resolve(vault, [first, "nothing", first]) == [MAIL, None, MAIL]


def test_pseudonyms_differ_by_scope_entity_and_value(make: Make) -> None:
    wishes = [Wish(s, e, v) for s in ("a", "b", "") for e in ("PERSON", "LOCATION") for v in ("Paris", "London")]
    assert len(set(give(make(), *wishes))) == len(wishes)


def test_a_value_comes_back_in_its_own_scope_only(make: Make) -> None:
    vault = make()
    tokens = give(vault, Wish("a", "PERSON", "Ann"), Wish("b", "PERSON", "Ann"))
    assert resolve(vault, tokens, "a") == ["Ann", None]
    assert resolve(vault, tokens, "b") == [None, "Ann"]
    assert resolve(vault, tokens, "") == [None, None]


@pytest.mark.parametrize(
    ("style", "form"),
    [
        ("token", r"PERSON_[a-z2-7]{26}"),
        ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("email", r"[a-z2-7]{26}@contacts\.example\.org"),
        ("phone", r"\+999\d{12}"),
    ],
)
def test_pseudonyms_have_the_look_of_their_style(make: Make, style: Any, form: str) -> None:
    wishes = [Wish("a", "PERSON", f"name {n}", style) for n in range(20)]
    tokens = give(make(email_domain="contacts.example.org"), *wishes)
    assert all(re.fullmatch(form, token) for token in tokens)
    assert len(set(tokens)) == 20


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown style"):
        Wish("a", "PERSON", "Ann", "emoji")  # type: ignore[arg-type]


def test_a_pseudonym_is_its_own_pseudonym_in_its_scope(make: Make) -> None:
    vault = make()
    (token,) = give(vault, Wish("a", "EMAIL_ADDRESS", MAIL, "email"))
    assert give(vault, Wish("a", "EMAIL_ADDRESS", token), Wish("a", "URL", token)) == [token, token]
    (foreign,) = give(vault, Wish("b", "EMAIL_ADDRESS", token))
    assert foreign != token
    assert resolve(vault, [foreign], "b") == [token]


@pytest.mark.parametrize(
    ("entity", "one", "other", "same"),
    [
        ("EMAIL_ADDRESS", "Jo@Example.ORG", "jo@example.org", True),
        ("EMAIL_ADDRESS", "jo.doe@example.org", "jodoe@example.org", False),
        ("EMAIL_ADDRESS", "straße@example.org", "strasse@example.org", False),
        ("PHONE_NUMBER", "+91 98765-43210", "+919876543210", True),
        ("PHONE_NUMBER", "(030) 123.456", "030 123 456", True),
        ("PHONE_NUMBER", "+1 555 0100", "1 555 0100", False),
        ("PHONE_NUMBER", "555-1234 x12", "5551-23412", False),
        ("CREDIT_CARD", "4111 1111-1111 1111", "4111111111111111", True),
        ("IBAN_CODE", "de89 3704 0044 0532 0130 00", "DE89370400440532013000", True),
        ("PERSON", "Ann", "ann", False),
        ("API_KEY", "sk-a b", "sk-ab", False),
    ],
)
def test_values_that_are_the_same_in_their_normal_form(
    make: Make, entity: str, one: str, other: str, same: bool
) -> None:
    vault = make()
    first, second = give(vault, Wish("a", entity, one), Wish("a", entity, other))
    assert (first == second) is same
    assert resolve(vault, [first, second]) == [one, one if same else other]
    assert run(vault, lambda v: v.forget(other)) == 1
    assert resolve(vault, [second]) == [None]
    assert resolve(vault, [first]) == [None if same else one]


def test_what_is_forgotten_resolves_no_more(make: Make) -> None:
    vault = make()
    wishes = [Wish(s, e, "Paris") for s in ("a", "b") for e in ("PERSON", "LOCATION")]
    a_person, a_place, b_person, b_place = give(vault, *wishes)
    (other,) = give(vault, Wish("a", "PERSON", "Rome"))

    async def use(v: Vault) -> None:
        assert await v.forget("paris") == 0
        assert await v.forget("Paris", "PERSON", "a") == 1
        assert await v.values([a_person, a_place], "a") == [None, "Paris"]
        assert await v.forget("Paris", scope="b") == 2
        assert await v.values([b_person, b_place], "b") == [None, None]
        assert await v.forget("Paris") == 1
        assert await v.forget("Paris") == 0
        assert await v.values([a_person, a_place, other], "a") == [None, None, "Rome"]
        (again,) = await v.pseudonyms(wishes[:1])
        assert again != a_person

    run(vault, use)


def test_a_pseudonym_resolves_for_its_time_since_it_was_last_given(make: Make, clock: Clock) -> None:
    vault = make(ttl=TTL)
    wishes = [Wish("a", "PERSON", "Ann"), Wish("a", "PERSON", "Bob")]
    ann, bob = give(vault, *wishes)
    clock.now += TTL - 1
    assert resolve(vault, [ann, bob]) == ["Ann", "Bob"]
    assert give(vault, wishes[0]) == [ann]
    clock.now += TTL - 1
    assert resolve(vault, [ann, bob]) == ["Ann", None]
    clock.now += TTL / 4
    assert resolve(vault, [ann]) == [None]


def test_what_has_expired_is_erased(make: Make, clock: Clock) -> None:
    vault = make(ttl=TTL)
    give(vault, *[Wish("a", "PERSON", f"name {n}") for n in range(700)])
    assert run(vault, lambda v: v.expire()) == 0
    clock.now += 2 * TTL
    give(vault, Wish("a", "PERSON", "Ann"))
    assert run(vault, lambda v: v.expire()) + 256 >= (700 if vault.persistent else 0)
    stats = run(vault, lambda v: v.stats())
    assert (stats.entries, stats.expired, dict(stats.entities)) == (1, 0, {"PERSON": 1})


def test_erased_phone_pseudonyms_are_never_drawn_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([1, 1, 2, 2, 1, 3])
    monkeypatch.setattr("secrets.randbelow", lambda _: next(drawn))
    vault = make()
    wishes = [Wish("a", "PHONE_NUMBER", f"+49 30 {n}", "phone") for n in range(3)]
    one, two = give(vault, *wishes[:2])
    assert (one[-1], two[-1]) == ("1", "2")
    run(vault, lambda v: v.forget(wishes[0].value))
    run(vault, lambda v: v.forget(wishes[1].value))
    assert give(vault, wishes[2]) == ["+999000000000003"]


def test_any_text_can_be_kept(make: Make) -> None:
    vault = make()
    values = ["", "\0", "\ud800", "नमस्ते", "x" * 200_000, "a\nb"]
    tokens = give(vault, *[Wish("\udfff", "PERSON", value) for value in values])
    assert resolve(vault, tokens, "\udfff") == values


def test_tasks_at_once_get_one_pseudonym_for_one_value(make: Make) -> None:
    async def use(v: Vault) -> None:
        given: dict[int, set[str]] = {}

        async def ask(n: int) -> None:
            (token,) = await v.pseudonyms([Wish("a", "PERSON", f"name {n % 5}")])
            given.setdefault(n % 5, set()).add(token)

        async with anyio.create_task_group() as tasks:
            for n in range(100):
                tasks.start_soon(ask, n)
        assert [len(tokens) for tokens in given.values()] == [1] * 5
        assert len(set.union(*given.values())) == 5

    run(make(), use)


def test_nothing_of_a_value_is_in_a_repr(make: Make) -> None:
    vault = make()
    wish = Wish("scope-of-ann", "EMAIL_ADDRESS", MAIL)
    give(vault, wish)
    for shown in (repr(vault), repr(wish)):
        assert "scope-of-ann" not in shown
        assert MAIL not in shown
        assert MAIL.lower() not in shown


# --- memory --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"entries": 10}, {"bytes": 10 * 800}])
def test_a_full_memory_refuses_and_keeps_what_it_gave(clock: Clock, limits: dict[str, int]) -> None:
    vault = MemoryVault("v", MemorySettings.model_validate({"ttl": TTL, "limits": limits}), clock)
    tokens = [give(vault, Wish("a", "PERSON", f"name {n}"))[0] for n in range(9)]
    with pytest.raises(VaultFull, match="full"):
        give(vault, *[Wish("a", "PERSON", f"other {n}") for n in range(5)])
    assert resolve(vault, tokens) == [f"name {n}" for n in range(9)]
    assert run(vault, lambda v: v.stats()).entries == 9, "all or none"
    assert give(vault, Wish("a", "PERSON", "name 3")) == [tokens[3]]
    clock.now += TTL
    give(vault, *[Wish("a", "PERSON", f"other {n}") for n in range(5)])


def test_vaults_are_built_by_name() -> None:
    rules = {"one": VaultRule("memory", MemorySettings()), "two": VaultRule("memory", MemorySettings())}
    assert list(build(rules)) == ["one", "two"]
    assert list(build(rules, ["two", "two"])) == ["two"]
    assert {"memory", "sqlite"} <= set(plugins.available("vaults"))


# --- properties ----------------------------------------------------------------------------------------

SCOPES = st.sampled_from(["", "a", "b"])
ENTITIES = st.sampled_from(["EMAIL_ADDRESS", "PHONE_NUMBER", "PERSON"])
VALUES = st.sampled_from(["jo@x.org", "JO@x.org", "+1 2", "+12", "1-2", "Ann"]) | st.text(max_size=6)
STYLES = st.sampled_from(["token", "uuid", "email", "phone"])
WISHES = st.lists(st.builds(Wish, SCOPES, ENTITIES, VALUES, STYLES), max_size=5)
STEPS = st.lists(st.tuples(st.just("give"), WISHES) | st.tuples(st.just("forget"), VALUES), max_size=12)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_one_pseudonym_for_a_value_and_one_value_for_a_pseudonym(
    kind: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("vault")
    vault: Vault = MemoryVault("v", MemorySettings()) if kind == "memory" else sqlite_vault(folder / "v.db")

    async def use(v: Vault) -> None:
        live: dict[tuple[str, str, str], tuple[str, str]] = {}  # what the vault has to hold: token and first writing
        ever: dict[str, tuple[str, str, str]] = {}
        for step, what in steps:
            if step == "give":
                tokens = await v.pseudonyms(what)
                assert len(tokens) == len(what)
                for wish, token in zip(what, tokens, strict=True):
                    identity = wish.scope, wish.entity, normal(wish.entity, wish.value)
                    assert live.setdefault(identity, (token, wish.value))[0] == token
                    assert ever.setdefault(token, identity) == identity
            else:
                gone = [key for key in live if normal(key[1], what) == key[2]]
                assert await v.forget(what) == len(gone)
                for key in gone:
                    del live[key]
        for scope in ("", "a", "b"):
            wanted = [next((f for i, (t, f) in live.items() if t == token and i[0] == scope), None) for token in ever]
            assert await v.values(list(ever), scope) == wanted
        assert (await v.stats()).entries == len(live)

    run(vault, use)
