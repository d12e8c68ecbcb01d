"""Arguments for a tool call, from words or from Python's spelling of a call, typed by the tool's schema."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def offered_tools(definitions: Sequence[Mapping[str, Any]]) -> dict[str, Schema]:
    """The schemas of the tools a request offers, by name; what is no function is left out."""
    functions = [definition.get("function") for definition in definitions]
    return {
        str(function["name"]): function.get("parameters") or {}
        for function in functions
        if isinstance(function, Mapping) and function.get("name")
    }


def in_order(values: Sequence[Any], schema: Schema) -> dict[str, Any]:
    """The values as the first parameters of a tool; more values than parameters are left out."""
    properties = _properties(schema)
    return {name: typed(value, properties[name], schema) for name, value in zip(properties, values, strict=False)}


def named(text: str, schema: Schema) -> dict[str, Any]:
    """The arguments in `amount=3 and unit=km`, in JSON, or in one text for a tool with a single parameter to fill."""
    text = text.strip()
    given = _json_object(text)
    if given is not None:
        return given
    properties = _properties(schema)
    starts = list(_ASSIGNED.finditer(text))
    if not starts:
        return in_order([unquoted(text)], schema) if text else {}
    ends = [*(start.start() for start in starts[1:]), len(text)]
    values = {
        start["name"]: _AND.sub("", text[start.end() : end]).strip() for start, end in zip(starts, ends, strict=True)
    }
    return {name: typed(value, properties.get(name, {}), schema) for name, value in values.items()}


_ASSIGNED = re.compile(r"(?:(?<=^)|(?<=[\s,]))[`'\"]?(?P<name>[^\W\d]\w{0,60})[`'\"]?\s*(?:=(?!=)|:(?!//))\s*")
_AND = re.compile(r"(?:\s*,)?(?:\s+and)?\s*$", re.IGNORECASE)


def called(text: str, schema: Schema) -> dict[str, Any] | None:
    """The arguments in Python's spelling, `3, unit='km'`; None if Python cannot read them."""
    source = f"f({text})"
    try:
        call = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(call, ast.Call):
        return None
    properties = _properties(schema)
    arguments = in_order([_value(node, source) for node in call.args], schema)
    for keyword in call.keywords:
        if keyword.arg is not None:
            arguments[keyword.arg] = typed(_value(keyword.value, source), properties.get(keyword.arg, {}), schema)
    return arguments


def _value(node: ast.expr, source: str) -> Any:
    """The literal; for anything else, such as a bare word, its text."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ast.get_source_segment(source, node) or ""


def typed(value: Any, schema: Any, root: Schema) -> Any:
    """The value as the schema wants it, where that can be done; else as it is, for the tool itself to refuse."""
    kinds = _kinds(schema, root)
    if not isinstance(value, str):
        return str(value) if kinds == {"string"} else value
    if "string" in kinds and len(kinds) == 1:
        return unquoted(value)
    meant = _literal(value)
    if isinstance(meant, bool):
        return meant if "boolean" in kinds or not kinds else unquoted(value)
    if "array" in kinds and not isinstance(meant, list):
        return [_literal(item.strip()) for item in value.split(",")]
    if "number" in kinds and isinstance(meant, int | float):
        return meant
    return unquoted(value) if "string" in kinds else meant


_JSON_NAMES = {"true": True, "false": False, "null": None, "yes": True, "no": False, "on": True, "off": False}


def _literal(text: str) -> Any:
    """Return what the text means as JSON or Python; the text without quotation marks if it means nothing else."""
    if text.lower() in _JSON_NAMES:
        return _JSON_NAMES[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return unquoted(text)
    return list(value) if isinstance(value, tuple | set) else value


def unquoted(text: str) -> str:
    """The text without the one pair of quotation marks or backticks around it."""
    text = text.strip()
    pairs = ('""', "''", "``", "“”", "‘’")
    return text[1:-1] if len(text) > 1 and text[0] + text[-1] in pairs else text


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _properties(schema: Schema) -> Mapping[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _kinds(schema: Any, root: Schema, depth: int = 0) -> set[str]:
    """The JSON types a schema takes, `integer` as `number`; none when it does not say."""
    if not isinstance(schema, Mapping) or depth > 8:
        return set()
    if isinstance(reference := schema.get("$ref"), str):
        definitions = root.get("$defs", root.get("definitions", {}))
        return _kinds(definitions.get(reference.rpartition("/")[2]), root, depth + 1)
    kind = schema.get("type", [])
    kinds = {"number" if each == "integer" else str(each) for each in ([kind] if isinstance(kind, str) else kind)}
    if not kinds and isinstance(choices := schema.get("enum"), list) and all(isinstance(each, str) for each in choices):
        kinds = {"string"}
    for key in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(key, ()):
            kinds |= _kinds(part, root, depth + 1)
    return kinds
