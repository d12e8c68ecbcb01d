"""Answers held against the schema that was asked for."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rustbot_jupyter as rb
from rustbot_jupyter.errors import ModelError, SchemaError
from rustbot_jupyter.notebook.answer_schema import fitting_value
from rustbot_jupyter.notebook.short_schema import parse_schema

PERSON = parse_schema("name, age int, tags str[]")
ANN = {"name": "Ann", "age": 3, "tags": ["a"]}
TEXT = json.dumps(ANN)


@pytest.mark.parametrize(
    "answer",
    [
        TEXT,
        f"\ufeff  {TEXT}\n",
        f"```json\n{TEXT}\n```",
        f"Here it is:\n\n```\n{TEXT}\n```\nEnjoy {{it}}!",
        f"Sure! {TEXT} Anything else? [1]",
        f'For example {{"name": "x"}}, so:\n```json\n{TEXT}\n```',
        f"```json\n{TEXT}\n```\nor in one line\n```json\n{json.dumps(ANN, indent=1)}\n```",
        f"The set {{a, b}} gives {TEXT}.",
    ],
)
def test_one_value_that_fits_is_the_answer(answer):
    assert fitting_value(answer, PERSON) == ANN


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I would rather not.", "it is no JSON"),
        ("", "it is no JSON"),
        (TEXT[:-5], "it is no JSON|is missing|should be"),
        ('{"name": "Ann", "tags": []}', "'age' is missing, it should be a whole number"),
        (json.dumps(ANN | {"age": "old"}), "'age' should be a whole number and is \"old\""),
        (json.dumps(ANN | {"age": 3.5}), "'age' should be a whole number and is 3.5"),
        (json.dumps(ANN | {"age": True}), "'age' should be a whole number and is true"),
        (json.dumps(ANN | {"tags": ["a", 1]}), "'tags\\[1\\]' should be a text and is 1"),
        (json.dumps(ANN | {"tags": "a"}), "'tags' should be a list and is \"a\""),
        (json.dumps(ANN | {"more": 1}), "it has 'more' besides 'name', 'age', 'tags'"),
        (json.dumps([ANN]), "it should be an object and is"),
        ("[1, 2]", "it should be an object and is \\[1, 2\\]"),
        ("null", "it should be an object and is null"),
        (f"{TEXT} or {json.dumps(ANN | {'age': 4})}", "it holds several values that do"),
        ("[" * 100_000, "it is no JSON"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(answer, reason):
    with pytest.raises(SchemaError, match=reason) as told:
        fitting_value(answer, PERSON)

    assert str(told.value).startswith("The answer does not fit the schema: ")
    assert isinstance(told.value, ModelError)
    assert rb.SchemaError is SchemaError
    assert told.value.faults


@pytest.mark.parametrize(
    ("schema", "good", "bad", "reason"),
    [
        (
            {"type": "array", "items": {"type": "integer"}},
            "[1, 2]",
            '[1, "a"]',
            "'[1]' should be a whole number and is",
        ),
        ({"enum": ["a", "b"]}, '"a"', '"c"', 'it should be one of "a", "b" and is "c"'),
        ({"type": "integer", "minimum": 3}, "3", "2", "it should be at least 3 and is 2"),
        (
            {"properties": {"people": {"items": {"required": ["age"]}}}},
            '{"people": [{"age": 1}]}',
            '{"people": [{"age": 1}, {}]}',
            "'people[1].age' is missing",
        ),
        ({"$defs": {"n": {"type": "number"}}, "$ref": "#/$defs/n"}, "1.5", '"x"', "it should be a number"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, '"x"', "1", "it should be null and is 1"),
        ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, "0", "3", "it fits 2 of the forms"),
        ({"not": {"const": 1}}, "true", "1", "it should not be 1"),
        ({"type": ["integer", "null"]}, "2.0", '"2"', "it should be a whole number or null"),
        ({"prefixItems": [{"const": 1}], "items": False}, "[1]", "[1, 2]", "'[1]' should not be there"),
        ({"additionalProperties": {"type": "integer"}}, '{"a": 1}', '{"a": "b"}', "'a' should be a whole number"),
        ({"patternProperties": {"^n_": {"pattern": "^a"}}}, '{"n_x": "ab"}', '{"n_x": "b"}', "should be like '^a'"),
        (
            {"properties": {"type": {"type": "string", "maxLength": 2}}},
            '{"type": "ab"}',
            '{"type": "abc"}',
            "'type' should",
        ),
        ({"items": {"$ref": "#"}, "maxItems": 1}, "[[]]", "[[1, 2]]", "'[0]' should be a list of at most 1"),
        ({"type": "integer"}, "1" + "0" * 400, "1e999", "it should be a whole number"),
        ({"pattern": "("}, None, '"1"', "the schema cannot be followed"),
        ({"$ref": "#"}, None, "1", "the schema cannot be followed"),
        ({"$ref": "http://127.0.0.1:9/schema"}, None, "1", "the schema cannot be followed"),
    ],
)
def test_any_json_schema_holds(schema, good, bad, reason):
    if good is not None:
        assert fitting_value(good, schema) == json.loads(good)
    with pytest.raises(SchemaError, match=re.escape(reason)):
        fitting_value(bad, schema)


def test_a_schema_that_is_none_is_refused_before_anything_is_asked():
    with pytest.raises(ValueError, match=r"^there is no type 'strnig'"):
        parse_schema('{"type": "strnig"}')


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), st.text())
def test_any_other_answer_has_a_reason(value, prose):
    for answer in (json.dumps(value), prose, f"{prose} {json.dumps(value)}"):
        with pytest.raises(SchemaError) as told:
            fitting_value(answer, PERSON)
        assert told.value.faults
