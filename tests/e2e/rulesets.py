"""The rules of the tests: the shipped ones, and a route for each policy that a case may want."""

from __future__ import annotations

import shutil
from pathlib import Path

from proxy_guard import resources

_GUARD = """\
version: 1
routes:
  - {paths: ["/block/**"], policy: block}
  - {paths: ["/observe/**"], policy: observe}
  - {paths: ["/lenient/**"], policy: lenient}
  - {paths: ["/scan/**"], policy: mask, unmatched: scan}
  - {paths: ["/scanblock/**"], policy: block, unmatched: scan}
  - {paths: ["/closed/**"], policy: mask, unmatched: block}
  - {paths: ["/observeclosed/**"], policy: observe, unmatched: block}
  - {policy: mask, unmatched: allow}
limits: {body: 200000, decoded: 400000, depth: 20}
"""
_LENIENT = """\
version: 1
name: lenient
entities:
  PHONE_NUMBER: {action: redact}
on_error: keep
"""
_FORMATS = """\
version: 1
name: formats
match:
  methods: [POST, GET]
  paths: ["/formats/**", "/block/formats/**"]
  content_types: [application/json, application/x-ndjson, application/x-www-form-urlencoded, multipart/form-data, text/plain,
    text/html, application/xml]
url: {query: [q], segments: ["/formats/users/{name}"]}
headers: [X-User]
request: &fields
  - { path: "$.text" }
  - { path: "$[*].content" }
  - { path: "$.Body[*]" }
  - { path: "$.payload[*]", kind: json }
  - { path: "$.file[*].filename" }
  - { path: "$.texts[*].text", join: "$.texts" }
  - { path: "$.attributes[?@.name == 'alt'].value" }
response: *fields
"""


def make_rules(folder: Path) -> Path:
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.yaml").write_text(_GUARD)
    (rules / "policies" / "lenient.yaml").write_text(_LENIENT)
    (rules / "apis" / "formats.yaml").write_text(_FORMATS)
    return rules
