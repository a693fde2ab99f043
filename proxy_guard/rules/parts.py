"""Parts that are named in rule files, each with settings of its own kind, which are checked here."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from proxy_guard import plugins
from proxy_guard.errors import RuleFault, RulesError
from proxy_guard.policy import EntityRule
from proxy_guard.rules.plain import unknown_region_hint
from proxy_guard.rules.reading import Loc, SourceFile, did_you_mean, names_at
from proxy_guard.vault import VaultRule


def vault_rule(source: SourceFile, loc: Loc, spec: dict[str, Any]) -> VaultRule:
    """A vault of guard.yaml, which stands at `loc`. Raises RulesError."""
    settings = dict(spec)
    kind = settings.pop("kind", None)
    known = plugins.available("vaults")
    if kind is None:
        raise RulesError([source.fault(loc, f"'kind' is missing; one of {', '.join(sorted(known))}")])
    if not isinstance(kind, str) or kind not in known:
        raise RulesError([source.fault((*loc, "kind"), f"unknown kind '{kind}'", did_you_mean(str(kind), known))])
    model = plugins.load("vaults", kind).Settings
    try:
        return VaultRule(kind, model.model_validate(settings, context={"folder": source.path.parent.absolute()}))
    except ValidationError as error:
        raise RulesError(setting_faults(source, loc, kind, model, error, [])) from None


def setting_faults(
    source: SourceFile, loc: Loc, part: str, model: type[BaseModel], error: ValidationError, more: list[str]
) -> list[RuleFault]:
    """The mistakes in the settings of a part; `more` are keys at the top that are not the part's own."""
    faults = []
    for each in error.errors():
        place = (*loc, *each["loc"])
        if each["type"] == "extra_forbidden":
            names = [*(more if len(each["loc"]) == 1 else []), *names_at(model, each["loc"][:-1])]
            hint = did_you_mean(str(each["loc"][-1]), names) or f"known: {', '.join(names)}"
            faults.append(source.fault(place, f"unknown setting of '{part}'", hint))
        else:
            faults.append(source.fault(place, each["msg"].removeprefix("Value error, ")))
    return faults


def entity_rule(source: SourceFile, loc: Loc, spec: dict[str, Any], min_score: float, order: int) -> EntityRule:
    """What a policy does to an entity, as it stands at `loc`. Raises RulesError."""
    settings = dict(spec)
    action = settings.pop("action", None)
    known = plugins.available("operators")
    if action is None:
        raise RulesError([source.fault(loc, f"'action' is missing; one of {', '.join(sorted(known))}")])
    if not isinstance(action, str) or action not in known:
        raise RulesError(
            [source.fault((*loc, "action"), f"unknown action '{action}'", did_you_mean(str(action), known))]
        )
    score = settings.pop("min_score", min_score)
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise RulesError([source.fault((*loc, "min_score"), "must be a number from 0 to 1")])
    operator = plugins.load("operators", action)
    try:
        return EntityRule(action, operator.model_validate(settings), float(score), order)
    except ValidationError as error:
        raise RulesError(setting_faults(source, loc, action, operator, error, ["min_score"])) from None


def phone_regions(source: SourceFile, regions: list[str] | None) -> tuple[str, ...] | None:
    """The regions whose phone numbers are read without a country code. Raises RulesError."""
    if regions is None:
        return None
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 - for this setting only

    faults = [
        source.fault(("phone_regions", index), f"unknown region '{region}'", unknown_region_hint(region))
        for index, region in enumerate(regions)
        if region not in SUPPORTED_REGIONS
    ]
    if faults:
        raise RulesError(faults)
    return tuple(regions)
