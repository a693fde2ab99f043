"""Security APIs of vendors: a server that speaks each one's wire format, as documented, and is strict about it.

What it answers is recorded in the proofs of the shipped connections; what it wants of a request is written here,
from the vendors' references:

- Presidio: docs/api-docs/api-docs.yml and presidio-analyzer/app.py of microsoft/presidio (a list of texts is a batch).
- LiteLLM: docs.litellm.ai, "Generic Guardrail API".
- Google: Sensitive Data Protection, REST v2, projects.locations.content.deidentify; the metadata server's tokens.
- Azure: Language, analyze-text 2024-11-01, PiiEntityRecognition; five documents in a request.
- Pangea: Redact v1, /v1/redact.  Private AI: process/text, v4.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from proxy_guard import resources
from proxy_guard.remote.settings import ConnectionProofFile, Exchange
from proxy_guard.rules.reading import SourceFile

KEY = "v3nd0r-key"
calls: list[tuple[str, Any]] = []


def recorded(name: str) -> list[Exchange]:
    """The exchanges in the proof of a shipped connection."""
    path = resources.rules_dir() / "connections" / f"{name}.test.yaml"
    return SourceFile(path, path.name).validate(ConnectionProofFile).cases


def _texts(body: Any, found: Callable[[Any], list[str]]) -> list[str] | None:
    try:
        texts = found(body)
    except (KeyError, TypeError, IndexError):
        return None
    return texts if all(isinstance(text, str) and text for text in texts) and texts else None


def vendor(name: str, found: Callable[[Any], list[str]], allowed: Callable[[Request], bool], exact: Any) -> Any:
    """An endpoint: `found` takes the texts out of a request, `allowed` checks its head, `exact` the rest of its body."""

    async def serve(request: Request) -> JSONResponse:
        body = json.loads(await request.body())
        calls.append((name, body))
        if not allowed(request):
            return JSONResponse({"error": "credentials"}, 401)
        if request.headers["content-type"] != "application/json":
            return JSONResponse({"error": "media type"}, 415)
        texts = _texts(body, found)
        if texts is None or not exact(body):
            return JSONResponse({"error": "malformed"}, 400)
        answer = next((case.answer for case in recorded(name) if case.texts == texts and not case.fails), None)
        return JSONResponse(answer) if answer is not None else JSONResponse({"error": "not recorded"}, 404)

    return serve


def header(name: str, value: str) -> Callable[[Request], bool]:
    return lambda request: request.headers.get(name) == value


def anyone(request: Request) -> bool:
    return "authorization" not in request.headers


async def google_token(request: Request) -> JSONResponse:
    if request.headers.get("metadata-flavor") != "Google":
        return JSONResponse({}, 403)
    return JSONResponse({"access_token": KEY, "expires_in": 3599, "token_type": "Bearer"})


async def analyze(request: Request) -> JSONResponse:
    """Presidio's analyzer, one text or a list."""
    body = json.loads(await request.body())
    calls.append(("analyze", body))
    if not body.get("text") or not body.get("language"):
        return JSONResponse({"error": "No text provided"}, 500)
    assert set(body) <= {"text", "language", "entities", "score_threshold"}
    if isinstance(body["text"], list):
        return JSONResponse(next(case.answer for case in recorded("presidio") if case.texts == body["text"]))
    return JSONResponse(next(case.before for case in recorded("presidio-anonymizer") if case.texts == [body["text"]]))


def _rows(body: Any) -> list[str]:
    assert [each["name"] for each in body["item"]["table"]["headers"]] == ["text"]
    return [value["stringValue"] for row in body["item"]["table"]["rows"] for value in row["values"]]


app = Starlette(
    routes=[
        Route("/analyze", analyze, methods=["POST"]),
        Route(
            "/anonymize",
            vendor(
                "presidio-anonymizer", lambda b: [b["text"]], anyone, lambda b: isinstance(b["analyzer_results"], list)
            ),
            methods=["POST"],
        ),
        Route(
            "/beta/litellm_basic_guardrail_api",
            vendor(
                "litellm-guardrail",
                lambda b: b["texts"],
                header("x-api-key", KEY),
                lambda b: b["input_type"] in ("request", "response") and isinstance(b["request_data"], dict),
            ),
            methods=["POST"],
        ),
        Route("/computeMetadata/v1/instance/service-accounts/default/token", google_token),
        Route(
            "/v2/projects/acme/locations/global/content:deidentify",
            vendor(
                "google-sdp",
                _rows,
                header("authorization", f"Bearer {KEY}"),
                lambda b: b["inspectConfig"]["infoTypes"] and b["deidentifyConfig"]["infoTypeTransformations"],
            ),
            methods=["POST"],
        ),
        Route(
            "/language/:analyze-text",
            vendor(
                "azure-pii",
                lambda b: [each["text"] for each in b["analysisInput"]["documents"]],
                lambda r: (
                    r.headers.get("ocp-apim-subscription-key") == KEY and r.query_params["api-version"] == "2024-11-01"
                ),
                lambda b: (
                    b["kind"] == "PiiEntityRecognition"
                    and b["parameters"]["stringIndexType"] == "UnicodeCodePoint"
                    and 0 < len(b["analysisInput"]["documents"]) <= 5
                    and len({each["id"] for each in b["analysisInput"]["documents"]})
                    == len(b["analysisInput"]["documents"])
                ),
            ),
            methods=["POST"],
        ),
        Route(
            "/v1/redact",
            vendor("pangea-redact", lambda b: [b["text"]], header("authorization", f"Bearer {KEY}"), lambda b: True),
            methods=["POST"],
        ),
        Route(
            "/process/text",
            vendor(
                "private-ai",
                lambda b: b["text"],
                header("x-api-key", KEY),
                lambda b: b["link_batch"] is False and b["processed_text"]["type"] == "MARKER",
            ),
            methods=["POST"],
        ),
    ]
)
