"""The manners of the house: what may import what, what is public, how large a file may grow."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import proxy_guard

ROOT = Path(__file__).resolve().parents[2]


def test_imports_go_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_the_public_names_are_these() -> None:
    assert proxy_guard.__all__ == ["Guard", "Message", "Verdict"]
    assert all(hasattr(proxy_guard, name) for name in proxy_guard.__all__)


def test_the_package_pulls_in_no_framework() -> None:
    code = "import sys, proxy_guard; print([m for m in ('mitmproxy', 'starlette', 'uvicorn', 'openai') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_part_that_is_offered_loads() -> None:
    for group in ("scrubbers", "operators", "codecs"):
        points = entry_points(group=f"proxy_guard.{group}")
        assert points
        for point in points:
            assert point.load()


def test_every_operator_file_is_offered() -> None:
    files = {path.stem for path in (ROOT / "proxy_guard" / "operators").glob("*.py")} - {"__init__"}
    offered = {
        point.value.partition(":")[0].rpartition(".")[2] for point in entry_points(group="proxy_guard.operators")
    }
    assert files == offered


def test_files_fit_in_one_read() -> None:
    long = {str(p.relative_to(ROOT)): n for p in (ROOT / "proxy_guard").rglob("*.py") if (n := _lines(p)) > 400}
    assert long == {}


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
