"""Valid JSON for a request that asks for JSON: an instance of its schema, filled with honest placeholders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 12


def json_answer(response_format: Mapping[str, Any], question: str) -> str:
    """JSON text that fits the format; without a schema an object that says who answers."""
    wrapper = response_format.get("json_schema")
    schema = wrapper.get("schema") if isinstance(wrapper, Mapping) else None
    if not isinstance(schema, Mapping):
        note = "Made by rules on this machine, not by a language model."
        return json.dumps({"model": "rustbot/demo", "question": question, "note": note}, ensure_ascii=True, indent=2)
    return json.dumps(_instance(schema, schema, 0), ensure_ascii=True, indent=2)


def _instance(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        return None
    if "$ref" in schema:
        return _instance(_resolve(str(schema["$ref"]), root), root, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("allOf"):
        parts = [part if "$ref" not in part else _resolve(part["$ref"], root) for part in schema["allOf"]]
        merged = {key: value for part in parts if isinstance(part, Mapping) for key, value in part.items()}
        return _instance(merged, root, depth + 1)
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _instance(schema[key][0], root, depth + 1)
    return _of_type(_type(schema), schema, root, depth)


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return str(kind[0]) if isinstance(kind, list) else str(kind)


def _of_type(kind: str, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    match kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: _instance(part, root, depth + 1) for name, part in properties.items()}
        case "array":
            # A list of itself would go on for ever, so none is filled beyond what it must hold.
            count = min(int(schema.get("minItems", 0)), 100)
            return [_instance(schema.get("items", {}), root, depth + 1) for _ in range(count)]
        case "integer":
            return int(_number(schema))
        case "number":
            return _number(schema)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return _string(schema)


def _number(schema: Mapping[str, Any]) -> float:
    low: float = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    high: float = schema.get("maximum", schema.get("exclusiveMaximum", low + 1) - 1)
    return low if low <= high else high


_STRINGS = {
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "date-time": "2026-01-01T00:00:00Z",
    "email": "demo@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def _string(schema: Mapping[str, Any]) -> str:
    text = _STRINGS.get(str(schema.get("format")), "offline demo")
    return text.ljust(int(schema.get("minLength", 0)), ".")[: schema.get("maxLength")]


def _resolve(ref: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for step in ref.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step) if isinstance(found, Mapping) else None
    return found
