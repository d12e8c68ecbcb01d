"""Schemas of strangers' tools are such that every provider takes them, and calls come back under the real names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.tools.base import ToolContext
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.mcp.offers import CheckAgainstSchema
from rustbot_jupyter.tools.parameters import MAX_SCHEMA_CHARS, parameters_of_stranger
from rustbot_jupyter.tools.plain_schemas import plain_schema


def refusals(schema: Any, *, is_top: bool = True) -> list[str]:
    """What providers refuse of a schema, in their words."""
    found = []
    if is_top and schema.get("type") != "object":
        found.append("input_schema.type: Field required")
    if is_top and {"anyOf", "oneOf", "allOf"} & set(schema):
        found.append("input_schema does not support oneOf, allOf, or anyOf at the top level")
    if {"$ref", "$defs", "definitions", "const", "oneOf", "allOf", "not", "patternProperties", "prefixItems"} & set(
        schema
    ):
        found.append("Unknown name")
    if not isinstance(schema.get("type", ""), str):
        found.append("Proto field is not repeating, cannot start list")
    if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
        found.append("array schema missing items")
    if schema.get("type") == "object" and "properties" not in schema:
        found.append("object schema missing properties")
    if not all(isinstance(each, str) and each for each in schema.get("enum", [])):
        found.append("enum: cannot be empty")
    if "enum" in schema and schema.get("type") != "string":
        found.append("enum: only allowed for STRING type")
    if schema.get("format", "date-time") != "date-time":
        found.append("only 'enum' and 'date-time' are supported for STRING type")
    if any(isinstance(schema.get(key), bool) for key in ("required", "exclusiveMinimum", "minimum")):
        found.append("JSON schema is invalid: True is not of type 'array'")
    if "exclusiveMinimum" in schema or "exclusiveMaximum" in schema or "pattern" in schema:
        found.append("Unknown name")
    for name, each in schema.get("properties", {}).items():
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name):
            found.append(f"Property keys should match pattern, not {name!r}")
        found += refusals(each, is_top=False)
    inner = [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for each in [*inner, *schema.get("anyOf", [])]:
        found += refusals(each, is_top=False)
    return found


TEXT = {"type": "string"}
A = {"a": TEXT}
B = {"b": {"type": "integer"}}


def of(value: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": value}}


SCHEMAS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "anyOf of required": ({**of(TEXT), "anyOf": [{"required": ["a"]}]}, {"a": TEXT}),
    "oneOf of objects": ({"oneOf": [{"properties": A}, {"properties": B}]}, {**A, **B}),
    "allOf of objects": ({"allOf": [{"properties": A}, {"properties": B, "required": ["b"]}]}, {**A, **B}),
    "one name of two types": (
        {"anyOf": [{"properties": A}, {"properties": {"a": {"type": "integer"}}}]},
        {"a": {"anyOf": [TEXT, {"type": "integer"}]}},
    ),
    "array without items": (of({"type": "array"}), {"a": {"type": "array", "items": {}}}),
    "array of true": (of({"type": "array", "items": True}), {"a": {"type": "array", "items": {}}}),
    "a tuple": (
        of({"type": "array", "items": [TEXT, {"type": "integer"}]}),
        {
            "a": {
                "type": "array",
                "items": {"anyOf": [TEXT, {"type": "integer"}]},
                "description": "A list of 2 values, in this order.",
            }
        },
    ),
    "object without properties": (of({"type": "object"}), {"a": {"type": "object", "properties": {}}}),
    "keys with signs": (
        {"properties": {"$filter": TEXT, "my key": TEXT, "@type": TEXT}},
        {
            "filter": {**TEXT, "description": "($filter)"},
            "my_key": {**TEXT, "description": "(my key)"},
            "type": {**TEXT, "description": "(@type)"},
        },
    ),
    "a type or null": (of({"type": ["string", "null"]}), {"a": TEXT}),
    "a union with null": (of({"anyOf": [TEXT, {"type": "null"}], "default": None}), {"a": TEXT}),
    "two types": (of({"type": ["string", "integer"]}), {"a": {"anyOf": [TEXT, {"type": "integer"}]}}),
    "oneOf inside": (of({"oneOf": [TEXT, {"type": "boolean"}]}), {"a": {"anyOf": [TEXT, {"type": "boolean"}]}}),
    "allOf inside": (of({"allOf": [TEXT, {"minLength": 2}]}), {"a": {**TEXT, "minLength": 2}}),
    "a constant": (of({"const": "x"}), {"a": {**TEXT, "enum": ["x"]}}),
    "numbers to choose from": (
        of({"type": "integer", "enum": [1, 2]}),
        {"a": {"type": "integer", "description": "One of: 1, 2."}},
    ),
    "an empty choice": (of({**TEXT, "enum": ["", "b"]}), {"a": {**TEXT, "description": 'One of: "", "b".'}}),
    "choices without a type": (of({"enum": ["x", "y", None]}), {"a": {**TEXT, "enum": ["x", "y"]}}),
    "a format": (of({**TEXT, "format": "uri"}), {"a": {**TEXT, "description": "Format: uri."}}),
    "a time": (of({**TEXT, "format": "date-time"}), {"a": {**TEXT, "format": "date-time"}}),
    "a pattern": (of({**TEXT, "pattern": "^(a+)+$"}), {"a": {**TEXT, "description": "Has to match ^(a+)+$"}}),
    "bounds of draft 4": (
        of({"type": "integer", "minimum": 1, "exclusiveMinimum": True}),
        {"a": {"type": "integer", "minimum": 2}},
    ),
    "bounds of draft 6": (of({"type": "number", "exclusiveMaximum": 1}), {"a": {"type": "number", "maximum": 1}}),
    "required of draft 3": (of({**TEXT, "required": True}), {"a": TEXT}),
    "a reference": ({"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": TEXT}}, {"a": TEXT}),
    "words beside a reference": (
        {"properties": {"a": {"$ref": "#/definitions/x", "description": "Mine."}}, "definitions": {"x": TEXT}},
        {"a": {**TEXT, "description": "Mine."}},
    ),
    "a reference at the top": ({"$ref": "#/$defs/x", "$defs": {"x": {"properties": A}}}, A),
    "a far reference": (of({"$ref": "http://x.example/y.json"}), {"a": {}}),
    "a lost reference": (of({"$ref": "#/$defs/none"}), {"a": {}}),
    "a type that is none": (of({"type": "any"}), {"a": {}}),
    "true": (of(True), {"a": {}}),
    "no type": ({"properties": A}, A),
    "nested without a type": (of({"properties": B}), {"a": {"type": "object", "properties": B}}),
    "nothing": ({}, {}),
    "an array": ({"type": "array", "items": TEXT}, {}),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_a_schema_that_some_provider_refuses_is_made_plain(case):
    schema, properties = SCHEMAS[case]
    before = json.dumps(schema)

    plain = plain_schema(schema)

    assert refusals(plain.schema) == []
    assert plain.schema["properties"] == properties
    assert json.dumps(schema) == before


def test_a_schema_that_contains_itself_ends():
    node = {"type": "object", "properties": {"value": TEXT, "next": {"$ref": "#/$defs/node"}}}

    plain = plain_schema({"properties": {"list": {"$ref": "#/$defs/node"}}, "$defs": {"node": node}})

    assert refusals(plain.schema) == []
    assert plain.schema["properties"]["list"]["properties"]["next"]["properties"]["value"] == TEXT


@pytest.mark.timeout(10)
@pytest.mark.parametrize("key", ["allOf", "anyOf", "oneOf"])
def test_a_schema_that_multiplies_itself_ends(key):
    schema = {key: [{"$ref": "#"}] * 50, "properties": {"a": {key: [{"$ref": "#/properties/a"}] * 50}}}

    assert refusals(parameters_of_stranger(schema).schema) == []


def test_a_schema_that_grows_by_its_references_stays_within_its_size():
    long = {"type": "object", "properties": {f"p{n}": {**TEXT, "description": "d" * 100} for n in range(100)}}
    schema = {"properties": {f"q{n}": {"$ref": "#/$defs/x"} for n in range(50)}, "$defs": {"x": long}}

    parameters = parameters_of_stranger(schema)

    assert len(json.dumps(parameters.schema)) < MAX_SCHEMA_CHARS
    assert parameters.schema["properties"]["q0"] == {"type": "object"}
    assert len(parameters.schema["properties"]) == 50


@pytest.mark.parametrize(
    ("schema", "given", "sent"),
    [
        ({"properties": {"$filter": TEXT}}, {"filter": "x"}, {"$filter": "x"}),
        ({"properties": {"$filter": TEXT}}, {"$filter": "x"}, {"$filter": "x"}),
        ({"properties": {"a b": TEXT, "a_b": TEXT}}, {"a_b": "x"}, {"a_b": "x"}),
        ({"properties": {"x" * 70: TEXT}}, {"x" * 64: "v"}, {"x" * 70: "v"}),
        ({"properties": {"größe": TEXT}}, {"gr_e": "v"}, {"gr_e": "v"}),
        (of({"properties": {"@id": TEXT}}), {"a": {"id": "v"}}, {"a": {"@id": "v"}}),
        (of({"items": {"properties": {"@id": TEXT}}}), {"a": [{"id": "v"}, 1]}, {"a": [{"@id": "v"}, 1]}),
        (
            of({"properties": {"k": TEXT}, "additionalProperties": {"properties": {"@id": TEXT}}}),
            {"a": {"any": {"id": "v"}, "k": "id"}},
            {"a": {"any": {"@id": "v"}, "k": "id"}},
        ),
        (
            of({"anyOf": [{"properties": {"@id": TEXT}}, {"items": {"properties": {"$x": TEXT}}}]}),
            {"a": [{"x": "v"}]},
            {"a": [{"$x": "v"}]},
        ),
    ],
)
def test_a_call_comes_back_under_the_names_of_the_server(schema, given, sent):
    if "größe" in schema["properties"]:
        (name,) = parameters_of_stranger(schema).schema["properties"]
        given, sent = {name: "v"}, {"größe": "v"}

    assert CheckAgainstSchema("t", parameters_of_stranger(schema))(given) == sent


@pytest.mark.parametrize(
    ("schema", "given", "reason"),
    [
        ({"properties": {"$f": TEXT}, "required": ["$f"]}, {}, "f: is required"),
        ({"properties": {"$f": TEXT}}, {"f": 7}, "f: should be of the type string"),
        (of({"type": ["string", "integer"]}), {"a": []}, "a: should be of the type string or integer"),
        ({**of(TEXT), "additionalProperties": False}, {"b": 1}, "b: is not known"),
        (
            {"properties": {**A, **B, "c": TEXT}, "anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]},
            {"b": 1},
            "Needs a or b and c",
        ),
        ({"allOf": [{"properties": A, "required": ["a"]}]}, {}, "a: is required"),
    ],
)
def test_arguments_are_held_against_what_the_server_said(schema, given, reason):
    with pytest.raises(ToolError, match=re.escape(reason)):
        CheckAgainstSchema("t", parameters_of_stranger(schema))(given)


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (of({"type": ["string", "null"]}), {"a": None}),
        (of({"anyOf": [TEXT, {"type": "null"}]}), {"a": None}),
        (of({"type": "integer"}), {"a": 3.0}),
        ({**of(TEXT), "anyOf": [{"required": ["a"]}, {}]}, {}),
        ({"anyOf": [{"properties": A, "additionalProperties": False}, {"properties": B}]}, {"b": 1}),
    ],
)
def test_arguments_that_the_server_takes_are_let_through(schema, given):
    assert CheckAgainstSchema("t", parameters_of_stranger(schema))(given) == given


class Place(BaseModel):
    city: str
    kind: Literal["home", "work"] = "home"


class Folder(BaseModel):
    name: str
    inside: list[Folder] = []


class Point(BaseModel):
    identity: int = Field(alias="@id")


class Cat(BaseModel):
    pet: Literal["cat"]
    lives: int = Field(9, gt=0, lt=10)


class Dog(BaseModel):
    pet: Literal["dog"]
    born: date


class Part(TypedDict):
    size: int


@dataclass
class Box:
    parts: list[Part]


PETS = Annotated[Cat | Dog, Field(discriminator="pet")]
CAT, DOG = {"pet": "cat", "lives": 9}, {"pet": "dog", "born": "2024-05-06"}


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [
        (Place, {"city": "Oslo"}, Place(city="Oslo")),
        (list[Place], [{"city": "Oslo", "kind": "work"}], [Place(city="Oslo", kind="work")]),
        (Place | None, None, None),
        (int | None, 4, 4),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], 2, 2),
        (Literal["only"], "only", "only"),
        (int | str, "x", "x"),
        (int | list[Place], [{"city": "Oslo"}], [Place(city="Oslo")]),
        (tuple[int, str], [1, "a"], (1, "a")),
        (PETS, DOG, Dog(pet="dog", born=date(2024, 5, 6))),
        (list[PETS], [CAT], [Cat(pet="cat", lives=9)]),
        (Box, {"parts": [{"size": 2}]}, Box(parts=[{"size": 2}])),
        (Folder, {"name": "a", "inside": [{"name": "b"}]}, Folder(name="a", inside=[Folder(name="b")])),
        (Point, {"id": 3}, Point(**{"@id": 3})),
        (dict[str, Point], {"p": {"id": 3}}, {"p": Point(**{"@id": 3})}),
        (list[Point] | None, [{"id": 3}], [Point(**{"@id": 3})]),
        (Annotated[str, Field(pattern="^a")], "ab", "ab"),
        (datetime, "2024-05-06T07:08:09", datetime(2024, 5, 6, 7, 8, 9)),
        (Decimal, "1.5", Decimal("1.5")),
        (set[int], [1, 2], {1, 2}),
        (Any, {"x": [1]}, {"x": [1]}),
    ],
)
async def test_a_function_with_any_annotation_is_offered_plainly_and_gets_its_objects(kind, value, made):
    got = []
    function = as_function(got)
    function.__annotations__ = {"größe": kind}

    tool = tool_of(function)
    (shown,) = tool.definition.parameters["properties"]
    await tool.run(tool.check({shown: value}), ToolContext())

    assert refusals(tool.definition.parameters) == []
    assert tool.definition.parameters["required"] == [shown]
    assert got == [made]


def as_function(got: list[Any]) -> Any:
    def keep(größe):
        got.append(größe)

    return keep


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (Place, {"city": 7}, "where.city: Input should be a valid string"),
        (Literal["a", "b"], "c", "where: Input should be 'a' or 'b'"),
        (Literal[1, 2], 3, "where: Input should be 1 or 2"),
        (Annotated[int, Field(gt=3)], 3, "where: Input should be greater than 3"),
        (Annotated[str, Field(pattern="^a")], "b", "where: String should match pattern"),
        (Folder, {"name": "a", "inside": [{"name": "b", "inside": [{"inside": []}]}]}, "inside.0.name: Field required"),
    ],
)
def test_a_functions_arguments_are_held_against_its_own_annotations(kind, value, reason):
    def look(where):
        return where

    look.__annotations__ = {"where": kind}
    tool = tool_of(look)

    assert refusals(tool.definition.parameters) == []
    with pytest.raises(ToolError, match=re.escape(reason)):
        tool.check({"where": value})


def test_a_parameter_with_another_name_for_models_is_called_by_it_in_errors():
    def look(größe: int) -> int:
        return größe

    tool = tool_of(look)
    (shown,) = tool.definition.parameters["properties"]

    assert tool.check({shown: 3}) == {"größe": 3}
    with pytest.raises(ToolError, match=re.escape(f"{shown}: Field required. Its parameters are: {shown}.")):
        tool.check({})


def test_a_functions_long_list_of_choices_is_kept_whole():
    choices = tuple(f"choice number {number}" for number in range(2_000))

    def pick(one):
        return one

    pick.__annotations__ = {"one": Literal[choices]}

    assert tool_of(pick).definition.parameters["properties"]["one"]["enum"] == list(choices)


ANY_SCHEMA = st.recursive(
    st.sampled_from([{}, True, None, 7, "x", TEXT, {"type": "array"}, {"$ref": "#"}, {"$ref": "#/properties/a"}]),
    lambda inner: (
        st.dictionaries(
            st.sampled_from(["type", "items", "anyOf", "oneOf", "allOf", "const", "enum", "additionalProperties"]),
            inner | st.lists(inner, max_size=3) | st.sampled_from(["object", "array", ["string", "null"], True]),
            max_size=4,
        )
        | st.dictionaries(
            st.just("properties"), st.dictionaries(st.sampled_from(["a", "$b", "c d"]), inner, max_size=3), max_size=1
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["type", "properties", "anyOf", "allOf", "required"]), ANY_SCHEMA, max_size=4))
def test_whatever_a_server_says_is_made_plain(schema):
    parameters = parameters_of_stranger(schema)

    assert refusals(parameters.schema) == []
    json.dumps(parameters.schema)


def test_a_parameter_that_is_described_twice_and_once_wrongly_is_made_plain():
    schema = {"properties": {"a": {"anyOf": 5}}, "allOf": [{"properties": {"a": TEXT}}]}

    assert refusals(plain_schema(schema).schema) == []
