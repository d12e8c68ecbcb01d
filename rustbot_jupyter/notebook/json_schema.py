"""JSON held against a JSON schema: what of it is wrong, and where; in words for people and models.

Written for the schemas that models are given. Keywords beyond those of structure, ranges and combination (`format`,
`if`, `dependentRequired`, ...) are not looked at, and `$ref` leads to places in the schema itself only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "object": ("an object", lambda value: isinstance(value, dict)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "string": ("a text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer())),
    "number": ("a number", lambda value: _is_number(value)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "null": ("null", lambda value: value is None),
}
"""Each type: in words, and whether a value is of it."""
_RANGES: Mapping[str, tuple[str, Callable[[Any], Any], Callable[[Any, Any], bool]]] = {
    "minimum": ("at least", lambda value: value if _is_number(value) else None, lambda value, end: value >= end),
    "maximum": ("at most", lambda value: value if _is_number(value) else None, lambda value, end: value <= end),
    "exclusiveMinimum": ("above", lambda value: value if _is_number(value) else None, lambda value, end: value > end),
    "exclusiveMaximum": ("below", lambda value: value if _is_number(value) else None, lambda value, end: value < end),
    "minLength": ("as long as", lambda value: len(value) if isinstance(value, str) else None, lambda n, end: n >= end),
    "maxLength": (
        "no longer than",
        lambda value: len(value) if isinstance(value, str) else None,
        lambda n, end: n <= end,
    ),
    "minItems": (
        "a list of at least",
        lambda value: len(value) if isinstance(value, list) else None,
        lambda n, end: n >= end,
    ),
    "maxItems": (
        "a list of at most",
        lambda value: len(value) if isinstance(value, list) else None,
        lambda n, end: n <= end,
    ),
}


def faults_of(value: Any, schema: Any) -> list[str]:
    """Return what is wrong with the value, a sentence each with the path; none when it fits."""
    try:
        return list(_faults(value, schema, "", schema))
    except (RecursionError, LookupError, TypeError, ValueError, AttributeError, re.error) as error:
        return [f"the schema cannot be followed ({type(error).__name__})"]


def check_schema(schema: Any) -> None:
    """Refuse a JSON schema with a type that there is not, wherever it stands.

    Raises:
        ValueError: The text names the type.
    """
    if isinstance(schema, list):
        for each in schema:
            check_schema(each)
    if not isinstance(schema, dict):
        return
    # A field may be called "type" as well; its schema is an object then.
    kinds = schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []:
        if kind not in KINDS:
            raise ValueError(f"there is no type {kind!r}; there are {', '.join(KINDS)}")
    for name, part in schema.items():
        if name not in ("const", "default", "enum", "examples"):
            check_schema(part)


def shown(value: Any) -> str:
    """The value as JSON, cut."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _faults(value: Any, schema: Any, where: str, root: Any) -> Iterator[str]:
    if schema is False:
        yield f"{_named(where)} should not be there"
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("$ref"), str):
        yield from _faults(value, _resolved(schema["$ref"], root), where, root)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(KINDS[kind][1](value) for kind in kinds):
        yield f"{_named(where)} should be {' or '.join(KINDS[kind][0] for kind in kinds)} and is {shown(value)}"
        return
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None and not any(_equal(value, each) for each in allowed):
        one = "" if len(allowed) == 1 else "one of "
        yield f"{_named(where)} should be {one}{_listed(allowed)} and is {shown(value)}"
    for keyword, (words, measured, fits) in _RANGES.items():
        if keyword in schema and (size := measured(value)) is not None and not fits(size, schema[keyword]):
            yield f"{_named(where)} should be {words} {schema[keyword]} and is {shown(value)}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{_named(where)} should be like {schema['pattern']!r} and is {shown(value)}"
    if isinstance(value, dict):
        yield from _in_object(value, schema, where, root)
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        for index, item in enumerate(value):
            part = first[index] if index < len(first) else schema.get("items", True)
            yield from _faults(item, part, f"{where}[{index}]", root)
    yield from _combined(value, schema, where, root)


def _in_object(value: dict[str, Any], schema: dict[str, Any], where: str, root: Any) -> Iterator[str]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in schema.get("required", []):
        if name not in value:
            kind = known[name].get("type") if isinstance(known.get(name), dict) else None
            wanted = f", it should be {KINDS[kind][0]}" if isinstance(kind, str) and kind in KINDS else ""
            yield f"{_step(where, name)!r} is missing{wanted}"
    extra = []
    for name, item in value.items():
        parts = [part for pattern, part in patterns.items() if re.search(pattern, name)]
        parts += [known[name]] if name in known else []
        if not parts and schema.get("additionalProperties") is False:
            extra.append(name)
        for part in parts or [schema.get("additionalProperties", True)]:
            if name not in extra:
                yield from _faults(item, part, _step(where, name), root)
    if extra:
        yield f"{_named(where)} has {', '.join(map(repr, extra))} besides {', '.join(map(repr, known)) or 'nothing'}"


def _combined(value: Any, schema: dict[str, Any], where: str, root: Any) -> Iterator[str]:
    for part in schema.get("allOf", []):
        yield from _faults(value, part, where, root)
    for keyword in ("anyOf", "oneOf"):
        found = [list(_faults(value, part, where, root)) for part in schema.get(keyword, [])]
        count = sum(not each for each in found)
        if found and not count:
            # Of the choices the one that is most like it is what was meant.
            yield from min(found, key=len)
        elif keyword == "oneOf" and count > 1:
            yield f"{_named(where)} fits {count} of the forms of which it should have one"
    if "not" in schema and not list(_faults(value, schema["not"], where, root)):
        yield f"{_named(where)} should not be {shown(value)}"


def _resolved(reference: str, root: Any) -> Any:
    if not reference.startswith("#"):
        raise LookupError(reference)
    place = root
    for step in reference.removeprefix("#").split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        place = place[int(step)] if isinstance(place, list) else place[step]
    return place


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(value: Any, other: Any) -> bool:
    # To Python True is 1.
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(shown, values[:10])) + (", …" if len(values) > 10 else "")


def _named(where: str) -> str:
    return repr(where) if where else "it"


def _step(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
