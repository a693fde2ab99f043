"""Runs the demo of an organisation's own Security API, and of references in place of addresses."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proxy_guard import resources
from proxy_guard.demo.contacts_server import CLIENT_SECRET, PASSWORD, STORE_TOKEN, USER
from proxy_guard.demo.show import POLICY, chats, free_port, received, running
from proxy_guard.errors import ProxyGuardError

_RULES = {
    "policies/demo.yaml": POLICY,
    "policies/by-security-api.yaml": "version: 1\nname: by-security-api\nscrubber: security-api\n"
    "entities: { CREDIT_CARD: { action: block } }\n",
    "policies/save-contact.yaml": "version: 1\nname: save-contact\nentities:\n"
    "  EMAIL_ADDRESS: { action: pseudonymize, store: contact-store }\n"
    "  PHONE_NUMBER: { action: pseudonymize, store: contact-store }\n",
    "policies/send-survey.yaml": "version: 1\nname: send-survey\nentities:\n"
    "  EMAIL_REFERENCE: { action: resolve, connection: contact-email }\n"
    "  PHONE_REFERENCE: { action: resolve, connection: contact-phone }\n",
    "apis/contacts.yaml": "version: 1\nname: contacts\nmatch: { paths: [/contacts] }\n"
    "request:\n  - { path: $.email }\n  - { path: $.phone }\n  - { path: $.note }\n",
    "apis/surveys.yaml": "version: 1\nname: surveys\nmatch: { paths: [/surveys] }\n"
    "request:\n  - { path: $.to, entity: EMAIL_REFERENCE }\n  - { path: $.sms, entity: PHONE_REFERENCE }\n",
}
_GUARD = """\
version: 1
routes:
  - {{ paths: [/contacts], apis: [contacts], policy: save-contact }}
  - {{ paths: [/surveys], apis: [surveys], policy: send-survey }}
  - {{ apis: [openai-chat], policy: by-security-api }}
vaults:
  default: {{ kind: sqlite, path: {path}, keys: [{{ id: k1, key: "${{env:DEMO_VAULT_KEY}}" }}] }}
"""
_CONTACT = {"email": "jane.doe@example.com", "phone": "+919876543210", "note": "call +919876543210 after six"}


def show() -> None:
    """Prints two tables. Raises ProxyGuardError where a server does not start, or a value arrives where it may not."""
    console = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with console.status("Starting a Security API, an organisation, a chat server, a platform and two sidecars…"):
            rules = _rules(folder)
            ports = {name: free_port() for name in ("api", "organisation", "chat", "platform", "chats", "contacts")}
            environment = {**os.environ, **_environment(ports)}
            app = [sys.executable, "-m", "uvicorn", "--log-level", "warning", "--port"]
            guard = [sys.executable, "-m", "proxy_guard"]
            commands = {
                "api": [*guard, "security-api", "--rules", str(rules), "--listen", f"127.0.0.1:{ports['api']}"],
                "organisation": [*app, str(ports["organisation"]), "proxy_guard.demo.contacts_server:organisation"],
                "chat": [*app, str(ports["chat"]), "proxy_guard.demo.chat_server:app"],
                "platform": [*app, str(ports["platform"]), "proxy_guard.demo.contacts_server:platform"],
            }
            commands["api"] += ["--policy", "demo", "--token", "${env:SECURITY_API_TOKEN}"]
            for door, upstream in (("chats", "chat"), ("contacts", "platform")):
                commands[door] = [*guard, "run", "--rules", str(rules), "--listen", f"127.0.0.1:{ports[door]}"]
                commands[door] += ["--upstream", f"http://127.0.0.1:{ports[upstream]}"]
            for name, command in commands.items():
                stack.enter_context(running(command, ports[name], environment))
            judged = chats(ports["chats"], ports["chat"])
            referred = _references(ports["contacts"], ports["platform"])
    console.print("[bold]Judged by the organisation's own Security API[/]")
    console.print(judged)
    console.print("[bold]Contacts by reference: the platform keeps no address, and writes to it all the same[/]")
    console.print(referred)


def _rules(folder: Path) -> Path:
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.test.yaml").unlink(missing_ok=True)
    for name, text in _RULES.items():
        (rules / name).write_text(text, encoding="utf-8")
    (rules / "guard.yaml").write_text(_GUARD.format(path=folder / "vault.db"), encoding="utf-8")
    return rules


def _environment(ports: dict[str, int]) -> dict[str, str]:
    organisation = f"http://127.0.0.1:{ports['organisation']}"
    return {
        "SECURITY_API_URL": f"http://127.0.0.1:{ports['api']}",
        "SECURITY_API_TOKEN": secrets.token_urlsafe(),
        "CONTACTS_URL": organisation,
        "CONTACTS_USER": USER,
        "CONTACTS_PASSWORD": PASSWORD,
        "CONTACTS_TOKEN": STORE_TOKEN,
        "CONTACTS_TOKEN_URL": f"{organisation}/token",
        "CONTACTS_CLIENT_ID": "guard",
        "CONTACTS_CLIENT_SECRET": CLIENT_SECRET,
        "DEMO_VAULT_KEY": secrets.token_hex(32),
    }


def _references(sidecar: int, platform: int) -> Table:
    table = Table(show_lines=True)
    for heading in ("", "was sent", "the platform received"):
        table.add_column(heading, overflow="fold")
    stored = _through(sidecar, platform, "/contacts", _CONTACT)
    if any(value in str(stored) for value in (_CONTACT["email"], _CONTACT["phone"])):
        raise ProxyGuardError("the platform was given an address")
    table.add_row("a contact is saved", _lines(_CONTACT), Text(_lines(stored), "green"))
    survey = {"to": stored["email"], "sms": stored["phone"], "survey": "How did we do?"}
    sent = _through(sidecar, platform, "/surveys", survey)
    if (sent["to"], sent["sms"]) != (_CONTACT["email"], _CONTACT["phone"]):
        raise ProxyGuardError("a reference did not become its address")
    table.add_row("a survey goes out", _lines(survey), Text(_lines(sent), "green"))
    return table


def _through(sidecar: int, platform: int, path: str, body: dict[str, str]) -> dict[str, Any]:
    """What the platform received of a request through the sidecar."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{sidecar}{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        reply.read()
    last: dict[str, Any] = received(platform)[-1]
    return last


def _lines(body: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in body.items())
