"""Every error that Proxy Guard raises on purpose.

    ProxyGuardError
    ├── RulesError        the rule files can't be used; holds one RuleFault per mistake
    ├── MissingExtra      an optional part is not installed; names the extra
    ├── Unavailable       a remote API can't be reached, or answers what is no answer; becomes a verdict
    │   └── Late          it did not answer in time; a TimeoutError, too
    ├── NotFound          a lookup endpoint knows no value for a reference
    ├── VaultError        a vault can't serve
    │   └── VaultFull     it would hold more than its limits allow
    └── Unreadable        a message can't be read; becomes a verdict, never leaves the guard

No error ever holds text of a message: they carry causes, places and counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cause = Literal["undecodable", "too_large", "unsupported_media", "timeout", "unavailable"]
"""Why the guard could not do its work; the keys of a policy's `on_error`."""


class ProxyGuardError(Exception):
    """The base of all errors of this package."""


@dataclass(frozen=True, slots=True)
class RuleFault:
    """One mistake in one rule file, where a person finds it (`line` and `column` start at 1)."""

    file: str
    line: int
    column: int
    field: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        field = f" {self.field}:" if self.field else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}:{field} {self.message}{hint}"


class RulesError(ProxyGuardError):
    """The rule files can't be used; `faults` has every mistake found, not only the first."""

    def __init__(self, faults: list[RuleFault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class MissingExtra(ProxyGuardError):
    """An optional part is needed but not installed."""

    def __init__(self, what: str, extra: str, command: str = "") -> None:
        command = command or f"pip install 'proxy-guard[{extra}]'"
        super().__init__(f"{what} needs the extra proxy-guard[{extra}]: {command}")


class Unavailable(ProxyGuardError):
    """A remote API can't be asked, or its answer is none. `why` holds no text of a message and no secret.

    `again`: the request may be sent once more. `after`: not before so many seconds. `counts`: the API is at fault
    rather than our request, so that the circuit breaker takes note.
    """

    def __init__(self, why: str, *, again: bool = False, after: float = 0.0, counts: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.again = again
        self.after = after
        self.counts = counts


class Late(Unavailable, TimeoutError):
    """A remote API did not answer in time."""


class NotFound(ProxyGuardError):
    """A lookup endpoint knows no value for a reference, which is not named here."""


class VaultError(ProxyGuardError):
    """A vault can't serve: its file, its keys or its disk. No pseudonym was given."""


class VaultFull(VaultError):
    """A vault would hold more than its limits allow. What it holds stays, and no pseudonym was given."""


class Unreadable(ProxyGuardError):
    """A message that can't be read: `cause` for the policy, `status` for the client, `why` for both."""

    def __init__(self, why: str, *, status: int = 400, cause: Cause = "undecodable") -> None:
        super().__init__(why)
        self.why = why
        self.status = status
        self.cause = cause
