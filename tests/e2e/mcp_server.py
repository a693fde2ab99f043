"""An MCP server by its own library, on both transports, that keeps what its tools heard."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import SamplingMessage, TextContent
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

SAID = "Write to jane.doe@example.com or call 9876543210."
heard: list[str] = []


def _server() -> FastMCP:
    server = FastMCP("directory", message_path="/mcp/messages/", log_level="ERROR")

    @server.tool()
    def note(text: str, tags: dict[str, str]) -> str:
        """Notes a text."""
        heard.append(json.dumps([text, tags]))
        return f"noted: {text}"

    @server.tool()
    async def look_up(name: str, context: Context) -> str:  # type: ignore[type-arg]
        """Looks up who someone is."""
        await context.report_progress(1, 2, SAID)
        await context.info(SAID)
        return SAID

    @server.tool()
    async def ask(context: Context) -> str:  # type: ignore[type-arg]
        """Asks the client's model."""
        asked = SamplingMessage(role="user", content=TextContent(type="text", text=SAID))
        answer = await context.session.create_message([asked], max_tokens=10, related_request_id=context.request_id)
        assert not isinstance(answer.content, list)
        heard.append(answer.content.model_dump_json())
        return "asked"

    @server.tool()
    def fail() -> str:
        """Fails."""
        raise ValueError(SAID)

    @server.resource("note://{name}")
    def read(name: str) -> str:
        """A note."""
        heard.append(name)
        return SAID

    @server.prompt()
    def greet(name: str) -> str:
        """A greeting."""
        heard.append(name)
        return f"Greet {name}. {SAID}"

    return server


def app() -> Starlette:
    """`/mask` and `/block` are two of them, alike."""
    servers = {name: _server() for name in ("mask", "block")}
    apps = {name: (each.streamable_http_app(), each.sse_app()) for name, each in servers.items()}

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for each in servers.values():
                await stack.enter_async_context(each.session_manager.run())
            yield

    async def told(_: Request) -> JSONResponse:
        found = list(heard)
        heard.clear()
        return JSONResponse(found)

    mounts = [Mount(f"/{name}", routes=[*http.routes, *sse.routes]) for name, (http, sse) in apps.items()]
    middleware: list[Middleware] = []
    if "GUARD_RULES" in os.environ:
        from proxy_guard.asgi import ProxyGuardMiddleware

        middleware.append(Middleware(ProxyGuardMiddleware, rules=os.environ["GUARD_RULES"]))
    return Starlette(routes=[Route("/_heard", told), *mounts], middleware=middleware, lifespan=lifespan)
