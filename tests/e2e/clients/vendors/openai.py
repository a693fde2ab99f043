"""OpenAI's API: https://platform.openai.com/docs/api-reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.e2e.clients.planted import ARGUMENTS, TEXT, TOOL, WAV, dumps
from tests.e2e.clients.vendors.wire import pieces, sse

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
Event = tuple[str | None, Any]


async def chat(request: Request) -> Response:
    body = await request.json()
    base = {"id": "chatcmpl-1", "created": 1, "model": body["model"], "system_fingerprint": "fp_1"}
    if body.get("stream"):
        return sse(_chunks(body["model"], bool(body.get("tools"))), end="[DONE]")
    if "response_format" in body:
        message: dict[str, Any] = {"role": "assistant", "content": dumps(ARGUMENTS), "refusal": None}
    else:
        message = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    if body.get("tools"):
        message["tool_calls"] = [
            {"id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": dumps(ARGUMENTS)}}
        ]
    tokens = [
        {"token": each, "bytes": list(each.encode()), "logprob": -0.1, "top_logprobs": []} for each in pieces(TEXT)
    ]
    logprobs = {"content": tokens, "refusal": None} if body.get("logprobs") else None
    finish = "tool_calls" if body.get("tools") else "stop"
    choice = {"index": 0, "finish_reason": finish, "logprobs": logprobs, "message": message}
    return JSONResponse({**base, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def _chunks(model: str, tools: bool) -> Iterator[Event]:
    """A reply in chunks."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> Event:
        return None, {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(TEXT):
        yield chunk({"content": piece})
    if tools:
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": ""}}
        yield chunk({"tool_calls": [call]})
        for piece in pieces(dumps(ARGUMENTS)):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield chunk({}, "tool_calls" if tools else "stop")
    yield None, {**base, "choices": [], "usage": USAGE}


async def responses(request: Request) -> Response:
    body = await request.json()
    text = dumps(ARGUMENTS) if body.get("text", {}).get("format", {}).get("type") == "json_schema" else TEXT
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    call = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": TOOL, "arguments": dumps(ARGUMENTS)}  # fmt: skip
    output = [said, call] if body.get("tools") else [said]
    base: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
    }
    if not body.get("stream"):
        return JSONResponse(base)
    events = enumerate(_response_events(base))
    return sse((data["type"], {**data, "sequence_number": number}) for number, data in events)


def _response_events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun = {**whole, "status": "in_progress", "output": []}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(whole["output"]):
        at = {"output_index": index, "item_id": item["id"]}
        if item["type"] == "message":
            inside = {**at, "content_index": 0}
            [part] = item["content"]
            yield {"type": "response.output_item.added", "output_index": index, "item": {**item, "status": "in_progress", "content": []}}  # fmt: skip
            yield {"type": "response.content_part.added", **inside, "part": {**part, "text": ""}}
            for piece in pieces(part["text"]):
                yield {"type": "response.output_text.delta", **inside, "delta": piece, "logprobs": []}
            yield {"type": "response.output_text.done", **inside, "text": part["text"], "logprobs": []}
            yield {"type": "response.content_part.done", **inside, "part": part}
        else:
            yield {"type": "response.output_item.added", "output_index": index, "item": {**item, "status": "in_progress", "arguments": ""}}  # fmt: skip
            for piece in pieces(item["arguments"]):
                yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
            yield {"type": "response.function_call_arguments.done", **at, "name": TOOL, "arguments": item["arguments"]}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": whole}


async def completions(request: Request) -> Response:
    body = await request.json()
    base = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": body["model"]}
    if body.get("stream"):
        chunks = [(None, {**base, "choices": [{"index": 0, "text": each, "logprobs": None, "finish_reason": None}]}) for each in pieces(TEXT)]  # fmt: skip
        return sse(chunks, end="[DONE]")
    choice = {"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "stop"}
    return JSONResponse({**base, "choices": [choice], "usage": USAGE})


async def embeddings(request: Request) -> Response:
    body = await request.json()
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": n, "embedding": "AACAPwAAAD8=" if packed else [1.0, 0.5]}
        for n, _ in enumerate(texts)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": usage})


async def moderations(_: Request) -> Response:
    result = {"flagged": False, "categories": {}, "category_scores": {}, "category_applied_input_types": {}}
    return JSONResponse({"id": "modr-1", "model": "omni", "results": [result]})


async def transcriptions(request: Request) -> Response:
    form = await request.form()
    assert await form["file"].read() == WAV  # type: ignore[union-attr]
    if form.get("stream") == "true":
        events = [("transcript.text.delta", {"type": "transcript.text.delta", "delta": each}) for each in pieces(TEXT)]
        return sse([*events, ("transcript.text.done", {"type": "transcript.text.done", "text": TEXT})])
    shape = form.get("response_format", "json")
    if shape in ("text", "srt", "vtt"):
        return PlainTextResponse(f"{TEXT}\n")
    if shape == "verbose_json":
        words = [{"word": each, "start": n, "end": n + 1} for n, each in enumerate(TEXT.split())]
        segment = {"id": 0, "seek": 0, "start": 0, "end": 9, "text": TEXT, "tokens": [1, 2], "temperature": 0, "avg_logprob": -0.1, "compression_ratio": 1, "no_speech_prob": 0}  # fmt: skip
        task = "translate" if request.url.path.endswith("translations") else "transcribe"
        return JSONResponse({"task": task, "language": "en", "duration": 9.0, "text": TEXT, "segments": [segment], "words": words})  # fmt: skip
    return JSONResponse({"text": TEXT})


async def speech(request: Request) -> Response:
    await request.json()
    return Response(WAV, media_type="audio/wav")


FILE = {"id": "file-1", "object": "file", "bytes": 2, "created_at": 1, "status": "processed"}
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "validating",
    "created_at": 1,
}


async def files(request: Request) -> Response:
    form = await request.form()
    upload: Any = form["file"]
    return JSONResponse({**FILE, "filename": upload.filename, "purpose": form["purpose"]})


async def content(_: Request) -> Response:
    return Response(WAV, media_type="application/octet-stream")


async def batches(request: Request) -> Response:
    body = await request.json()
    return JSONResponse({**BATCH, "metadata": body.get("metadata")})


async def uploads(request: Request) -> Response:
    body = await request.json()
    return JSONResponse(
        {"id": "upload_1", "object": "upload", "created_at": 1, "expires_at": 2, "status": "pending", **body}
    )


async def upload_parts(request: Request) -> Response:
    await request.form()
    return JSONResponse({"id": "part_1", "object": "upload.part", "created_at": 1, "upload_id": "upload_1"})


async def images(request: Request) -> Response:
    if request.headers["content-type"].startswith("multipart/"):
        await request.form()
    return JSONResponse({"created": 1, "data": [{"b64_json": "AAAA", "revised_prompt": TEXT}]})


routes = [
    Route("/v1/chat/completions", chat, methods=["POST"]),
    Route("/v1/responses", responses, methods=["POST"]),
    Route("/v1/completions", completions, methods=["POST"]),
    Route("/v1/embeddings", embeddings, methods=["POST"]),
    Route("/v1/moderations", moderations, methods=["POST"]),
    Route("/v1/audio/transcriptions", transcriptions, methods=["POST"]),
    Route("/v1/audio/translations", transcriptions, methods=["POST"]),
    Route("/v1/audio/speech", speech, methods=["POST"]),
    Route("/v1/files", files, methods=["POST"]),
    Route("/v1/files/{id}/content", content),
    Route("/v1/batches", batches, methods=["POST"]),
    Route("/v1/uploads", uploads, methods=["POST"]),
    Route("/v1/uploads/{id}/parts", upload_parts, methods=["POST"]),
    Route("/v1/images/edits", images, methods=["POST"]),
    Route("/v1/images/generations", images, methods=["POST"]),
]
