"""Runs the sibling proofs of rule files: what must change, must be blocked, must stay untouched.

A case meets the rules of its folder as live traffic would. Proofs of a policy run with that policy for all
traffic; those of an API description must be matched by it. Those of a recognizer say which policy they mean.
Signatures are not verified: nobody could write a case for them, with the secrets of the day.
Those of a connection are recorded exchanges, and need no network.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from proxy_guard import proof_streams, proof_websocket
from proxy_guard.codecs import Limits
from proxy_guard.codecs.json import JsonCodec
from proxy_guard.errors import MissingExtra
from proxy_guard.guard import Guard
from proxy_guard.model import Direction, Message, Verdict
from proxy_guard.remote.proof import fault
from proxy_guard.remote.settings import ConnectionProofFile
from proxy_guard.rules.compiled import Apis, CompiledRoute, Ruleset
from proxy_guard.rules.folder import PROOF_SUFFIX, rule_files
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.proof_file import Case, ProofFile
from proxy_guard.rules.reading import SourceFile

_KINDS = (".", "apis", "policies", "connections")
_PROVABLE = (".", "apis", "policies", "recognizers")  # recognizers have examples of their own, and need no proof


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case of one proof ended; `why` is for one that failed, or was not run.

    A case is not run where its policy needs an extra that is not installed, and so is not in use.
    """

    file: str
    case: str
    passed: bool
    why: str
    skipped: bool = False


def unproven(folder: Path) -> list[Path]:
    """The rule files that have no proof beside them."""
    files = [path for kind in _KINDS for path in rule_files(folder / kind)]
    return [path for path in files if not path.with_name(path.stem + PROOF_SUFFIX).exists()]


def run_proofs(folder: Path) -> list[Outcome]:
    """Every case of every proof in a folder of rules. Raises RulesError where a rule or proof file is at fault."""
    return anyio.run(_run, folder)


async def _run(folder: Path) -> list[Outcome]:
    guards: dict[tuple[str | None, str], Guard | MissingExtra] = {}
    ruleset = load_rules(folder)
    unrouted = set(ruleset.apis) - {api.name for route in ruleset.routes for api in route.apis}
    outcomes = []
    for kind in _PROVABLE:
        for path in sorted((folder / kind).glob(f"*{PROOF_SUFFIX}")):
            subject = path.name.removesuffix(PROOF_SUFFIX)
            for case in SourceFile(path, str(path)).validate(ProofFile).cases:
                policy = case.policy or (subject if kind == "policies" else None)
                api = subject if kind == "apis" and subject in unrouted else ""
                if (policy, api) not in guards:
                    guards[policy, api] = _guard(folder, policy, api)
                guard = guards[policy, api]
                if isinstance(guard, MissingExtra):
                    outcomes.append(Outcome(str(path.relative_to(folder)), case.name, False, str(guard), skipped=True))
                    continue
                why = await _proven(case, guard, ruleset, subject if kind == "apis" else None)
                outcomes.append(Outcome(str(path.relative_to(folder)), case.name, not why, why))
    return [*outcomes, *_connections(folder)]


def _connections(folder: Path) -> list[Outcome]:
    """Those of connections: recorded exchanges, without a network."""
    connections = load_rules(folder).connections
    outcomes = []
    for path in sorted((folder / "connections").glob(f"*{PROOF_SUFFIX}")):
        subject = path.name.removesuffix(PROOF_SUFFIX)
        for case in SourceFile(path, str(path)).validate(ConnectionProofFile).cases:
            connection = connections.get(subject)
            why = fault(connection, case) if connection else f"there is no connection '{subject}'"
            outcomes.append(Outcome(str(path.relative_to(folder)), case.name, not why, why))
    return outcomes


async def _proven(case: Case, guard: Guard, ruleset: Ruleset, subject: str | None) -> str:
    """Why a case fails, or nothing; `subject` is the API description that it has to meet."""
    if case.url.startswith(("ws:", "wss:")):
        return await proof_websocket.fault(guard, case, subject)
    if case.stream is None:
        message = _message(case)
        verdict = await guard.inspect(message)
        why = _fault(case, message, verdict)
    else:
        match = ruleset.match(case.method, case.url)
        api = match.api if match else None
        rule = proof_streams.section(case, ruleset.apis.get(subject) if subject else api)
        if rule is None:
            return "its API description has no stream section for this reply"
        message = proof_streams.message(case, rule)
        verdict = await guard.inspect(message)
        why = _fault(case, message, verdict)
        if verdict.action == "rewrite" and not why:
            why = proof_streams.fault(case, rule, verdict.body)
        if verdict.action != "block" and not why:
            in_chunks = await proof_streams.in_chunks(guard.open(case.method, case.url), message)
            why = "" if in_chunks == verdict.body else "became something else where it came in pieces"
    if not why and subject and verdict.api != subject:
        why = f"met the API description {verdict.api}"
    return why


def _guard(folder: Path, policy: str | None, api: str) -> Guard | MissingExtra:
    """The guard with that policy for all traffic. A policy in use has to have what it needs; another need not.

    `api` is one that no route has: then the first has it alone.
    """
    try:
        ruleset = _without_secrets(load_rules(folder, policy))
        if not api:
            return Guard(ruleset)
        route = replace(ruleset.routes[0], apis=Apis([ruleset.apis[api]]))
        return Guard(replace(ruleset, routes=(route,)))
    except MissingExtra as error:
        if policy is None:
            raise
        return error


def _without_secrets(ruleset: Ruleset) -> Ruleset:
    def unsigned(route: CompiledRoute) -> CompiledRoute:
        return replace(route, signing={name: replace(each, signers=()) for name, each in route.signing.items()})

    return replace(ruleset, routes=tuple(map(unsigned, ruleset.routes)))


def _chat(text: str) -> dict[str, Any]:
    return {"model": "any", "messages": [{"role": "user", "content": text}]}


def _message(case: Case) -> Message:
    headers = {name.lower(): value for name, value in case.headers.items()}
    direction: Direction = "response" if case.response is not None else case.direction
    content = _chat(case.text) if case.text is not None else case.request or case.response
    if content is not None:
        headers = {"content-type": "application/json"} | headers
        body = json.dumps(content, ensure_ascii=False).encode()
    else:
        body = _wire(case, case.body or "")
    status = 200 if direction == "response" else None
    return Message(direction, case.method, case.url, tuple(headers.items()), body, status)


def _wire(case: Case, text: str) -> bytes:
    """The bytes of a body that is written as text."""
    multipart = any(value.lower().startswith("multipart/") for value in case.headers.values())
    return (text.replace("\n", "\r\n") if multipart else text).encode()


def _fault(case: Case, message: Message, verdict: Verdict) -> str:
    """Why the verdict is not what the case says, or nothing."""
    did = verdict.action + (f" {verdict.status}" if verdict.status else "")
    if case.unchanged:
        return "" if verdict.action == "allow" and verdict.body == message.body else f"not unchanged: {did}"
    if case.blocked is not None:
        if verdict.action != "block":
            return f"not blocked: {did}"
        if case.blocked is True:
            return ""
        if case.blocked.status not in (None, verdict.status):
            return f"blocked with {verdict.status}"
        if case.blocked.body not in (None, JsonCodec().decode(verdict.body, Limits()).value):
            return f"answered with {verdict.body.decode()}"
        missing = set(case.blocked.entities) - {each.entity for each in verdict.findings}
        return f"not found: {', '.join(sorted(missing))}" if missing else ""
    if verdict.action != "rewrite":
        return f"not rewritten: {did}"
    if case.becomes_url not in (None, verdict.url):
        return "became another URL"
    headers = {name.lower(): value for name, value in verdict.headers}
    changed = [name for name, value in case.becomes_headers.items() if headers.get(name.lower()) != value]
    if changed:
        return f"the header {changed[0]} became another"
    return "" if case.stream is not None else _body_fault(case, verdict)


def _body_fault(case: Case, verdict: Verdict) -> str:
    if isinstance(case.becomes, str) and case.body is not None:
        if verdict.body == _wire(case, case.becomes):
            return ""
        return f"became {verdict.body.decode(errors='replace')}"
    becomes = _chat(case.becomes) if isinstance(case.becomes, str) else case.becomes
    if becomes is None:
        return ""
    got = JsonCodec().decode(verdict.body, Limits()).value
    return "" if got == becomes else f"became {json.dumps(got, ensure_ascii=False)}"
