"""Connection files: read once for their form, and once more, with their secrets, where they are in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.remote.connection import Connection, ConnectionFault, compile_connection
from proxy_guard.remote.settings import ConnectionFile
from proxy_guard.rules.compiled import Api
from proxy_guard.rules.reading import Loc, SourceFile, did_you_mean
from proxy_guard.rules.signatures import load_secrets
from proxy_guard.secrets import Resolved
from proxy_guard.signing import Signing


def load_connection(source: SourceFile, *, in_use: bool) -> Connection:
    """The connection of a file. What its references name has to be there only if it is `in_use`. Raises RulesError."""
    secrets = Resolved() if in_use else None
    file = source.validate(ConnectionFile, context=secrets)
    try:
        return compile_connection(file, secrets)
    except ConnectionFault as fault:
        raise RulesError([source.fault(fault.place, fault.message, fault.hint)]) from None


class SigningConnections:
    """The connections that hold secrets for signatures: how the requests of a route are signed."""

    def __init__(self) -> None:
        self._sources: dict[str, SourceFile] = {}

    def add(self, source: SourceFile) -> None:
        """One more. Raises RulesError."""
        name = load_secrets(source, in_use=False).connection
        if self._sources.setdefault(name, source) is not source:
            raise RulesError([source.fault(("name",), f"another one has the name '{name}' already")])

    def of_route(
        self, source: SourceFile, loc: Loc, named: Mapping[str, str], apis: Mapping[str, Api]
    ) -> dict[str, Signing]:
        """By the names of `apis`; with the secrets of the connections that are `named`, at `loc` of the guard file.

        Raises RulesError.
        """
        made = {
            api.name: Signing(api.name, api.signatures, (), api.webhooks.breaking if api.webhooks else "block")
            for api in apis.values()
            if api.signatures
        }
        faults: list[RuleFault] = []
        for api, connection in named.items():
            if api not in made:
                known = "has no signature" if api in apis else "is not there"
                faults.append(source.fault((*loc, api), f"the API description {known}", did_you_mean(api, made)))
            elif connection not in self._sources:
                hint = did_you_mean(connection, self._sources)
                message = f"there is no '{connection}' among the connections of kind signature and aws"
                faults.append(source.fault((*loc, api), message, hint))
            else:
                try:
                    made[api] = self._bound(made[api], self._sources[connection])
                except RulesError as error:
                    faults += error.faults
        if faults:
            raise RulesError(faults)
        return made

    def _bound(self, signing: Signing, source: SourceFile) -> Signing:
        secrets = load_secrets(source, in_use=True)
        try:
            return replace(signing, signers=tuple(scheme.bind(secrets) for scheme in signing.schemes))
        except ValueError as error:
            raise RulesError([source.fault(("kind",), str(error))]) from None
