"""The JSON Schemas of rule files, for editors. `python -m proxy_guard.rules.schemas DIR` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from proxy_guard import plugins
from proxy_guard.detect.catalogue import ENTITIES
from proxy_guard.media import FACE
from proxy_guard.rules.files import KINDS


def schemas() -> dict[str, dict[str, Any]]:
    """Each kind of rule file and its JSON Schema (2020-12)."""
    made = {kind: model.model_json_schema(by_alias=True) for kind, model in KINDS.items()}
    policy = made["policy"]["properties"]
    rule = {"oneOf": [_operator(name) for name in sorted(plugins.available("operators"))]}
    policy["entities"] |= {
        # Custom recognizers have entities of their own; their form is checked here, their names at load.
        "additionalProperties": {"$ref": "#/$defs/EntityRule"},
        "propertyNames": {"pattern": "^[A-Z][A-Z0-9_]*$"},
        "properties": {entity: {"$ref": "#/$defs/EntityRule"} for entity in sorted({*ENTITIES, FACE})},
    }
    policy["otherwise"]["anyOf"] = [{"$ref": "#/$defs/EntityRule"}, {"const": "keep"}]
    made["policy"].setdefault("$defs", {})["EntityRule"] = rule
    made["guard"]["properties"]["vaults"]["additionalProperties"] = {
        "oneOf": [_vault(kind) for kind in sorted(plugins.available("vaults"))]
    }
    return {
        kind: {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema} for kind, schema in made.items()
    }


def _operator(name: str) -> dict[str, Any]:
    operator = plugins.load("operators", name)
    schema: dict[str, Any] = operator.model_json_schema(by_alias=True)
    score = {"type": "number", "minimum": 0, "maximum": 1, "description": "Findings below it are left alone."}
    schema["properties"] = {"action": {"const": name}, "min_score": score, **schema.get("properties", {})}
    schema["required"] = ["action", *schema.get("required", [])]
    schema["title"] = name
    return schema


def _vault(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = plugins.load("vaults", kind).Settings.model_json_schema(ref_template="{model}")
    parts = schema.pop("$defs", {})
    schema = _inlined(schema, parts)
    schema["properties"] = {"kind": {"const": kind}, **schema["properties"]}
    schema["required"] = ["kind", *schema.get("required", [])]
    schema["title"] = kind
    return schema


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema with its parts in their places, so that it can stand inside another."""
    if isinstance(schema, list):
        return [_inlined(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {**_inlined(parts[schema["$ref"]], parts), **schema} if "$ref" in schema else schema
    return {key: _inlined(value, parts) for key, value in whole.items() if key != "$ref"}


def write(folder: Path) -> None:
    """Writes one file for each kind."""
    for kind, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{kind}.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
