"""Which requests a rule meets: the normal form of paths, hosts, globs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_guard.rules.matching import name_pattern, normal_path, path_pattern, split_url
from tests.unit.timing import within

CHAT = "/v1/chat/completions"

SPELLINGS = {
    "as it is": "/v1/chat/completions",
    "a trailing slash": "/v1/chat/completions/",
    "trailing slashes": "/v1/chat/completions///",
    "upper case": "/V1/Chat/COMPLETIONS",
    "double slashes": "//v1//chat///completions",
    "a dot segment": "/v1/./chat/completions",
    "a dot segment first": "/./v1/chat/completions",
    "a dot segment last": "/v1/chat/completions/.",
    "a double dot segment": "/v1/models/../chat/completions",
    "two double dot segments": "/v1/a/b/../../chat/completions",
    "a double dot segment last": "/v1/chat/completions/x/..",
    "double dots beyond the root": "/../../v1/chat/completions",
    "an encoded letter": "/v1/ch%61t/completions",
    "an encoded letter, lower case digits": "/v1/chat/completion%73",
    "every letter encoded": "/%76%31/%63%68%61%74/%63%6f%6d%70%6c%65%74%69%6f%6e%73",
    "an encoded upper case letter": "/v1/%43hat/completions",
    "an encoded letter, encoded again": "/v1/ch%2561t/completions",
    "an encoded letter, encoded three times": "/v1/ch%252561t/completions",
    "an encoded percent sign and digits apart": "/v1/ch%%361t/completions",
    "an encoded slash": "/v1%2Fchat%2fcompletions",
    "an encoded slash, encoded again": "/v1%252Fchat/completions",
    "encoded dots": "/v1/x/%2e%2E/chat/completions",
    "encoded dots, encoded again": "/v1/x/%252e%252e/chat/completions",
    "half encoded dots": "/v1/x/.%2e/chat/completions",
    "an encoded dot": "/v1/%2e/chat/completions",
    "an encoded trailing slash": "/v1/chat/completions%2F",
    "parameters": "/v1/chat/completions;jsessionid=1",
    "parameters inside": "/v1;a=b/chat;c/completions",
    "empty parameters": "/v1/chat/completions;",
    "encoded parameters": "/v1/chat/completions%3Bx=1",
    "parameters on double dots": "/v1/x/..;/chat/completions",
    "parameters on a dot": "/v1/.;x/chat/completions",
    "a segment of parameters only": "/v1/;x/chat/completions",
    "a backslash": "/v1\\chat\\completions",
    "an encoded backslash": "/v1%5Cchat%5ccompletions",
    "a backslash and dots": "/v1/x\\..\\chat/completions",
    "all at once": "//V1;x/./%2563hat%2F%2e/y%5C..;z/Completion%73/;",
}


@pytest.mark.parametrize("path", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_a_path_has_one_normal_form_and_is_matched(path: str) -> None:
    assert normal_path(path) == CHAT
    assert split_url(f"https://api.example.com{path}?a=b#c") == ("api.example.com", CHAT)
    assert path_pattern([CHAT]).fullmatch(normal_path(path))
    assert path_pattern(["/**/chat/completions"]).fullmatch(normal_path(path))


OTHERS = {
    "another path": ("/v1/models", "/v1/models"),
    "the root": ("/", "/"),
    "nothing": ("", "/"),
    "slashes only": ("///", "/"),
    "dots only": ("/..", "/"),
    "a name that begins with dots": ("/..v1/.x/...", "/..v1/.x/..."),
    "a longer name": ("/v1/chat/completions-x", "/v1/chat/completions-x"),
    "a stray percent sign": ("/100%/x", "/100%/x"),
    "percent and no digits": ("/%zz/%", "/%zz/%"),
    "encoded letters of other scripts": ("/caf%C3%A9", "/café"),
    "bytes that are not UTF-8": ("/%ff", "/\ufffd"),
    "an encoded question mark is no query": ("/v1%3Fx", "/v1?x"),
    "a plus sign is no blank": ("/a+b", "/a+b"),
}


@pytest.mark.parametrize(("path", "form"), OTHERS.values(), ids=OTHERS)
def test_other_paths_keep_what_is_theirs(path: str, form: str) -> None:
    assert normal_path(path) == form


@given(st.text(st.sampled_from("aB/.%25eEfF;\\cC0 ?é"), max_size=30))
def test_a_normal_form_is_its_own(path: str) -> None:
    form = normal_path("/" + path)
    assert form.startswith("/")
    assert "//" not in form
    assert "\\" not in form
    assert ";" not in form
    assert form == form.lower()
    assert not {".", ".."} & set(form.split("/"))
    assert normal_path(form) == form


# Each round of decoding goes through all of the path, so that time would grow with its square: 4 s for the first.
@pytest.mark.parametrize(
    "path",
    ["/" + "%" + "25" * 30_000 + "61", "/%25" * 15_000, "/.." * 20_000, "/" * 60_000, ";" * 60_000, "/a;" * 20_000],
    ids=["encoded 30,000 times", "percent signs", "double dots", "slashes", "semicolons", "parameters"],
)
def test_a_path_as_long_as_a_server_takes_costs_no_time(path: str) -> None:
    with within(0.5):
        normal_path(path)


# --- hosts ---------------------------------------------------------------------------------------------

URLS: dict[str, tuple[str, str, str]] = {
    "plain": ("https://api.openai.com/v1", "api.openai.com", "/v1"),
    "a port": ("https://api.openai.com:8443/v1", "api.openai.com", "/v1"),
    "upper case": ("HTTPS://API.OpenAI.com/v1", "api.openai.com", "/v1"),
    "a trailing dot": ("https://api.openai.com./v1", "api.openai.com", "/v1"),
    "a trailing dot and a port": ("https://API.openai.com.:443/v1", "api.openai.com", "/v1"),
    "a user": ("https://api.example.com@api.openai.com/v1", "api.openai.com", "/v1"),
    "an address": ("http://127.0.0.1:8000/v1", "127.0.0.1", "/v1"),
    "an IPv6 address": ("http://[::1]:8000/v1", "::1", "/v1"),
    "no path": ("http://a.example", "a.example", "/"),
    "a query without a path": ("http://a.example?x=/v1", "a.example", "/"),
    "a fragment": ("http://a.example/v1#stream", "a.example", "/v1"),
    "no host": ("http:///v1", "", "/v1"),
    "a port that is no number": ("http://a.example:x/v1", "a.example", "/v1"),
    "a port beyond all ports": ("http://a.example:99999/v1", "a.example", "/v1"),
    "an IPv6 address that is none": ("http://[::1/v1/chat", "", "/v1/chat"),
    "an open bracket": ("http://[/v1?x=1", "", "/v1"),
    "characters that look like others": ("http://\u2100.example/v1", "", "/v1"),
}


@pytest.mark.parametrize(("url", "host", "path"), URLS.values(), ids=URLS)
def test_an_absolute_url_has_a_host_and_a_normal_path(url: str, host: str, path: str) -> None:
    assert split_url(url) == (host, path)


@given(st.text(st.sampled_from("ht:p/[]@#?.%aé\u2100 \\"), max_size=25))
def test_any_url_at_all_has_some_host_and_path(rest: str) -> None:
    host, path = split_url("http://" + rest)
    assert isinstance(host, str)
    assert path.startswith("/")


# --- globs ---------------------------------------------------------------------------------------------

PATHS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "no stars": (["/v1/messages"], ["/v1/messages"], ["/v1/messages/x", "/x/v1/messages", "/v1", "/v1/messagesx", "/"]),
    "upper case in a glob": (["/V1/Messages"], ["/v1/messages"], ["/v1"]),
    "a trailing slash in a glob": (["/v1/messages/"], ["/v1/messages"], ["/v1"]),
    "one star": (["/v1/*/messages"], ["/v1/a/messages", "/v1/a.b-c/messages"], ["/v1/messages", "/v1/a/b/messages"]),
    "a star in a name": (["/v*/x"], ["/v1/x", "/v/x", "/v21.0/x"], ["/w1/x", "/v1/y/x"]),
    "a star last": (["/a/*"], ["/a/b"], ["/a", "/a/b/c"]),
    "two stars first": (["/**/chat"], ["/chat", "/a/chat", "/a/b/c/chat"], ["/chatx", "/achat", "/chat/x"]),
    "two stars last": (["/a/**"], ["/a", "/a/b", "/a/b/c"], ["/ab", "/b/a"]),
    "two stars between": (["/a/**/b"], ["/a/b", "/a/x/b", "/a/x/y/b"], ["/ab", "/a/xb"]),
    "everything": (["/**"], ["/", "/a", "/a/b"], []),
    "the root": (["/"], ["/"], ["/a"]),
    "several": (["/a", "/b/*"], ["/a", "/b/c"], ["/b", "/a/c"]),
    "signs of patterns": (["/a.b+(c)[d]?$"], ["/a.b+(c)[d]?$"], ["/axb+(c)[d]?$", "/a.b"]),
}


@pytest.mark.parametrize(("globs", "matching", "others"), PATHS.values(), ids=PATHS)
def test_path_globs_match_segments(globs: list[str], matching: list[str], others: list[str]) -> None:
    pattern = path_pattern(globs)
    assert [path for path in matching if not pattern.fullmatch(path)] == []
    assert [path for path in others if pattern.fullmatch(path)] == []


def test_a_path_glob_takes_no_time_on_a_long_path() -> None:
    pattern = path_pattern(["/**/a/**/b/**/c", "/*/*/*/**/x"])
    with within(0.5):
        assert not pattern.fullmatch("/a" * 200 + "/z")


HOSTS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "everything": (["*"], ["api.openai.com", "::1", ""], []),
    "one name": (["api.openai.com"], ["api.openai.com"], ["xapi.openai.com", "api.openai.com.evil.com", "apixopenai.com"]),
    "upper case in a glob": (["API.OpenAI.com"], ["api.openai.com"], []),
    "any host of a domain": (["*.openai.azure.com"], ["a.openai.azure.com", "a.b.openai.azure.com"], ["openai.azure.com"]),
    "several": (["a.example", "b.example"], ["a.example", "b.example"], ["c.example", "a.exampleb.example"]),
}  # fmt: skip


@pytest.mark.parametrize(("globs", "matching", "others"), HOSTS.values(), ids=HOSTS)
def test_name_globs_match_whole_names(globs: list[str], matching: list[str], others: list[str]) -> None:
    pattern = name_pattern(globs)
    assert [name for name in matching if not pattern.fullmatch(name)] == []
    assert [name for name in others if pattern.fullmatch(name)] == []
