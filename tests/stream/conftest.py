"""A guard that looks for every entity with a pattern, in replies of each format."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from proxy_guard.detect.catalogue import ENTITIES, NER_LABELS, REFERENCES
from proxy_guard.guard import Guard

settings.register_profile("quick", max_examples=100, deadline=None, derandomize=True)
if settings.get_current_profile_name() == "default":
    settings.load_profile("quick")

_API = """version: 1
name: {format}
match: {{ paths: ["/{format}"] }}
request: [{{ path: "$.messages[*].content" }}]
response: [{{ path: "$.choices[*].message.content" }}]
stream:
  format: {format}
  fields: [{{ path: "$.choices[*].delta.content", key: "$.choices[*].index" }}]
  end: [{{ path: "$.choices[*].finish_reason", key: "$.choices[*].index" }}]
"""


@pytest.fixture(scope="session")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    rules: Path = tmp_path_factory.mktemp("rules")
    (rules / "apis").mkdir()
    (rules / "policies").mkdir()
    for name in ("sse", "ndjson", "aws"):
        (rules / "apis" / f"{name}.yaml").write_text(_API.format(format=name))
    entities = sorted(ENTITIES - NER_LABELS.keys() - REFERENCES)
    lines = "".join(f"  {each}: {{ action: replace, with: '<{each}>' }}\n" for each in entities)
    (rules / "policies" / "all.yaml").write_text(f"version: 1\nname: all\nentities:\n{lines}")
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{ policy: all }]\nlimits: { workers: 0 }\n")
    return Guard.from_rules(rules)
