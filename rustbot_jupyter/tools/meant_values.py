"""Arguments that a model wrote as JSON in a text, taken as the values they are meant to be.

Many models write `"5"` for 5, or a list or an object as a text of JSON, most of all where these are nested.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rustbot_jupyter.tools.call_arguments import strict_json

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def is_kind(kind: Any) -> bool:
    """True if it names a type of JSON schemas."""
    return isinstance(kind, str) and kind in _KINDS


def is_of_kind(value: Any, kind: str) -> bool:
    """True if a JSON value is of a type of JSON schemas."""
    is_of_it = isinstance(value, _KINDS[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))
    # 3.0 is an integer in JSON.
    return is_of_it or (kind == "integer" and isinstance(value, float) and value.is_integer())


def as_meant(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value; where its plain schema takes no text, a text that is JSON of what it takes is that instead."""
    branches: list[Mapping[str, Any]] = schema.get("anyOf", [schema])
    kinds: list[Any] = [branch.get("type") for branch in branches]
    if not all(is_kind(kind) for kind in kinds) or "string" in kinds:
        return value
    if isinstance(value, str):
        value = _in_text(value, kinds)
    fitting = [each for each, kind in zip(branches, kinds, strict=True) if is_of_kind(value, kind)]
    branch = fitting[0] if fitting else {}
    if isinstance(value, list):
        items = branch.get("items", {})
        return [as_meant(each, items) for each in value]
    if isinstance(value, Mapping):
        properties, others = branch.get("properties", {}), branch.get("additionalProperties")
        rest = others if isinstance(others, Mapping) else {}
        return {name: as_meant(each, properties.get(name, rest)) for name, each in value.items()}
    return value


def _in_text(text: str, kinds: list[Any]) -> Any:
    try:
        value = strict_json(text)
    except (ValueError, RecursionError):
        return text
    return value if any(is_of_kind(value, kind) for kind in kinds) else text
