"""The rule files of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy_guard.errors import RuleFault, RulesError

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


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Raises RulesError where the files have changed within: what was read may be half of one set, half of another."""
    before = _stamps(folder)
    yield
    if _stamps(folder) != before:
        raise RulesError([RuleFault(str(folder), 1, 1, "", "the files changed while they were read", "try again")])


def _stamps(folder: Path) -> dict[Path, tuple[int, int, int]]:
    stats = {path: path.stat() for path in folder.rglob("*") if path.suffix in _ENDINGS and path.is_file()}
    return {path: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for path, stat in stats.items()}
