"""A folder of rules that loads in an instant: one API description and one policy of those that are shipped.

Copying all of the shipped rules costs half a second of work in every load; tests that are about something else do
without them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from proxy_guard import resources

_FILES = ("apis/openai-chat.yaml", "policies/mask.yaml")


def small_rules(folder: Path, *more: str) -> Path:
    """Makes `folder`, with `openai-chat`, the policy `mask` and `more` of the shipped files; no guard.yaml."""
    for name in (*_FILES, *more):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(resources.rules_dir() / name, folder / name)
    return folder
