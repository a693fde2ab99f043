"""Finds the suites: every module in `bench.suites` that has a `SUITE`."""

from __future__ import annotations

import importlib
import pkgutil

from bench import suites
from bench.model import Suite


def all_suites() -> list[Suite]:
    """All suites, in the order in which they run."""
    names = [each.name for each in pkgutil.iter_modules(suites.__path__)]
    modules = [importlib.import_module(f"{suites.__name__}.{name}") for name in names]
    found: list[Suite] = [module.SUITE for module in modules if hasattr(module, "SUITE")]
    return sorted(found, key=lambda suite: (suite.order, suite.name))
