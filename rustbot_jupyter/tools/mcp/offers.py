"""What a server offers, as it may be shown to a model: names that fit, texts cut, schemas that any provider takes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.results import cleaned, cut

MAX_TOOLS = 128
"""Of one server; the rest is left out."""
MAX_DESCRIPTION = 2_000
"""Characters that a model is shown."""
MAX_SCHEMA_CHARS = 30_000
MAX_NAME = 64
_MAX_PREFIX = 28

_ANYTHING: Mapping[str, Any] = {"type": "object", "properties": {}}
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def prefix_of(server: str, taken: Collection[str] = ()) -> str:
    """The beginning of the names of a server's tools, unlike all that are taken. It holds no `__`, which ends it."""
    plain = re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9_-]", "_", server)).strip("_")[:_MAX_PREFIX].rstrip("_")
    return _unlike(plain or "server", server, taken, _MAX_PREFIX)


def tool_name(prefix: str, name: str, taken: Collection[str] = ()) -> str:
    """`prefix__name` in the characters that a tool's name may have, unlike all that are taken."""
    whole = f"{prefix}__{re.sub(r'[^A-Za-z0-9_-]', '_', name) or 'tool'}"
    if len(whole) > MAX_NAME:
        whole = _marked(whole, name, MAX_NAME)
    return _unlike(whole, name, taken, MAX_NAME)


def _unlike(plain: str, original: str, taken: Collection[str], limit: int) -> str:
    if plain not in taken:
        return plain
    return next(
        marked
        for number in range(len(taken) + 1)
        if (marked := _marked(plain, f"{original}{number or ''}", limit)) not in taken
    )


def _marked(plain: str, original: str, limit: int) -> str:
    """A shortened name with a mark of the original; two servers' or tools' marks differ, and stay the same."""
    mark = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{plain[: limit - 7]}_{mark}"


def description_for_model(description: str, server: str) -> str:
    """A server's words, cut, with their origin in front."""
    return f"[MCP server {server}] {cut(cleaned(description).strip(), MAX_DESCRIPTION)}"


def parameters_for_model(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema that providers take: an object's, small enough, with references inside it only. Nothing is fetched."""
    if len(json.dumps(schema, default=str)) > MAX_SCHEMA_CHARS:
        return dict(_ANYTHING)
    local = _without_outer_references(dict(schema), depth=0)
    properties = local.get("properties")
    named = properties if isinstance(properties, dict) else {}
    kept = {name: each if isinstance(each, dict) else {} for name, each in named.items()}
    required = local.get("required")
    names = [name for name in required if name in kept] if isinstance(required, list) else []
    return {**local, "type": "object", "properties": kept, "required": names}


def _without_outer_references(value: Any, depth: int) -> Any:
    if depth > 40:
        return {}
    if isinstance(value, list):
        return [_without_outer_references(each, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    kept = {
        key: _without_outer_references(each, depth + 1)
        for key, each in value.items()
        if key not in ("$schema", "$id", "$dynamicRef")
    }
    if "$ref" in kept and not (isinstance(reference, str) and reference.startswith("#")):
        del kept["$ref"]
    return kept


class CheckAgainstSchema:
    """Checks arguments for what a model gets wrong: missing ones, unknown ones, other kinds of values. The server
    checks the rest. Patterns and references are left to it: they could take forever here."""

    def __init__(self, name: str, schema: Mapping[str, Any]) -> None:
        self._name = name
        self._schema = schema

    def __call__(self, arguments: Mapping[str, Any], /) -> dict[str, Any]:
        """The arguments as they are.

        Raises:
            ToolError: They do not fit; says which and why.
        """
        properties: Mapping[str, Any] = self._schema["properties"]
        problems = [f"{name}: is required" for name in self._schema["required"] if name not in arguments]
        if self._schema.get("additionalProperties") is False:
            problems += [f"{name}: is not known" for name in arguments if name not in properties]
        problems += [
            f"{name}: should be of the type {kind}"
            for name, value in arguments.items()
            if (kind := _other_kind(value, properties.get(name, {})))
        ]
        if problems:
            names = ", ".join(properties) or "none"
            raise ToolError(
                f"{self._name!r} was not run: {'; '.join(problems[:5])}. Its parameters are: {names}. "
                "Correct the arguments and call again."
            )
        return dict(arguments)


def _other_kind(value: Any, schema: Mapping[str, Any]) -> str:
    """The kind that a value should have had; "" when it has it, or any will do."""
    kind = schema.get("type")
    expected = _KINDS.get(kind) if isinstance(kind, str) else None
    if expected is None:
        return ""
    is_of_kind = isinstance(value, expected) and not (isinstance(value, bool) and kind in ("integer", "number"))
    # 3.0 is an integer in JSON.
    is_of_kind = is_of_kind or (kind == "integer" and isinstance(value, float) and value.is_integer())
    return "" if is_of_kind else str(kind)
