"""Arguments that a model wrote as JSON in a text are taken as the values they are meant to be, and nothing else is."""

from __future__ import annotations

import enum
import json
from typing import Any, Literal

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from rustbot_jupyter.errors import ToolError
from rustbot_jupyter.messages import ToolCallPart
from rustbot_jupyter.tools.base import CheckArguments
from rustbot_jupyter.tools.call_arguments import parsed
from rustbot_jupyter.tools.functions import tool_of
from rustbot_jupyter.tools.mcp.offers import CheckAgainstSchema
from rustbot_jupyter.tools.meant_values import as_meant
from rustbot_jupyter.tools.parameters import parameters_of_stranger


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Point(BaseModel):
    x: int
    tags: list[str] = []


def draw(
    data: dict[str, int] = {},  # noqa: B006
    rows: list[list[float]] = [],  # noqa: B006
    point: Point | None = None,
    points: list[Point] = [],  # noqa: B006
    count: int = 0,
    share: float = 0,
    is_wide: bool = False,
    size: Size = Size.SMALL,
    level: Literal[1, 2] = 1,
    either: dict[str, int] | list[int] = [],  # noqa: B006
    text: str = "",
    number_or_text: int | str = 0,
    texts: list[str] = [],  # noqa: B006
    anything: Any = None,
) -> None:
    """Draw."""


FUNCTION = tool_of(draw)
MEANT: list[tuple[str, Any, Any]] = [
    ("data", '{"a": 1}', {"a": 1}),
    ("data", ' {"a": "1"}\n', {"a": 1}),
    ("rows", "[[1, 2.5], []]", [[1, 2.5], []]),
    ("rows", ["[1, 2]", [3]], [[1, 2], [3]]),
    ("point", '{"x": 1}', {"x": 1}),
    ("point", {"x": "1", "tags": '["a", "5"]'}, {"x": 1, "tags": ["a", "5"]}),
    ("points", '[{"x": 1}, "{\\"x\\": 2}"]', [{"x": 1}, {"x": 2}]),
    ("count", "5", 5),
    ("count", "-12", -12),
    ("share", "0.25", 0.25),
    ("is_wide", "true", True),
    ("size", "2", 2),
    ("level", "2", 2),
    ("either", "[1, 2]", [1, 2]),
    ("either", '{"a": 1}', {"a": 1}),
]
AS_WRITTEN: list[tuple[str, Any]] = [
    ("text", '{"a": 1}'),
    ("text", "5"),
    ("text", "null"),
    ("number_or_text", "5"),
    ("texts", ["[1]", "true", "7"]),
    ("anything", '{"a": 1}'),
    ("anything", "5"),
]
UNCLEAR: list[tuple[str, Any]] = [
    ("data", "{a: 1}"),
    ("data", '{"a": 1, "a": 2}'),
    ("data", '{"a": 1} and more'),
    ("data", "[1]"),
    ("data", ""),
    ("rows", "1, 2"),
    ("rows", "[[1, NaN]]"),
    ("rows", "[" * 60 + "]" * 60),
    ("point", "null"),
    ("count", "five"),
    ("count", "[5]"),
    ("either", "5"),
]


def server_check() -> CheckArguments:
    """The same parameters, as those of a server's tool."""
    return CheckAgainstSchema("draw", parameters_of_stranger(FUNCTION.definition.parameters))


CHECKS = [pytest.param(FUNCTION.check, id="function"), pytest.param(server_check(), id="server")]


def checked(check: CheckArguments, name: str, value: Any) -> Any:
    return check(parsed(ToolCallPart(call_id="1", name="draw", arguments=json.dumps({name: value}))))[name]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("name", "written", "meant"), MEANT)
def test_json_in_a_text_is_what_the_schema_wants(check: CheckArguments, name: str, written: Any, meant: Any) -> None:
    value = checked(check, name, written)

    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("name", "written"), AS_WRITTEN)
def test_where_a_text_is_wanted_it_stays_one(check: CheckArguments, name: str, written: Any) -> None:
    assert checked(check, name, written) == written


@pytest.mark.parametrize(("name", "written"), UNCLEAR)
def test_what_is_not_exactly_that_is_refused_with_its_place(name: str, written: Any) -> None:
    with pytest.raises(ToolError, match=rf"'draw' was not run: {name}\b.*Correct the arguments"):
        checked(FUNCTION.check, name, written)


def test_names_that_are_others_for_models_are_found_in_a_text_too() -> None:
    schema = {"properties": {"query": {"type": "object", "properties": {"$top": {"type": "integer"}}}}}
    check = CheckAgainstSchema("list", parameters_of_stranger(schema))

    assert check({"query": '{"top": "5"}'}) == {"query": {"$top": 5}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=examples(60))
@given(value=JSON, text=st.text(max_size=8) | JSON.map(json.dumps))
def test_what_takes_any_value_or_a_text_is_left_alone(value: Any, text: str) -> None:
    assert as_meant(value, {}) == value
    assert as_meant(text, {"type": "string"}) == text
    assert as_meant(text, {"anyOf": [{"type": "string"}, {"type": "object"}]}) == text
