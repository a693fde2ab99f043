"""Each shipped connection against a server that speaks its vendor's wire format."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from proxy_guard import resources
from proxy_guard.errors import Unavailable
from proxy_guard.model import Judgement, Wanted
from proxy_guard.remote.mapping import Item
from proxy_guard.remote.proof import shown
from proxy_guard.remote.scrubber import RemoteScrubber
from proxy_guard.rules.load import load_rules
from tests.e2e import vendors_security
from tests.e2e.vendors_security import KEY, calls, recorded
from tests.remote.serving import serve

WANTED = Wanted(frozenset({"PERSON", "PHONE_NUMBER"}), "en", 0.4)
NAMES = (
    "azure-pii", "google-sdp", "litellm-guardrail", "pangea-redact", "presidio", "presidio-anonymizer", "private-ai",
)  # fmt: skip
KEYS = ("AZURE_LANGUAGE_KEY", "LITELLM_GUARDRAIL_KEY", "PANGEA_REDACT_TOKEN", "PRIVATE_AI_KEY")
URLS = ("AZURE_LANGUAGE_ENDPOINT", "LITELLM_GUARDRAIL_URL", "PRESIDIO_ANALYZER_URL", "PRESIDIO_ANONYMIZER_URL", "PRIVATE_AI_URL")  # fmt: skip


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shipped rules, with the two hosts that are fixed in them moved to the loopback."""
    folder = tmp_path_factory.mktemp("vendors") / "rules"
    shutil.copytree(resources.rules_dir(), folder)
    with serve(vendors_security.app) as origin, pytest.MonkeyPatch.context() as patch:
        fixed = ("https://dlp.googleapis.com", "http://metadata.google.internal", "https://redact.${env:PANGEA_DOMAIN}")
        for path in (folder / "connections").glob("*.yaml"):
            text = path.read_text()
            for host in fixed:
                text = text.replace(host, origin)
            path.write_text(text)
        for name in URLS:
            patch.setenv(name, origin)
        for name in KEYS:
            patch.setenv(name, KEY)
        patch.setenv("GOOGLE_CLOUD_PROJECT", "acme")
        yield folder


def ask(rules: Path, name: str, texts: list[str]) -> list[Judgement]:
    async def run() -> list[Judgement]:
        scrubber = RemoteScrubber(load_rules(rules, using=[name]).connections[name])
        items = [Item(str(number), text, path=f"$[{number}]") for number, text in enumerate(texts)]
        try:
            return await scrubber.judge(items, WANTED)
        finally:
            await scrubber.aclose()

    return anyio.run(run)


@pytest.mark.parametrize("name", NAMES)
def test_the_vendor_understands_and_is_understood(rules: Path, name: str) -> None:
    for case in recorded(name):
        if not case.fails:
            calls.clear()
            got = [shown(each) for each in ask(rules, name, case.texts)]
            assert got == [each.model_dump(exclude_none=True) for each in case.gives], case.name
            assert len(calls) == (2 if name == "presidio-anonymizer" else 1)
            assert case.sends is None or calls[-1][1] == case.sends


@pytest.mark.parametrize("name", sorted({*NAMES} - {"presidio"}))  # which takes any texts, and asks for no credentials
def test_what_the_vendor_refuses_is_a_failure(rules: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.setenv(key, "wrong")
    texts = ["this was never recorded"] if name in ("google-sdp", "presidio-anonymizer") else recorded(name)[0].texts
    with pytest.raises(Unavailable):
        ask(rules, name, texts)


def test_every_shipped_connection_is_tried_here_or_with_the_server_of_our_own() -> None:
    shipped: set[Any] = {
        path.stem for path in (resources.rules_dir() / "connections").glob("*.yaml") if "." not in path.stem
    }
    assert shipped == {*NAMES, "security-api", "contact-email", "contact-phone", "contact-store"}
