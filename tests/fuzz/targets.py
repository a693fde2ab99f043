"""What is fuzzed: each target takes bytes, raises nothing but what it names, and holds its part to the laws."""

from __future__ import annotations

import atexit
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import anyio

from proxy_guard import plugins
from proxy_guard.codecs import ContentType, Limits, Media
from proxy_guard.codecs.charset import read_content_type
from proxy_guard.codecs.content_encoding import decode_content
from proxy_guard.errors import RulesError, Unreadable
from proxy_guard.exchange import Exchange
from proxy_guard.guard import BROKEN, Guard
from proxy_guard.locate.jsonpath import PathFault, compile_path, normalized
from proxy_guard.model import Finding, Headers, LocatedFinding, Message, Verdict, Wanted
from proxy_guard.operators.mask import Mask
from proxy_guard.operators.redact import Redact
from proxy_guard.operators.replace import Replace
from proxy_guard.policy import EntityRule, Policy
from proxy_guard.policy.overlaps import edit, resolve
from proxy_guard.rules.load import load_rules
from proxy_guard.stream import FRAMERS
from tests.fuzz.draw import Draw
from tests.small_rules import small_rules

Target = Callable[[bytes], None]
LIMITS = Limits(body=100_000, decoded=300_000, depth=32)
_CHAT = "http://test/v1/chat/completions"
_JSON: Headers = (("content-type", "application/json"),)


def codecs(data: bytes) -> None:
    """A body of each format: what is read is written as it came, and an edit is where it was made, and nowhere else."""
    draw = Draw(data)
    codec = draw.pick([plugins.load("codecs", name)() for name in sorted(plugins.available("codecs"))])
    media_type = codec.media_types[0].replace("*", "x")
    charset = draw.pick(("", "utf-8", "utf-16", "latin-1", "utf-16-le", "utf-7", "nonsense"))
    read = read_content_type(f"{media_type}; charset={charset}; boundary=b" if charset else f"{media_type}; boundary=b")
    body = draw.rest()
    try:
        document = codec.decode(body, LIMITS, read)
    except Unreadable:
        return
    if not document.ambiguous:
        written = codec.encode(document)
        assert _again(codec, written.body, written.charset, read) == _plain(document.value)
    places = list(_strings(document.value))
    for number, (holder, key) in enumerate(places):
        holder[key] = f"<{number}>"
    try:
        written = codec.encode(document)
    except Unreadable:
        return
    if places:
        assert _again(codec, written.body, written.charset, read) == _plain(document.value)


def _again(codec: Any, body: bytes, charset: str | None, content_type: ContentType) -> Any:
    if charset:
        content_type = ContentType(content_type.name, charset, content_type.boundary)
    return _plain(codec.decode(body, Limits(), content_type).value)


def _plain(value: Any) -> str:
    """A document for comparison; NaN is none, numbers are what they spell."""
    return json.dumps(value, default=lambda each: repr(each.data) if isinstance(each, Media) else repr(each))


def _strings(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(each, str):
            found.append((value, key))
        else:
            found += _strings(each)
    return found


def encodings(data: bytes) -> None:
    """Content-Encodings, stacked: within the limits or Unreadable."""
    draw = Draw(data)
    names = [draw.pick(("gzip", "deflate", "br", "zstd", "identity", "x-gzip")) for _ in range(draw.below(4))]
    try:
        body = decode_content(draw.rest(), names, LIMITS)
    except Unreadable:
        return
    assert len(body) <= LIMITS.decoded or not names


def jsonpath(data: bytes) -> None:
    """A path of a rule file: an error that says what is wrong, or nodes that are in the document, each once a time."""
    text, _, rest = data.partition(b"\0")
    document = Draw(rest).json(4)
    try:
        path = compile_path(text.decode("utf-8", "replace"))
    except PathFault:
        return
    for found, place, _, _ in path(document):
        value = document
        for part in place:
            value = value[part]
        assert value is found


_ENTITIES = ("A", "B", "C")
_OPERATORS = (Mask(char="*"), Redact(), Replace.model_validate({"with": "<>"}))
_POLICY = Policy(
    "p",
    {name: EntityRule("r", operator, 0.4, n) for n, (name, operator) in enumerate(zip(_ENTITIES, _OPERATORS, strict=True))},
    None,
    ("local",),
    Wanted(frozenset(_ENTITIES), "en", 0.4),
    422,
    "no",
    frozenset(),
    observe=False,
)  # fmt: skip


def edits(data: bytes) -> None:
    """Findings anywhere: pieces are in bounds, disjoint and in order, all that was found is edited, and no more."""
    draw = Draw(data)
    size = 1 + draw.below(60)
    text = "".join(chr(0x4E00 + n) for n in range(size))
    findings: list[Finding] = []
    while draw.left and len(findings) < 30:
        start = draw.below(size)
        end = start + 1 + draw.below(size - start)
        findings.append(Finding(draw.pick(_ENTITIES), start, end, draw.pick((0.3, 0.4, 0.9))))
    pieces = resolve(findings, _POLICY)
    covered = {place for each in findings if each.score >= 0.4 for place in range(each.start, each.end)}
    place = 0
    for piece in pieces:
        assert place <= piece.start < piece.end <= size
        place = piece.end
    assert covered == {place for each in pieces for place in range(each.start, each.end)}
    edited = edit(text, pieces, {})
    kept = [char for number, char in enumerate(text) if number not in covered]
    assert [char for char in edited if ord(char) >= 0x4E00] == kept


@cache
def guard(limits: str = "") -> Guard:
    """A guard of one API and one policy that edits what has a form of its own."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    rules = small_rules(Path(folder.name) / "rules")
    (rules / "guard.yaml").write_text("version: 1\nroutes: [{ policy: mask }]\nlimits: { workers: 0" + limits + " }\n")
    return Guard.from_rules(rules)


def _inspected(exchange: Exchange, message: Message) -> Verdict:
    verdict = anyio.run(exchange.inspect, message)
    assert verdict.body != BROKEN.body, "the guard failed"
    return verdict


def messages(data: bytes) -> None:
    """A whole message: what was found is gone, what was not stays as it came, and twice is as once."""
    draw = Draw(data)
    if draw.below(4) == 0:
        body = draw.rest()
    else:
        chat = {"model": "m", "messages": [{"role": "user", "content": draw.json()} for _ in range(1 + draw.below(3))]}
        if draw.below(2):
            chat[draw.text()] = draw.json()
        body = json.dumps(chat, ensure_ascii=bool(draw.below(2))).encode("utf-8", "surrogatepass")
    exchange = guard().open("POST", _CHAT)
    verdict = _inspected(exchange, exchange.request(_JSON, body))
    if verdict.action == "allow":
        assert verdict.body == body
        assert not verdict.findings
    if verdict.action != "rewrite":
        return
    again = _inspected(exchange, exchange.request(_JSON, verdict.body))
    assert again.action == "allow" or _beside_what_was_scrubbed(json.loads(verdict.body), again), again.reason
    turned = json.dumps(_turned(json.loads(body)), ensure_ascii=False).encode("utf-8", "surrogatepass")
    other = _inspected(exchange, exchange.request(_JSON, turned))
    if "member names" in other.reason:
        # A value that is split over names that follow each other in this order is none in the other.
        return
    # A value that is split over two texts is one only where these follow each other.
    if all(_alone(json.loads(body), finding) for finding in (*verdict.findings, *other.findings)):
        # Without findings, it has been rewritten for what could be read in several ways, which the other can't.
        assert other.action == "rewrite" or not verdict.findings
        assert _sorted(json.loads(other.body)) == _sorted(json.loads(verdict.body))
    elif other.action == "rewrite":
        again = _inspected(exchange, exchange.request(_JSON, other.body))
        assert again.action == "allow" or _beside_what_was_scrubbed(json.loads(other.body), again), again.reason


def _alone(document: Any, finding: LocatedFinding) -> bool:
    """Whether it is found in its text without the others."""
    exchange = guard().open("POST", _CHAT)
    for path, text in _texts(document):
        if normalized(path) == finding.path:
            chat = {"messages": [{"role": "user", "content": text}]}
            verdict = _inspected(exchange, exchange.request(_JSON, json.dumps(chat).encode()))
            found = [(each.entity, each.start, each.end) for each in verdict.findings]
            if (finding.entity, finding.start, finding.end) in found:
                return True
    return False


_TOUCHING = 4


def _beside_what_was_scrubbed(document: Any, verdict: Verdict) -> bool:
    """Whether all that was found touches what stands for another value: it had more characters on that side before.

    What is split over texts does so where none of it is found in its own: other texts stood beside its parts before.
    """
    for finding in verdict.findings:
        texts = [text for path, text in _texts(document) if normalized(path) == finding.path]
        near = [text[max(0, finding.start - _TOUCHING) : finding.end + _TOUCHING] for text in texts]
        if not any("<" in each or ">" in each or "X" in each for each in near) and _alone(document, finding):
            return False
    return True


def _texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of a document with its path, names of members among them."""
    if isinstance(value, str):
        yield path, value
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(key, str):
            yield (*path, key), key
        yield from _texts(each, (*path, key))


def _turned(value: Any) -> Any:
    """The same with the members of objects in another order."""
    if isinstance(value, dict):
        return {name: _turned(each) for name, each in reversed(value.items())}
    return [_turned(each) for each in value] if isinstance(value, list) else value


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def streams(data: bytes) -> None:
    """The bytes of a streamed reply: however they are cut, the same events are read, and the same reply goes on."""
    draw = Draw(data)
    form = draw.pick(sorted(FRAMERS))
    body = draw.rest() if draw.below(3) == 0 else _reply(draw, form)
    one, other = draw.cuts(body), [body]
    assert _events(form, one) == _events(form, other)
    if form == "sse":
        assert _passed(one, _HOLDS_ALL) == _passed(other, _HOLDS_ALL)
        _passed(one)


_HOLDS_ALL = ", stream_hold: 100000"
"""Of a value that is longer than what a stream holds it depends on the pieces what is edited, and in how many."""


def _reply(draw: Draw, form: str) -> bytes:
    events = []
    for number in range(draw.below(12)):
        delta = {"content": draw.text()}
        chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": number % 2, "delta": delta}]}
        events.append(("", json.dumps(chunk, ensure_ascii=bool(draw.below(2))).encode("utf-8", "surrogatepass")))
    return FRAMERS[form].body(events)


def _events(form: str, chunks: list[bytes]) -> list[tuple[Any, ...]] | None:
    framer = FRAMERS[form](LIMITS)
    try:
        found = [event for chunk in chunks for event in framer.feed(chunk)]
        return [(each.data, each.name) for each in [*found, *framer.close()]]
    except Unreadable:
        return None


def _passed(chunks: list[bytes], limits: str = "") -> str:
    """What the client puts together of a reply; a block ends it, wherever it is found."""
    exchange = guard(limits).open("POST", _CHAT)
    passage = exchange.stream(exchange.response(200, (("content-type", "text/event-stream"),)))
    assert passage is not None

    async def run() -> bytes:
        return b"".join([*[await passage.feed(chunk) for chunk in chunks], await passage.feed(last=True)])

    out = anyio.run(run)
    if passage.verdict and passage.verdict.action == "block":
        assert passage.verdict.body != BROKEN.body
        return "blocked"
    return _said(out)


def _said(body: bytes) -> str:
    said: dict[int, str] = {}
    for data, _ in _events("sse", [body]) or ():
        try:
            for choice in json.loads(data)["choices"]:
                said[choice["index"]] = said.get(choice["index"], "") + choice["delta"]["content"]
        except (ValueError, KeyError, TypeError):
            said[-1] = said.get(-1, "") + str(data)
    return json.dumps(said, sort_keys=True)


def rules(data: bytes) -> None:
    """A rule file: it loads, or every mistake is told with its file."""
    draw = Draw(data)
    kind = draw.pick(("apis/x.yaml", "policies/mask.yaml", "guard.yaml", "recognizers/x.yaml", "connections/x.yaml"))
    with tempfile.TemporaryDirectory() as name:
        folder = small_rules(Path(name) / "rules")
        path = folder / kind
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(draw.rest())
        try:
            load_rules(folder, None)
        except RulesError as error:
            assert error.faults
            assert all(fault.file for fault in error.faults)


TARGETS: dict[str, Target] = {
    each.__name__: each for each in (codecs, encodings, jsonpath, edits, messages, streams, rules)
}
