"""The reference server of the Security API contract (docs/security-api.openapi.yaml), on the local engine.

It serves LiteLLM's generic guardrail API, too, so that a LiteLLM proxy can ask it. A small Starlette application:
something to try a guard against, and to start from. It keeps nothing, and logs no text.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, Literal, Self

import anyio
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from proxy_guard import resources
from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import Unreadable
from proxy_guard.guard import Guard
from proxy_guard.locate.media import media_at
from proxy_guard.media import Redacted
from proxy_guard.media_stage import FAILURES
from proxy_guard.model import Finding, Slot
from proxy_guard.operators.block import Block
from proxy_guard.policy import Policy
from proxy_guard.policy.overlaps import edit, resolve
from proxy_guard.scrubbers.local import LocalScrubber

_JSON = JsonCodec()
MEDIA_CODE = "media_not_inspected"


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class AskedItem(_Asked):
    """One text or medium of a message."""

    id: str = Field(min_length=1, max_length=200)
    kind: Literal["text", "media"] = "text"
    media_type: str = "text/plain"
    path: str = ""
    direction: Literal["request", "response"] = "request"
    text: str | None = None
    base64: Base64Bytes | None = None

    @model_validator(mode="after")
    def _content(self) -> Self:
        if (self.text is None) is (self.base64 is None):
            raise ValueError("an item has exactly one of `text` and `base64`")
        return self


class Asked(_Asked):
    """What a guard asks."""

    items: list[AskedItem] = Field(max_length=1000)

    @model_validator(mode="after")
    def _own_ids(self) -> Self:
        if len({item.id for item in self.items}) != len(self.items):
            raise ValueError("two items have one id")
        return self


class GuardrailAsked(_Asked):
    """What LiteLLM asks; of what it sends, this is looked at."""

    texts: list[str] | None = None
    images: list[Any] | None = None
    tool_calls: list[Any] | None = None


class _Judge:
    """One policy, and the local engine that finds what it is about."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._scrubber = LocalScrubber()
        self._scrubber.prepare(policy.wanted)
        for rule in policy.every_rule:
            rule.operator.prepare()

    async def texts(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """What is said of each text, but for its id."""
        slots = [Slot(text, "", (), None, None) for text in texts]
        wanted = self._policy.wanted
        found = self._scrubber.at_once(slots, wanted)
        if found is None:
            found = await self._scrubber.scrub(slots, wanted)
        return [self._said(text, findings) for text, findings in zip(texts, found, strict=True)]

    def _said(self, text: str, findings: list[Finding]) -> dict[str, Any]:
        pieces = resolve(findings, self._policy)
        if not pieces or self._policy.observe:
            return {"action": "allow"}
        blocking = sorted({each.finding.entity for each in pieces if isinstance(each.rule.operator, Block)})
        if blocking:
            return {"action": "reject", "code": blocking[0].lower()}
        told = [
            {"entity": f.entity, "start": f.start, "end": f.end, "score": round(f.score, 4)}
            for f in (piece.finding for piece in pieces)
        ]
        return {"action": "mask", "text": edit(text, pieces), "findings": told}


class _Busy(Exception):
    """A medium could not be judged now; another time it may go well."""


class _MediaJudge:
    """The same policy on media, by the workers of a guard; without one they are rejected, or pass if it says so."""

    def __init__(self, policy: Policy, guard: Guard | None) -> None:
        self._policy = policy
        self._guard = guard

    async def media(self, media: Sequence[tuple[bytes, str]]) -> list[dict[str, Any]]:
        """What is said of each of these, bytes and media types, but for its id. Raises _Busy."""
        said: list[dict[str, Any] | None] = [None for _ in media]

        async def one(index: int) -> None:
            said[index] = await self._said(*media[index])

        async with anyio.create_task_group() as group:
            for index in range(len(media)):
                group.start_soon(one, index)
        done = [each for each in said if each is not None]
        if len(done) < len(media):
            raise _Busy
        return done

    async def _said(self, data: bytes, media_type: str) -> dict[str, Any] | None:
        if self._guard is None:
            return self.unseen
        result = await self._guard.media.one(data, media_type)
        if isinstance(result, Redacted):
            if self._policy.observe or not result.changed:
                return {"action": "allow"}
            return {"action": "mask", "base64": b64encode(result.data).decode()}
        cause = FAILURES[result.cause][0] if result.cause in FAILURES else None
        if cause in ("timeout", "unavailable"):
            return None
        if self._policy.observe or (cause and self._policy.passes(cause)):
            return {"action": "allow"}
        return {"action": "reject", "code": result.cause}

    @property
    def unseen(self) -> dict[str, Any]:
        """What is said of a medium that nobody looks into."""
        passes = self._policy.passes("unsupported_media")
        return {"action": "allow"} if passes else {"action": "reject", "code": MEDIA_CODE}


class _Api:
    def __init__(self, policy: Policy, token: SecretStr | None, limits: Limits, guard: Guard | None) -> None:
        self._judge = _Judge(policy)
        self._media = _MediaJudge(policy, guard)
        self._token = token.get_secret_value().encode() if token else None
        self._limits = limits

    async def inspect(self, request: Request) -> Response:
        """POST /v1/inspect."""
        asked = await self._read(request, Asked)
        if isinstance(asked, Response):
            return asked
        texts = [item for item in asked.items if item.text is not None]
        media = [item for item in asked.items if item.text is None]
        try:
            said = await self._judge.texts([item.text or "" for item in texts])
            said += await self._media.media([(item.base64 or b"", item.media_type) for item in media])
        except _Busy:
            return _problem(503, "a medium could not be judged in time")
        by_id = {item.id: each for item, each in zip([*texts, *media], said, strict=True)}
        return JSONResponse({"items": [{"id": item.id, **by_id[item.id]} for item in asked.items]})

    async def guardrail(self, request: Request) -> Response:
        """POST /beta/litellm_basic_guardrail_api."""
        asked = await self._read(request, GuardrailAsked)
        if isinstance(asked, Response):
            return asked
        texts = asked.texts or []
        said = await self._judge.texts(texts)
        # A rewritten call would have to go back as JSON of the tool's own; what is found in one blocks.
        in_calls = await self._judge.texts(_strings(asked.tool_calls or []))
        reasons = [each["code"] for each in said if each["action"] == "reject"]
        reasons += ["tool_call" for each in in_calls if each["action"] != "allow"]
        images = list(asked.images or [])
        try:
            of_images = await self._images(images)
        except _Busy:
            return _problem(503, "a medium could not be judged in time")
        reasons += [each["code"] for each in of_images if each["action"] == "reject"]
        if reasons:
            return JSONResponse({"action": "BLOCKED", "blocked_reason": reasons[0]})
        if all(each["action"] == "allow" for each in (*said, *of_images)):
            return JSONResponse({"action": "NONE"})
        rewritten = [each.get("text", text) for text, each in zip(texts, said, strict=True)]
        more = {"images": images} if images else {}
        return JSONResponse({"action": "GUARDRAIL_INTERVENED", "texts": rewritten, **more})

    async def _images(self, images: list[Any]) -> list[dict[str, Any]]:
        """What is said of each image; those that were rewritten are put in their places. Raises _Busy."""
        slots = [slot for at, image in enumerate(images) for slot in media_at((image, (at,), images, at))]
        inline = [slot for slot in slots if slot.form == "data_url"]
        try:
            media = [slot.read() for slot in inline]
            said = await self._media.media(media)
            for slot, each, (_, declared) in zip(inline, said, media, strict=True):
                if each["action"] == "mask":
                    slot.write(b64decode(each["base64"]), declared)
        except Unreadable:
            return [{"action": "reject", "code": "unreadable"}]
        # A link, say: nobody has looked at what it leads to.
        return said + [self._media.unseen] * (len(images) - len(inline))

    async def _read[T: BaseModel](self, request: Request, model: type[T]) -> T | Response:
        if not self._allowed(request):
            return _problem(401, "the credentials are missing or wrong")
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > self._limits.body:
                return _problem(413, f"the body is larger than {self._limits.body} bytes")
        try:
            return model.model_validate(_JSON.decode(bytes(body), self._limits).value)
        except Unreadable as error:
            return _problem(400, error.why)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part in _FIELDS)
            return _problem(422, f"{where}: {first['msg'].removeprefix('Value error, ')}")

    def _allowed(self, request: Request) -> bool:
        if self._token is None:
            return True
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        shown = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        return hmac.compare_digest(shown.encode(), self._token)


_FIELDS = {*Asked.model_fields, *AskedItem.model_fields, *GuardrailAsked.model_fields}


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for member in members for text in _strings(member)]


def _problem(status: int, detail: str) -> Response:
    body = {"type": "about:blank", "title": "The request can't be served.", "status": status, "detail": detail}
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def application(
    policy: Policy, *, token: SecretStr | None = None, limits: Limits | None = None, guard: Guard | None = None
) -> Starlette:
    """The server by one policy. With `token`, clients show it as a bearer token or as `x-api-key`.

    `guard` scrubs media, by its first policy, which is to be the same one; without it they are rejected.
    """
    api = _Api(policy, token, limits or Limits(), guard)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def contract(_: Request) -> Response:
        return FileResponse(resources.security_api_contract(), media_type="application/yaml")

    return Starlette(
        routes=[
            Route("/v1/inspect", api.inspect, methods=["POST"]),
            Route("/beta/litellm_basic_guardrail_api", api.guardrail, methods=["POST"]),
            Route("/health", health),
            Route("/openapi.yaml", contract),
        ]
    )
