"""`pseudonymize` puts a reference in place of a value, and `resolve` the value in place of a reference."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from proxy_guard.model import Ask
from proxy_guard.operators import Operator

Scope = Literal["account", "conversation", "global"]


class Pseudonymize(Operator):
    """The same reference for the same value, within its scope; it tells nothing of the value.

    The vault keeps what stands behind it, durably, before a message that holds it goes on.
    """

    asks = True
    vault: str = Field(default="default", description="The vault of `guard.yaml` that keeps the value.")
    store: str | None = Field(
        default=None, description="A connection of kind store that is given the reference and the value as well."
    )
    style: Literal["token", "uuid", "email", "phone"] = Field(
        default="token", description="What a reference looks like: EMAIL_ADDRESS_…, a UUID, a mailbox, a phone number."
    )
    scope: Scope = Field(
        default="account",
        description="Where it is the same: in an account, in one of its conversations (those that `guard.yaml` can "
        "tell), or everywhere.",
    )

    def ask(self, value: str, entity: str) -> Ask | None:
        """The reference of `value`."""
        return Ask("pseudonym", self.vault, entity, value, self.style, self.scope, self.store)


class Resolve(Operator):
    """The value behind a reference, as it goes out and nowhere else: from a lookup connection, or a vault."""

    asks = True
    connection: str | None = Field(default=None, description="A connection of kind lookup, which tells the value.")
    vault: str | None = Field(default=None, description="The vault of `guard.yaml` that gave the reference.")
    scope: Scope = Field(default="account", description="Whose references of the vault may be resolved.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.connection is None) == (self.vault is None):
            raise ValueError("say either `connection` or `vault`")
        return self

    def ask(self, value: str, entity: str) -> Ask | None:
        """The value of the reference `value`."""
        if self.vault is not None:
            return Ask("restore", self.vault, entity, value, scope=self.scope)
        assert self.connection is not None
        return Ask("value", self.connection, entity, value)
