"""The shipped API descriptions together: each is met where it is meant, and by nothing else's requests."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from ruamel.yaml import YAML

from proxy_guard import resources
from proxy_guard.rules.compiled import Api
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.matching import last_step, last_steps, normal_path, path_pattern

RULES = load_rules(resources.rules_dir())
ROUTE = RULES.routes[0]
MOST_GENERAL = "whatsapp-cloud"
"""Last in the route: its webhooks are at any path that ends with `webhook`."""


def samples(name: str) -> Iterator[tuple[str, str, str]]:
    """Methods, hosts and paths that a description is meant for: each glob, short, and with something in its place."""
    text = (resources.rules_dir() / "apis" / f"{name}.yaml").read_text(encoding="utf-8")
    match = YAML(typ="safe").load(text)["match"]
    for method in match.get("methods", ["POST"]):
        for host in match.get("hosts", ["*"]):
            for path in match["paths"]:
                for several in ("", "/some", "/more/of/them"):
                    made = re.sub(r"/\*\*", several, path).replace("*", "9")
                    yield method, host.replace("*", "any.example"), normal_path(made or "/")


NAMES = [api.name for api in ROUTE.apis]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_meant_for_a_description_meets_it_and_no_other(name: str) -> None:
    for sample in samples(name):
        claiming = [api.name for api in ROUTE.apis if api.matches(*sample)]
        assert [each for each in claiming if each != MOST_GENERAL] == [each for each in [name] if each != MOST_GENERAL]
        found = ROUTE.apis.find(*sample)
        assert found is not None
        assert found.name == name, sample


def test_the_shipped_route_has_all_but_those_that_want_to_be_named() -> None:
    assert sorted(NAMES) == sorted(name for name, api in RULES.apis.items() if not api.named_only)
    assert NAMES[-1] == MOST_GENERAL


GLOBS = [
    "/a/b",
    "/**/b",
    "/a/*",
    "/a/**",
    "/**",
    "/*",
    "/x*/b",
    "/**/*:go",
    "/a/x:go",
    "/a/*go",
    "/a/**/*",
    "/*/*",
    "/",
]
PATHS = [
    "/",
    "/a",
    "/b",
    "/a/b",
    "/a/b/c",
    "/x1/b",
    "/a/x:go",
    "/q/r/x:go",
    "/go",
    "/a/ago",
    "/a/b/c/b",
    "/a:b/b",
    "/a/c:b",
]


@pytest.mark.parametrize("glob", GLOBS)
def test_every_path_that_a_glob_matches_has_its_key(glob: str) -> None:
    for path in PATHS:
        if path_pattern([glob]).fullmatch(path):
            assert last_step(glob) in last_steps(path), path


def test_few_descriptions_are_asked_of_a_request_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    matches = Api.matches

    def counted(api: Api, method: str, host: str, path: str) -> bool:
        asked.append(api.name)
        return matches(api, method, host, path)

    monkeypatch.setattr(Api, "matches", counted)
    found = ROUTE.apis.find("POST", "api.openai.com", "/v1/chat/completions")
    assert found is not None
    assert found.name == "openai-chat"
    assert len(asked) <= 2
    assert ROUTE.apis.find("POST", "h.example", "/v1/other") is None
    assert len(asked) <= 4
