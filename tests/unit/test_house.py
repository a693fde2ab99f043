"""The manners of the house, as tests."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest

import proxy_guard
from proxy_guard import plugins
from proxy_guard.operators import Operator

ROOT = Path(proxy_guard.__file__).parent
HEAVY = {"nlp_stanza": "stanza", "nlp_transformers": "transformers"}
MODULES = sorted(ROOT.rglob("*.py"))
POINTS = [point for group in ("scrubbers", "operators", "codecs", "recognizers", "vaults") for point in entry_points(group=f"proxy_guard.{group}")]  # fmt: skip


def python(code: str) -> Any:
    """What a fresh interpreter prints, as Python values."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout.strip())


@pytest.fixture(scope="module")
def imported() -> Any:
    """What is there after the imports of a fresh interpreter."""
    return python("""
import sys, types
import proxy_guard
seen = {}
seen["names"] = sorted(n for n, v in vars(proxy_guard).items() if n[0] != "_" and getattr(v, "__module__", "").startswith("proxy_guard"))
seen["proxy_guard"] = sorted(sys.modules)
import proxy_guard.asgi
seen["proxy_guard.asgi"] = sorted(sys.modules)
import proxy_guard.cli, proxy_guard.cli.app
seen["proxy_guard.cli"] = sorted(sys.modules)
names = {}
exec("from proxy_guard import *", names)
seen["star"] = sorted(names.keys() - {"__builtins__"})
import proxy_guard.mitm
seen["proxy_guard.mitm"] = sorted(sys.modules)
print(seen)
""")


def test_imports_go_one_way() -> None:
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout
    assert "0 kept" not in done.stdout


def test_the_public_names_are_exactly_these(imported: Any) -> None:
    assert proxy_guard.__all__ == ["Guard", "Message", "Verdict"]
    assert set(imported["names"]) <= set(proxy_guard.__all__)  # the guard comes when it is asked for
    assert imported["star"] == proxy_guard.__all__


@pytest.mark.parametrize("module", ["proxy_guard", "proxy_guard.asgi", "proxy_guard.cli"])
@pytest.mark.parametrize("absent", ["mitmproxy", "starlette", "uvicorn", "openai", "anthropic", "pytest"])
def test_importing_a_module_does_not_pull_in(imported: Any, module: str, absent: str) -> None:
    assert absent not in imported[module]


def test_the_adapter_of_mitmproxy_pulls_it_in(imported: Any) -> None:
    assert "mitmproxy" in imported["proxy_guard.mitm"]


def test_the_package_runs_without_its_extras() -> None:
    code = (
        "import sys\n"
        "for name in ('mitmproxy', 'starlette', 'uvicorn', 'openai'): sys.modules[name] = None\n"
        "from proxy_guard import Guard; import proxy_guard.asgi, proxy_guard.cli; print(Guard.from_rules().policies)"
    )
    assert "mask" in python(code)


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


# mitmproxy's imports warn, and warnings are errors here: see `imported`.
IMPORTABLE = [path for path in MODULES if path.name not in ("__main__.py", "mitm.py")]


@pytest.mark.parametrize("path", IMPORTABLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_imports(path: Path) -> None:
    extra = HEAVY.get(path.stem)
    if extra and importlib.util.find_spec(extra) is None:
        pytest.skip(f"needs the extra {extra}, which is too large to be installed for the tests")
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    assert importlib.import_module(".".join(parts).removesuffix(".__init__")).__doc__


def test_the_version_is_the_packages() -> None:
    assert proxy_guard.__version__ == version("proxy-guard")
