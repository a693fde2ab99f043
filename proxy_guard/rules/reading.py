"""Reads one YAML or JSON file into a pydantic model; every mistake gets file, line, column, field and a hint."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from proxy_guard.errors import RuleFault, RulesError

Loc = tuple[str | int, ...]
Version = Literal[1]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Lower case, digits and hyphens.")]
_UNREADABLE = (YAMLError, ValueError, TypeError, RecursionError)
"""What the readers of YAML raise: for a date that is none a ValueError, for a mapping as a key a TypeError."""
_HALVES = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

_TAG = re.compile(r"(?:literal|dict|list|tuple|function|constrained|nullable)[\[-]|\[key\]$")
"""Parts of a mistake's place that name a type rather than a place."""


class FileModel(BaseModel):
    """The base of everything that a rule file holds: unknown keys are mistakes, values don't show in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, hide_input_in_errors=True)


class SourceFile:
    """A file as read: its values, and where each one stands, for faults found later."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self._tree: Any = None
        self._text = ""
        self.values = self._parse()

    def _parse(self) -> Any:
        is_json = self.path.suffix == ".json"
        try:
            self._text = text = self.path.read_text(encoding="utf-8").removeprefix("\ufeff")
            values = json.loads(text) if is_json else None  # noqa: TID251 - a file, not a wire
        except (OSError, UnicodeDecodeError) as error:
            raise RulesError([RuleFault(self.name, 1, 1, "", f"can't be read: {type(error).__name__}")]) from None
        except json.JSONDecodeError as error:
            fault = RuleFault(self.name, error.lineno, error.colno, "", f"not valid JSON: {error.msg}")
            raise RulesError([fault]) from None
        if is_json:
            # JSON is YAML but for tabs, which stand between values only, and for halves of characters in escapes.
            self._text = text = _HALVES.sub(r"\\u0020", text.replace("\t", " "))
        try:
            tree = YAML(typ="safe").load(text)  # of JSON, too: it tells where a key stands twice
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            problem = (error.problem or error.context or "not valid YAML").split(" with value", maxsplit=1)[0]
            raise RulesError([RuleFault(self.name, line, column, "", f"not valid YAML: {problem}")]) from None
        except _UNREADABLE:
            raise RulesError([RuleFault(self.name, 1, 1, "", "not valid YAML")]) from None
        return tree if values is None else values

    def fault(self, loc: Loc, message: str, hint: str = "") -> RuleFault:
        """A mistake at the place `loc`, or at the nearest place above it that stands in the file."""
        line, column = self._position(loc)
        return RuleFault(self.name, line, column, _dotted(loc), message, hint)

    def _position(self, loc: Loc) -> tuple[int, int]:
        if self._tree is None:  # the slow reader keeps positions; only mistakes need it
            text = self._text.replace("\t", " ")  # it takes fewer tabs than the quick one
            try:
                self._tree = YAML(typ="rt").load(text)
            except _UNREADABLE:
                self._tree = {}
        node: Any = self._tree
        place = (0, 0)
        for part in loc:
            try:
                place = (node.lc.item(part) if isinstance(part, int) else node.lc.key(part)) or place
                node = node[part]
            except (KeyError, IndexError, TypeError, AttributeError):
                break
        return place[0] + 1, place[1] + 1

    def validate[T: BaseModel](self, model: type[T], at: Loc = (), context: Any = None) -> T:
        """The file, or what stands `at` a place in it, as `model`; `context` is for its validators.

        Raises RulesError with every mistake.
        """
        try:
            return model.model_validate(self._value(at), context=context)
        except ValidationError as error:
            told = [each for each in error.errors() if self._fits((*at, *each["loc"]))]
            raise RulesError([self._from_pydantic(model, each, at) for each in told]) from None

    def _fits(self, loc: Loc) -> bool:
        """Whether a mistake is one of the member of a union that a value was meant to be."""
        for index, part in enumerate(loc):
            if isinstance(part, str) and _TAG.match(part):
                is_word = not isinstance(self._value(loc[:index]), dict | list)
                return part.startswith("literal[") is is_word
        return True

    def _from_pydantic(self, model: type[BaseModel], error: Any, at: Loc) -> RuleFault:
        # A union's own part of the place ("list[str]", a tag) is in no file.
        loc = self._known(tuple(part for part in (*at, *error["loc"]) if not _TAG.match(str(part))))
        kind, context = error["type"], error.get("ctx", {})
        if kind == "extra_forbidden":
            known = names_at(model, loc[len(at) : -1])
            return self.fault(loc, "unknown key", did_you_mean(str(loc[-1]), known) or f"known: {', '.join(known)}")
        if kind == "missing":
            return self.fault(loc[:-1] or loc, f"'{loc[-1]}' is missing")
        if kind == "literal_error":
            value = loc[-1] if error["loc"][-1] == "[key]" else self._value(loc)
            options = [option.strip("' ") for option in str(context["expected"]).replace(" or ", ",").split(",")]
            return self.fault(loc, f"must be one of {context['expected']}", did_you_mean(str(value), options))
        return self.fault(loc, error["msg"].removeprefix("Value error, "))

    def _known(self, loc: Loc) -> Loc:
        """`loc` without the parts that name types rather than places; the last one stays (it may be missing)."""
        kept: list[str | int] = []
        node = self.values
        for index, part in enumerate(loc):
            try:
                node = node[part]
                kept.append(part)
            except (KeyError, IndexError, TypeError):
                if index == len(loc) - 1:
                    kept.append(part)
        return tuple(kept)

    def _value(self, loc: Loc) -> Any:
        node = self.values
        for part in loc:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return ""
        return node


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known word, or nothing."""
    by_folded = {_fold(name): name for name in known}
    near = difflib.get_close_matches(_fold(word), by_folded, n=1, cutoff=0.7)
    near = near or sorted((name for name in by_folded if len(word) > 2 and _fold(word) in name), key=len)[:1]
    return f"did you mean {by_folded[near[0]]}?" if near else ""


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")


def _dotted(loc: Loc) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def names_at(model: Any, loc: Sequence[str | int]) -> list[str]:
    """The keys that are allowed at `loc` of a model, as a file spells them."""
    for part in loc:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            found = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
            model = found.annotation if found else None
        model = _inner(model)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []


def _inner(annotation: Any) -> Any:
    """The model in `list[Model]`, `Model | None` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner(argument)
        if inner is not None:
            return inner
    return None
