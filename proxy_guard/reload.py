"""New rules in a running guard, on SIGHUP: all of them, or those before stay in force.

What is under way keeps the rules that it began with. What comes in meanwhile does not wait: the files are read in a
thread.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import NoReturn, Protocol

import anyio
import anyio.to_thread

from proxy_guard import audit
from proxy_guard.errors import ProxyGuardError
from proxy_guard.guard import Guard

log = audit.logger()
_GRACE = 60.0
"""Seconds until what rules that are no longer in force hold open is closed; what still needs it opens it anew."""


class Holder(Protocol):
    """An adapter: it asks `guard` about each new request."""

    guard: Guard


async def reload_on_hangup(holder: Holder) -> NoReturn:
    """Has `holder` reload its rules on each SIGHUP until it is cancelled. Those that come amid one make one more."""
    hung_up = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up.set)
    _settle()
    retired: Guard | None = None
    while True:
        with anyio.move_on_after(_GRACE if retired else None):
            await hung_up.wait()
        if retired:  # no more than two sets of rules are kept
            await _close(retired, holder.guard)
            retired = None
            _settle()
        if hung_up.is_set():
            hung_up.clear()
            before = holder.guard
            retired = before if await reload(holder) else None


def _settle() -> None:
    """Leaves what is loaded out of the garbage collector's sight.

    It looks through everything when a quarter as much has come anew. With what rules and libraries hold that is rare:
    memory grows by tens of megabytes meanwhile, and then the loop stands still for some tenths of a second.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def _close(retired: Guard, heir: Guard) -> None:
    try:
        await retired.aclose(heir)
    except Exception as error:  # noqa: BLE001 - what it held is lost, and nothing else
        log.error("guard failed", error=type(error).__name__)


async def reload(holder: Holder) -> bool:
    """Puts a guard by the rule files as they are now in the place of the one before. Whether it did."""
    try:
        # Left behind when the process ends meanwhile: nothing waits for it.
        guard = await anyio.to_thread.run_sync(holder.guard.renewed, abandon_on_cancel=True)
    except ProxyGuardError as error:
        log.error("rules not reloaded: those before stay in force", why=str(error))
        return False
    except Exception as error:  # noqa: BLE001 - whatever is wrong with them, the rules in force stay
        log.error("rules not reloaded: those before stay in force", error=type(error).__name__)
        return False
    holder.guard = guard
    log.info("rules reloaded", policies=", ".join(guard.policies))
    return True
