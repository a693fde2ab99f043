"""The trail: what was decided and why, never the value. Names, counts and rules only."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import structlog

from proxy_guard.model import Message, Verdict

NAME = "proxy_guard"
"""The logger's name."""


def logger() -> Any:
    """A logger of key=value events through the standard library, as the host application configures it."""
    return structlog.wrap_logger(
        logging.getLogger(NAME),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
    )


def record(log: Any, message: Message, verdict: Verdict) -> None:
    """Writes one verdict. `found` counts entities by the rule of the field that they were in."""
    found = Counter(each.kind for each in verdict.findings)
    found.update(verdict.more)
    log.info(
        verdict.action,
        direction=message.direction,
        api=verdict.api,
        policy=verdict.policy,
        status=verdict.status,
        reason=verdict.reason,
        found=dict(found),
        incident=verdict.incident,
    )
