"""The rules of the attacks: the shipped ones with policy `strict`, and whatever no API description names refused.

Under /any/ that is scanned, and under /plain/ the policy is `mask`, which leaves dates, places and the like alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from proxy_guard import resources

_OWN = """\
version: 1
name: own
match:
  methods: [POST]
  paths: ["/own/**"]
  content_types: [application/json, application/x-ndjson, application/x-www-form-urlencoded, multipart/form-data, text/plain,
    text/html, application/xml]
url: {query: ["*"], segments: ["/own/users/{name}"]}
headers: [X-User]
request:
  - { path: "$.text" }
  - { path: "$.text[*]" }
  - { path: "$[*].text" }
  - { path: "$.texts[*].text", join: "$.texts" }
response:
  - { path: "$.text" }
"""
_ROUTES = """\
  - {paths: ["/graphql"], apis: [generic-chat], policy: strict}
  - {paths: ["/own/**"], apis: [own], policy: strict}
  - {paths: ["/any/**"], policy: strict, unmatched: scan}
  - {paths: ["/plain/**"], policy: mask, unmatched: scan}
"""


def make_rules(folder: Path) -> Path:
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules)
    guard = (rules / "guard.yaml").read_text()
    guard = guard.replace("    policy: mask", "    policy: strict").replace("routes:\n", "routes:\n" + _ROUTES)
    (rules / "guard.yaml").write_text(guard.replace("unmatched: allow", "unmatched: block"))
    (rules / "apis" / "own.yaml").write_text(_OWN)
    return rules
