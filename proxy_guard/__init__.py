"""Proxy Guard keeps personal data out of chat APIs: a message goes in, a verdict comes out.

>>> guard = Guard.from_rules("rules/")  # doctest: +SKIP
>>> verdict = await guard.inspect(Message("request", "POST", url, headers, body))  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

from proxy_guard.model import Message, Verdict

if TYPE_CHECKING:
    from proxy_guard.guard import Guard

__all__ = ["Guard", "Message", "Verdict"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Whoever wants the guard imports it; `proxy-guard --help` and others of this package's modules need not.
    if name != "Guard":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from proxy_guard.guard import Guard  # noqa: PLC0415

    return Guard
