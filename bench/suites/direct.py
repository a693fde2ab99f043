"""The upstream by itself: how much the load generator and the upstream could do at most."""

from __future__ import annotations

from bench import http_suite
from bench.model import Bench, Report, Suite
from bench.services import upstream


def run(bench: Bench) -> Report:
    """Measures the upstream without a proxy."""
    with upstream(bench.workdir) as base:
        return http_suite.alone(bench, "direct", http_suite.Setup("direct", base, f"{base}/last"))


SUITE = Suite("direct", run, lambda settings: http_suite.seconds(settings, 1), order=10, needs_wrk=True)
