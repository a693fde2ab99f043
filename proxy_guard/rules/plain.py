"""Parts of rule files that are compiled one for one, without a place of their own in an error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from proxy_guard.errors import Cause
from proxy_guard.locate.jsonpath import Query
from proxy_guard.locate.unreached import Remainder
from proxy_guard.policy import Restore
from proxy_guard.rules.compiled import Owner
from proxy_guard.rules.files import ApiFile, RestoreRule, Route, Source, Then


def remainder(file: ApiFile, paths: Iterable[Query]) -> Remainder:
    """What becomes of strings that no field of an API description reaches; `paths` are those of its `skip`."""
    names = frozenset(name for name in file.skip if not name.startswith("$"))
    return Remainder(file.unreached, names, tuple(paths))


def restore(rule: RestoreRule | bool) -> Restore | None:
    """Which references of a policy become values again in replies."""
    if rule is False:
        return None
    rule = RestoreRule() if rule is True else rule
    named = {(tool, argument) for tool, arguments in rule.arguments.items() for argument in arguments}
    return Restore(rule.vault, rule.scope, frozenset(named))


def owner(route: Route) -> Owner:
    """How it is told whose the traffic of a route is."""
    account, conversation = route.account or Source(value="-"), route.conversation or Source(value="-")
    return Owner(
        account=account.value or "" if route.account else "",
        account_header=(account.header or "").lower(),
        conversation=conversation.value or "" if route.conversation else "",
        conversation_header=(conversation.header or "").lower(),
    )


def keeps(on_error: Then | dict[Cause, Then]) -> frozenset[Cause]:
    """The causes of failure that let a message pass."""
    if isinstance(on_error, dict):
        return frozenset(cause for cause, then in on_error.items() if then == "keep")
    return frozenset(get_args(Cause)) if on_error == "keep" else frozenset()


def unknown_region_hint(region: str) -> str:
    """What may have been meant by a code that is no region's."""
    if region == "UK":
        return "did you mean GB?"
    if region.strip().upper() != region:
        return f"did you mean {region.strip().upper()}?"
    return "a region is an ISO 3166-1 code of two capital letters, such as IN, US or GB"
