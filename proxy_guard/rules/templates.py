"""Templates: policies written as an AnalyzeTemplate and an AnonymizeTemplate, compiled to what policies are.

A file holds one template, or several with their names. A template without a name is called as its file.

- An entity without a transformation is left as it is, and so is one for which there is no `defaultTransformation`.
  It takes no part, so it is not looked for: `allFields` alone costs nothing, and shields nothing.
- Keys of `hashValue` and `fPEValue` are in the environment, PROXY_GUARD_HASH_KEY and PROXY_GUARD_FPE_KEY.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from proxy_guard import plugins
from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.model import Wanted
from proxy_guard.policy import EntityRule, Policy
from proxy_guard.rules.files import BlockReply, PolicyFile
from proxy_guard.rules.reading import Loc, SourceFile, did_you_mean
from proxy_guard.rules.template_file import NamedTemplate, Template, Transformation

_KEYS = {"hash": "PROXY_GUARD_HASH_KEY", "fpe": "PROXY_GUARD_FPE_KEY"}
_ALIASES = {
    "CARD": "CREDIT_CARD",
    "CREDIT_CARD_NUMBER": "CREDIT_CARD",
    "DATE": "DATE_TIME",
    "DOMAIN": "DOMAIN_NAME",
    "EMAIL": "EMAIL_ADDRESS",
    "E_MAIL": "EMAIL_ADDRESS",
    "IBAN": "IBAN_CODE",
    "IP": "IP_ADDRESS",
    "NHS": "UK_NHS",
    "PHONE": "PHONE_NUMBER",
    "SSN": "US_SSN",
}


def compile_templates(source: SourceFile, known: Iterable[str]) -> dict[Loc, Policy]:
    """The policies of a file of templates by where their names stand. Raises RulesError with every mistake.

    `known` are the entities that there are.
    """
    resolver = _Resolver(known)
    values = source.values
    faults: list[RuleFault] = []
    made: dict[Loc, Policy] = {}
    places: list[Loc] = [(index,) for index in range(len(values))] if isinstance(values, list) else [()]
    if not places:
        raise RulesError([source.fault((), "holds no template")])
    for place in places:
        try:
            if place or (isinstance(values, dict) and "template" in values):
                named = source.validate(NamedTemplate, place)
                name, inside = policy_name(named.name), (*place, "template")
                if not name:
                    raise RulesError([source.fault((*place, "name"), "holds no letter or digit")])
                made[(*place, "name")] = _Compiler(source, inside, resolver).policy(name, named.template)
            else:
                template = source.validate(Template)
                made[()] = _Compiler(source, (), resolver).policy(policy_name(source.path.stem), template)
        except RulesError as error:
            faults += error.faults
    if faults:
        raise RulesError(faults)
    return made


def policy_name(name: str) -> str:
    """The name of a policy for the name of a template: lower case, with hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


class _Resolver:
    """Entities by the names that templates have for them."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = frozenset(known)
        self._by_folded = {_folded(alias): name for alias, name in _ALIASES.items() if name in self.known}
        self._by_folded |= {_folded(name): name for name in self.known}

    def resolve(self, name: str) -> str | None:
        """The entity of that name, whatever its case and whatever stands between its words."""
        return self._by_folded.get(_folded(name))


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).upper()


class _Compiler:
    """Compiles one template, which stands at a place of a file."""

    def __init__(self, source: SourceFile, place: Loc, resolver: _Resolver) -> None:
        self._source = source
        self._place = place
        self._resolver = resolver
        self._faults: list[RuleFault] = []

    def policy(self, name: str, template: Template) -> Policy:
        """The policy of a template. Raises RulesError with every mistake."""
        usual = template.analyze.min_score
        usual = PolicyFile.model_fields["min_score"].default if usual is None else usual
        looked_for = self._looked_for(template, usual)
        default = template.anonymize.default_transformation
        rules = self._rules(template, looked_for, usual)
        otherwise = None
        if default is not None:
            loc: Loc = ("AnonymizeTemplate", "defaultTransformation")
            otherwise = self._rule(loc, default, usual, len(rules))
            if otherwise is not None and not template.analyze.all_fields:
                for entity in looked_for.keys() - rules.keys():
                    rules[entity] = EntityRule(otherwise.action, otherwise.operator, looked_for[entity], len(rules))
                otherwise = None
        elif not rules and not self._faults:
            self._fault(("AnonymizeTemplate",), "says for no entity what is done", "add a fieldTypeTransformations")
        if self._faults:
            raise RulesError(self._faults)
        every = [*rules.values(), *([otherwise] if otherwise else [])]
        block = BlockReply()
        return Policy(
            name=name,
            rules=rules,
            otherwise=otherwise,
            scrubbers=("local",),
            wanted=Wanted(
                entities=None if otherwise else frozenset(rules),
                language=template.analyze.language,
                min_score=min(rule.min_score for rule in every),
                also=frozenset(rules) if otherwise else frozenset(),
            ),
            status=block.status,
            message=block.message,
            keeps=frozenset(),
            observe=False,
        )

    def _fault(self, loc: Loc, message: str, hint: str = "") -> None:
        self._faults.append(self._source.fault((*self._place, *loc), message, hint))

    def _entity(self, loc: Loc, name: str) -> str | None:
        entity = self._resolver.resolve(name)
        if entity is None:
            self._fault((*loc, "name"), f"unknown entity '{name}'", did_you_mean(name, self._resolver.known))
        return entity

    def _looked_for(self, template: Template, usual: float) -> dict[str, float]:
        """The entities that are looked for, and their least scores; all of them with `allFields`."""
        analyze = template.analyze
        loc: Loc = ("AnalyzeTemplate",)
        if analyze.all_fields and analyze.fields:
            self._fault((*loc, "allFields"), "say either `fields` or `allFields: true`, not both")
        elif not analyze.all_fields and not analyze.fields:
            self._fault(loc, "looks for nothing", "name entities in `fields`, or say `allFields: true`")
        if analyze.all_fields:
            return dict.fromkeys(self._resolver.known, usual)
        found: dict[str, float] = {}
        for index, field in enumerate(analyze.fields):
            entity = self._entity((*loc, "fields", index), field.name)
            if entity is not None:
                found[entity] = usual if field.min_score is None else field.min_score
        return found

    def _rules(self, template: Template, looked_for: Mapping[str, float], usual: float) -> dict[str, EntityRule]:
        rules: dict[str, EntityRule] = {}
        for number, each in enumerate(template.anonymize.field_type_transformations):
            loc: Loc = ("AnonymizeTemplate", "fieldTypeTransformations", number)
            made = self._rule((*loc, "transformation"), each.transformation, usual, 0)
            for index, field in enumerate(each.fields):
                place: Loc = (*loc, "fields", index)
                entity = self._entity(place, field.name)
                if entity is None or made is None:
                    continue
                if entity in rules:
                    self._fault((*place, "name"), f"{entity} has a transformation already")
                elif entity not in looked_for:
                    hint = "add it to the fields of the AnalyzeTemplate"
                    self._fault((*place, "name"), f"{entity} has a transformation, but is not looked for", hint)
                else:
                    rules[entity] = EntityRule(made.action, made.operator, looked_for[entity], len(rules))
        return rules

    def _rule(self, loc: Loc, transformation: Transformation, score: float, order: int) -> EntityRule | None:
        action, key, settings = _operator(transformation)
        loc = (*loc, key)
        if action not in plugins.available("operators"):
            self._fault(loc, f"there is no operator '{action}' installed for it")
            return None
        try:
            operator = plugins.load("operators", action).model_validate(settings)
        except ValidationError as error:
            for each in error.errors():
                hint = f"set the environment variable {_KEYS[action]}" if action in _KEYS else ""
                self._fault(loc, each["msg"].removeprefix("Value error, "), hint)
            return None
        return EntityRule(action, operator, score, order)


def _operator(transformation: Transformation) -> tuple[str, str, dict[str, Any]]:
    """The operator of a transformation, the key that stands for it in the file, and the operator's settings."""
    settings: dict[str, Any] = {}
    (action,) = (name for name in Transformation.model_fields if getattr(transformation, name) is not None)
    if transformation.replace is not None and transformation.replace.new_value is not None:
        settings["with"] = transformation.replace.new_value
    elif transformation.mask is not None:
        mask = transformation.mask
        settings["char"] = mask.char
        if mask.chars is not None:
            settings |= {"chars": mask.chars, "from": "end" if mask.from_end else "start"}
    if action in _KEYS:
        settings["key"] = f"${{env:{_KEYS[action]}}}"
    alias = Transformation.model_fields[action].alias or action
    return action, alias, settings
