"""The rule files of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from proxy_guard.errors import RuleFault

PROOF_SUFFIX = ".test.yaml"
_ENDINGS = {".yaml": ".yaml", ".yml": ".yaml", ".json": ".json"}
"""The endings of rule files, by what people write for them."""


def rule_files(folder: Path) -> list[Path]:
    """The files of one kind, proofs left out, in the order of their names. Policies may be JSON."""
    files = [path for path in folder.glob("*.yaml") if not path.name.endswith(PROOF_SUFFIX)]
    return sorted([*files, *folder.glob("*.json")] if folder.name == "policies" else files)


def unread(folder: Path) -> Iterator[RuleFault]:
    """A file that is meant as a rule file, and is none by its ending, would be passed over without a word."""
    for path in sorted(folder.glob("*")):
        ending = _ENDINGS.get(path.suffix.lower(), path.suffix)
        if path.suffix != ending:
            hint = f"rename it to {path.stem}{ending}"
            yield RuleFault(str(path), 1, 1, "", f"a file in {path.suffix} is not read", hint)
