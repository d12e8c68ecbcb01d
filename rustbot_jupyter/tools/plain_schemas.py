"""Schemas of tools in the plain form that every provider takes, and the way back from it.

One schema that a provider refuses fails every question. The rules, and who made each necessary:

- No `anyOf`, `oneOf`, `allOf` at the top, no `$ref` anywhere, names of properties in `[a-zA-Z0-9_.-]{1,64}`: Anthropic,
  https://platform.claude.com/docs/en/managed-agents/self-hosted-sandboxes and
  https://github.com/langchain-ai/langchain/issues/39271; the first also OpenAI.
- Arrays have `items`, objects `properties`, tuples are none: OpenAI, "array schema missing items".
- One `type`, not a list; `enum` of texts only and without an empty one; no `const`, no `format` but date-time and no
  bounds that exclude: Gemini, https://ai.google.dev/api/caching#Schema.
- No pattern: llama.cpp makes a grammar of it and refuses many,
  https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md.
- `required` and bounds that are booleans: draft 4, which no provider reads.

What goes is said in the description, and checked by the server or the function.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 10
MAX_NODES = 2_000
_DEEPEST_UNION = 20
_MOST_TURNS = 2
"""How often a schema that contains itself is written out."""
MAX_NAME = 64

Schema = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KEPT = ("title", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "default")
_TYPES = ("string", "integer", "number", "boolean", "array", "object")


@dataclass(frozen=True, kw_only=True)
class Names:
    """The true names of properties, where these are others."""

    original: Mapping[str, str] = field(default_factory=dict)
    inner: Mapping[str, Names] = field(default_factory=dict)
    """Of the properties' own properties, by their plain names."""
    items: Names | None = None
    others: Names | None = None
    """Of the values under names that are not in `inner`."""

    def restored(self, value: Any) -> Any:
        """The value with the names that were there before."""
        if isinstance(value, list) and self.items is not None:
            return [self.items.restored(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        restored: dict[str, Any] = {}
        for name, each in value.items():
            inner = self.inner.get(name, self.others)
            restored[self.original.get(name, name)] = each if inner is None else inner.restored(each)
        return restored

    @property
    def is_plain(self) -> bool:
        """True if nothing has another name."""
        return not self.original and self.items is None and self.others is None and not self.inner


@dataclass(frozen=True, kw_only=True)
class PlainSchema:
    """The parameters of a tool as every provider takes them."""

    schema: Schema
    names: Names
    merged: Schema
    """`properties` and `required` with their original names and rules, unions at the top made one."""
    alternatives: tuple[tuple[str, ...], ...] = ()
    """Of these groups of parameters one has to be there; () for no such rule."""


def plain_schema(schema: Mapping[str, Any]) -> PlainSchema:
    """The plain form of an object's schema, whatever it is."""
    maker = _Maker(schema)
    merged, groups = maker.merged(schema, 0)
    plain, names = maker.plain({**merged, "type": "object"}, 0)
    properties = merged.get("properties", {})
    required = set(merged.get("required", ()))
    alternatives = tuple(
        dict.fromkeys(tuple(name for name in group if name in properties and name not in required) for group in groups)
    )
    return PlainSchema(
        schema={"type": "object", "properties": {}, **plain},
        names=names,
        merged=merged,
        # A group without a name is always there.
        alternatives=() if not all(alternatives) else alternatives,
    )


class _Maker:
    """Makes one schema plain; its references lead into itself only, and nothing is fetched."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._nodes = 0
        self._open: list[Any] = []
        """The references that lead to where we are."""

    def _has_room(self) -> bool:
        self._nodes += 1
        return self._nodes <= MAX_NODES

    # The top.

    def merged(self, schema: Any, depth: int) -> tuple[Schema, list[tuple[str, ...]]]:
        """The schema with its unions made one, and the groups of names of which one is needed."""
        whole = self._resolved(schema)
        if depth > MAX_DEPTH or not self._has_room():
            return {}, []
        merged: Schema = {
            key: each for key, each in whole.items() if key not in ("allOf", "anyOf", "oneOf", "properties", "required")
        }
        properties: Schema = {}
        required: list[str] = []
        groups: list[tuple[str, ...]] = []
        _add(properties, required, whole)
        for part in _schemas(whole.get("allOf")):
            inner, inner_groups = self.merged(part, depth + 1)
            _add(properties, required, inner)
            groups += inner_groups
            if inner.get("additionalProperties") is False:
                # Each part would refuse what the others name.
                merged.pop("additionalProperties", None)
        for key in ("anyOf", "oneOf"):
            branches = [self.merged(branch, depth + 1)[0] for branch in _schemas(whole.get(key))]
            needs = [tuple(branch.get("required", ())) for branch in branches]
            for branch in branches:
                _add(properties, [], branch)
            # In all branches is needed in any case.
            required += [name for name in (needs[0] if needs else ()) if all(name in need for need in needs)]
            groups = groups or needs
            if branches:
                merged.pop("additionalProperties", None)
        merged["properties"] = properties
        merged["required"] = list(dict.fromkeys(name for name in required if depth or name in properties))
        return merged, groups

    def _resolved(self, schema: Any, seen: tuple[str, ...] = ()) -> Schema:
        """The schema in the place of its reference."""
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref", schema.get("$dynamicRef"))
        if reference is None:
            return dict(schema)
        others = {key: each for key, each in schema.items() if key not in ("$ref", "$dynamicRef")}
        if not isinstance(reference, str) or reference in seen or len(seen) > MAX_DEPTH:
            return others
        return {**self._resolved(self._at(reference), (*seen, reference)), **others}

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return {}
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                found = found.get(step) if isinstance(found, Mapping) else None
        return found

    # Any schema.

    def plain(self, schema: Any, depth: int) -> tuple[Schema, Names]:
        """The plain form, and what is called otherwise in it."""
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        is_again = reference is not None and self._open.count(reference) >= _MOST_TURNS
        if depth > MAX_DEPTH or is_again or not self._has_room():
            return {}, Names()
        self._open.append(reference)
        try:
            return self._made_plain(self._resolved(schema), depth)
        finally:
            self._open.pop()

    def _made_plain(self, whole: Schema, depth: int) -> tuple[Schema, Names]:
        if depth:
            whole = self._united(whole)
        notes: list[str] = []
        plain: Schema = {key: whole[key] for key in _KEPT if key in whole and _is_kept(key, whole[key])}
        names = Names()
        kinds = _kinds(whole)
        branches = [each for each in _schemas(whole.get("anyOf")) if each.get("type") != "null"]
        if len(kinds) > 1:
            branches = [{**_of_kind(whole, kind), "type": kind} for kind in kinds]
        if branches:
            made = [self.plain(branch, depth + 1) for branch in branches]
            plain["anyOf"] = [each for each, _ in made]
            names = _joined([each for _, each in made])
        elif kinds:
            plain["type"] = kinds[0]
            names = self._filled(plain, whole, kinds[0], depth, notes)
        _bound(plain, whole)
        notes += _notes(plain, whole)
        said = whole.get("description")
        description = " ".join(filter(None, [said if isinstance(said, str) else "", *notes]))
        return ({**plain, "description": description} if description else plain), names

    def _united(self, whole: Schema, depth: int = 0) -> Schema:
        """The schema with all parts of `allOf` in it, and a single branch in the place of its union."""
        if depth > _DEEPEST_UNION or not self._has_room():
            return {}
        for part in _schemas(whole.pop("allOf", None)):
            inner = self._united(self._resolved(part), depth + 1)
            properties = {**_mapping(inner.get("properties")), **_mapping(whole.get("properties"))}
            required = [*_list(whole.get("required")), *_list(inner.get("required"))]
            whole = {**inner, **whole}
            if properties:
                whole["properties"] = properties
            if required:
                whole["required"] = required
        branches = [self._resolved(each) for key in ("anyOf", "oneOf") for each in _schemas(whole.pop(key, None))]
        real = [each for each in branches if each.get("type") != "null"]
        if len(real) == 1:
            return self._united({**real[0], **whole}, depth + 1)
        return {**whole, "anyOf": real} if real else whole

    def _filled(self, plain: Schema, whole: Schema, kind: str, depth: int, notes: list[str]) -> Names:
        """Put in what a kind of schema has inside."""
        if kind == "array":
            items = whole.get("prefixItems", whole.get("items"))
            if isinstance(items, list):
                notes.append(f"A list of {len(items)} values, in this order.")
                items = items[0] if all(each == items[0] for each in items) and items else {"anyOf": items}
            plain["items"], inner = self.plain(items, depth + 1)
            return Names() if inner.is_plain else Names(items=inner)
        if kind != "object":
            return Names()
        others: Names | None = None
        if isinstance(whole.get("additionalProperties"), bool):
            plain["additionalProperties"] = whole["additionalProperties"]
        elif isinstance(whole.get("additionalProperties"), Mapping):
            plain["additionalProperties"], found = self.plain(whole["additionalProperties"], depth + 1)
            others = None if found.is_plain else found
        properties: Schema = {}
        original: dict[str, str] = {}
        inner_names: dict[str, Names] = {}
        given = _mapping(whole.get("properties"))
        # A name that fits is nobody else's.
        taken = {name for name in given if _NAME.fullmatch(str(name))}
        for name, each in given.items():
            plain_name = name if name in taken else _plain_name(str(name), taken | set(properties))
            made, inner = self.plain(each, depth + 1)
            if plain_name != name:
                original[plain_name] = name
                made["description"] = f"({name}) {made.get('description', '')}".rstrip()
            if others is not None or not inner.is_plain:
                inner_names[plain_name] = inner
            properties[plain_name] = made
        plain["properties"] = properties
        renamed = {name: plain_name for plain_name, name in original.items()}
        required = [renamed.get(name, name) for name in _required(whole)]
        if depth == 0 or required:
            plain["required"] = [name for name in required if name in properties]
        return Names(original=original, inner=inner_names, others=others)


def _add(properties: Schema, required: list[str], schema: Mapping[str, Any]) -> None:
    for name, each in _mapping(schema.get("properties")).items():
        if name in properties and properties[name] not in ({}, each):
            known = properties[name]
            is_union = isinstance(known, Mapping) and set(known) == {"anyOf"} and isinstance(known["anyOf"], list)
            kinds = known["anyOf"] if is_union else [known]
            if each not in kinds:
                properties[name] = {"anyOf": [*kinds, each]}
        else:
            properties[name] = each
    required += _required(schema)


def _required(schema: Mapping[str, Any]) -> list[str]:
    named = [name for name in _list(schema.get("required")) if isinstance(name, str)]
    old = [
        name
        for name, each in _mapping(schema.get("properties")).items()
        if isinstance(each, Mapping) and each.get("required") is True
    ]
    return list(dict.fromkeys([*named, *old]))


def _schemas(value: Any) -> list[Schema]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """The types of what fits; guessed by what else is said of it; [] for anything."""
    said = schema.get("type")
    kinds = [each for each in (said if isinstance(said, list) else [said]) if each in _TYPES]
    if kinds or "anyOf" in schema:
        return list(dict.fromkeys(kinds)) if "anyOf" not in schema else []
    if isinstance(schema.get("properties"), Mapping):
        return ["object"]
    if "items" in schema or "prefixItems" in schema:
        return ["array"]
    values = _choices(schema)
    if values and all(isinstance(each, str) for each in values):
        return ["string"]
    if values and all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        return ["integer"]
    return []


_ONLY: Mapping[str, Sequence[str]] = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
}


def _of_kind(schema: Mapping[str, Any], kind: str) -> Schema:
    """Return what a schema of several types says of one of them."""
    return {key: schema[key] for key in _ONLY.get(kind, ()) if key in schema}


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    values = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
    return [each for each in values if each is not None]


def _is_kept(key: str, value: Any) -> bool:
    if key == "default":
        return isinstance(value, str | int | float | bool)
    if key == "title":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bound(plain: Schema, whole: Mapping[str, Any]) -> None:
    """Bounds that exclude, as bounds that do not: one further for whole numbers."""
    for key, outer, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        limit = plain.get(key) if whole.get(outer) is True else whole.get(outer)
        if isinstance(limit, int | float) and not isinstance(limit, bool):
            plain[key] = limit + step if plain.get("type") == "integer" and isinstance(limit, int) else limit


def _notes(plain: Schema, whole: Mapping[str, Any]) -> list[str]:
    """Return what a plain schema cannot say, in words; choices that it can say are put in."""
    notes = []
    choices = _choices(whole)
    if choices and all(isinstance(each, str) and each for each in choices) and plain.get("type") == "string":
        plain["enum"] = choices
    elif choices:
        notes.append(f"One of: {', '.join(json.dumps(each, ensure_ascii=False, default=str) for each in choices)}.")
    shape = whole.get("format")
    if shape == "date-time" and plain.get("type") == "string":
        plain["format"] = shape
    elif isinstance(shape, str) and plain.get("type") == "string":
        notes.append(f"Format: {shape}.")
    if isinstance(whole.get("pattern"), str):
        notes.append(f"Has to match {whole['pattern']}")
    return notes


def _joined(names: Sequence[Names]) -> Names:
    """The names of all branches of a union; the first that has one counts."""
    original: dict[str, str] = {}
    inner: dict[str, Names] = {}
    for each in reversed(names):
        original |= each.original
        inner |= each.inner
    return Names(
        original=original,
        inner=inner,
        items=next((each.items for each in names if each.items), None),
        others=next((each.others for each in names if each.others), None),
    )


def _plain_name(name: str, taken: set[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_")[:MAX_NAME] or "value"
    if plain not in taken:
        return plain
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{plain[: MAX_NAME - 7]}_{mark}"
