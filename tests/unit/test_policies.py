"""The shipped policies: what each names is proved, and none asks for more than it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from proxy_guard import Guard, resources
from proxy_guard.detect import nlp
from proxy_guard.detect.catalogue import DEFAULT_ENTITIES, NER_LABELS
from proxy_guard.errors import MissingExtra
from proxy_guard.operators.keep import Keep
from proxy_guard.proofs import _message
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.proof_file import ProofFile
from proxy_guard.rules.reading import SourceFile
from tests.small_rules import small_rules

RULES = resources.rules_dir()
POLICIES = load_rules(RULES).policies
WITH_MODEL = {"strict", "hipaa", "india-dpdp"}


def test_these_are_shipped() -> None:
    assert POLICIES.keys() == {"mask", "block", "documents", "observe", "pci", *WITH_MODEL}


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - {"observe"}))
def test_every_entity_of_a_policy_is_found_by_its_proof(name: str) -> None:
    policy = POLICIES[name]
    guard = Guard.from_rules(RULES, policy=name)
    path = RULES / "policies" / f"{name}.test.yaml"

    async def findings() -> set[str]:
        cases = SourceFile(path, str(path)).validate(ProofFile).cases
        return {each.entity for case in cases for each in (await guard.inspect(_message(case))).findings}

    wanted = {entity for entity, rule in policy.rules.items() if not isinstance(rule.operator, Keep)}
    assert anyio.run(findings) >= wanted | (DEFAULT_ENTITIES if policy.otherwise else set())


def test_observe_is_mask_in_another_mode() -> None:
    assert POLICIES["observe"].rules == POLICIES["mask"].rules
    assert POLICIES["observe"].observe


def test_only_these_need_a_model() -> None:
    named = {name for name, each in POLICIES.items() if each.otherwise or each.rules.keys() & NER_LABELS.keys()}
    assert named == WITH_MODEL


def test_strict_hides_and_never_blocks() -> None:
    strict = POLICIES["strict"]
    assert strict.otherwise is not None
    assert {rule.action for rule in strict.every_rule} == {"mask", "replace"}


def test_without_a_model_the_policies_that_need_none_work_and_the_others_name_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nlp, "_DEFAULTS", ("no_such_model",))
    Guard.from_rules(RULES)
    for name in POLICIES:
        if name in WITH_MODEL:
            with pytest.raises(MissingExtra, match=r"proxy-guard\[ner\]"):
                Guard.from_rules(RULES, policy=name)
        else:
            Guard.from_rules(RULES, policy=name)


def test_proofs_of_policies_that_lack_an_extra_are_told_as_not_run(tmp_path: Path) -> None:
    # A finder that has no models, in front of all others, as where the extra is not installed.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name.startswith(('en_core_web', 'mooring')) else found(name, *rest)\n"
    )
    files = (f"policies/{path.name}" for path in (RULES / "policies").glob("*.yaml"))
    rules = small_rules(tmp_path / "rules", *files)
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{policy: mask}]\n")
    done = subprocess.run(
        [sys.executable, "-m", "proxy_guard", "test", "--json", str(rules)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    skipped = {case["file"] for case in told["cases"] if case["skipped"]}
    assert skipped == {f"policies/{name}.test.yaml" for name in WITH_MODEL}
    assert all(case["passed"] for case in told["cases"] if not case["skipped"])
