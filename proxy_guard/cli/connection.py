"""`proxy-guard connection list` and `test`: what a connection sends, what comes back, and what is taken from it.

Exit codes of `test`: 0 the answer is one, 1 it is not, 2 usage or rules error. Secrets are shown as `***`.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import anyio
import httpx
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy_guard import resources
from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import NotFound, ProxyGuardError, Unavailable, Unreadable
from proxy_guard.model import Judgement, Rejected, Rewritten, Wanted
from proxy_guard.remote.connection import Connection
from proxy_guard.remote.lookup import Lookup, Store
from proxy_guard.remote.mapping import Item
from proxy_guard.remote.scrubber import RemoteScrubber
from proxy_guard.remote.settings import OAuth
from proxy_guard.remote.wire import Reply, Traced
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.reading import did_you_mean
from proxy_guard.secrets import Resolved

_OURS = ("accept", "accept-encoding", "user-agent", "host", "content-length", "connection")
_PLAIN_TOKEN_FIELDS = ("token_type", "expires_in", "scope", "error")
_WANTED = Wanted(None, "en", 0.4)
_console = Console()


def list_(rules: Path | None, as_json: bool) -> None:
    """Prints the connections of a folder; what they refer to need not be there."""
    connections = sorted(load_rules(rules or resources.rules_dir()).connections.values(), key=lambda each: each.name)
    if as_json:
        shown = [{"name": c.name, "kind": c.kind, "title": c.title, "in_use": bool(c.secrets)} for c in connections]
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    table = Table("name", "kind", "auth", "in use", "")
    for each in connections:
        table.add_row(each.name, each.kind, each.settings.auth.type, "yes" if each.secrets else "", each.title)
    _console.print(table)


def test(
    name: str, rules: Path | None, reference: str | None, text: str | None, file: Path | None, as_json: bool
) -> None:
    """Makes one call and shows all of it."""
    ruleset = load_rules(rules or resources.rules_dir(), using=[name])
    connection = ruleset.connections.get(name)
    if connection is None:
        hint = did_you_mean(name, ruleset.connections)
        raise ProxyGuardError(f"there is no connection '{name}'" + (f" ({hint})" if hint else ""))
    traced: list[Traced] = []
    call = _Call(connection, reference, text, file, traced)
    report: dict[str, Any] = {"ok": False, "connection": name, "kind": connection.kind}
    try:
        report |= {"ok": True} | anyio.run(call.make, ruleset.limits.time)
    except (Unavailable, NotFound) as error:
        report["reason"] = str(error)
    except TimeoutError:
        report["reason"] = f"no answer within {ruleset.limits.time:g} s, the time for a message (limits.time)"
    assert connection.secrets is not None
    report["exchanges"] = [_exchange(each, connection, connection.secrets) for each in traced]
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _show(report)
    raise typer.Exit(0 if report["ok"] else 1)


class _Call:
    def __init__(
        self,
        connection: Connection,
        reference: str | None,
        text: str | None,
        file: Path | None,
        traced: list[Traced],
    ) -> None:
        self._connection = connection
        self._reference = reference or ""
        self._text = text or ""
        self._observe = traced.append
        self._item = Item("0", self._text, path="$")
        given = [option for option, value in (("--reference", reference), ("--text", text), ("--file", file)) if value]
        wanted = {
            "scrubber": [["--text"], ["--file"]],
            "lookup": [["--reference"]],
            "store": [["--reference", "--text"]],
        }
        if given not in wanted[connection.kind]:
            ways = ", or ".join(" and ".join(way) for way in wanted[connection.kind])
            raise ProxyGuardError(f"a {connection.kind} is tested with {ways}")
        if file is not None:
            self._item = _item(file, connection)

    async def make(self, seconds: float) -> dict[str, Any]:
        match self._connection.kind:
            case "lookup":
                lookup = Lookup(self._connection, self._observe)
                try:
                    with anyio.fail_after(seconds):
                        return {"value": await lookup.value(self._reference)}
                finally:
                    await lookup.aclose()
            case "store":
                store = Store(self._connection, self._observe)
                try:
                    with anyio.fail_after(seconds):
                        await store.put(self._reference, "EMAIL_ADDRESS", self._text)
                finally:
                    await store.aclose()
                return {"value": "stored"}
            case _:
                scrubber = RemoteScrubber(self._connection, self._observe)
                scrubber.prepare(_WANTED)  # before the clock starts, as a guard does at load
                try:
                    with anyio.fail_after(seconds):
                        (judgement,) = await scrubber.judge([self._item], _WANTED)
                finally:
                    await scrubber.aclose()
                return {"value": _judged(judgement)}


def _item(file: Path, connection: Connection) -> Item:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ProxyGuardError(f"{file} can't be read: {error.strerror}") from None
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if media_type.startswith("text/") or media_type == "application/json":
        try:
            return Item("0", data.decode(), media_type=media_type, path="$")
        except UnicodeDecodeError:
            pass
    if not connection.settings.media:
        raise ProxyGuardError(f"the connection '{connection.name}' takes no media (`media: true`)")
    return Item("0", data=data, media_type=media_type, path="$")


def _judged(judgement: Judgement) -> dict[str, Any]:
    match judgement:
        case Rejected():
            return {"action": "reject", "code": judgement.code}
        case Rewritten():
            findings = [asdict(each) for each in judgement.findings]
            return {"action": "mask", "text": judgement.text, "bytes": len(judgement.data), "findings": findings}
        case []:
            return {"action": "allow"}
        case _:
            return {"action": "findings", "findings": [asdict(each) for each in judgement]}


# --- what is shown -------------------------------------------------------------------------------------


def _exchange(traced: Traced, connection: Connection, secrets: Resolved) -> dict[str, Any]:
    request, auth = traced.request, connection.settings.auth
    is_token = isinstance(auth, OAuth) and _same(request.url, auth.token_url.get_secret_value())
    shown: dict[str, Any] = {
        "what": "token" if is_token else "call",
        "method": request.method,
        "url": _url(request.url, secrets),
        "headers": _headers(request, connection, secrets),
        "body": _body(request.content, secrets),
        "ms": round(traced.seconds * 1000, 1),
    }
    if traced.reply is None:
        return shown | {"error": traced.error}
    return shown | {"status": traced.reply.status, "reply": _reply(traced.reply, secrets, is_token=is_token)}


def _same(url: httpx.URL, other: str) -> bool:
    return url.copy_with(query=None) == httpx.URL(other)


def _url(url: httpx.URL, secrets: Resolved) -> str:
    query = "&".join(f"{name}={secrets.hide(value)}" for name, value in url.params.multi_items())
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}{secrets.hide(url.path)}" + (f"?{query}" if query else "")


def _headers(request: httpx.Request, connection: Connection, secrets: Resolved) -> dict[str, str]:
    named = getattr(connection.settings.auth, "name", "").lower()
    shown = {}
    for name, value in request.headers.items():
        if name == "authorization":
            shown[name] = value.partition(" ")[0] + " ***" if " " in value else "***"
        elif name == named:
            shown[name] = "***"
        elif name not in _OURS:
            shown[name] = secrets.hide(value)
    return shown


def _body(content: bytes, secrets: Resolved) -> Any:
    if not content:
        return None
    try:
        return _hidden(JsonCodec().decode(content, Limits()).value, secrets)
    except Unreadable:
        text = content.decode("utf-8", "replace")
        pairs = parse_qsl(text)
        return {name: secrets.hide(value) for name, value in pairs} if pairs else secrets.hide(text)


def _reply(reply: Reply, secrets: Resolved, *, is_token: bool) -> Any:
    shown = _body(reply.body[:100_000], secrets)
    if not is_token:
        return shown
    # Besides the token there may be others, to refresh it or to tell who it is for.
    if isinstance(shown, Mapping):
        return {name: value if name in _PLAIN_TOKEN_FIELDS else "***" for name, value in shown.items()}
    return "***" if shown else shown


def _hidden(value: Any, secrets: Resolved) -> Any:
    if isinstance(value, dict):
        return {secrets.hide(name): _hidden(member, secrets) for name, member in value.items()}
    if isinstance(value, list):
        return [_hidden(item, secrets) for item in value]
    return secrets.hide(value) if isinstance(value, str) else value


def _show(report: dict[str, Any]) -> None:
    for each in report["exchanges"]:
        lines = [f"{each['method']} {each['url']}", *(f"{name}: {value}" for name, value in each["headers"].items())]
        if each["body"] is not None:
            lines.append(_pretty(each["body"]))
        _console.print(Text(f"→ {each['what']}", "bold cyan"))
        _console.print(Text("\n".join(f"  {line}" for line in "\n".join(lines).split("\n"))), soft_wrap=True)
        came = f"← {each['status']}" if "status" in each else f"← {each['error']}"
        _console.print(Text(f"{came} after {each['ms']:g} ms", "bold cyan"), soft_wrap=True)
        if each.get("reply") is not None:
            told = _pretty(each["reply"]).split("\n")
            _console.print(Text("\n".join(f"  {line}" for line in told)), soft_wrap=True)
    if report["ok"]:
        _console.print(Text("taken: ", "bold green") + Text(_pretty(report["value"])), soft_wrap=True)
    else:
        _console.print(Text("failed: ", "bold red") + Text(report["reason"]), soft_wrap=True)


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
