"""From a folder of rule files to a Ruleset: all of it, or a RulesError with every mistake in every file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxy_guard import plugins
from proxy_guard.codecs import Limits
from proxy_guard.detect.catalogue import ENTITIES
from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.locate import dialect_ng, jsonpath
from proxy_guard.locate.fields import Field, FieldTree
from proxy_guard.locate.jsonpath import Query
from proxy_guard.locate.unreached import Remainder
from proxy_guard.media import FACE
from proxy_guard.model import WEBSOCKET, Direction, Wanted
from proxy_guard.operators.keep import Keep
from proxy_guard.policy import EntityRule, Policy
from proxy_guard.policy.decide import compile_block_body
from proxy_guard.remote.connection import Connection
from proxy_guard.rules.answers import answering
from proxy_guard.rules.compiled import Api, Apis, CompiledRoute, Ruleset
from proxy_guard.rules.connections import SigningConnections, load_connection
from proxy_guard.rules.files import ApiFile, FieldRule, GuardFile, PolicyFile
from proxy_guard.rules.folder import rule_files, unread
from proxy_guard.rules.formats import formats, head_fields
from proxy_guard.rules.matching import last_step, methods, name_pattern, path_pattern
from proxy_guard.rules.parts import entity_rule, phone_regions, vault_rule
from proxy_guard.rules.plain import keeps, owner, remainder, restore
from proxy_guard.rules.reading import Loc, SourceFile, did_you_mean
from proxy_guard.rules.recognizers import compile_recognizer
from proxy_guard.rules.signatures import is_signing, schemes, webhooks
from proxy_guard.rules.stream_file import StreamField
from proxy_guard.rules.streams import StreamRule, compile_stream
from proxy_guard.rules.templates import compile_templates
from proxy_guard.rules.unmatched import unmatched_api
from proxy_guard.rules.websocket_file import RunningText
from proxy_guard.rules.websockets import WebSocketRule, compile_websocket
from proxy_guard.signing import Signing
from proxy_guard.vault import VaultRule

if TYPE_CHECKING:
    from proxy_guard.detect.custom import CustomRecognizer

_DIALECTS: dict[str, jsonpath.Compile] = {"rfc9535": jsonpath.compile_path, "jsonpath-ng": dialect_ng.compile_path}


def load_rules(folder: Path, policy: str | None = None, *, using: Iterable[str] = ()) -> Ruleset:
    """The rules of `folder`; `policy` takes that policy for all traffic. Raises RulesError.

    Connections that a policy of a route names, and those in `using`, get their secrets.
    """
    if not folder.is_dir():
        raise RulesError([RuleFault(str(folder), 1, 1, "", "there is no such folder of rules")])
    loader = _Loader(folder, using)
    ruleset = loader.load(policy)
    if loader.faults or ruleset is None:
        raise RulesError(loader.faults)
    return ruleset


class _Loader:
    def __init__(self, folder: Path, using: Iterable[str]) -> None:
        self._folder = folder
        self._using = set(using)
        self._connections: dict[str, Connection] = {}
        self._sources: dict[str, SourceFile] = {}
        self._secrets = SigningConnections()
        self._faulty: set[Path] = set()
        self._entities = set(ENTITIES)
        self._recognizers: dict[str, CustomRecognizer] = {}
        self._origins: dict[str, SourceFile] = {}
        self._of_fields: list[tuple[SourceFile, Loc, str]] = []
        self.faults: list[RuleFault] = []

    def load(self, policy: str | None) -> Ruleset | None:
        self.faults += unread(self._folder)
        self._recognizers = self._each("recognizers", self._recognizer)
        self._connections = self._each("connections", self._connection)
        self._entities.update(*(connection.names for connection in self._connections.values()))
        apis: dict[str, Api] = self._each("apis", self._api)
        policies: dict[str, Policy] = self._each("policies", self._policy)
        try:
            ruleset = self._guard(apis, policies, policy)
            for each in ruleset.in_use:
                self._using.update(each.asked, each.media.connections if each.media else ())
                self._check_needs(each, ruleset)
            return replace(ruleset, connections=self._in_use(), unmatched=unmatched_api())
        except RulesError as error:
            self.faults += error.faults
            return None

    @contextmanager
    def _collecting(self) -> Iterator[None]:
        try:
            yield
        except RulesError as error:
            self.faults += error.faults

    def _source(self, path: Path) -> SourceFile:
        return SourceFile(path, str(path))

    def _each(self, kind: str, compile_: Callable[[SourceFile], dict[Loc, Any]]) -> dict[str, Any]:
        """The parts that all files of a kind hold, by their names; `compile_` gives those of one by their places."""
        made: dict[str, Any] = {}
        self.faults += unread(self._folder / kind)
        for path in rule_files(self._folder / kind):
            before = len(self.faults)
            with self._collecting():
                source = self._source(path)
                for loc, part in compile_(source).items():
                    if part.name in made:
                        self.faults.append(source.fault(loc, f"another one has the name '{part.name}' already"))
                    made.setdefault(part.name, part)
            if len(self.faults) > before:
                self._faulty.add(path)
        return made

    # --- recognizers -------------------------------------------------------------------------------------

    def _recognizer(self, source: SourceFile) -> dict[Loc, CustomRecognizer]:
        try:
            made = compile_recognizer(source, self._entities)
        except RulesError:
            # Its entity is known all the same: policies that name it are not to blame.
            entity = source.values.get("entity") if isinstance(source.values, dict) else None
            self._entities |= {entity} if isinstance(entity, str) else set()
            raise
        self._entities.add(made.entity)
        return {("name",): made}

    def _wanting(self, policy: Policy) -> Policy:
        """The policy, with the custom recognizers for its entities."""
        entities = policy.wanted.entities
        used = [each for each in self._recognizers.values() if entities is None or each.entity in entities]
        return replace(policy, wanted=replace(policy.wanted, recognizers=tuple(used))) if used else policy

    # --- connections -------------------------------------------------------------------------------------

    def _connection(self, source: SourceFile) -> dict[Loc, Connection]:
        if is_signing(source):
            self._secrets.add(source)
            return {}
        connection = load_connection(source, in_use=False)
        if connection.name in plugins.available("scrubbers"):
            self.faults.append(source.fault(("name",), f"there is a scrubber '{connection.name}' already"))
        self._sources[connection.name] = source
        return {("name",): connection}

    def _scrubbing(self) -> list[str]:
        return [connection.name for connection in self._connections.values() if connection.kind == "scrubber"]

    def _in_use(self) -> dict[str, Connection]:
        """All connections, those in use with their secrets."""
        for name in sorted(self._using & self._connections.keys()):
            with self._collecting():
                self._connections[name] = load_connection(self._sources[name], in_use=True)
        return self._connections

    # --- API descriptions --------------------------------------------------------------------------------

    def _api(self, source: SourceFile) -> dict[Loc, Api]:
        file = source.validate(ApiFile)
        left = remainder(file, self._skipped(source, file))
        request, response = (self._fields(source, file, part) for part in ("request", "response"))
        api = Api(
            name=file.name,
            methods=methods(file.match.methods) | ({WEBSOCKET} if file.websocket else set()),
            hosts=name_pattern(file.match.hosts),
            paths=path_pattern(file.match.paths),
            formats=formats(source, file),
            request=FieldTree(request, left),
            response=FieldTree(response, left),
            block_body=compile_block_body(file.block_body),
            answering=answering(file.block_id) if file.block_id else None,
            speaker=file.speaker,
            head=head_fields(file),
            streams=tuple(self._streams(source, file, response, left)),
            websocket=self._websocket(source, file, FieldTree(request, left), FieldTree(response, left)),
            last_steps=frozenset(last_step(path) for path in file.match.paths),
            named_only=file.match.named_only,
            webhooks=webhooks(file.webhooks) if file.webhooks else None,
            signatures=schemes(file.webhooks.signatures if file.webhooks else file.signatures),
        )
        return {("name",): api}

    def _fields(self, source: SourceFile, file: ApiFile, part: Direction) -> list[Field]:
        fields = []
        for index, rule in enumerate(file.request if part == "request" else file.response):
            query = self._query(source, (part, index, "path"), file, rule.path)
            if query:
                join = self._join(source, (part, index, "join"), rule, query, _DIALECTS[file.dialect])
                self._field_parts(source, (part, index), rule)
                own = (rule.policy, rule.entity, join, part, frozenset(rule.skip), frozenset(rule.identifiers))
                fields.append(Field(rule.path, query, rule.kind, rule.signed, *own, inline=rule.inline))
        return fields

    def _skipped(self, source: SourceFile, file: ApiFile) -> Iterator[Query]:
        """The paths to what no field reaches and is left alone."""
        for index, path in enumerate(file.skip):
            if path.startswith("$") and (query := self._query(source, ("skip", index), file, path)):
                yield query

    def _streams(
        self, source: SourceFile, file: ApiFile, response: Sequence[Field], left: Remainder
    ) -> list[StreamRule]:
        one = file.stream is not None and not isinstance(file.stream, list)
        made = []
        for number, section in enumerate(file.streams):
            loc: Loc = ("stream",) if one else ("stream", number)
            self._parts(source, loc, section.fields)
            made.append(compile_stream(section, self._queries(source, file, loc), response, left))
        return made

    def _websocket(
        self, source: SourceFile, file: ApiFile, request: FieldTree, response: FieldTree
    ) -> WebSocketRule | None:
        if file.websocket is None:
            return None
        for name, side in (("send", file.websocket.send), ("receive", file.websocket.receive)):
            self._parts(source, ("websocket", name), side.fields if side else ())
        return compile_websocket(file.websocket, request, response, self._queries(source, file, ("websocket",)))

    def _queries(self, source: SourceFile, file: ApiFile, part: Loc) -> Callable[[Loc, str], Query | None]:
        return lambda loc, path: self._query(source, (*part, *loc), file, path)

    def _parts(self, source: SourceFile, loc: Loc, fields: Sequence[StreamField | RunningText]) -> None:
        for index, each in enumerate(fields):
            self._field_parts(source, (*loc, "fields", index), each)

    def _field_parts(self, source: SourceFile, loc: Loc, rule: FieldRule | StreamField | RunningText) -> None:
        self._known_entity(source, (*loc, "entity"), rule.entity)
        if rule.policy:
            self._of_fields.append((source, (*loc, "policy"), rule.policy))

    def _query(self, source: SourceFile, loc: Loc, file: ApiFile, path: str) -> Query | None:
        try:
            return _DIALECTS[file.dialect](path)
        except jsonpath.PathFault as error:
            self.faults.append(source.fault(loc, str(error)))
            return None

    def _join(self, source: SourceFile, loc: Loc, rule: FieldRule, query: Query, compile_: Any) -> int:
        """How many steps of the field's path lead to the message that it is part of; 0 where it is not joined."""
        if rule.join is None:
            return 0
        start = [text for text, _ in compile_(rule.join).segments]
        whole = [text for text, _ in query.segments]
        if not start or whole[: len(start)] != start or any(text.startswith("..") for text in start):
            self.faults.append(source.fault(loc, f"is not the start of '{rule.path}'"))
        return len(start)

    def _known_entity(self, source: SourceFile, loc: Loc, entity: str | None) -> None:
        if entity is not None and entity not in self._entities:
            self.faults.append(source.fault(loc, "unknown entity", did_you_mean(entity, self._entities)))

    # --- policies ----------------------------------------------------------------------------------------

    def _policy(self, source: SourceFile) -> dict[Loc, Policy]:
        if source.path.suffix == ".json":
            templates = compile_templates(source, self._entities)
            return {loc: self._wanting(template) for loc, template in templates.items()}
        file = source.validate(PolicyFile)
        rules: dict[str, EntityRule] = {}
        known = self._entities | ({FACE} if file.media and file.media.faces else set())
        for order, (entity, spec) in enumerate(file.entities.items()):
            if entity not in known:
                hint = "say `media: {faces: true}`" if entity == FACE else did_you_mean(entity, known)
                self.faults.append(source.fault(("entities", entity), "unknown entity", hint))
                continue
            with self._collecting():
                rules[entity] = entity_rule(source, ("entities", entity), spec, file.min_score, order)
        otherwise = None
        if isinstance(file.otherwise, dict):
            otherwise = entity_rule(source, ("otherwise",), file.otherwise, file.min_score, len(rules))
        scrubbers = [file.scrubber] if isinstance(file.scrubber, str) else file.scrubber
        self._known_scrubbers(source, "scrubber", scrubbers)
        media = file.media.compiled(rules.get(FACE)) if file.media else None
        self._known_scrubbers(source, "media", sorted(media.connections) if media else [])
        self._known_scrubbers(source, "fallback", [file.fallback] if file.fallback else [])
        every = list(rules.values()) + ([otherwise] if otherwise else [])
        asked = rules.keys() & self._entities  # of FACE only pictures are
        named = frozenset(entity for entity in asked if not isinstance(rules[entity].operator, Keep))
        policy = Policy(
            name=file.name,
            rules=rules,
            otherwise=otherwise,
            scrubbers=tuple(scrubbers),
            fallback=file.fallback,
            wanted=Wanted(
                entities=None if otherwise else named,
                language=file.language,
                min_score=min((rule.min_score for rule in every), default=file.min_score),
                also=named if otherwise else frozenset(),
                phone_regions=phone_regions(source, file.phone_regions),
                model=file.model,
            ),
            status=file.block.status,
            message=file.block.message,
            keeps=keeps(file.on_error),
            observe=file.mode == "observe",
            restore=restore(file.restore),
            acknowledges=file.block.as_ == "acknowledge",
            drops=file.block.websocket == "drop",
            media=media,
        )
        self._origins[file.name] = source
        return {("name",): self._wanting(policy)}

    def _check_needs(self, policy: Policy, ruleset: Ruleset) -> None:
        """That what the operators of a policy in use ask for is there."""
        source = self._origins.get(policy.name)
        for kind, name in sorted(policy.needs):
            assert source is not None  # templates ask for nothing
            if kind == "vault":
                known, where = set(ruleset.vaults), "vaults of guard.yaml"
            else:
                known = {each.name for each in self._connections.values() if each.kind == kind}
                where = f"connections of kind {kind}"
                self._using.add(name)
            if name not in known:
                hint = did_you_mean(name, known)
                self.faults.append(source.fault(("entities",), f"there is no '{name}' among the {where}", hint))

    def _known_scrubbers(self, source: SourceFile, key: str, names: Sequence[str]) -> None:
        known = {*plugins.available("scrubbers"), *self._scrubbing()}
        for name in names:
            if name not in known:
                self.faults.append(source.fault((key,), f"unknown scrubber '{name}'", did_you_mean(name, known)))

    # --- the guard file ----------------------------------------------------------------------------------

    def _guard(self, apis: dict[str, Api], policies: dict[str, Policy], override: str | None) -> Ruleset:
        source = self._source(self._folder / "guard.yaml")
        file = source.validate(GuardFile)
        if override is not None and override not in policies:
            hint = did_you_mean(override, policies) or f"known: {', '.join(policies)}"
            raise RulesError([RuleFault(source.name, 1, 1, "", f"there is no policy '{override}'", hint)])
        routes = []
        for index, route in enumerate(file.routes):
            loc = ("routes", index)
            named = [self._named(source, (*loc, "apis", i), name, apis) for i, name in enumerate(route.apis)]
            every = [api for api in apis.values() if not api.named_only]
            policy = self._named(source, (*loc, "policy"), override or route.policy, policies)
            if policy is None:
                continue
            signing = dict[str, Signing]()
            with self._collecting():
                signing = self._secrets.of_route(source, (*loc, "signatures"), route.signatures, apis)
            routes.append(
                CompiledRoute(
                    hosts=name_pattern(route.hosts),
                    paths=path_pattern(route.paths),
                    apis=Apis([api for api in named if api is not None] if route.apis else every),
                    policy=policy,
                    unmatched=route.unmatched,
                    owner=owner(route),
                    signing=signing,
                )
            )
        set_limits = file.limits.model_dump(exclude_none=True)
        vaults = self._vaults(source, file)
        of_fields = {}
        for where, place, name in self._of_fields:
            own = self._named(where, place, override or name, policies)
            if own is not None:
                of_fields[name] = own
        return Ruleset(
            tuple(routes), apis, policies, Limits(**set_limits), self._recognizers, vaults=vaults, of_fields=of_fields
        )

    def _vaults(self, source: SourceFile, file: GuardFile) -> dict[str, VaultRule]:
        rules = {}
        for name, spec in file.vaults.items():
            with self._collecting():
                rules[name] = vault_rule(source, ("vaults", name), spec)
        return rules

    def _named[T](self, source: SourceFile, loc: Loc, name: str, known: dict[str, T]) -> T | None:
        if name not in known:
            # A file of that name that is itself at fault has been reported already.
            folder = self._folder / ("policies" if loc[-1] == "policy" else "apis")
            if not any(path.stem == name or path.suffix == ".json" for path in self._faulty if path.parent == folder):
                hint = did_you_mean(name, known)
                self.faults.append(source.fault(loc, f"there is no file {folder.name}/{name}.yaml of that name", hint))
            return None
        return known[name]
