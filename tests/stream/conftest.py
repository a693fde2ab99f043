"""A guard that looks for every entity with a pattern, in replies of every API that is described."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from proxy_guard import resources
from proxy_guard.detect.catalogue import DOCUMENTS, ENTITIES, NER_LABELS, REFERENCES
from proxy_guard.guard import Guard

settings.register_profile("quick", max_examples=100, deadline=None, derandomize=True)
if settings.get_current_profile_name() == "default":
    settings.load_profile("quick")


def guard_of(rules: Path) -> Guard:
    """The guard, its rules in an empty folder."""
    shutil.copytree(resources.rules_dir() / "apis", rules / "apis")
    (rules / "policies").mkdir()
    entities = sorted(ENTITIES - NER_LABELS.keys() - REFERENCES - DOCUMENTS)
    lines = "".join(f"  {each}: {{ action: replace, with: '<{each}>' }}\n" for each in entities)
    (rules / "policies" / "all.yaml").write_text(f"version: 1\nname: all\nentities:\n{lines}")
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{ policy: all }]\nlimits: { workers: 0 }\n")
    return Guard.from_rules(rules)


@pytest.fixture(scope="session")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    return guard_of(tmp_path_factory.mktemp("rules"))
