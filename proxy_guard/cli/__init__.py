"""The command line: names, inputs and exit codes are a contract.

Exit codes: 0 done (allowed or rewritten), 1 a check or proof failed, 2 usage or rules error, 3 blocked.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from proxy_guard.errors import ProxyGuardError

__all__ = ["main"]


def main() -> None:
    """Runs the command that the process was given. Expected errors are one readable message, no traceback."""
    from proxy_guard.cli.app import app

    try:
        app()
    except ProxyGuardError as error:
        Console(stderr=True).print(Text("error: ", "bold red") + Text(str(error)), soft_wrap=True)
        sys.exit(2)
