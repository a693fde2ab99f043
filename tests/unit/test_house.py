"""The manners of the house, as tests."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import proxy_guard
from proxy_guard import plugins
from proxy_guard.operators import Operator

ROOT = Path(proxy_guard.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
POINTS = [point for group in ("scrubbers", "operators", "codecs", "recognizers", "vaults") for point in entry_points(group=f"proxy_guard.{group}")]  # fmt: skip


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_imports_go_one_way() -> None:
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout
    assert "0 kept" not in done.stdout


def test_the_public_names_are_exactly_these() -> None:
    assert proxy_guard.__all__ == sorted(proxy_guard.__all__) == ["Guard", "Message", "Verdict"]
    code = "import proxy_guard, types; print(sorted(n for n, v in vars(proxy_guard).items() if not n.startswith('_') and not isinstance(v, types.ModuleType)))"
    assert python(code) == str(proxy_guard.__all__)


def test_star_imports_give_the_public_names() -> None:
    code = "from proxy_guard import *; print(Guard.__name__, Message.__name__, Verdict.__name__)"
    assert python(code) == "Guard Message Verdict"


# What an optional extra brings, and what only a part of the package needs.
@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("proxy_guard", ["mitmproxy", "starlette", "uvicorn", "spacy", "presidio_analyzer", "typer", "openai"]),
        ("proxy_guard.asgi", ["mitmproxy", "starlette", "uvicorn", "spacy"]),
        ("proxy_guard.engine", ["asyncio", "anyio", "mitmproxy", "starlette", "presidio_analyzer"]),
        ("proxy_guard.cli", ["mitmproxy", "starlette", "spacy"]),
    ],
)
def test_importing_a_module_does_not_pull_in(module: str, absent: list[str]) -> None:
    assert python(f"import sys, {module}; print([m for m in {absent!r} if m in sys.modules])") == "[]"


def test_the_package_runs_without_its_extras() -> None:
    code = (
        "import sys\n"
        "for name in ('mitmproxy', 'starlette', 'uvicorn', 'openai'): sys.modules[name] = None\n"
        "from proxy_guard import Guard; import proxy_guard.asgi, proxy_guard.cli; print(len(Guard.from_rules().policies))"
    )
    assert int(python(code)) >= 1


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point.group}:{point.name}")
def test_every_entry_point_loads(point: Any) -> None:
    part = point.load()
    assert callable(part)
    if point.group == "proxy_guard.operators":
        assert issubclass(part, Operator)


@pytest.mark.parametrize("group", ["scrubbers", "operators"])
def test_every_file_of_a_kind_is_an_entry_point_and_the_other_way_round(group: str) -> None:
    files = {f"proxy_guard.{group}.{path.stem}" for path in (ROOT / group).glob("*.py") if path.stem != "__init__"}
    offered = {
        point.value.partition(":")[0]
        for point in entry_points(group=f"proxy_guard.{group}")
        if point.value.startswith("proxy_guard.")
    }
    assert files == offered


def test_an_unknown_part_is_a_key_error_and_a_known_one_is_loaded_once() -> None:
    with pytest.raises(KeyError):
        plugins.load("operators", "nope")
    assert plugins.load("operators", "mask") is plugins.load("operators", "mask")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert text.lstrip().startswith('"""')


def test_the_package_is_typed() -> None:
    assert (ROOT / "py.typed").exists()


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__main__.py"], ids=lambda path: str(path.relative_to(ROOT)))  # fmt: skip
def test_every_module_imports(path: Path) -> None:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    assert importlib.import_module(".".join(parts).removesuffix(".__init__")).__doc__


def test_the_version_is_the_packages() -> None:
    from importlib.metadata import version

    assert proxy_guard.__version__ == version("proxy-guard")


def test_importing_the_package_is_quick() -> None:
    """Presidio and spaCy, which take seconds, come with the first policy that needs them."""
    code = "import time; start = time.perf_counter(); import proxy_guard; print(time.perf_counter() - start)"
    if os.environ.get("CI"):
        pytest.skip("no stopwatch on a shared machine")
    assert float(python(code)) < 2.0
