"""What the docs show is run: commands, rule files, Python, and the tables of settings.

How a page is read:

- A fenced block whose first line is a comment with a file name is written to the page's workspace.
- ```bash is run there, and has to end with 0, or as `<!-- exit 3 -->` before it says.
- ```text after it has to be in its output; `…` stands for anything.
- ```yaml that is a rule file has to load among the shipped rules; `<!-- mistakes -->` before it: must not.
- ```toml with entry points installs the page's own modules. ```python compiles; with `# runs`, it is run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from proxy_guard import plugins, resources
from proxy_guard.cli.app import app
from proxy_guard.codecs import Limits
from proxy_guard.detect import Detector
from proxy_guard.detect.catalogue import ENTITIES, PATTERN_RECOGNIZERS
from proxy_guard.errors import RulesError
from proxy_guard.media import FACE
from proxy_guard.remote import template
from proxy_guard.remote.settings import (
    ActionRule,
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    ConnectionFile,
    FindingsRule,
    ItemRule,
    NoAuth,
    OAuth,
    OkRule,
    ReplyRule,
)
from proxy_guard.rules.files import ApiFile, FieldRule, GuardFile, Match, PolicyFile, Route
from proxy_guard.rules.limits import LimitsRule
from proxy_guard.rules.load import load_rules
from proxy_guard.rules.media_file import MediaSection
from proxy_guard.rules.proof_file import ProofFile
from proxy_guard.rules.reading import FileModel, SourceFile
from proxy_guard.rules.signatures import AcknowledgeRule, AwsFile, Named, SignatureRule, SigningFile, WebhookRule
from proxy_guard.rules.websocket_file import RunningText, WebSocketSection
from tests import forked

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMED = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
POLICIES = ROOT / "docs" / "security-team.md"
OPERATING = ROOT / "docs" / "operator.md"
HASH_KEY = "0123456789abcdef"
VAULT_KEYS = {"PG_VAULT_KEY_1": "01" * 32}

_FENCE = re.compile(r"^```(\w*)$")
_COMMENT = re.compile(r"^<!-- (.+) -->$")
_FILE = re.compile(r"^# ([\w./-]+\.(?:yaml|py|toml))$")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its place, language, text, and the HTML comment right above it."""

    where: str
    language: str
    text: str
    note: str

    @property
    def file(self) -> str | None:
        """The file that its first line names."""
        found = _FILE.match(self.text.partition("\n")[0])
        return found[1] if found else None


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    start: int | None = None
    language = ""
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if fence and start is None:
            start, language = number, fence[1]
        elif fence and start is not None:
            note = _COMMENT.match(lines[start - 1]) if start else None
            text = "\n".join(lines[start + 1 : number]) + "\n"
            found.append(Block(f"{page.name}:{start + 1}", language, text, note[1] if note else ""))
            start = None
    assert start is None, f"{page.name}:{start}: a fence is not closed"
    return found


def rule_kind(block: Block) -> str | None:
    """The kind of rule file that a block of YAML is."""
    if block.language != "yaml":
        return None
    values = YAML(typ="safe").load(block.text)
    if not isinstance(values, dict) or "version" not in values:
        return None
    keys = {"routes": "guard", "cases": "proof", "entities": "policy", "match": "api", "kind": "connection"}
    return next((kind for key, kind in keys.items() if key in values), None)


def install(block: Block, folder: Path) -> None:
    """What `pip install` would make of a pyproject.toml: its entry points, found in `folder`."""
    project = tomllib.loads(block.text)["project"]
    name = project["name"].replace("-", "_")
    info = folder / f"{name}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups]
    (info / "entry_points.txt").write_text("".join(lines))


def write(block: Block, folder: Path) -> None:
    assert block.file is not None
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    if block.language == "toml":
        install(block, folder)


# --- commands and Python -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which `proxy-guard` is this checkout's."""
    folder = tmp_path_factory.mktemp("docs-bin")
    shim = folder / "proxy-guard"
    fork = f'"{sys.executable}" -IS "{forked.__file__}" {forked.socket_path()}'
    shim.write_text(f'#!/bin/sh\nexec {fork} -m proxy_guard "$@"\n')
    shim.chmod(0o755)
    cache = tmp_path_factory.mktemp("docs-cache")
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {
        **os.environ,
        **VAULT_KEYS,
        "PATH": path,
        "PROXY_GUARD_CACHE": str(cache),
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[dict[Path, Future[None]]]:
    """Every page, being walked through: two at a time, since each command takes seconds to start."""
    with ThreadPoolExecutor(2) as pool:
        yield {page: pool.submit(walk, page, tmp_path_factory.mktemp(page.stem), environment) for page in PAGES}


@NAMED
def test_what_a_page_shows_works_in_its_order(page: Path, walks: dict[Path, Future[None]]) -> None:
    walks[page].result()


def walk(page: Path, folder: Path, environment: dict[str, str]) -> None:
    environment = {**environment, "PYTHONPATH": str(folder)}
    output = ""
    before: Block | None = None
    for block in blocks(page):
        if block.file:
            write(block, folder)
        elif block.language == "bash":
            command = ["bash", "-e", "-o", "pipefail", "-c", block.text]
            wanted = int(block.note.removeprefix("exit ")) if block.note else 0
            output = run(command, block, wanted, folder, environment)
        elif block.language == "text" and before is not None and before.language == "bash":
            for line in block.text.splitlines():
                shown = ".*".join(re.escape(piece.strip()) for piece in line.split("…"))
                assert re.search(shown, output, re.DOTALL), f"{block.where}: not shown: {line}\n{output}"
        before = block


def run(command: list[str], block: Block, wanted: int, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    output = done.stdout + done.stderr
    assert done.returncode == wanted, f"{block.where} ended with {done.returncode}, not {wanted}:\n{output}"
    return output


def test_blocks_that_run_need_no_server_and_no_network() -> None:
    for page in PAGES:
        for block in blocks(page):
            words = re.findall(r"(?m)(?:^|[|;&]\s*|\$ )([\w-]+)(?: ([\w-]+))?", block.text)
            if block.language == "bash":
                assert not {"pip", "docker", "mitmdump", "curl", "make", "apt-get"} & {word for word, _ in words}
                assert ("proxy-guard", "run") not in words, block.where


@NAMED
def test_python_compiles_and_runs(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            code = compile(block.text, block.where, "exec")
            if block.text.startswith("# runs\n"):
                exec(code, {"__name__": "shown"})


# --- rule files ----------------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules and entry points are found."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, key in VAULT_KEYS.items():
        monkeypatch.setenv(name, key)
    modules = set(sys.modules)
    plugins.available.cache_clear()
    yield tmp_path
    for name in set(sys.modules) - modules:
        if (tmp_path / f"{name}.py").exists():
            del sys.modules[name]
    plugins.available.cache_clear()
    plugins.load.cache_clear()


@NAMED
def test_rule_files_load(page: Path, workspace: Path) -> None:
    rules = workspace / "rules"
    shutil.copytree(resources.rules_dir(), rules)
    for block in blocks(page):
        kind = rule_kind(block)
        if kind is None:
            if block.file:
                write(block, workspace)
            continue
        path = rule_path(block, kind, workspace)
        kept = path.read_text(encoding="utf-8") if path.exists() else None
        path.write_text(block.text, encoding="utf-8")
        if kind == "proof":
            SourceFile(path, block.where).validate(ProofFile)
        elif block.note == "mistakes":
            with pytest.raises(RulesError):
                load_rules(rules)
        else:
            try:
                load_rules(rules)
            except RulesError as error:
                pytest.fail(f"{block.where}: {error}")
        # Only what stands in a file of the page is there for the next block.
        if block.note == "mistakes" or not block.file:
            path.unlink() if kept is None else path.write_text(kept, encoding="utf-8")


def rule_path(block: Block, kind: str, workspace: Path) -> Path:
    if block.file:
        return workspace / block.file
    name = YAML(typ="safe").load(block.text).get("name")
    places = {
        "guard": "guard.yaml",
        "policy": f"policies/{name}.yaml",
        "api": f"apis/{name}.yaml",
        "connection": f"connections/{name}.yaml",
    }
    return workspace / "rules" / places[kind]


def test_rule_files_are_named_as_they_name_themselves() -> None:
    for block in (each for page in PAGES for each in blocks(page)):
        if block.file and rule_kind(block) in ("policy", "api"):
            assert Path(block.file).stem == YAML(typ="safe").load(block.text)["name"], block.where


# --- tables --------------------------------------------------------------------------------------------


def rows(page: Path, *heads: str) -> list[list[str]]:
    """The cells of every row of the tables of a page with such heads."""
    found: list[list[str]] = []
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif [head.casefold() for head in cells] == list(heads):
            inside = True
        elif inside and not cells[0].startswith("---"):
            found.append([cell.strip("` |") for cell in cells])
    assert found, f"{page.name} has no table with the heads {', '.join(heads)}"
    return found


def test_operators_do_what_their_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HASH_KEY", HASH_KEY)
    monkeypatch.setenv("AES_KEY", bytes(range(32)).hex())
    seen = set()
    for rule, found, *becomes in rows(POLICIES, "rule", "found", "becomes"):
        ((entity, settings),) = YAML(typ="safe").load(rule).items()
        action = settings.pop("action")
        operator = plugins.load("operators", action).model_validate(settings)
        result = operator.operate(found, entity) if operator.edits else found
        assert [result] == (becomes or [""]), rule
        seen.add(action)
    asking = {name for name in plugins.available("operators") if plugins.load("operators", name).asks}
    assert seen == set(plugins.available("operators")) - {"block"} - asking


def test_every_setting_of_every_operator_is_told() -> None:
    told: dict[str, set[str]] = {}
    action = ""
    for first, settings, *_ in rows(POLICIES, "action", "setting", "meaning", "default"):
        action = first or action
        told.setdefault(action, set()).update(re.findall(r"\w+", settings) if settings != "none" else [])
    for name in plugins.available("operators"):
        fields: dict[str, Any] = plugins.load("operators", name).model_fields
        assert told[name] == {field.alias or key for key, field in fields.items()}, name


def test_every_key_of_every_rule_file_is_told() -> None:
    def keys(page: Path, *heads: str) -> set[str]:
        return {word for first, *_ in rows(page, *heads) for word in re.findall(r"[\w.]+", first)}

    def names(*models: type[FileModel]) -> set[str]:
        return {name for model in models for name in model.model_fields}

    assert keys(POLICIES, "key", "meaning", "default") >= names(PolicyFile) | (
        names(ApiFile) - {"version", "name", "title", "match"}
    ) | {f"match.{name}" for name in names(Match)}
    assert keys(POLICIES, "key of a field", "meaning") >= names(FieldRule)
    assert keys(POLICIES, "setting", "meaning", "default") == names(MediaSection)
    assert keys(POLICIES, "key of `websocket`", "meaning", "default") == names(WebSocketSection)
    assert keys(POLICIES, "key of a text that goes on", "meaning") >= names(RunningText)
    assert keys(POLICIES, "key of `webhooks`", "meaning", "default") == names(WebhookRule)
    assert keys(POLICIES, "key of a signature", "meaning", "default") == names(SignatureRule)
    assert keys(POLICIES, "scheme", "header", "signs", "of") == {
        word for name in get_args(Named) for word in re.findall(r"\w+", name)
    }
    told = " ".join(" ".join(row) for row in rows(POLICIES, "key of `webhooks`", "meaning", "default"))
    assert all(name in told for name in names(AcknowledgeRule))
    for of, model in (("key of a connection for signatures", SigningFile), ("key of an aws connection", AwsFile)):
        assert keys(POLICIES, of, "meaning", "default") == model.model_fields.keys() - {"version", "name", "title"}
    assert keys(OPERATING, "key of a route", "meaning", "default") == names(Route)
    assert names(GuardFile) == {"version", "routes", "limits", "vaults"}
    limits = {name: value for name, _, value, _ in rows(OPERATING, "limit", "meaning", "default", "past it")}
    assert {name: float(value) for name, value in limits.items()} == {
        name: float(getattr(Limits(), name)) for name in names(LimitsRule)
    }


def test_every_setting_of_every_vault_is_told() -> None:
    told = {
        cell.strip("`"): default for cell, _, default in rows(OPERATING, "setting of a vault", "meaning", "default")
    }
    wanted: dict[str, list[str]] = {"kind": ["required"]}
    for kind in plugins.available("vaults"):
        for name, default in _settings(plugins.load("vaults", kind).Settings):
            wanted.setdefault(name, []).append(default)
    assert told.keys() == wanted.keys()
    for name, defaults in wanted.items():
        assert {each.split(" ")[0].strip("`") for each in told[name].split("; ")} == set(defaults), name


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings and their defaults, those of inner models by dotted names."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if get_args(inner):
            yield prefix + name, "required"
            (inner,) = get_args(inner)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, "required" if field.is_required() else str(field.default)


def test_every_setting_of_a_connection_is_told() -> None:
    page = ROOT / "docs" / "security-api.md"
    told = {name.strip("`") for name, *_ in rows(page, "key of a connection", "meaning", "default")}
    assert told == set(ConnectionFile.model_fields)
    by_type: dict[str, set[str]] = {}
    kind = ""
    for first, setting, *_ in rows(page, "type", "setting", "meaning", "default"):
        kind = first or kind
        by_type.setdefault(kind, set()).update({setting} - {"none"})
    for auth in (NoAuth, BasicAuth, BearerAuth, ApiKeyAuth, OAuth):
        fields = auth.model_fields.items()
        name = str(get_args(auth.model_fields["type"].annotation)[0])
        assert by_type[name] == {field.alias or key for key, field in fields if key != "type"}, name
    text = " ".join(" ".join(row) for row in rows(page, "key of a reply", "meaning"))
    for model in (ReplyRule, ItemRule, ActionRule, FindingsRule, OkRule):
        for key, field in model.model_fields.items():
            assert (field.alias or key) in text, key
    placeholders = {name for first, _ in rows(page, "placeholder", "value") for name in re.findall(r"{(\w+)}", first)}
    assert placeholders == template.MESSAGE | template.ITEM | template.PAIR


def test_every_shipped_connection_has_its_section_and_its_variables_told() -> None:
    text = (ROOT / "docs" / "security-api.md").read_text(encoding="utf-8")
    shipped = text.partition("## Connections that are shipped")[2]
    for path in sorted((resources.rules_dir() / "connections").glob("*.yaml")):
        if not path.name.endswith(".test.yaml"):
            assert path.stem in re.findall(r"[\w-]+", " ".join(re.findall(r"(?m)^### (.+)$", shipped))), path.stem
            for name in re.findall(r"\${env:(\w+)}", path.read_text(encoding="utf-8")):
                assert f"`{name}`" in shipped, name


def test_every_entity_is_told() -> None:
    told = [name for _, names in rows(POLICIES, "group", "entities") for name in names.split(", ")]
    assert sorted(told) == sorted({*ENTITIES, FACE})


def test_every_command_is_told() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    groups = [("", app), *((f"{group.name} ", group.typer_instance) for group in app.registered_groups)]
    for group, commands in groups:
        assert commands is not None
        for command in commands.registered_commands:
            assert command.callback is not None
            name = group + (command.name or command.callback.__name__)
            assert f"proxy-guard {name}" in text, name


def test_entities_that_are_said_to_score_low_are_those_that_do() -> None:
    import presidio_analyzer.predefined_recognizers as presidio
    from presidio_analyzer import PatternRecognizer

    usual = PolicyFile.model_fields["min_score"].default
    low = set()
    for entity, name in PATTERN_RECOGNIZERS.items():
        recognizer = getattr(presidio, name)()
        validates = type(recognizer).validate_result is not PatternRecognizer.validate_result
        if not validates and max(each.score for each in recognizer.patterns) < usual:
            low.add(entity)
    told = re.search(r"default `min_score`\*\*:([A-Z_,\s]+)\.", POLICIES.read_text(encoding="utf-8"))
    assert told is not None
    assert set(re.findall(r"\w+", told[1])) == low


def test_words_around_a_value_do_what_is_told() -> None:
    told = 'Words around a value ("my passport is …") do not raise its score.' in POLICIES.read_text(encoding="utf-8")
    (finding,) = Detector(["US_PASSPORT"]).detect("my passport is 912803456")
    assert told == (finding.score < PolicyFile.model_fields["min_score"].default)


# --- links ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


def anchors(page: Path) -> set[str]:
    """The anchors that headings get."""
    heads = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", head.casefold()).replace(" ", "-") for head in heads}
