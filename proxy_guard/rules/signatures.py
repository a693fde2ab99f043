"""How requests are signed: what API descriptions and connections write, and what it is compiled to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field, RootModel, model_validator

from proxy_guard.remote.settings import ConnectionFile, Settings
from proxy_guard.rules.matching import path_pattern
from proxy_guard.rules.reading import FileModel, SourceFile
from proxy_guard.secrets import Filled, LateSecret, Resolved
from proxy_guard.signing import Scheme, Secrets
from proxy_guard.signing.digest import Algorithm, Digest, Encoding, KeyForm
from proxy_guard.signing.sigv4 import Credentials, SigV4
from proxy_guard.signing.twilio import Twilio

Named = Literal["hub-sha256", "hub-sha1", "slack", "twilio", "line", "zendesk", "freshchat", "aws-sigv4"]

_NAMED: Mapping[Named, Scheme] = {
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    "hub-sha256": Digest("x-hub-signature-256", prefix="sha256="),
    # https://developers.intercom.com/docs/webhooks/webhook-notifications
    "hub-sha1": Digest("x-hub-signature", "hmac-sha1", prefix="sha1="),
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    "slack": Digest(
        "x-slack-signature",
        prefix="v0=",
        signed="v0:{timestamp}:{body}",
        timestamp="x-slack-request-timestamp",
        max_age=300,
    ),
    "twilio": Twilio(),
    # https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
    "line": Digest("x-line-signature", encoding="base64"),
    # https://developer.zendesk.com/documentation/webhooks/verifying/; it says nothing of how old one may be
    "zendesk": Digest(
        "x-zendesk-webhook-signature",
        encoding="base64",
        signed="{timestamp}{body}",
        timestamp="x-zendesk-webhook-signature-timestamp",
    ),
    # https://support.freshchat.com/support/solutions/articles/239404
    "freshchat": Digest("x-freshchat-signature", "rsa-sha256", encoding="base64"),
    "aws-sigv4": SigV4(),
}


class SignatureRule(FileModel):
    """A signature of your own making, in a header."""

    header: str = Field(min_length=1, description="The header that carries it.")
    algorithm: Algorithm = "hmac-sha256"
    encoding: Encoding = Field(default="hex", description="How the signature is written.")
    prefix: str = Field(default="", description="What stands before it in the header.")
    signed: str = Field(
        default="{body}",
        description="What is signed; `{body}`, `{timestamp}`, `{url}`, `{method}` and `{header:NAME}` are filled in.",
    )
    timestamp: str | None = Field(default=None, description="The header with the time: seconds, or ISO 8601.")
    max_age: float | None = Field(default=None, gt=0, description="Seconds that it may be away from now.")
    key: KeyForm = Field(default="text", description="How the secret is written: as it is, in hexadecimal or base64.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        fault = self.scheme().faults()
        if fault:
            raise ValueError(fault)
        if self.max_age is not None and self.timestamp is None:
            raise ValueError("`max_age` needs a `timestamp`")
        return self

    def scheme(self) -> Digest:
        """Compiled."""
        given = self.model_dump()
        timestamp = self.timestamp.lower() if self.timestamp else None
        return Digest(**(given | {"header": self.header.lower(), "timestamp": timestamp}))


class AcknowledgeRule(FileModel):
    """What a provider is answered that needs no more than a success."""

    status: Annotated[int, Field(ge=200, le=299)] = 200
    content_type: str = Field(default="text/plain", description="Of a body that is not empty.")
    body: str = ""


class WebhookRule(FileModel):
    """Requests that a provider sends to you."""

    paths: list[str] = Field(
        default=["/**"], min_length=1, description="Which of the requests are webhooks: globs as in `match.paths`."
    )
    signatures: list[Named | SignatureRule] = Field(
        default=[], description="How they are signed: the first has to be there, others may be there, too."
    )
    breaking: Literal["block", "keep"] = Field(
        default="block",
        description="What becomes of a signed webhook that is edited, where the route has no connection for it. "
        "keep: it goes on with the signature as it came, which is wrong then.",
    )
    acknowledge: AcknowledgeRule = Field(
        default=AcknowledgeRule(), description="The answer to a blocked one where the policy says so."
    )


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Which requests of an API are webhooks, and the status, media type and body that acknowledge one."""

    paths: re.Pattern[str] = field(repr=False)
    acknowledgement: tuple[int, str, bytes]
    breaking: Literal["block", "keep"]


def webhooks(rule: WebhookRule) -> Webhooks:
    """Compiled."""
    answer = rule.acknowledge
    acknowledgement = answer.status, answer.content_type, answer.body.encode()
    return Webhooks(path_pattern(rule.paths), acknowledgement, rule.breaking)


def schemes(rules: list[Named | SignatureRule]) -> tuple[Scheme, ...]:
    """Compiled, in their order."""
    return tuple(rule.scheme() if isinstance(rule, SignatureRule) else _NAMED[rule] for rule in rules)


# --- connections ---------------------------------------------------------------------------------------


class _Signing(Settings):
    version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Lower case, digits and hyphens.")
    title: str = ""
    public_url: Filled | None = Field(
        default=None,
        description="What stands before the path for the sender, such as https://bot.example.com, where that is not "
        "what the guard sees.",
    )

    @model_validator(mode="after")
    def _is_origin(self) -> Self:
        url = self.public_url.get_secret_value() if self.public_url else ""
        if url and "${" not in url and not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", url):
            raise ValueError("`public_url` is of the form https://host[:port][/path]")
        return self

    @property
    def public(self) -> str | None:
        """The public URL."""
        return self.public_url.get_secret_value() if self.public_url else None


class SigningFile(_Signing):
    """The secrets of a signature."""

    kind: Literal["signature"]
    secrets: Annotated[list[LateSecret], Field(min_length=1)] = Field(
        description="The sender's: while one is exchanged for another, both. For RSA its public key in PEM."
    )
    sign_with: LateSecret | None = Field(
        default=None, description="The secret that the application knows, where that is another one."
    )


class AwsFile(_Signing):
    """Credentials of AWS."""

    kind: Literal["aws"]
    access_key_id: Filled
    secret_access_key: LateSecret
    session_token: LateSecret | None = None
    verify: bool = Field(
        default=True,
        description="Only requests that were signed with these credentials are signed anew. false: all who reach the "
        "guard are signed for.",
    )


class AnyConnectionFile(RootModel[ConnectionFile | SigningFile | AwsFile]):
    """A connection: how to reach a remote API, or the secrets that requests are signed with."""


_KINDS: Mapping[str, type[SigningFile] | type[AwsFile]] = {"signature": SigningFile, "aws": AwsFile}


def is_signing(source: SourceFile) -> bool:
    """Whether a file of connections holds secrets for signatures."""
    values: Any = source.values
    return isinstance(values, dict) and values.get("kind") in _KINDS


def load_secrets(source: SourceFile, *, in_use: bool) -> Secrets:
    """The secrets in a file. What its references name has to be there only if it is `in_use`. Raises RulesError."""
    file: SigningFile | AwsFile = source.validate(_KINDS[source.values["kind"]], context=Resolved() if in_use else None)
    if isinstance(file, AwsFile):
        return Credentials(
            connection=file.name,
            given=(),
            public_url=file.public,
            access_key_id=file.access_key_id.get_secret_value(),
            secret_access_key=file.secret_access_key.get_secret_value(),
            session_token=file.session_token.get_secret_value() if file.session_token else None,
            verify=file.verify,
        )
    return Secrets(
        connection=file.name,
        given=tuple(secret.get_secret_value() for secret in file.secrets),
        sign_with=file.sign_with.get_secret_value() if file.sign_with else None,
        public_url=file.public,
    )
