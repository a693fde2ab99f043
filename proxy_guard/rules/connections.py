"""Connection files: read once for their form, and once more, with their secrets, where they are in use."""

from __future__ import annotations

from proxy_guard.errors import RulesError
from proxy_guard.remote.connection import Connection, ConnectionFault, compile_connection
from proxy_guard.remote.settings import ConnectionFile
from proxy_guard.rules.reading import SourceFile
from proxy_guard.secrets import Resolved


def load_connection(source: SourceFile, *, in_use: bool) -> Connection:
    """The connection of a file. What its references name has to be there only if it is `in_use`. Raises RulesError."""
    secrets = Resolved() if in_use else None
    file = source.validate(ConnectionFile, context=secrets)
    try:
        return compile_connection(file, secrets)
    except ConnectionFault as fault:
        raise RulesError([source.fault(fault.place, fault.message, fault.hint)]) from None
