import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import spacy

from proxy_guard.detect import Detector
from proxy_guard.errors import ProxyGuardError
from proxy_guard.model import Wanted
from proxy_guard.scrubbers.local import LocalScrubber


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proxy_guard", "detect", *arguments]
    return subprocess.run(command, input="Anna Weber", capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("de_core_news_lg", "python -m spacy download de_core_news_lg"),
        ("some_model_md", "pip install some-model-md"),
        ("/no/such/folder", "no spaCy model in the folder '/no/such/folder'"),
    ],
)
def test_a_missing_model_is_told_with_what_installs_it(model: str, told: str) -> None:
    done = run("--model", model, "--entities", "PERSON")
    assert done.returncode != 0
    assert told in " ".join(done.stderr.split())
    assert "Anna" not in done.stderr


@pytest.mark.parametrize(("model", "extra"), [("stanza:en", "stanza"), ("transformers:x/y", "transformers")])
@pytest.mark.parametrize("profile", ["proxy-guard", "presidio"])
def test_a_missing_library_is_told_with_its_extra(model: str, extra: str, profile: str) -> None:
    if importlib.util.find_spec("torch"):
        pytest.skip("the libraries are installed: see test_other_models.py")
    done = run("--model", model, "--entities", "PERSON", "--profile", profile)
    assert done.returncode != 0
    told = " ".join(done.stderr.split())
    assert f"the language model '{model}' needs the extra proxy-guard[{extra}]" in told
    assert f"pip install 'proxy-guard[{extra}]'" in told
    assert "Anna" not in told


def test_a_model_of_another_language_is_refused() -> None:
    with pytest.raises(ProxyGuardError, match="the language is 'de' but the spaCy model is for 'en'"):
        Detector(["PERSON"], language="de")


def test_patterns_need_no_model_of_the_language() -> None:
    assert Detector(["EMAIL_ADDRESS"], language="de").detect("Mail: anna@example.com")


def test_a_model_by_its_path_and_in_another_language(tmp_path: Path) -> None:
    model = spacy.blank("de")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PER", "pattern": "Zwirbelinde"}])
    model.to_disk(tmp_path / "model")
    detector = Detector(["PERSON", "LOCATION"], language="de", model=str(tmp_path / "model"))
    text = "Gestern sah ich Zwirbelinde in der Musterstraße 12, 10115 Berlin."
    assert {(each.entity, text[each.start : each.end]) for each in detector.detect(text)} == {
        ("PERSON", "Zwirbelinde"),
        ("LOCATION", "Musterstraße 12, 10115 Berlin"),
    }


def test_the_model_that_a_policy_names_is_the_one_that_is_loaded() -> None:
    wanted = Wanted(frozenset({"PERSON"}), "en", 0.4, model="no_such_model")
    with pytest.raises(ProxyGuardError, match="no-such-model"):
        LocalScrubber().prepare(wanted)
