"""`--schema 'name, age int'`: a JSON schema from a few words."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from rustbot_jupyter.notebook.json_schema import check_schema

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_FIELD = re.compile(r"(?P<name>[^\W\d][\w-]*)(?:\s+(?P<type>\S+))?")


def parse_schema(spec: str) -> dict[str, Any]:
    """The JSON schema that a short form, or JSON text, describes.

    The short form is `name [type][: what it is]`, separated by commas or, if there are some, by line breaks. Types
    are str (the default), int, float, bool, and each of them with `[]` behind it for a list.

    Raises:
        ValueError: Neither; the text says what is wrong.
    """
    if spec.lstrip().startswith("{"):
        return _json_schema(spec)
    pieces = [piece.strip() for piece in re.split(r"\n" if "\n" in spec.strip() else ",", spec)]
    properties = dict(_field(piece) for piece in pieces if piece)
    if not properties:
        raise ValueError("it names no field; write it like 'name, age int'")
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _json_schema(spec: str) -> dict[str, Any]:
    try:
        schema = json.loads(spec)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it begins like JSON and is none ({error})") from error
    if not isinstance(schema, dict) or not schema:
        raise ValueError("it is an empty JSON schema")
    check_schema(schema)
    return schema


def _field(piece: str) -> tuple[str, dict[str, Any]]:
    declaration, _, description = piece.partition(":")
    match = _FIELD.fullmatch(declaration.strip())
    if match is None:
        raise ValueError(f"{declaration.strip()!r} is not a name and a type, such as 'age int'")
    schema = _type(match["type"] or "str")
    if description.strip():
        schema["description"] = description.strip()
    return match["name"], schema


def _type(name: str) -> dict[str, Any]:
    item = name.removesuffix("[]")
    if item not in _TYPES:
        near = difflib.get_close_matches(item, [*_TYPES, "string", "number"], n=1)
        known = {"string": "str", "number": "float"}
        hint = f"; did you mean {known.get(near[0], near[0])!r}?" if near else ""
        raise ValueError(f"the type {name!r} is none of str, int, float and bool{hint}")
    kind = {"type": _TYPES[item]}
    return {"type": "array", "items": kind} if name.endswith("[]") else kind
